import { withFields } from './make-job.ts';
import { exampleJob, type JobRecord, type SimulatedJobFields } from './plangrep-jobs.ts';

interface SandboxJob {
  /** What Plangrep does with such a job. */
  readonly plangrep: string;
  /** What this service answers to the caller who cancels it. */
  readonly caller: string;
  /**
   * After how many seconds the cancellation is closed, at least and at most, where it is not closed at once. The service reads
   * a job 5 and 15 s after its cancel was accepted, so what Plangrep takes ends shortly before.
   */
  readonly closedAfter?: readonly [least: number, most: number];
  /** Absent: Plangrep has no such job. */
  readonly fields?: Omit<SimulatedJobFields, 'id' | 'externalId'>;
}

// All from Plangrep's documented example, so that a job is the same at every read.
const { pageCount, successfulPageCount, billing, createdAt, updatedAt, expiresAt } = exampleJob;
/** The project of every job of a sandbox: each partner's record names it. */
export const sandboxProject = 'proj_sandbox';
const always = { projectId: sandboxProject, pageCount, createdAt, updatedAt, expiresAt };
const running = { ...always, status: 'processing', successfulPageCount, billing };
const ended = (status: string, pages: number): NonNullable<SandboxJob['fields']> => ({
  ...always,
  status,
  successfulPageCount: pages,
  billing: { creditsDebited: pages },
  completedAt: updatedAt,
});
const tooLate = '409 `job_already_terminal`';
const LEFT = pageCount - successfulPageCount;
/** Shorter than the service's wait until its next read, long enough to repeat a request by hand. */
const TROUBLE_MS = 5_000;

/**
 * Jobs that exist without seeding: a jobId says how its job behaves, like the numbers of a payment provider's test cards.
 * `_` and any text may follow the name, so that each partner and each test has separate jobs.
 * @example 'job_sandbox_slow', 'job_sandbox_slow_acme-42'
 */
export const sandboxJobs = {
  processing: { plangrep: 'cancels it at once', caller: '200 `cancelled`', fields: running },
  preflighting: {
    plangrep: 'has not counted its pages yet, and cancels it at once',
    caller: '200 `cancelled`, without page counts',
    fields: { projectId: sandboxProject, status: 'preflighting', createdAt, updatedAt, expiresAt },
  },
  slow: {
    plangrep: 'takes 14 s to cancel it; processing continues meanwhile',
    caller: '202, then `cancelled`',
    closedAfter: [15, 15],
    fields: { ...running, cancelTakes: 14_000, pagesPerSecond: 1 },
  },
  completes_first: {
    plangrep: 'accepts the cancel, but processes the last page first, within 14 s',
    caller: '202, then `too_late`',
    closedAfter: [15, 15],
    fields: { ...running, cancelTakes: 20_000, pagesPerSecond: LEFT / 14 },
  },
  out_of_credits: {
    plangrep: 'runs out of credits 4 s after the cancel, is resumed 8 s later, and cancels it 2 s after that',
    caller: '202, then `cancelled`; some of `spentMs` is a `person`’s',
    closedAfter: [15, 15],
    fields: {
      ...running,
      cancelTakes: 6_000,
      pagesPerSecond: 1,
      creditsForPages: successfulPageCount + 4,
      resumesAfter: 8_000,
    },
  },
  completed: { plangrep: 'has already completed it', caller: tooLate, fields: ended('completed', pageCount) },
  completed_with_errors: {
    plangrep: 'has already completed it, with errors on some pages',
    caller: tooLate,
    fields: ended('completed_with_errors', pageCount - 4),
  },
  failed: { plangrep: 'has already failed on it', caller: tooLate, fields: ended('failed', successfulPageCount) },
  expired: { plangrep: 'has already let it expire', caller: tooLate, fields: ended('expired', successfulPageCount) },
  cancelled: {
    plangrep: 'has already cancelled it for another request',
    caller: '200 `cancelled`',
    fields: ended('cancelled', successfulPageCount),
  },
  unknown: { plangrep: 'has no such job', caller: '404 `job_not_found`, when it registers the job too' },
  rate_limited: {
    plangrep: 'answers 429 for 5 s, then cancels it at once',
    caller: '202, then `cancelled`',
    closedAfter: [5, 6],
    fields: { ...running, trouble: { forMs: TROUBLE_MS, status: 429, retryAfter: 5, effect: 'none' } },
  },
  error: {
    plangrep: 'answers 500 for 5 s, then cancels it at once',
    caller: '202, then `cancelled`; meanwhile 503 if the service must read it to distinguish it from another job',
    closedAfter: [7, 9],
    fields: { ...running, trouble: { forMs: TROUBLE_MS, status: 500, effect: 'none' } },
  },
  lost: {
    plangrep: 'cancels it at once, but answers 502 for 5 s',
    caller: '202, then `cancelled`',
    closedAfter: [7, 9],
    fields: { ...running, trouble: { forMs: TROUBLE_MS, status: 502, effect: 'applied' } },
  },
  late: {
    plangrep: 'cancels it at once, and answers after 6 s',
    caller: '202 after 5 s, then `cancelled`',
    closedAfter: [7, 8],
    fields: { ...running, trouble: { forMs: TROUBLE_MS, delayMs: 6_000, effect: 'applied' } },
  },
} as const satisfies Record<string, SandboxJob>;

const PREFIX = 'job_sandbox_';
const byName: ReadonlyMap<string, SandboxJob> = new Map(Object.entries(sandboxJobs));
/** `completed_with_errors_1` is not `completed`: the longest matching name counts. */
const longestFirst = [...byName.keys()].sort((a, b) => b.length - a.length);

/** When a job of the sandbox was first met by a cancel, cancelled and resumed. Milliseconds since 1970. */
export type SandboxMarks = Pick<JobRecord, 'metAt' | 'cancelledAt' | 'resumedAt'>;

/**
 * The record of the job that a jobId of the sandbox means. It makes no progress until it is cancelled.
 * @param now milliseconds since 1970
 * @returns undefined when there is no such job
 */
export function sandboxRecord(jobId: string, now: number, marks: SandboxMarks = {}): JobRecord | undefined {
  if (!jobId.startsWith(PREFIX)) return undefined;
  const rest = jobId.slice(PREFIX.length);
  const name = longestFirst.find((known) => rest === known || rest.startsWith(`${known}_`));
  const fields = name === undefined ? undefined : byName.get(name)?.fields;
  return fields && { ...withFields({ ...fields, id: jobId }, marks.cancelledAt ?? now), ...marks };
}

/** The table of docs/sandbox.md. */
export function renderSandboxTable(): string {
  const rows = [...byName].map(
    ([name, { plangrep, caller, closedAfter }]) =>
      `| \`${PREFIX}${name}…\` | ${plangrep} | ${caller} | ${describeSeconds(closedAfter)} |\n`,
  );
  return `| jobId | Plangrep | the caller gets | closed after |\n| --- | --- | --- | --- |\n${rows.join('')}`;
}

function describeSeconds(closedAfter: SandboxJob['closedAfter']): string {
  const [least, most] = closedAfter ?? [];
  return least === most ? (least === undefined ? '' : `${least} s`) : `${least} to ${most} s`;
}
