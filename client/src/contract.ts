/**
 * The service's messages as callers see them. The compiler compares them with the service's own schemas
 * (`functions/contract`) in a test, so this package depends on neither them nor their library.
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
