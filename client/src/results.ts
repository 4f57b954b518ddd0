import type {
  OpenCancellation,
  ClosedCancellation,
  CancellationWithTimeline,
  RegisteredJob,
  Candidate,
  FieldError,
} from './contract.ts';

// The results of the client: what an answer of the service means to a caller.

/** What every result has. */
export interface Told {
  /** Quote it when you ask the service's operators. Absent if nothing was sent, or the answer was not the service's. */
  readonly requestId: string | undefined;
}

/** What every unsuccessful result has. */
export interface Refused extends Told {
  /** For people to read. A program decides by `kind`. */
  readonly detail: string;
}

/** The job is cancelled, by this request or by an earlier one. */
export interface Cancelled extends Told {
  readonly kind: 'cancelled';
  readonly cancellation: ClosedCancellation;
}

/** Accepted and recorded. The service retries without you; `waitUntilClosed` resolves to the end. */
export interface Pending extends Told {
  readonly kind: 'pending';
  readonly cancellation: OpenCancellation;
  /** Milliseconds after which to look again. */
  readonly retryAfterMs: number;
}

/** The job ended another way first: nothing is left to cancel. */
export interface TooLate extends Refused {
  readonly kind: 'tooLate';
  /** How it ended, in Plangrep's words: `completed`, `failed`, … */
  readonly jobStatus: string | null;
  readonly cancellation: ClosedCancellation;
}

/** The job is registered with the service, but Plangrep has answered for minutes that it does not exist. */
export interface UnknownToPlangrep extends Refused {
  readonly kind: 'unknownToPlangrep';
  readonly cancellation: ClosedCancellation;
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

/** You have registered the job under another externalId. Nothing was changed. */
export interface RegisteredOtherwise extends Refused {
  readonly kind: 'registeredOtherwise';
}

/** Twenty jobs with this externalId have not ended. Nothing was changed. */
export interface TooManyJobs extends Refused {
  readonly kind: 'tooManyJobs';
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

/** The credential is valid, but does not have the scope. */
export interface Forbidden extends Refused {
  readonly kind: 'forbidden';
}

/**
 * No clear answer after every try that fitted into the time, or a 403 that is not from the service: a firewall or proxy in
 * between sent it. **The request may have been done.** You can repeat it safely,
 * best with the same `idempotencyKey`.
 */
export interface Unavailable extends Refused {
  readonly kind: 'unavailable';
  /** Of the last try's answer; 0: no answer. */
  readonly status: number;
  readonly tries: number;
  /** Milliseconds that the service asked to wait, if it did. */
  readonly retryAfterMs: number | undefined;
  /** The key of all tries, if this was a cancel. */
  readonly idempotencyKey: string | undefined;
}

/**
 * An answer that this client does not know and that a repeat would not change: from a newer service, or from something
 * else (a proxy's page, a redirect, a wrong `baseUrl`). Look at it before you ask again.
 */
export interface Unexpected extends Refused {
  readonly kind: 'unexpected';
  readonly status: number;
  /** The problem's `code`, if the answer was a problem. */
  readonly code: string | undefined;
}

/** How any request can fail. */
export type Failure = NotFound | Invalid | Unauthorized | Forbidden | Unavailable | Unexpected;

/** The result of `waitUntilClosed`; `pending`: still open at the end of the time. */
export type WaitResult = Cancelled | Pending | TooLate | UnknownToPlangrep | Failure;

/** The result of `cancel`. */
export type CancelResult = WaitResult | Ambiguous | KeyReused;

/** One cancellation. */
export interface Found extends Told {
  readonly kind: 'found';
  readonly cancellation: CancellationWithTimeline;
  /** While it is open: milliseconds after which to look again. */
  readonly retryAfterMs: number | undefined;
}
/** The result of `read`; also `notFound` if no request has asked to cancel the job. */
export type ReadResult = Found | Failure;

/** A request of yours that reached no job: nothing was done. */
export interface Refusal {
  /** When it was refused for good. An event is tried for 5 minutes before. */
  readonly at: string;
  /** Give your `switch` a default: a newer service may have more. */
  readonly why: 'job_not_found' | 'ambiguous_external_id' | 'idempotency_key_reused' | 'unresolved';
  readonly door: 'https' | 'events';
  /** Of an event its `id`. */
  readonly requestId: string;
  /** The jobId that it asked for; null: none. */
  readonly jobId: string | null;
}

/** One page of the cancellations of the jobs with an externalId, the newest job's first. A page may be empty. */
export interface Listed extends Told {
  readonly kind: 'listed';
  readonly cancellations: readonly CancellationWithTimeline[];
  /** The newest requests that reached no job, at most 20 of the last 30 days. Absent from an older service. */
  readonly refusals?: readonly Refusal[] | undefined;
  /** How many there are; 100 stands for 100 or more. */
  readonly refusedCount?: number | undefined;
  /** The `cursor` of the next page. null on the last page; nothing else shows that. */
  readonly nextCursor: string | null;
}
/** The result of `list`. */
export type ListResult = Listed | Failure;

/** The job is registered, by this request or by an equal earlier one. */
export interface Registered extends Told {
  readonly kind: 'registered';
  readonly job: RegisteredJob;
}
/** The result of `registerJob`. */
export type RegisterResult = Registered | RegisteredOtherwise | TooManyJobs | Failure;
