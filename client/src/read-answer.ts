import type { Cancellation, CancellationWithTimeline, Candidate, FieldError, RegisteredJob } from './contract.ts';

/** Whether a value has the form of a message. What is not known is let pass: a newer service may say more. */
type Check = (value: unknown) => boolean;
type Checks<Shape> = Readonly<Record<keyof Shape, Check>>;

const text = (value: unknown): value is string => typeof value === 'string';
const number: Check = (value) => typeof value === 'number';
const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const object =
  <Shape>(checks: Checks<Shape>) =>
  (value: unknown): value is Shape =>
    isObject(value) && Object.entries<Check>(checks).every(([name, check]) => check(value[name]));
const listOf =
  <Item>(isItem: (value: unknown) => value is Item) =>
  (value: unknown): value is readonly Item[] =>
    Array.isArray(value) && value.every(isItem);

const textOrNull = orNull(text);
const numberOrNull = orNull(number);
const cancellation: Checks<Cancellation> = {
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

export const isCancellation = object<Cancellation>(cancellation);
export const isCancellationWithTimeline = object<CancellationWithTimeline>({ ...cancellation, timeline: isTimeline });
export const isCancellationList = object<{ readonly cancellations: readonly CancellationWithTimeline[] }>({
  cancellations: listOf(isCancellationWithTimeline),
});
export const isRegisteredJob = object<RegisteredJob>({
  jobId: text,
  externalId: text,
  projectId: textOrNull,
  registeredAt: text,
});
/** A problem (RFC 9457) of the service's. */
export interface Problem {
  /** One of `ProblemCode`, or a newer service's. */
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  readonly retryable: boolean;
}
export const isProblem = object<Problem>({ code: text, detail: text, requestId: text, retryable: oneOf(true, false) });

// What single codes add to their problem.
export const hasCancellation = object<{ readonly cancellation: Cancellation }>({ cancellation: isCancellation });
export const hasCandidates = object<{ readonly candidates: readonly Candidate[] }>({
  candidates: listOf(object<Candidate>({ jobId: text, jobStatus: text, registeredAt: text })),
});
export const hasErrors = object<{ readonly errors: readonly FieldError[] }>({
  errors: listOf(object<FieldError>({ path: text, message: text })),
});

/** Why a connection failed: an error's code, such as ECONNREFUSED, never its message: that may repeat what was sent. */
export const readCause = (error: unknown): string => {
  const code = String(isObject(error) && isObject(error['cause']) && error['cause']['code']);
  return /^[A-Z_]{3,40}$/.test(code) ? code : 'connection failed';
};
