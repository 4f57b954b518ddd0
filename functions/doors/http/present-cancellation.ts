import type { CallbackRecord } from '../../core/callbacks/callback-record.ts';
import type { CancellationEvent, JoinedRecord } from '../../core/cancellation/events.ts';
import { parseEventKey } from '../../core/cancellation/stream-key.ts';
import type { NamedCancellation } from '../../core/cancellation/state.ts';
import type { Timestamp } from '../../core/identifiers.ts';
import type { Refusal } from '../../core/refusals.ts';
import type { NamedView } from '../../core/use-cases/read-cancellations.ts';
import type {
  CancellationAnswer,
  CancellationWithTimeline,
  RefusalAnswer,
  TimelineEntry,
} from '../../contract/answers.ts';

/** No answer about cancellations has more bytes. */
export const MAX_ANSWER_BYTES = 256_000;
/** What a page has beside its cancellations, most of it 20 refusals, takes less than that. */
export const MAX_CANCELLATIONS_BYTES = MAX_ANSWER_BYTES - 10_000;
/** The most events that a timeline shows: the first, which says who asked and why, and the newest. */
export const EVENTS_SHOWN = 200;

/**
 * A cancellation as partners see it: what is not known is null, never left out. By whom the time is spent is told once it
 * is closed: before, that is not certain.
 * @param wakeAt when an open one is looked at next
 */
export function presentCancellation(state: NamedCancellation, wakeAt: Timestamp | undefined): CancellationAnswer {
  const { jobId, externalId, attempts, requestedAt, escalatedAt = null, step, facts } = state;
  const { jobStatus = null, pageCount = null, successfulPageCount = null, creditsDebited = null } = facts;
  const named = { jobId, externalId };
  const known = { jobStatus, pageCount, successfulPageCount, creditsDebited, attempts, requestedAt, escalatedAt };
  if (step.kind !== 'closed') {
    const untold = { closedAt: null, ranMs: null, spentMs: null, creditsDebitedMeanwhile: null };
    return { ...named, state: 'open', outcome: null, ...known, nextLookAt: wakeAt ?? null, ...untold };
  }
  const { outcome, at: closedAt, figures } = step;
  const { ranMs = null, spentMs, creditsDebitedMeanwhile = null } = figures;
  const told = { closedAt, ranMs, spentMs, creditsDebitedMeanwhile };
  return { ...named, state: 'closed', outcome, ...known, nextLookAt: null, ...told };
}

/**
 * A cancellation with its timeline, at most {@link MAX_CANCELLATIONS_BYTES}: of the `joined` requests as many of the newest
 * as fit. `joinedCount` and the numbers of the events show what is left out.
 */
export function presentWithTimeline(view: NamedView): CancellationWithTimeline {
  const { state, looks, lastLookedAt, joinedCount } = view;
  const newest = view.events.length - (EVENTS_SHOWN - 1);
  const events = view.events.filter((_event, n) => n === 0 || n >= newest).map(presentEvent);
  const callbacks = view.callbacks.map(presentAttempt);
  const shown = [...events, ...callbacks];
  const answer = { ...presentCancellation(state, view.wakeAt), looks, lastLookedAt, joinedCount, timeline: shown };
  const joined = view.joined.map(presentJoined);
  let bytes = bytesOf(answer);
  let from = joined.length;
  for (const [n, entry] of joined.entries().toArray().toReversed()) {
    bytes += bytesOf(entry);
    if (bytes > MAX_CANCELLATIONS_BYTES) break;
    from = n;
  }
  const timeline = [...events, ...joined.slice(from), ...callbacks].toSorted((a, b) => (a.at < b.at ? -1 : 1));
  return { ...answer, timeline };
}

/** The bytes that a part of an answer takes, with the comma after it. */
export function bytesOf(part: object): number {
  return Buffer.byteLength(JSON.stringify(part)) + 1;
}

function presentEvent(event: CancellationEvent): TimelineEntry {
  const { at, type, seq } = event;
  switch (event.type) {
    case 'requested': {
      const { attempt, requestId, keyId, reason } = event;
      return { at, type, seq, attempt, requestId, keyId, reason };
    }
    case 'attempt_started':
      return { at, type, seq, attempt: event.attempt };
    case 'attempt_ended': {
      const { attempt, result, why, httpStatus, jobStatus } = event;
      return { at, type, seq, attempt, result, why, httpStatus, jobStatus };
    }
    case 'observed':
      return { at, type, seq, result: event.result, jobStatus: event.jobStatus };
    case 'escalated':
      return { at, type, seq };
    case 'closed':
      return { at, type, seq, outcome: event.outcome, jobStatus: event.jobStatus };
  }
}

export function presentRefusal({ at, why, door, requestId, jobId }: Refusal): RefusalAnswer {
  return { at, why, door, requestId, jobId: jobId ?? null };
}

function presentAttempt({ at, type, about, number, result, why, httpStatus, nextAt }: CallbackRecord): TimelineEntry {
  return { at, type, about: parseEventKey(about), attempt: number, result, why, httpStatus, nextAt };
}

function presentJoined({ at, type, requestId, keyId, reason }: JoinedRecord): TimelineEntry {
  return { at, type, requestId, keyId, reason };
}
