import type { ExternalId, JobId, PartnerId, Timestamp } from '../../../functions/core/identifiers.ts';
import type { Journal } from './journal.ts';
import type { Process } from './process.ts';

/** A registration may come so long after an event that means its job: 5 minutes, to the second. */
const LATE_MS = 301_000;
const SECOND = 1_000;

export interface KnownJob {
  readonly partnerId: PartnerId;
  readonly externalId: ExternalId;
  readonly registeredAt: Timestamp;
  /** Found in a listing. */
  readonly listed?: boolean | undefined;
  /** When the registration took effect. */
  readonly knownAt: number;
}

/** An event that asks for a cancel, and names no job. */
interface CancelEvent {
  readonly requestId: string;
  /** The time that it bears, or when the queue took it, if that is sooner. */
  readonly eventTime?: Timestamp | undefined;
  /** When it truly happened: milliseconds since 1970. */
  readonly emittedAt?: number | undefined;
}

interface ChosenJob extends KnownJob {
  readonly jobId: JobId;
  /** When it truly was submitted: milliseconds since 1970. */
  readonly createdAt: number;
}

/** Judges which job an event reaches, by the times on record and by the true ones. */
export const judgeEvent = (
  journal: Journal,
  by: Process,
  event: CancelEvent,
  chosen: ChosenJob,
  others: readonly (readonly [JobId, KnownJob])[],
): void => {
  const { requestId, eventTime, emittedAt } = event;
  if (eventTime === undefined || emittedAt === undefined) return;
  const detail = `${requestId} of ${eventTime} (${by.name}) reached ${chosen.jobId} of ${chosen.registeredAt}`;
  const isLater = chosen.registeredAt >= eventTime;
  const lateMs = Date.parse(chosen.registeredAt) - Date.parse(eventTime);
  const newer = 'no event reaches a job registered after it';
  if (isLater && lateMs >= LATE_MS) journal.violate(newer, `${detail}, which is too late`);
  // Not judged: a clock that is fast, of an event that is late as well.
  const isTold = Date.parse(eventTime) <= emittedAt;
  const isResubmitted = isTold && chosen.createdAt >= emittedAt + SECOND;
  for (const [id, { registeredAt, knownAt }] of others) {
    const other = `${detail}, not ${id} of ${registeredAt}`;
    if (isLater && registeredAt < eventTime && knownAt < by.startedAt) journal.violate(newer, other);
    if (isResubmitted && knownAt < emittedAt) {
      journal.violate('a job that was submitted again is not reached, by any clock', other);
    }
  }
};
