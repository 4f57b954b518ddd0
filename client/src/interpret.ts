import type { Cancellation, ProblemCode } from './contract.ts';
import { hasCancellation, hasCandidates, hasErrors } from './read-answer.ts';
import type {
  Ambiguous,
  Cancelled,
  Failure,
  KeyReused,
  NotFound,
  Pending,
  Refused,
  RegisteredOtherwise,
  Told,
  TooLate,
  UnknownToPlangrep,
} from './results.ts';
import { isRetryable, type Sent } from './send.ts';
import type { Answer } from './try-once.ts';

/** How a cancellation stands. */
type Standing = Cancelled | Pending | TooLate | UnknownToPlangrep;

/** Where the service does not say when to look again. */
export const DEFAULT_LOOK_AGAIN_MS = 15_000;

/** What a cancellation says, by itself: the answer's status only repeats it. */
export const standingOf = (
  cancellation: Cancellation,
  { requestId, retryAfterMs = DEFAULT_LOOK_AGAIN_MS }: Pick<Answer, 'requestId' | 'retryAfterMs'>,
): Standing => {
  const { jobStatus } = cancellation;
  const told = { cancellation, requestId };
  switch (cancellation.outcome) {
    case null:
      return { kind: 'pending', retryAfterMs, ...told };
    case 'cancelled':
      return { kind: 'cancelled', ...told };
    case 'too_late':
      return { kind: 'tooLate', detail: `The job ended first: ${jobStatus}.`, jobStatus, ...told };
    case 'job_not_found':
      return { kind: 'unknownToPlangrep', detail: 'Plangrep has no such job.', ...told };
  }
};

/** What a problem comes to. @returns undefined if the problem lacks what its code promises */
type Reading<End> = (told: Refused, answer: Answer) => End | undefined;
type Readings<Code extends ProblemCode, End> = Readonly<Record<Code, Reading<End>>>;

/** These come to `unavailable` once the tries are used up, or to `unexpected`. */
type CodeWithoutEnd =
  | 'route_not_found'
  | 'too_many_requests'
  | 'internal_error'
  | 'temporarily_unavailable'
  | 'gateway_timeout';

const just =
  <Kind extends string>(kind: Kind) =>
  (told: Refused): { readonly kind: Kind } & Refused => ({ kind, ...told });
const invalid: Reading<Failure> = (told, { body }) => ({
  kind: 'invalid',
  errors: hasErrors(body) ? body.errors : [],
  ...told,
});
const failures = {
  invalid_request: invalid,
  body_too_large: invalid,
  unsupported_media_type: invalid,
  unauthorized: just('unauthorized'),
  forbidden: just('forbidden'),
} satisfies Partial<Readings<ProblemCode, Failure>>;

export const readReadings = {
  job_not_found: just('notFound'),
} satisfies Partial<Readings<ProblemCode, NotFound>>;

export const registerReadings = {
  job_registered_otherwise: just('registeredOtherwise'),
} satisfies Partial<Readings<ProblemCode, RegisteredOtherwise>>;

const ofCancellation: Reading<Standing> = (_told, answer) =>
  hasCancellation(answer.body) ? standingOf(answer.body.cancellation, answer) : undefined;

/** Every code that has no reading elsewhere has one here, or this does not compile. */
export const cancelReadings: Readings<
  Exclude<ProblemCode, CodeWithoutEnd | keyof typeof failures | keyof typeof registerReadings>,
  Standing | Ambiguous | NotFound | KeyReused
> = {
  ...readReadings,
  ambiguous_external_id: (told, { body }) =>
    hasCandidates(body) ? { kind: 'ambiguous', candidates: body.candidates, ...told } : undefined,
  job_already_terminal: ofCancellation,
  job_unknown_to_plangrep: ofCancellation,
  idempotency_key_reused: just('keyReused'),
};

/**
 * What came of a request.
 * @param success reads the body of an answer that is no problem
 * @param readings of the problems that are the operation's own; what is in no readings is `unexpected`
 */
export const interpret = <Success, End>(
  sent: Sent,
  success: (body: unknown, told: Told) => Success | false,
  readings: Readonly<Record<string, Reading<End>>>,
): Success | End | Failure => {
  const { status, body, detail, problem, requestId, retryAfterMs, tries, idempotencyKey } = sent;
  const told = { detail, requestId };
  const code = problem?.code;
  const all = new Map<string | undefined, Reading<End | Failure>>(Object.entries({ ...failures, ...readings }));
  const end = status < 300 ? success(body, { requestId }) : all.get(code)?.(told, sent);
  if (end) return end;
  return isRetryable(sent)
    ? { kind: 'unavailable', status, retryAfterMs, tries, idempotencyKey, ...told }
    : { kind: 'unexpected', status, code, ...told };
};
