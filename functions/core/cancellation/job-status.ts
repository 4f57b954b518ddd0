import type { JobFacts, Outcome } from './events.ts';
import type { PlangrepJob } from '../ports.ts';

/**
 * How a cancellation ends when a job read shows this terminal status. Any other status, an unknown one too, is not
 * terminal. Source: Plangrep's documentation, Concepts, Jobs and Credits.
 */
const outcomeByTerminalStatus: Readonly<Record<string, Outcome>> = {
  cancelled: 'cancelled',
  completed: 'too_late',
  completed_with_errors: 'too_late',
  failed: 'too_late',
  expired: 'too_late',
};

export const outcomeOf = (status: string): Outcome | undefined =>
  Object.hasOwn(outcomeByTerminalStatus, status) ? outcomeByTerminalStatus[status] : undefined;

export const isTerminal = (status: string): boolean => outcomeOf(status) !== undefined;

const asCount = (value: number | undefined): number | undefined =>
  value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

/** Six decimals at most, and no more than a DynamoDB number holds. */
const asCredits = (value: number | undefined): number | undefined =>
  value !== undefined && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? Math.round(value * 1e6) / 1e6 : undefined;

/** What the audit trail keeps of a job: never a file name, never `resultUrl`. Figures that make no sense are left out. */
export const factsOf = (job: PlangrepJob): JobFacts => ({
  jobStatus: job.status,
  pageCount: asCount(job.pageCount),
  successfulPageCount: asCount(job.successfulPageCount),
  creditsDebited: asCredits(job.creditsDebited),
});
