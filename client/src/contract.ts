/**
 * The service's messages as callers see them, and the results of the client. The compiler compares the messages with the
 * service's own schemas (`functions/contract`) in a test, so this package depends on neither them nor their library.
 */

/** How a cancellation ended. */
export type Outcome = 'cancelled' | 'too_late' | 'job_not_found';

/** The one effort to cancel one job: `state`, and `outcome` too, tell the compiler which of the two it is. */
export type Cancellation = OpenCancellation | ClosedCancellation;

/** What is not known is null. */
interface CancellationFacts {
  readonly jobId: string;
  readonly externalId: string;
  /** The job's status when the service last read it, in Plangrep's words: `processing`, `cancelled`, `completed`, … */
  readonly jobStatus: string | null;
  readonly pageCount: number | null;
  readonly successfulPageCount: number | null;
  readonly creditsDebited: number | null;
  /** How many attempts to cancel the job the service has started. */
  readonly attempts: number;
  /** RFC 3339, UTC, like every time here. */
  readonly requestedAt: string;
  /** When the service alerted its operators, because the cancellation had been open for too long. */
  readonly escalatedAt: string | null;
}

/** Until Plangrep confirms how the job ended. */
export interface OpenCancellation extends CancellationFacts {
  readonly state: 'open';
  readonly outcome: null;
  /** When the service looks at the job next. A later time than before shows that it has looked. */
  readonly nextLookAt: string | null;
  readonly closedAt: null;
  readonly ranMs: null;
  readonly spentMs: null;
  readonly creditsDebitedMeanwhile: null;
}

export interface ClosedCancellation extends CancellationFacts {
  readonly state: 'closed';
  readonly outcome: Outcome;
  readonly nextLookAt: null;
  readonly closedAt: string;
  /** Milliseconds that the job ran after the request. null for a job that Plangrep does not know. */
  readonly ranMs: number | null;
  /** Milliseconds from the request to `closedAt`, by whom they were spent: they add up to it. */
  readonly spentMs: SpentMs;
  /** Credits debited while the cancellation was open, as far as job reads told. */
  readonly creditsDebitedMeanwhile: number | null;
}

/** `us`: the service. `person`: someone had to act, for example resume a job that was out of credits. */
export interface SpentMs {
  readonly us: number;
  readonly plangrep: number;
  readonly person: number;
}

/** One entry of the audit trail. Which optional fields it has depends on `type`. */
export interface TimelineEntry {
  readonly at: string;
  /** Give your `switch` a default: a newer service may have more types. */
  readonly type:
    | 'requested'
    | 'attempt_started'
    | 'attempt_ended'
    | 'observed'
    | 'escalated'
    | 'closed'
    | 'joined'
    | 'callback';
  /** Absent on `joined`, which is another request for the same job, and on `callback`. */
  readonly seq?: number | undefined;
  /** Of a `callback`, an attempt to tell you: the event's `seq`. */
  readonly about?: number | undefined;
  readonly attempt?: number | undefined;
  readonly result?: string | undefined;
  readonly why?: string | undefined;
  readonly httpStatus?: number | undefined;
  /** Of a `callback` that failed: when it is tried again. */
  readonly nextAt?: string | undefined;
  readonly outcome?: Outcome | undefined;
  readonly jobStatus?: string | undefined;
  readonly requestId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly reason?: string | undefined;
}

export type CancellationWithTimeline = Cancellation & Recorded;

/** What is recorded about a cancellation. */
export interface Recorded {
  /** How often the service asked Plangrep about the job, by attempts and polls. */
  readonly looks: number;
  /** When it last began to. */
  readonly lastLookedAt: string;
  /** How many `joined` requests there are; 1000 stands for 1,000 or more. */
  readonly joinedCount: number;
  /** In order of time: at most 200 events (the first and the newest) and the newest `joined` requests, at most 100. */
  readonly timeline: readonly TimelineEntry[];
}

/** A job in the service's directory. */
export interface RegisteredJob {
  readonly jobId: string;
  readonly externalId: string;
  readonly projectId: string | null;
  /** When it was first registered. */
  readonly registeredAt: string;
  /** When Plangrep confirmed that the job is yours; null: it did not answer, and the first cancel asks again. */
  readonly verifiedAt: string | null;
}

/** One of several unfinished jobs with the same externalId. */
export interface Candidate {
  readonly jobId: string;
  readonly jobStatus: string;
  readonly registeredAt: string;
}

/** What a cancel of an externalId would do. Give your `switch` a default: a newer service may have more. */
export type PlannedState =
  | 'will_cancel'
  /** Another request has asked to cancel the job already. */
  | 'under_way'
  | 'already_ended'
  /** The job is yours, and Plangrep does not show it now. */
  | 'unknown_to_plangrep'
  /** Several jobs: cancel one of the candidates by its jobId. */
  | 'ambiguous'
  /** No job of yours has the externalId. */
  | 'not_found'
  /** Not known at the moment. */
  | 'unresolved';

/** What a cancel of an externalId would do now. */
export interface Preview {
  readonly externalId: string;
  readonly state: PlannedState;
  /** The job that a cancel would reach. null: none, or not one alone. */
  readonly jobId: string | null;
  readonly jobStatus: string | null;
  /** With `ambiguous`: jobs that have not ended. Otherwise empty. */
  readonly candidates: readonly Candidate[];
}

/** What is wrong with one field; the path is empty for the whole body. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** Every `code` of the service's problems. */
export type ProblemCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'job_not_found'
  | 'route_not_found'
  | 'method_not_allowed'
  | 'ambiguous_external_id'
  | 'job_already_terminal'
  | 'job_unknown_to_plangrep'
  | 'job_registered_otherwise'
  | 'too_many_jobs'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'idempotency_key_reused'
  | 'too_many_requests'
  | 'internal_error'
  | 'temporarily_unavailable'
  | 'gateway_timeout';

/** The body of `POST /v1/cancellations`. `null` for a field is the same as leaving it out. */
export interface CancelRequest {
  /** Your own id for the job: 1 to 180 characters, compared byte for byte. */
  readonly externalId: string;
  /** Which of several jobs with this externalId: one of the `candidates` of an `ambiguous` result. */
  readonly jobId?: string | null | undefined;
  /** Why, in your words: kept in the audit trail. At most 500 characters. */
  readonly reason?: string | null | undefined;
}

/** The body of `PUT /v1/jobs/{jobId}`. */
export interface RegisterJobRequest {
  readonly externalId: string;
  /** Plangrep's project of the job. */
  readonly projectId?: string | null | undefined;
}

/** The query of `GET /v1/cancellations`. */
export interface ListRequest {
  readonly externalId: string;
  /** How many jobs a page covers: 1 to 20. @default 20 */
  readonly limit?: number | null | undefined;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string | null | undefined;
}

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
