import type { Timestamp } from '../identifiers.ts';
import type { PlangrepJob } from '../plangrep.ts';
import type { JobFacts, Outcome } from './events.ts';

/**
 * How a cancellation ends when a job read shows this terminal status. Every other status, an unknown one too, is not
 * terminal. Source: Plangrep's documentation, Concepts, Jobs and Credits.
 */
const outcomeByTerminalStatus: Readonly<Record<string, Outcome>> = {
  cancelled: 'cancelled',
  completed: 'too_late',
  completed_with_errors: 'too_late',
  failed: 'too_late',
  expired: 'too_late',
};

/** @returns undefined for a status that is not terminal */
export function outcomeOf(status: string): Outcome | undefined {
  return Object.hasOwn(outcomeByTerminalStatus, status) ? outcomeByTerminalStatus[status] : undefined;
}

export function isTerminal(status: string): boolean {
  return outcomeOf(status) !== undefined;
}

/** What the audit trail keeps of a job: never a file name, never `resultUrl`. Invalid figures are left out. */
export function factsOf(job: PlangrepJob): JobFacts {
  return {
    jobStatus: job.status,
    pageCount: asCount(job.pageCount),
    successfulPageCount: asCount(job.successfulPageCount),
    creditsDebited: asCredits(job.creditsDebited),
  };
}

/** How many pages of a job are not processed; absent where Plangrep did not say. */
export function pagesLeft({ pageCount, successfulPageCount }: JobFacts): number | undefined {
  if (pageCount === undefined || successfulPageCount === undefined) return undefined;
  return Math.max(0, pageCount - successfulPageCount);
}

/** When a terminal job ended; absent where Plangrep says that it ended before it began. */
export function endOf({ createdAt, completedAt }: PlangrepJob): Timestamp | undefined {
  return createdAt !== undefined && completedAt !== undefined && completedAt < createdAt ? undefined : completedAt;
}

function asCount(value: number | undefined): number | undefined {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** At most six decimals, and no more digits than a DynamoDB number has. */
function asCredits(value: number | undefined): number | undefined {
  return value !== undefined && value >= 0 && value <= Number.MAX_SAFE_INTEGER
    ? Math.round(value * 1e6) / 1e6
    : undefined;
}
