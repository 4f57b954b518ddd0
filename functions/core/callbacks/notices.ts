import type { CancellationEvent, RefusedRecord } from '../cancellation/events.ts';
import { applyEvent, type CancellationState, isNamed } from '../cancellation/state.ts';
import { dayOf, eventKey, refusedKey } from '../cancellation/stream-key.ts';
import { sha256 } from '../sha256.ts';
import type { CallbackRecord } from './callback-record.ts';
import type { CallbackLog, NamedNotice, StoredCallback } from './ports.ts';
import type { Subject } from './callback-message.ts';

/** A record of the log that a callback tells the partner about. */
export interface Notice
  extends Pick<CallbackRecord, 'partnerId' | 'jobId' | 'day' | 'about' | 'notice' | 'webhookId' | 'deleteAfter'> {
  /** Of the record. */
  readonly recordedAt: string;
  /** Undefined once the externalId was erased: for the partner the cancellation has gone. */
  readonly named: NamedNotice | undefined;
  /** The attempts so far, in their order. */
  readonly attempts: readonly StoredCallback[];
}

/** What there is to tell about a subject, in the order in which it is told. @throws BrokenStream, DependencyUnavailable */
export async function readNotices(log: CallbackLog, subject: Subject): Promise<readonly Notice[]> {
  if (subject.kind === 'job') {
    const { events, callbacks } = await log.readJob(subject);
    return noticesOf(events, callbacks);
  }
  const { refusal, callbacks } = await log.readRefusal(subject);
  return refusal === undefined ? [] : [noticeOf(refusal, callbacks)];
}

function noticesOf(events: readonly CancellationEvent[], callbacks: readonly StoredCallback[]): readonly Notice[] {
  const notices: Notice[] = [];
  let state: CancellationState | undefined;
  for (const event of events) {
    state = applyEvent(state, event);
    const { partnerId, jobId, type, seq, eventId, at, deleteAfter } = event;
    if (type !== 'closed' && type !== 'escalated') continue;
    const about = eventKey(seq);
    notices.push({
      partnerId,
      jobId,
      about,
      notice: type,
      webhookId: eventId,
      deleteAfter,
      recordedAt: at,
      named: isNamed(state) ? { kind: type, at, state } : undefined,
      attempts: callbacks.filter((callback) => callback.about === about),
    });
  }
  return notices;
}

function noticeOf(refusal: RefusedRecord, attempts: readonly StoredCallback[]): Notice {
  const { partnerId, at, deleteAfter, externalId } = refusal;
  const about = refusedKey(refusal);
  return {
    partnerId,
    day: dayOf(at),
    about,
    notice: 'refused',
    // The record has no id in itself, and a requestId may be the partner's.
    webhookId: `refused_${sha256(`${partnerId}#${about}`).slice(0, 32)}`,
    deleteAfter,
    recordedAt: at,
    named: externalId === undefined ? undefined : { kind: 'refused', at, refusal: { ...refusal, externalId } },
    attempts,
  };
}
