import type { CancelRequest } from '../cancel-request.ts';
import { earliest, type JobId, startOfSecond, type Timestamp, toTimestamp } from '../identifiers.ts';
import type { DirectoryEntry } from '../job-directory.ts';

/** Which of the jobs of an externalId a request can mean, by when they were registered. */
export type Reach =
  | { readonly kind: 'named'; readonly jobId: JobId }
  /** Over HTTPS: every job; a repeat of a request that reached none: those that were registered when it first came. */
  | { readonly kind: 'until'; readonly firstSeenAt: Timestamp | undefined }
  | EventReach;

export interface EventReach {
  readonly kind: 'event';
  /** The beginning of the second in which the event happened, as far as that is known. */
  readonly second: Timestamp;
  /** When AWS had it at the latest: a list of jobs from then on shows every job that the event may mean. */
  readonly firstSentAt: Timestamp;
}

/** Where no older job bears the externalId, an event means the first one that is registered within so long. */
export const LATE_REGISTRATION_MS = 5 * 60_000;

/**
 * What a request reaches. An event's `time` is from its sender's clock, in whole seconds (Amazon EventBridge User Guide,
 * Events). A clock may be fast, so the event counts from the time at which it was first seen, if that is sooner.
 * @param seenAt when this delivery of the request came
 * @param firstSeenAt when an earlier one came
 */
export function reachOf(request: CancelRequest, seenAt: Timestamp, firstSeenAt: Timestamp | undefined): Reach {
  const { jobId, eventTime, sentAt = seenAt } = request;
  if (jobId !== undefined) return { kind: 'named', jobId };
  if (eventTime === undefined) return { kind: 'until', firstSeenAt };
  const firstSentAt = earliest(sentAt, firstSeenAt ?? sentAt);
  return { kind: 'event', second: startOfSecond(earliest(eventTime, firstSentAt)), firstSentAt };
}

export interface Reached {
  readonly entries: readonly DirectoryEntry[];
  /** These jobs were registered after the event's second, and no older one that is known bears the externalId. */
  readonly areLater: boolean;
}

/**
 * The jobs that a request can mean.
 *
 * An event means the jobs that were registered before its second, whatever became of them since: ended, in a project that
 * the partner has lost, or released. Only where there is none does it mean a later job, and then the first: clocks
 * differ, and registrations arrive late. A registration that came as an event has whole seconds, so those of its second
 * count as registered at the same time.
 * @param entries newest first, those too that the partner cannot reach any more
 */
export function withinReach(reach: Reach, entries: readonly DirectoryEntry[]): Reached {
  switch (reach.kind) {
    case 'named':
      return { entries: entries.filter(({ jobId }) => jobId === reach.jobId), areLater: false };
    case 'until': {
      const { firstSeenAt } = reach;
      const inTime = entries.filter(({ registeredAt }) => firstSeenAt === undefined || registeredAt <= firstSeenAt);
      return { entries: inTime, areLater: false };
    }
    case 'event': {
      const older = entries.filter(({ registeredAt }) => registeredAt < reach.second);
      if (older.length > 0) return { entries: older, areLater: false };
      const first = firstOf(reach, entries);
      return { entries: first, areLater: first.some(({ registeredAt }) => registeredAt > endOf(reach.second)) };
    }
  }
}

/** @param entries newest first, all registered in the event's second or later */
function firstOf({ second }: EventReach, entries: readonly DirectoryEntry[]): readonly DirectoryEntry[] {
  const first = entries.at(-1)?.registeredAt;
  const last = toTimestamp(Date.parse(endOf(second)) + LATE_REGISTRATION_MS);
  if (first === undefined || first > last) return [];
  const hasWholeSeconds = first === startOfSecond(first);
  const sameTime = hasWholeSeconds ? endOf(first) : first;
  return entries.filter(({ registeredAt }) => registeredAt <= sameTime);
}

function endOf(second: Timestamp): Timestamp {
  return toTimestamp(Date.parse(second) + 999);
}
