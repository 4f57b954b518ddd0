import type { Cancellation, CancellationWithTimeline, Candidate, FieldError, RegisteredJob } from './contract.ts';

/** What every result has. */
export interface Told {
  /** Quote it when you ask the service's operators. Absent where nothing was sent, or nothing of theirs came back. */
  readonly requestId: string | undefined;
}

/** What every result has that is no success. */
export interface Refused extends Told {
  /** For a person; not for a program to go by. */
  readonly detail: string;
}

/** The job is cancelled: by this request, or before it. */
export interface Cancelled extends Told {
  readonly kind: 'cancelled';
  readonly cancellation: Cancellation;
}

/** Accepted and on record: the service sees it through. Nothing is left to do; `waitUntilClosed` tells how it ended. */
export interface Pending extends Told {
  readonly kind: 'pending';
  readonly cancellation: Cancellation;
  /** Milliseconds after which another look is worthwhile. */
  readonly retryAfterMs: number;
}

/** The job ended another way first: nothing is left to cancel. */
export interface TooLate extends Refused {
  readonly kind: 'tooLate';
  /** How it ended, in Plangrep's words: `completed`, `failed`, … */
  readonly jobStatus: string | null;
  readonly cancellation: Cancellation;
}

/** The job is registered with the service, yet Plangrep has no such job. */
export interface UnknownToPlangrep extends Refused {
  readonly kind: 'unknownToPlangrep';
  readonly cancellation: Cancellation;
}

/** Several unfinished jobs have this externalId. Nothing was done: cancel again with the `jobId` of one. */
export interface Ambiguous extends Refused {
  readonly kind: 'ambiguous';
  readonly candidates: readonly Candidate[];
}

/** No job of yours has this externalId or jobId. */
export interface NotFound extends Refused {
  readonly kind: 'notFound';
}

/** This Idempotency-Key was first used for another request. Nothing was done. */
export interface KeyReused extends Refused {
  readonly kind: 'keyReused';
}

/** The job is already registered under another externalId or partner. Nothing was changed. */
export interface RegisteredOtherwise extends Refused {
  readonly kind: 'registeredOtherwise';
}

/** The request is malformed. Nothing was done. */
export interface Invalid extends Refused {
  readonly kind: 'invalid';
  readonly errors: readonly FieldError[];
}

/** The credential is missing, wrong, expired or revoked. */
export interface Unauthorized extends Refused {
  readonly kind: 'unauthorized';
}

/** The credential is valid, but may not do this. */
export interface Forbidden extends Refused {
  readonly kind: 'forbidden';
}

/**
 * No clear answer, after every try that fitted into the budget. **It may have been done**; asking again is safe, best
 * with the same `idempotencyKey`.
 */
export interface Unavailable extends Refused {
  readonly kind: 'unavailable';
  /** Of the last try's answer; 0: there was none. */
  readonly status: number;
  readonly tries: number;
  /** Milliseconds that the service asked to wait, if it did. */
  readonly retryAfterMs: number | undefined;
  /** Of a cancel: what its tries were sent with. */
  readonly idempotencyKey: string | undefined;
}

/**
 * An answer that this client does not know and that a repeat would not change: not from the service (a proxy's page, a
 * redirect, a wrong `baseUrl`) or from a newer one. Look at it before you ask again.
 */
export interface Unexpected extends Refused {
  readonly kind: 'unexpected';
  readonly status: number;
  /** The problem's `code`, if the answer was a problem. */
  readonly code: string | undefined;
}

/** What can come of any request. */
export type Failure = Invalid | Unauthorized | Forbidden | Unavailable | Unexpected;

/** What becomes of `cancel`. */
export type CancelResult =
  | Cancelled
  | Pending
  | TooLate
  | UnknownToPlangrep
  | Ambiguous
  | NotFound
  | KeyReused
  | Failure;

/** What becomes of `waitUntilClosed`; `pending`: still open when the time was up. */
export type WaitResult = Cancelled | Pending | TooLate | UnknownToPlangrep | NotFound | Failure;

/** One cancellation. */
export interface Found extends Told {
  readonly kind: 'found';
  readonly cancellation: CancellationWithTimeline;
  /** While it is open: milliseconds after which another look is worthwhile. */
  readonly retryAfterMs: number | undefined;
}
/** What becomes of `read`; `notFound`, too, while nobody has asked to cancel the job. */
export type ReadResult = Found | NotFound | Failure;

/** The cancellations of the newest 20 jobs behind an externalId, the newest job's first. */
export interface Listed extends Told {
  readonly kind: 'listed';
  readonly cancellations: readonly CancellationWithTimeline[];
}
/** What becomes of `list`. */
export type ListResult = Listed | NotFound | Failure;

/** The job stands in the directory: by this request, or by an equal one before it. */
export interface Registered extends Told {
  readonly kind: 'registered';
  readonly job: RegisteredJob;
}
/** What becomes of `registerJob`. */
export type RegisterResult = Registered | RegisteredOtherwise | Failure;
