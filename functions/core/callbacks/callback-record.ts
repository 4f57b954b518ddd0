import * as z from 'zod/mini';
import { FORMAT } from '../cancellation/commitment.ts';
import { jobIdSchema, partnerIdSchema, timestampSchema } from '../identifiers.ts';

/** Why a call to an endpoint has no answer. */
const callFailures = [
  'address_refused',
  'not_resolved',
  'not_connected',
  'tls',
  'timeout',
  'closed_early',
  'too_large',
] as const;
export type CallFailure = (typeof callFailures)[number];

/** Why callbacks are paused: by an operator, or because the endpoint answered 410. */
export const pauseReasonSchema = z.enum(['operator', 'gone']);
export type PauseReason = z.infer<typeof pauseReasonSchema>;

/** What a callback tells. */
export const noticeKindSchema = z.enum(['closed', 'escalated', 'refused']);
export type NoticeKind = z.infer<typeof noticeKindSchema>;

/**
 * One attempt to deliver a callback: kept beside the record of the log that it tells of, immutable, without any text. The
 * newest of a record is the state of its delivery.
 */
export const callbackSchema = z.object({
  type: z.literal('callback'),
  format: z.literal(FORMAT),
  partnerId: partnerIdSchema,
  /** Of the stream that it is beside; else `day`, of the refused requests that it is beside. */
  jobId: z.optional(jobIdSchema),
  day: z.optional(z.string().check(z.regex(/^\d{4}-\d\d-\d\d$/))),
  /** The sort key of the record that the callback tells of. */
  about: z.string().check(z.minLength(1), z.maxLength(200)),
  notice: noticeKindSchema,
  /** 1, 2, 3 …: of the attempts for this record. */
  number: z.int().check(z.positive()),
  /** The same on every attempt: the receiver knows a repeat by it. */
  webhookId: z.string().check(z.minLength(1), z.maxLength(64)),
  at: timestampSchema,
  /** That of the record that it tells of. */
  deleteAfter: z.int().check(z.positive()),
  /**
   * `delivered`: the endpoint answered 2xx. `failed`: it did not, or was not called. `paused`: the partner's callbacks are
   * paused. `erased`: the cancellation has lost its externalId, so there is nothing left to tell.
   */
  result: z.enum(['delivered', 'failed', 'paused', 'erased']),
  /**
   * `http_status`: another answer than 2xx. `endpoint_slow`: not called, because its last calls took too long.
   * `earlier_failed`: not called, because an earlier callback of the job is not delivered. `removed`:
   * the partner has no endpoint any more.
   */
  why: z.optional(
    z.enum([
      ...callFailures,
      'http_status',
      'endpoint_slow',
      'earlier_failed',
      'removed',
      ...Object.values(pauseReasonSchema.def.entries),
    ]),
  ),
  httpStatus: z.optional(z.int()),
  /** Its place in the schedule of attempts, which a replay begins anew. */
  attempt: z.int().check(z.positive()),
  /** When the next attempt is due. Absent: none follows, unless an operator replays it. */
  nextAt: z.optional(timestampSchema),
  /** Of the replay that asked for this attempt. */
  replayId: z.optional(z.string().check(z.regex(/^[\w-]{1,64}$/))),
  /** Whether that replay also tells again what was delivered. */
  replaysAll: z.optional(z.boolean()),
});
export type CallbackRecord = z.infer<typeof callbackSchema>;
