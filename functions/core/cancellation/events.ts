import * as z from 'zod/mini';
import { type ExternalId, jobIdSchema, partnerIdSchema, timestampSchema } from '../identifiers.ts';
import { committedTexts, FORMAT, hashSchema } from './commitment.ts';
import { notSentReasonSchema, unknownReasonSchema } from '../plangrep.ts';

/** How a request came in. */
const doorSchema = z.enum(['https', 'events']);
export type Door = z.infer<typeof doorSchema>;

/** How a cancellation ended. */
export const outcomeSchema = z.enum(['cancelled', 'too_late', 'job_not_found']);
export type Outcome = z.infer<typeof outcomeSchema>;

const count = z.int().check(z.nonnegative());
/** Seconds since 1970: from then on DynamoDB may delete the record, some days later at the latest. */
const deleteAfter = z.int().check(z.positive());

/** What a job read showed; absent where Plangrep did not say. Never a file name, never `resultUrl`. */
const jobFacts = {
  jobStatus: z.optional(z.string().check(z.maxLength(64))),
  pageCount: z.optional(count),
  successfulPageCount: z.optional(count),
  creditsDebited: z.optional(z.number()),
  /** From then on Plangrep may answer that it has no such job. */
  expiresAt: z.optional(timestampSchema),
};

/** Who asked, and when and why: the same on `requested`, `joined` and `refused`. */
const asked = {
  door: doorSchema,
  requestId: z.string().check(z.maxLength(128)),
  /** Which of the partner's keys was used; absent at the events door. */
  keyId: z.optional(z.string().check(z.maxLength(64))),
  ...committedTexts,
};

const claim = {
  attempt: z.int().check(z.positive()),
  /** The one invocation that works on this attempt. */
  claimedBy: z.string().check(z.maxLength(64)),
  /** Until then no other invocation may take the attempt over. */
  leaseUntil: timestampSchema,
};

const requested = z.object({ type: z.literal('requested'), ...asked, ...claim });
const attemptStarted = z.object({ type: z.literal('attempt_started'), ...claim });
const attemptEnded = z.object({
  type: z.literal('attempt_ended'),
  attempt: claim.attempt,
  /**
   * `accepted`: Plangrep accepted the cancel, the job is not terminal yet. `refused`: a 4xx, and the job is not known to
   * be terminal. `rate_limited`: 429. `key_refused`: 401 for the newest key. `not_sent`: Plangrep did nothing.
   * `not_found`: 404 to a job read. `unknown`: anything may have happened.
   */
  result: z.enum(['accepted', 'refused', 'rate_limited', 'key_refused', 'not_sent', 'not_found', 'unknown']),
  why: z.optional(z.union([unknownReasonSchema, notSentReasonSchema])),
  httpStatus: z.optional(z.int()),
  /** Plangrep's machine-readable error code. */
  code: z.optional(z.string().check(z.maxLength(64))),
  /** Milliseconds that Plangrep asked to wait. */
  retryAfterMs: z.optional(count),
  ...jobFacts,
});
/** A poll of an accepted cancel that changed what is known: another status, or 404, or the job is back. */
const observed = z.object({ type: z.literal('observed'), result: z.enum(['job', 'not_found']), ...jobFacts });
/** On the events that are announced: the requestId that the cancellation began with. An index has what is named `requestId`. */
const begunBy = z.optional(z.string().check(z.maxLength(128)));
const escalated = z.object({ type: z.literal('escalated'), begunBy });
const closed = z.object({
  type: z.literal('closed'),
  begunBy,
  outcome: outcomeSchema,
  ...jobFacts,
  /** When the job ended, by Plangrep's clock. */
  completedAt: z.optional(timestampSchema),
});

export const eventBodySchema = z.discriminatedUnion('type', [
  requested,
  attemptStarted,
  attemptEnded,
  observed,
  escalated,
  closed,
]);
/** What happened, without its place in a stream. */
export type EventBody = z.infer<typeof eventBodySchema>;
export type RequestedBody = z.infer<typeof requested>;
/** A request before it is on record. */
export interface Asked extends Pick<RequestedBody, 'door' | 'requestId' | 'keyId'> {
  readonly externalId: ExternalId;
  readonly reason?: string | undefined;
}
export type AttemptEndedBody = z.infer<typeof attemptEnded>;
export type ObservedBody = z.infer<typeof observed>;
export type ClosedBody = z.infer<typeof closed>;
export type JobFacts = Pick<ClosedBody, keyof typeof jobFacts>;

const envelopeSchema = z.object({
  format: z.literal(FORMAT),
  partnerId: partnerIdSchema,
  jobId: jobIdSchema,
  /** 1, 2, 3 …: gapless. */
  seq: z.int().check(z.positive()),
  /** Shows a writer whose answer was lost whether the event that it finds at `seq` is its own. */
  eventId: z.string().check(z.maxLength(64)),
  at: timestampSchema,
  /** The same on all events of a stream, so that none is deleted much sooner than the others. */
  deleteAfter,
  /** Hash of the event before; of the stream's name for the first. */
  previousHash: hashSchema,
  /** SHA-256 of everything above and the body, but for the texts that can be erased. */
  hash: hashSchema,
});
type Envelope = z.infer<typeof envelopeSchema>;

/** One numbered, immutable event of the cancellation log. */
export type CancellationEvent<Body extends EventBody = EventBody> = Body & Envelope;

/** @returns undefined when the fields are not those of an event of this service */
export function parseEvent(fields: unknown): CancellationEvent | undefined {
  const body = eventBodySchema.safeParse(fields);
  const envelope = envelopeSchema.safeParse(fields);
  return body.success && envelope.success ? { ...body.data, ...envelope.data } : undefined;
}

/** Another request for a job that already has a cancellation: kept beside the stream. */
export const joinedSchema = z.object({
  type: z.literal('joined'),
  partnerId: partnerIdSchema,
  jobId: jobIdSchema,
  at: timestampSchema,
  /** No later than the stream's: what joined a cancellation does not outlive it. */
  deleteAfter,
  ...asked,
});
export type JoinedRecord = z.infer<typeof joinedSchema>;

/** A request that reached no job: kept beside the streams. */
export const refusedSchema = z.object({
  type: z.literal('refused'),
  partnerId: partnerIdSchema,
  at: timestampSchema,
  deleteAfter,
  why: z.enum(['job_not_found', 'ambiguous_external_id', 'idempotency_key_reused', 'unresolved']),
  /** The jobId that was asked for, if one was. */
  jobId: z.optional(jobIdSchema),
  ...asked,
});
export type RefusedRecord = z.infer<typeof refusedSchema>;
/** A refused request as it is written: nothing of it is erased yet. */
export type NewRefusal = RefusedRecord & Pick<Asked, 'externalId'>;
