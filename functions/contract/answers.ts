import * as z from 'zod/mini';
import { outcomeSchema, refusedSchema } from '../core/cancellation/events.ts';
import { externalIdSchema, jobIdSchema, projectIdSchema, timestampSchema } from '../core/identifiers.ts';

/**
 * Every answer of the HTTPS door. The functions import only the types, which the compiler checks; the schemas are for the
 * documentation and the tests, and are in no bundle.
 */

/** A job as it is in the directory. */
export const registeredJobSchema = z.strictObject({
  jobId: jobIdSchema,
  externalId: externalIdSchema,
  projectId: z.nullable(projectIdSchema),
  /** When it was first registered. */
  registeredAt: timestampSchema,
  /** When Plangrep confirmed that the job is yours; null: not asked yet, because Plangrep did not answer. */
  verifiedAt: z.nullable(timestampSchema),
});
export type RegisteredJob = z.infer<typeof registeredJobSchema>;

const count = z.nullable(z.int());

const spentMsSchema = z.strictObject({ us: z.int(), plangrep: z.int(), person: z.int() });

const named = { jobId: jobIdSchema, externalId: externalIdSchema };
const known = {
  /** The status at the newest job read; null: not known. */
  jobStatus: z.nullable(z.string()),
  pageCount: count,
  successfulPageCount: count,
  creditsDebited: z.nullable(z.number()),
  attempts: z.int(),
  requestedAt: timestampSchema,
  escalatedAt: z.nullable(timestampSchema),
};
const open = {
  ...named,
  state: z.literal('open'),
  outcome: z.null(),
  ...known,
  /** When the service looks at the job next. A later time than before shows that it has looked. */
  nextLookAt: z.nullable(timestampSchema),
  closedAt: z.null(),
  ranMs: z.null(),
  spentMs: z.null(),
  creditsDebitedMeanwhile: z.null(),
};
const closed = {
  ...named,
  state: z.literal('closed'),
  outcome: outcomeSchema,
  ...known,
  nextLookAt: z.null(),
  closedAt: timestampSchema,
  /** Milliseconds that the job ran after the request. null for a job that Plangrep does not know. */
  ranMs: count,
  /** Milliseconds from the request to `closedAt`, by whom they were spent: they add up to it. */
  spentMs: spentMsSchema,
  /** null where fewer than two job reads told the credits. */
  creditsDebitedMeanwhile: z.nullable(z.number()),
};
/** `open` until Plangrep confirms how the job ended. */
export const openCancellationSchema = z.strictObject(open);
export const closedCancellationSchema = z.strictObject(closed);
export const cancellationSchema = z.discriminatedUnion('state', [openCancellationSchema, closedCancellationSchema]);
export type CancellationAnswer = z.infer<typeof cancellationSchema>;

export const timelineEntrySchema = z.strictObject({
  at: timestampSchema,
  type: z.enum([
    'requested',
    'attempt_started',
    'attempt_ended',
    'observed',
    'escalated',
    'closed',
    'joined',
    'callback',
  ]),
  /** The event's number in the audit trail; a `joined` request is not part of it and has none. */
  seq: z.optional(z.int()),
  /** Of a `callback`, an attempt to tell you: the number of the event that it tells of. */
  about: z.optional(z.int()),
  attempt: z.optional(z.int()),
  result: z.optional(z.string()),
  why: z.optional(z.string()),
  httpStatus: z.optional(z.int()),
  /** Of a `callback` that failed: when it is tried again. */
  nextAt: z.optional(timestampSchema),
  outcome: z.optional(outcomeSchema),
  jobStatus: z.optional(z.string()),
  requestId: z.optional(z.string()),
  keyId: z.optional(z.string()),
  reason: z.optional(z.string()),
});
export type TimelineEntry = z.infer<typeof timelineEntrySchema>;

const told = {
  /** How often the service asked Plangrep about the job, by attempts and by polls that change nothing in the timeline. */
  looks: z.int(),
  /** When it last began to. */
  lastLookedAt: timestampSchema,
  /** How many `joined` requests there are; 1000 stands for 1,000 or more. */
  joinedCount: z.int(),
  /** In order of time: the first and the newest events, and the newest `joined` requests. */
  timeline: z.array(timelineEntrySchema),
};
export const openWithTimelineSchema = z.strictObject({ ...open, ...told });
export const closedWithTimelineSchema = z.strictObject({ ...closed, ...told });
export const cancellationWithTimelineSchema = z.discriminatedUnion('state', [
  openWithTimelineSchema,
  closedWithTimelineSchema,
]);
export type CancellationWithTimeline = z.infer<typeof cancellationWithTimelineSchema>;

/** A request that reached no job. */
export const refusalSchema = z.strictObject({
  at: timestampSchema,
  why: refusedSchema.shape.why,
  door: refusedSchema.shape.door,
  /** Of an event its `id`. */
  requestId: z.string(),
  /** The jobId that was asked for; null: none. */
  jobId: z.nullable(jobIdSchema),
});
export type RefusalAnswer = z.infer<typeof refusalSchema>;

/** One page of an externalId's cancellations. */
export const cancellationListSchema = z.strictObject({
  cancellations: z.array(cancellationWithTimelineSchema),
  /** The newest first, the same on every page. */
  refusals: z.array(refusalSchema),
  /** How many there are; 100 stands for 100 or more. */
  refusedCount: z.int(),
  /** The `cursor` of the next page; null on the last one. */
  nextCursor: z.nullable(z.string()),
});

/** One of several jobs with the same externalId that have not ended. */
export const candidateSchema = z.strictObject({
  jobId: jobIdSchema,
  jobStatus: z.string(),
  registeredAt: timestampSchema,
});

/** What a cancel of an externalId would do now. */
export const previewSchema = z.strictObject({
  externalId: externalIdSchema,
  state: z.enum([
    'will_cancel',
    'under_way',
    'already_ended',
    'unknown_to_plangrep',
    'ambiguous',
    'not_found',
    'unresolved',
  ]),
  /** The job that a cancel would reach; null: none, or not one alone. */
  jobId: z.nullable(jobIdSchema),
  /** null: not known. */
  jobStatus: z.nullable(z.string()),
  /** `ambiguous`: repeat with one of these as `jobId`. Otherwise empty. */
  candidates: z.array(candidateSchema),
});
export type PreviewAnswer = z.infer<typeof previewSchema>;

export const previewListSchema = z.strictObject({ previews: z.array(previewSchema) });
