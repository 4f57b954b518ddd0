import type { CancellationEvent } from '../../../functions/core/cancellation/events.ts';
import { currentPart, type StreamJournal } from './journal.ts';
import type { PlangrepModel } from './plangrep-model.ts';
import type { Process } from './process.ts';

/** `job_not_found` takes so many job reads in a row that did not find it, the first so long before the last. */
const ABSENT_READS = 3;
const ABSENT_MS = 5 * 60_000;
/** An expired job that cannot be read is not asked about any more so long after its end. */
const LONG_EXPIRED_MS = 60 * 60_000;

/** Why a cancellation may not end like this; nothing if it may. */
export const whyNotClosed = (
  plangrep: PlangrepModel,
  stream: StreamJournal,
  by: Process,
  event: Extract<CancellationEvent, { type: 'closed' }>,
): string | undefined => {
  if (event.outcome === 'job_not_found') return whyNotAbsent(plangrep, stream, by, event);
  const status = plangrep.lastStatusOf(event.jobId);
  const ends = ['cancelled', 'completed', 'completed_with_errors', 'failed', 'expired'];
  const truth = status === 'cancelled' ? 'cancelled' : ends.includes(status ?? '') ? 'too_late' : undefined;
  return event.outcome === truth ? undefined : `says ${event.outcome}, job is ${status}`;
};

/** By what is on record: which reads found the job, and which did not. What a process that died saw is not known. */
const whyNotAbsent = (
  plangrep: PlangrepModel,
  stream: StreamJournal,
  by: Process,
  { jobId, at }: CancellationEvent,
): string | undefined => {
  const part = currentPart(stream);
  const lastShown = part.findLastIndex(({ isShown }) => isShown);
  const expiresAt = plangrep.planOf(jobId)?.expiresAt ?? Number.POSITIVE_INFINITY;
  const shownAt = Date.parse(part[lastShown]?.event.at ?? at);
  // Known by a read that showed the job, and not contradicted by one.
  const isExpiryKnown = lastShown >= 0 && shownAt <= expiresAt;
  const heard = by.heard.get(jobId);
  if (heard !== 'not_found') {
    const forMs = Date.parse(at) - Math.max(expiresAt, shownAt);
    return lastShown >= 0 && forMs >= LONG_EXPIRED_MS ? undefined : `its last read is ${heard}`;
  }
  if (isExpiryKnown && Date.parse(at) >= expiresAt) return undefined;
  if (stream.grants.get(by)?.hasSeenAlive === true) return 'its own first read showed the job';
  const absent = part.slice(lastShown + 1).filter(({ event }) => 'result' in event && event.result === 'not_found');
  const forMs = Date.parse(at) - Date.parse(absent[0]?.event.at ?? at);
  if (absent.length + 1 >= ABSENT_READS && forMs >= ABSENT_MS) return undefined;
  return `after ${absent.length + 1} reads in ${forMs} ms`;
};
