import * as z from 'zod/mini';
import type { JobId, ProjectId, Timestamp } from './identifiers.ts';

/**
 * A job as Plangrep shows it, cut to what this service may know: read leniently (only `id` and `status` are sure), the
 * status kept as it is even when unknown.
 */
export interface PlangrepJob {
  readonly id: JobId;
  readonly status: string;
  /** Absent when Plangrep shows none or null. `''`, which is not an externalId, for a value that is not a string. */
  readonly externalId?: string | undefined;
  readonly projectId?: ProjectId | undefined;
  readonly pageCount?: number | undefined;
  readonly successfulPageCount?: number | undefined;
  readonly creditsDebited?: number | undefined;
  readonly createdAt?: Timestamp | undefined;
  /** When the job changed last, so it was created then or before. */
  readonly updatedAt?: Timestamp | undefined;
  /** Absent while the job runs. */
  readonly completedAt?: Timestamp | undefined;
  /** When Plangrep stops showing the job and its result: a later read may answer 404. */
  readonly expiresAt?: Timestamp | undefined;
}

/** Why the effect of a call is not known. */
export const unknownReasonSchema = z.enum([
  'timeout',
  'connection_lost',
  'server_error',
  'redirect',
  'unreadable_answer',
  'oversized_answer',
  'wrong_job',
]);
export type UnknownReason = z.infer<typeof unknownReasonSchema>;

/** Why a call provably never reached Plangrep. */
export const notSentReasonSchema = z.enum(['no_connection', 'no_key', 'no_time']);
export type NotSentReason = z.infer<typeof notSentReasonSchema>;

/** A call to Plangrep that returned no job. Only `unknown` may have changed something there. */
export type PlangrepFailure =
  /** 429. `retryAfterMs` is the clamped Retry-After (1 s … 15 min); absent if there was no valid one. */
  | { readonly kind: 'rate_limited'; readonly retryAfterMs?: number | undefined }
  /** 401 for the newest key that Secrets Manager has. */
  | { readonly kind: 'key_refused' }
  /** No request was sent, or only one that Plangrep rejected with 401 or 403. */
  | { readonly kind: 'not_sent'; readonly why: NotSentReason }
  /** Any other 4xx. */
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly code?: string | undefined }
  /** `retryAfterMs`: as for 429, of a 503. */
  | {
      readonly kind: 'unknown';
      readonly why: UnknownReason;
      readonly httpStatus?: number | undefined;
      readonly retryAfterMs?: number | undefined;
    };

export type CancelAnswer = { readonly kind: 'job'; readonly job: PlangrepJob } | PlangrepFailure;
/** `not_found`: 404, Plangrep does not know the job. */
export type ReadAnswer = CancelAnswer | { readonly kind: 'not_found' };
export type ListAnswer = JobList | { readonly kind: 'not_found' } | PlangrepFailure;

/** A project's list of jobs. */
export interface JobList {
  readonly kind: 'jobs';
  /** In milliseconds since 1970: the list shows every job that existed then. */
  readonly listedAt: number;
  /** How many entries it has, and how many of them cannot be read. */
  readonly count: number;
  readonly unreadable: number;
  readonly jobsOf: (externalId: string) => ListedJobs;
}

/** The jobs of one externalId in a list. */
export interface ListedJobs {
  readonly jobs: readonly PlangrepJob[];
  /** False when an entry that may be one of them cannot be read. */
  readonly isWhole: boolean;
}
