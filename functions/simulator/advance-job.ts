import { createHash } from 'node:crypto';
import { isTerminal, type JobRecord } from './plangrep-jobs.ts';

/** Brings a record up to `now`: pages processed since, credits that run out, its end, a cancel that takes effect. */
export function advance(record: JobRecord, now: number): void {
  for (let next = nextChange(record); next !== undefined && next.at <= now; next = nextChange(record)) {
    next.change(record, next.at);
  }
  if (!isTerminal(record.job)) processUntil(record, now);
}

interface Change {
  readonly at: number;
  readonly change: (record: JobRecord, at: number) => void;
}

/** What changes next about a job that has not ended. Of two changes at one time the first one in this list. */
function nextChange(record: JobRecord): Change | undefined {
  if (isTerminal(record.job)) return undefined;
  const changes: readonly Change[] = [
    { at: timeOfPages(record, record.job.pageCount ?? Infinity), change: complete },
    { at: timeOfCancel(record), change: endByCancel },
    { at: timeOfPages(record, record.behaviour.creditsForPages ?? Infinity), change: block },
    { at: timeOfResume(record), change: resume },
  ];
  return changes.toSorted((a, b) => a.at - b.at)[0];
}

/** When so many pages are processed. */
function timeOfPages(record: JobRecord, pages: number): number {
  if (!isProcessing(record)) return Infinity;
  const left = Math.max(0, pages - record.counted.pages);
  return record.counted.at + Math.ceil((left / record.behaviour.pagesPerSecond) * 1_000);
}

function timeOfCancel(record: JobRecord): number {
  const { cancelledAt, heldMs = 0, behaviour } = record;
  if (cancelledAt === undefined || (isBlocked(record) && behaviour.cancelTakes > 0)) return Infinity;
  return cancelledAt + behaviour.cancelTakes + heldMs;
}

function timeOfResume(record: JobRecord): number {
  if (!isBlocked(record)) return Infinity;
  const { resumedAt = Infinity, behaviour, counted } = record;
  return Math.min(resumedAt, counted.at + (behaviour.resumesAfter ?? Infinity));
}

export function isBlocked({ job }: JobRecord): boolean {
  return job.status === 'blocked_insufficient_credits';
}

function complete(record: JobRecord, at: number): void {
  endJob(record, 'completed', at);
}

function endByCancel(record: JobRecord, at: number): void {
  processUntil(record, at);
  endJob(record, record.behaviour.endsAs, at);
}

function block(record: JobRecord, at: number): void {
  setPages(record, record.behaviour.creditsForPages ?? 0, at);
  changeStatus(record, 'blocked_insufficient_credits', at);
}

/** Someone has paid for all of the job: it is not blocked again. */
function resume(record: JobRecord, at: number): void {
  const { cancelledAt, heldMs = 0, counted } = record;
  if (cancelledAt !== undefined) record.heldMs = heldMs + at - Math.max(counted.at, cancelledAt);
  record.behaviour.creditsForPages = undefined;
  changeStatus(record, 'processing', at);
}

function changeStatus(record: JobRecord, status: string, at: number): void {
  const { job } = record;
  job.status = status;
  job.updatedAt = timestampOf(at);
  record.counted = { pages: job.successfulPageCount ?? 0, at };
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

/** Ends a job with a terminal status. */
export function endJob(record: JobRecord, status: string, at: number): void {
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

export function timestampOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
