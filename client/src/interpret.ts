import { type Check, type Checks, object, oneOf, text } from './check-shape.ts';
import type {
  Cancellation,
  CancellationWithTimeline,
  Candidate,
  FieldError,
  Preview,
  ProblemCode,
  RegisteredJob,
} from './contract.ts';
import type {
  Ambiguous,
  Cancelled,
  Failure,
  KeyReused,
  Pending,
  Refused,
  RegisteredOtherwise,
  Told,
  TooLate,
  TooManyJobs,
  UnknownToPlangrep,
} from './results.ts';
import { type Answer, isRetryable, type Sent } from './send.ts';

const number: Check = (value) => typeof value === 'number';
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const listOf =
  <Item>(isItem: (value: unknown) => value is Item) =>
  (value: unknown): value is readonly Item[] =>
    Array.isArray(value) && value.every(isItem);

const textOrNull = orNull(text);
const numberOrNull = orNull(number);
/** An older service does not send these, and nothing here needs them. */
type Unchecked = 'nextLookAt' | 'ranMs' | 'spentMs' | 'creditsDebitedMeanwhile';
const cancellationChecks: Checks<Omit<Cancellation, Unchecked>> = {
  jobId: text,
  externalId: text,
  state: oneOf('open', 'closed'),
  outcome: oneOf('cancelled', 'too_late', 'job_not_found', null),
  jobStatus: textOrNull,
  pageCount: numberOrNull,
  successfulPageCount: numberOrNull,
  creditsDebited: numberOrNull,
  attempts: number,
  requestedAt: text,
  escalatedAt: textOrNull,
  closedAt: textOrNull,
};
const isTimeline = listOf(object<{ at: string; type: string }>({ at: text, type: text }));

const isCandidate = object<Candidate>({ jobId: text, jobStatus: text, registeredAt: text });

export const isCancellation = object<Cancellation, Unchecked>(cancellationChecks);
export const isCancellationWithTimeline = object<CancellationWithTimeline, Unchecked | 'looks' | 'lastLookedAt'>({
  ...cancellationChecks,
  joinedCount: number,
  timeline: isTimeline,
});
export const isCancellationList = object<{
  readonly cancellations: readonly CancellationWithTimeline[];
  readonly nextCursor: string | null;
}>({
  cancellations: listOf(isCancellationWithTimeline),
  nextCursor: textOrNull,
});
export const isRegisteredJob = object<RegisteredJob>({
  jobId: text,
  externalId: text,
  projectId: textOrNull,
  registeredAt: text,
  verifiedAt: textOrNull,
});
export const isPreviewList = object<{ readonly previews: readonly Preview[] }>({
  previews: listOf(
    object<Preview>({
      externalId: text,
      state: text,
      jobId: textOrNull,
      jobStatus: textOrNull,
      candidates: listOf(isCandidate),
    }),
  ),
});

// What single codes add to their problem.
const hasCancellation = object<{ readonly cancellation: Cancellation }>({ cancellation: isCancellation });
const hasCandidates = object<{ readonly candidates: readonly Candidate[] }>({
  candidates: listOf(isCandidate),
});
const hasErrors = object<{ readonly errors: readonly FieldError[] }>({
  errors: listOf(object<FieldError>({ path: text, message: text })),
});

/** Used where the service does not say when to look again. */
export const DEFAULT_LOOK_AGAIN_MS = 15_000;

/** The state of a cancellation as a result. It needs no status: that only repeats the cancellation. */
type Standing = Cancelled | Pending | TooLate | UnknownToPlangrep;
export function standingOf(
  cancellation: Cancellation,
  { requestId, retryAfterMs = DEFAULT_LOOK_AGAIN_MS }: Pick<Answer, 'requestId' | 'retryAfterMs'>,
): Standing {
  const { jobStatus } = cancellation;
  switch (cancellation.outcome) {
    case null:
      return { kind: 'pending', retryAfterMs, cancellation, requestId };
    case 'cancelled':
      return { kind: 'cancelled', cancellation, requestId };
    case 'too_late':
      return { kind: 'tooLate', detail: `The job ended first: ${jobStatus}.`, jobStatus, cancellation, requestId };
    case 'job_not_found':
      return { kind: 'unknownToPlangrep', detail: 'Plangrep has no such job.', cancellation, requestId };
  }
}

/** Makes a result of a problem. @returns false if the problem lacks what its code promises */
type Reading<Result> = (common: Refused, answer: Answer) => Result | false;
type Readings<Code extends ProblemCode, Result> = Readonly<Record<Code, Reading<Result>>>;

/** These codes become `unavailable` after the last try, or `unexpected`. */
type CodeWithoutReading =
  | 'route_not_found'
  | 'method_not_allowed'
  | 'too_many_requests'
  | 'internal_error'
  | 'temporarily_unavailable'
  | 'gateway_timeout';

const just =
  <Kind extends string>(kind: Kind) =>
  (common: Refused): { readonly kind: Kind } & Refused => ({ kind, ...common });
const invalid: Reading<Failure> = (common, { body }) => ({
  kind: 'invalid',
  errors: hasErrors(body) ? body.errors : [],
  ...common,
});
const failures = {
  invalid_request: invalid,
  body_too_large: invalid,
  unsupported_media_type: invalid,
  unauthorized: just('unauthorized'),
  forbidden: just('forbidden'),
  job_not_found: just('notFound'),
} satisfies Partial<Readings<ProblemCode, Failure>>;

export const registerReadings = {
  job_registered_otherwise: just('registeredOtherwise'),
  too_many_jobs: just('tooManyJobs'),
} satisfies Partial<Readings<ProblemCode, RegisteredOtherwise | TooManyJobs>>;

const asStanding: Reading<Standing> = (_common, answer) =>
  hasCancellation(answer.body) && standingOf(answer.body.cancellation, answer);

/** The compiler rejects this if a code has a reading neither here nor elsewhere. */
export const cancelReadings: Readings<
  Exclude<ProblemCode, CodeWithoutReading | keyof typeof failures | keyof typeof registerReadings>,
  Standing | Ambiguous | KeyReused
> = {
  ambiguous_external_id: (common, { body }) =>
    hasCandidates(body) && { kind: 'ambiguous', candidates: body.candidates, ...common },
  job_already_terminal: asStanding,
  job_unknown_to_plangrep: asStanding,
  idempotency_key_reused: just('keyReused'),
};

/**
 * The result of a request.
 * @param success makes a result of the body of a successful answer; false if the body is not the service's
 * @param readings of the operation's own problems; a code without a reading is `unexpected`
 */
export function interpret<Success, Result>(
  sent: Sent,
  success: (body: unknown, common: Told) => Success | false,
  readings?: Readonly<Record<string, Reading<Result>>>,
): Success | Result | Failure {
  const { status, body, detail, problem, requestId, retryAfterMs, tries, idempotencyKey } = sent;
  const common = { detail, requestId };
  const code = problem?.code;
  const all = new Map<string | undefined, Reading<Result | Failure>>(Object.entries({ ...failures, ...readings }));
  const result = status < 300 ? success(body, { requestId }) : all.get(code)?.(common, sent);
  if (result) return result;
  return isRetryable(sent)
    ? { kind: 'unavailable', status, retryAfterMs, tries, idempotencyKey, ...common }
    : { kind: 'unexpected', status, code, ...common };
}
