import * as z from 'zod/mini';

/** Plangrep's API reference, Jobs: a terminal job is frozen. */
export const terminalStatuses = ['completed', 'completed_with_errors', 'failed', 'cancelled', 'expired'] as const;

const id = z.string().check(z.regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -'));
const text = z.string().check(z.minLength(1));
const count = z.int().check(z.nonnegative());
/** At most 180 characters, stored and returned unchanged. */
export const externalIdSchema = z
  .string()
  .check(z.refine((value) => Array.from(value).length <= 180, 'must be at most 180 characters'));
const timestamp = z.iso.datetime({ offset: true });

/** A job in the documented shape. */
const jobSchema = z.strictObject({
  id,
  externalId: z.nullable(externalIdSchema),
  status: text,
  projectId: id,
  limits: z.strictObject({ maxDeclaredBytes: count, maxFiles: count }),
  pageCount: z.nullable(count),
  successfulPageCount: z.nullable(count),
  billing: z.strictObject({
    creditsDebited: z.number().check(z.nonnegative()),
    creditsReserved: z.optional(z.number().check(z.nonnegative())),
  }),
  files: z.array(z.strictObject({ id: text, fileName: z.string(), status: text })),
  resultUrl: z.nullable(z.string()),
  error: z.nullable(z.strictObject({ code: text, message: z.string() })),
  createdAt: timestamp,
  updatedAt: timestamp,
  completedAt: z.nullable(timestamp),
  expiresAt: timestamp,
});
export type SimulatedJob = z.infer<typeof jobSchema>;

/** What calls about a job get for a while instead of the ordinary answer. */
const troubleSchema = z.strictObject({
  /** Milliseconds, from the first cancel of the job. */
  forMs: count,
  /** Instead of the ordinary answer's. */
  status: z.optional(z.int().check(z.minimum(400), z.maximum(599))),
  /** Seconds, in `Retry-After`. */
  retryAfter: z.optional(count),
  /** Milliseconds by which the answer is delayed. The effect is not delayed. */
  delayMs: z.optional(count),
  /** `applied`: a cancel takes effect in spite of the answer. */
  effect: z.enum(['none', 'applied']),
});
export type Trouble = z.infer<typeof troubleSchema>;

/** How a job changes with time. */
const behaviourSchema = z.strictObject({
  /**
   * Milliseconds from a cancel until it takes effect; 0: at once. Until then processing continues; the time for which the
   * job is blocked does not count.
   */
  cancelTakes: count,
  /** The terminal status that the job shows once a cancel has taken effect. */
  endsAs: z.enum(terminalStatuses),
  /** Pages per second while `processing`; the job completes with its last page. 0: no progress. */
  pagesPerSecond: z.number().check(z.nonnegative()),
  creditsPerPage: z.number().check(z.nonnegative()),
  /** With so many pages processed the credits run out: the job is `blocked_insufficient_credits`. @default never */
  creditsForPages: z.optional(count),
  /** Milliseconds from then until someone pays and resumes the job. @default only the call to resume does */
  resumesAfter: z.optional(count),
  /** Whether Plangrep no longer knows the job once it has expired. @default false */
  vanishes: z.optional(z.boolean()),
  trouble: z.optional(troubleSchema),
});

/** No progress until it is cancelled, which takes effect at once. */
export const ordinaryBehaviour: z.infer<typeof behaviourSchema> = {
  cancelTakes: 0,
  endsAs: 'cancelled',
  pagesPerSecond: 0,
  creditsPerPage: 1,
};

export const simulatedJobFieldsSchema = z.extend(z.partial(jobSchema), z.partial(behaviourSchema).shape);
/** What can be set when a job is added or changed: any field, and its behaviour. */
export type SimulatedJobFields = z.input<typeof simulatedJobFieldsSchema>;

/** A job with what the simulator remembers about it. All times in milliseconds since 1970. */
export const jobRecordSchema = z.strictObject({
  job: jobSchema,
  behaviour: behaviourSchema,
  /** The pages processed at one time, from which later numbers of pages follow. */
  counted: z.strictObject({ pages: count, at: z.number() }),
  cancelledAt: z.optional(z.number()),
  /** The time of the first cancel of a job with trouble. */
  metAt: z.optional(z.number()),
  /** The time of the call that resumed the job. */
  resumedAt: z.optional(z.number()),
  /** Milliseconds by which a lack of credits delayed the cancel. */
  heldMs: z.optional(z.number()),
});
export type JobRecord = z.infer<typeof jobRecordSchema>;

/**
 * The job of Plangrep's documented cancel example before its cancel: 63 of 204 pages are processed. Cancelled, it equals
 * the documented answer, except for `updatedAt` and `completedAt`.
 */
export const exampleJob = {
  id: 'job_01hy3m8qtn2e5r7k9p0w4x1def',
  externalId: 'order-7890',
  status: 'processing',
  projectId: 'proj_01hx9z4kqr8e7m3p5n6w2v0abc',
  limits: { maxDeclaredBytes: 10_000_000_000, maxFiles: 100 },
  pageCount: 204,
  successfulPageCount: 63,
  billing: { creditsDebited: 63, creditsReserved: 141 },
  files: [{ id: 'file_xyz789', fileName: 'architectural_drawings.pdf', status: 'processing' }],
  resultUrl: null,
  error: null,
  createdAt: '2024-11-02T09:00:00.000Z',
  updatedAt: '2024-11-02T09:22:00.000Z',
  completedAt: null,
  expiresAt: '2024-11-09T09:00:00.000Z',
} as const satisfies SimulatedJobFields;

export function isTerminal({ status }: SimulatedJob): boolean {
  return terminalStatuses.some((terminal) => terminal === status);
}
