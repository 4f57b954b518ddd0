/**
 * The service's messages as callers see them. A test holds every type here to the service's own schemas
 * (`functions/http`), so the package needs neither them nor their library.
 */

/** How a cancellation ended. */
export type Outcome = 'cancelled' | 'too_late' | 'job_not_found';

/** The one effort to cancel one job. What is not known is null. */
export interface Cancellation {
  readonly jobId: string;
  readonly externalId: string;
  /** `open` until Plangrep confirms how the job ended. */
  readonly state: 'open' | 'closed';
  /** null while open. */
  readonly outcome: Outcome | null;
  /** What the newest look at the job told, in Plangrep's words: `processing`, `cancelled`, `completed`, … */
  readonly jobStatus: string | null;
  readonly pageCount: number | null;
  readonly successfulPageCount: number | null;
  readonly creditsDebited: number | null;
  /** How often the service set out to cancel it. */
  readonly attempts: number;
  /** RFC 3339, UTC, like every time here. */
  readonly requestedAt: string;
  /** When the service's operators were told that it takes long. */
  readonly escalatedAt: string | null;
  readonly closedAt: string | null;
}

/** One entry of the audit trail. Which optional fields there are depends on `type`. */
export interface TimelineEntry {
  readonly at: string;
  /** Have a default in your `switch`: a newer service may know more of them. */
  readonly type: 'requested' | 'attempt_started' | 'attempt_ended' | 'escalated' | 'closed' | 'joined';
  /** Absent on `joined`: that is another request for the same job. */
  readonly seq?: number | undefined;
  readonly attempt?: number | undefined;
  readonly result?: string | undefined;
  readonly why?: string | undefined;
  readonly httpStatus?: number | undefined;
  readonly outcome?: Outcome | undefined;
  readonly jobStatus?: string | undefined;
  readonly requestId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly reason?: string | undefined;
}

export interface CancellationWithTimeline extends Cancellation {
  /** In order of time. */
  readonly timeline: readonly TimelineEntry[];
}

/** A job as the service's directory has it. */
export interface RegisteredJob {
  readonly jobId: string;
  readonly externalId: string;
  readonly projectId: string | null;
  /** When it was first registered. */
  readonly registeredAt: string;
}

/** One of several live jobs that bear the same externalId. */
export interface Candidate {
  readonly jobId: string;
  readonly jobStatus: string;
  readonly registeredAt: string;
}

/** What is wrong with one field; the path is empty for the body as a whole. */
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
  | 'ambiguous_external_id'
  | 'job_already_terminal'
  | 'job_unknown_to_plangrep'
  | 'job_registered_otherwise'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'idempotency_key_reused'
  | 'too_many_requests'
  | 'internal_error'
  | 'temporarily_unavailable'
  | 'gateway_timeout';

/** The body of `POST /v1/cancellations`. */
export interface CancelRequest {
  /** Your own id for the job: 1 to 180 characters, compared byte for byte. */
  readonly externalId: string;
  /** Which of several jobs with this externalId: one of `candidates` of an `ambiguous` result. */
  readonly jobId?: string | undefined;
  /** Why, in your words: kept in the audit trail. At most 500 characters. */
  readonly reason?: string | undefined;
}

/** The body of `PUT /v1/jobs/{jobId}`. */
export interface RegisterJobRequest {
  readonly externalId: string;
  /** Plangrep's project of the job. */
  readonly projectId?: string | undefined;
}
