import { createHash, randomBytes } from 'node:crypto';
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
  /** Milliseconds from a cancel until it takes effect; 0: at once. Until then processing continues. */
  cancelTakes: count,
  /** The terminal status that the job shows once a cancel has taken effect. */
  endsAs: z.enum(terminalStatuses),
  /** Pages per second while `processing`; the job completes with its last page. 0: no progress. */
  pagesPerSecond: z.number().check(z.nonnegative()),
  creditsPerPage: z.number().check(z.nonnegative()),
  trouble: z.optional(troubleSchema),
});

/** No progress until it is cancelled, which takes effect at once. */
const ordinaryBehaviour: z.infer<typeof behaviourSchema> = {
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

const WEEK_MS = 7 * 24 * 60 * 60 * 1_000;

export function isTerminal({ status }: SimulatedJob): boolean {
  return terminalStatuses.some((terminal) => terminal === status);
}

/**
 * A record of a new job, or of a known one with some fields changed.
 * @param now milliseconds since 1970
 */
export function withFields(fields: SimulatedJobFields, now: number, known?: JobRecord): JobRecord {
  const { cancelTakes, endsAs, pagesPerSecond, creditsPerPage, trouble, ...given } =
    simulatedJobFieldsSchema.parse(fields);
  const behaviour = defined({ cancelTakes, endsAs, pagesPerSecond, creditsPerPage, trouble });
  const job: SimulatedJob = { ...(known?.job ?? createJob(now)), ...defined(given) };
  const record: JobRecord = {
    job,
    behaviour: { ...(known?.behaviour ?? ordinaryBehaviour), ...behaviour },
    counted: { pages: job.successfulPageCount ?? 0, at: now },
    cancelledAt: known && !isTerminal(known.job) ? known.cancelledAt : undefined,
    metAt: trouble === undefined ? known?.metAt : undefined,
  };
  if (!isTerminal(job) || (known && isTerminal(known.job))) return record;
  endJob(record, job.status, now);
  return { ...record, job: { ...record.job, ...defined(given) } };
}

type Defined<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** A copy without what is undefined, so that spreading it overwrites nothing by accident. */
function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  const copy: Defined<Fields> = { ...fields };
  for (const name in copy) if (copy[name] === undefined) delete copy[name];
  return copy;
}

function createJob(now: number): SimulatedJob {
  return {
    ...exampleJob,
    id: `job_${randomBytes(13).toString('hex')}`,
    externalId: null,
    limits: { ...exampleJob.limits },
    pageCount: null,
    successfulPageCount: null,
    billing: { creditsDebited: 0 },
    files: [],
    createdAt: timestampOf(now),
    updatedAt: timestampOf(now),
    expiresAt: timestampOf(now + WEEK_MS),
  };
}

/** Brings a record up to `now`: pages processed since, its completion, a cancel that takes effect. */
export function advance(record: JobRecord, now: number): void {
  const { job, behaviour, cancelledAt } = record;
  if (isTerminal(job)) return;
  const cancelEffective = cancelledAt === undefined ? Infinity : cancelledAt + behaviour.cancelTakes;
  const completion = completionTime(record);
  if (completion <= Math.min(now, cancelEffective)) {
    endJob(record, 'completed', completion);
  } else if (cancelEffective <= now) {
    processUntil(record, cancelEffective);
    endJob(record, behaviour.endsAs, cancelEffective);
  } else {
    processUntil(record, now);
  }
}

function completionTime(record: JobRecord): number {
  if (!isProcessing(record)) return Infinity;
  const left = Number(record.job.pageCount) - record.counted.pages;
  return record.counted.at + Math.ceil((left / record.behaviour.pagesPerSecond) * 1_000);
}

function processUntil(record: JobRecord, at: number): void {
  if (!isProcessing(record)) return;
  const { pages, at: since } = record.counted;
  const processed = Math.floor((Math.max(0, at - since) / 1_000) * record.behaviour.pagesPerSecond);
  setPages(record, Math.min(pages + processed, Number(record.job.pageCount)), at);
}

function isProcessing({ job, behaviour }: JobRecord): boolean {
  return job.status === 'processing' && job.pageCount !== null && behaviour.pagesPerSecond > 0;
}

/** Credits follow the pages, and use up what was reserved for them. */
function setPages({ job, behaviour }: JobRecord, pages: number, at: number): void {
  const before = job.successfulPageCount ?? 0;
  if (pages <= before) return;
  const credits = (pages - before) * behaviour.creditsPerPage;
  job.successfulPageCount = pages;
  job.updatedAt = timestampOf(at);
  const { creditsDebited, creditsReserved } = job.billing;
  job.billing = {
    creditsDebited: creditsDebited + credits,
    ...(creditsReserved !== undefined && { creditsReserved: Math.max(0, creditsReserved - credits) }),
  };
}

function endJob(record: JobRecord, status: string, at: number): void {
  const { job } = record;
  if (status === 'completed') setPages(record, job.pageCount ?? 0, at);
  const hasResult = status === 'completed' || status === 'completed_with_errors';
  job.status = status;
  job.updatedAt = timestampOf(at);
  job.completedAt = timestampOf(at);
  job.billing = { creditsDebited: job.billing.creditsDebited };
  job.files = job.files.map((file) => ({ ...file, status: hasResult ? 'completed' : status }));
  if (hasResult) {
    // A terminal job is frozen, so its token is always the same, even when the record is computed anew.
    const token = createHash('sha256').update(job.id).digest('hex').slice(0, 32);
    job.resultUrl = `https://plangrep.com/results/${job.id}?token=${token}`;
  }
  if (status === 'failed') job.error = { code: 'processing_failed', message: 'The job could not be processed.' };
}

function timestampOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
