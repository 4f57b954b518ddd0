import { daysAfter } from '../../functions/core/retention.ts';
import fc from 'fast-check';
import type { CallbackRecord } from '../../functions/core/callbacks/callback-record.ts';
import type { StoredRecord } from '../../functions/core/audit/findings.ts';
import { sealEvent } from '../../functions/core/cancellation/chain.ts';
import {
  callbackKey,
  erasedKey,
  eventKey,
  joinedKey,
  refusedKey,
  type StreamName,
  streamKey,
} from '../../functions/core/cancellation/stream-key.ts';
import type {
  AttemptEndedBody,
  CancellationEvent,
  ClosedBody,
  EventBody,
  JoinedRecord,
  RefusedRecord,
  RequestedBody,
} from '../../functions/core/cancellation/events.ts';
import { applyEvent, type CancellationState, checkNext } from '../../functions/core/cancellation/state.ts';
import { createPartitionVerifier, type Verdict } from '../../functions/core/audit/verify-partition.ts';
import { acme, documentedJob, order7890, retention } from './names.ts';
import { committed } from './committed.ts';
import { erasableAttributes, FORMAT } from '../../functions/core/cancellation/commitment.ts';

/** Streams of the documented job as the table has them, for tests that tamper with them. */
export const streamName = streamKey({ partnerId: acme, jobId: documentedJob });
export const SHARDS = 8;
export const at = '2026-11-23T12:00:00.000Z';
export const leaseUntil = '2026-11-23T12:00:45.000Z';
export const deleteAfter = daysAfter(at, retention.events);

const asked = committed({ door: 'https', requestId: 'r-1', externalId: order7890, reason: 'wrong plan' } as const);
export const requested: RequestedBody = { type: 'requested', ...asked, attempt: 1, claimedBy: 'a', leaseUntil };
export const started = (attempt: number): EventBody => ({
  type: 'attempt_started',
  attempt,
  claimedBy: 'b',
  leaseUntil,
});
export const ended = (attempt: number): AttemptEndedBody => ({ type: 'attempt_ended', attempt, result: 'unknown' });
export const accepted = (attempt: number): AttemptEndedBody => ({ ...ended(attempt), result: 'accepted' });
export const observed: EventBody = { type: 'observed', result: 'not_found' };
export const unknownJob: ClosedBody = { type: 'closed', outcome: 'job_not_found' };
/** A request that begins a cancellation anew. */
export const again = (attempt: number): EventBody => ({ ...requested, attempt });
export const escalated: EventBody = { type: 'escalated' };
export const closed: ClosedBody = {
  type: 'closed',
  outcome: 'cancelled',
  jobStatus: 'cancelled',
  creditsDebited: 62.5,
};

const defined = (fields: object): StoredRecord['fields'] =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** The events of a stream, chained. */
export const cancellationEvents = (
  bodies: readonly EventBody[] = [requested, closed],
  name: StreamName = { partnerId: acme, jobId: documentedJob },
): CancellationEvent[] => {
  const events: CancellationEvent[] = [];
  for (const [n, body] of bodies.entries())
    events.push(sealEvent(name, events.at(-1), body, { eventId: `e-${n}`, at, keptDays: retention.events }));
  return events;
};

/** @param wakeUp on the newest event. @default one if it leaves the stream open */
export const storedStream = (
  bodies: readonly EventBody[],
  wakeUp?: Pick<StoredRecord, 'wakeShard' | 'wakeAt'>,
  name: StreamName = { partnerId: acme, jobId: documentedJob },
): StoredRecord[] => {
  const events = cancellationEvents(bodies, name);
  const due = wakeUp ?? (bodies.at(-1)?.type === 'closed' ? {} : { wakeShard: '3', wakeAt: leaseUntil });
  return events.map((event) => ({
    key: eventKey(event.seq),
    ...(event === events.at(-1) ? due : {}),
    fields: defined(event),
  }));
};

export const joinedRecord = (fields: Partial<JoinedRecord> = {}): StoredRecord => {
  const joined: JoinedRecord = {
    type: 'joined',
    partnerId: acme,
    jobId: documentedJob,
    at,
    deleteAfter,
    ...asked,
    ...fields,
  };
  return { key: joinedKey(joined), fields: defined(joined) };
};

/** An attempt to tell of event 3 of a stream, which closed it. */
export const callbackRecord = (
  fields: Partial<CallbackRecord> = {},
  place: Partial<StoredRecord> = {},
): StoredRecord => {
  const record: CallbackRecord = {
    type: 'callback',
    format: 1,
    partnerId: acme,
    jobId: documentedJob,
    about: 'event#000003',
    notice: 'closed',
    number: 1,
    webhookId: 'e-2',
    at,
    deleteAfter,
    result: 'delivered',
    attempt: 1,
    ...fields,
  };
  return { key: callbackKey(record), ...place, fields: defined(record) };
};

/** As an erasure leaves a record. */
export const erasedTexts = ({ fields, ...record }: StoredRecord): StoredRecord => ({
  ...record,
  fields: Object.fromEntries(Object.entries(fields).filter(([name]) => !erasable.has(name))),
});
const erasable: ReadonlySet<string> = new Set(erasableAttributes);

export const erasedRecord = (keys: readonly string[], fields: Readonly<Record<string, unknown>> = {}): StoredRecord => {
  const place = { partnerId: acme, ...(fields['day'] === undefined && { jobId: documentedJob }) };
  const what = { at, erasureId: 'erasure-1', part: 1, by: 'arn:aws:iam::111122223333:role/dpo', reasonCode: 'gdpr-17' };
  const erased = { type: 'erased', format: FORMAT, ...place, ...what, records: keys.length, keys, ...fields };
  return { key: erasedKey(what), fields: erased };
};

export const refusedRecord = (fields: Partial<RefusedRecord> = {}): StoredRecord => {
  const refused: RefusedRecord = {
    type: 'refused',
    partnerId: acme,
    why: 'job_not_found',
    at,
    deleteAfter,
    ...asked,
    ...fields,
  };
  return { key: refusedKey(refused), fields: defined(refused) };
};

/** Bodies that may follow one another: at least `requested`, and whatever of a random list the rules allow. */
export const anyLegalBodies: fc.Arbitrary<readonly EventBody[]> = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 4 }).map(started) },
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 4 }).map(ended) },
      fc.integer({ min: 1, max: 4 }).map(accepted),
      fc.constant(escalated),
      fc.constant(observed),
      fc.constant(closed),
      fc.constant(unknownJob),
      fc.integer({ min: 2, max: 4 }).map(again),
    ),
    { maxLength: 30 },
  )
  .map((candidates) => {
    const bodies: EventBody[] = [];
    let state: CancellationState | undefined;
    let last: CancellationEvent | undefined;
    for (const body of [requested, ...candidates]) {
      if (checkNext(state, body).kind === 'not_allowed') continue;
      last = sealEvent({ partnerId: acme, jobId: documentedJob }, last, body, {
        eventId: 'e',
        at,
        keptDays: retention.events,
      });
      state = applyEvent(state, last);
      bodies.push(body);
    }
    return bodies;
  });

/** The verdict on records, given in the order of a table. */
export const verify = (records: readonly StoredRecord[], partition = streamName, nowMs = Date.parse(at)): Verdict => {
  const verifier = createPartitionVerifier(partition, { shards: SHARDS, nowMs });
  for (const record of records.toSorted((a, b) => (a.key < b.key ? -1 : 1))) verifier.add(record);
  return verifier.end();
};
/** Its findings in short: `altered 2`. */
export const found = (records: readonly StoredRecord[], partition?: string, nowMs?: number): string[] =>
  verify(records, partition, nowMs).findings.map(({ code, seq, record }) => `${code} ${seq ?? record ?? ''}`.trim());

export const edited = (records: readonly StoredRecord[], seq: number, fields: object): StoredRecord[] =>
  records.map((record) =>
    record.key === eventKey(seq) ? { ...record, fields: { ...record.fields, ...fields } } : record,
  );
export const without = (records: readonly StoredRecord[], ...seqs: number[]): StoredRecord[] =>
  records.filter(({ key }) => !seqs.map(eventKey).includes(key));
