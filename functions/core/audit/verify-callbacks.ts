import * as z from 'zod/mini';
import { type CallbackRecord, callbackSchema } from '../callbacks/callback-record.ts';
import { isDueShard, keptShard } from '../callbacks/callback-shards.ts';
import { LONGEST_CALLBACK_DELAY_MS } from '../callbacks/retry-schedule.ts';
import { callbackKey, eventKey, partitionBeside } from '../cancellation/stream-key.ts';
import { timestampSchema } from '../identifiers.ts';
import { hasExpired } from '../retention.ts';
import { CLOCK_SKEW_MS, type Finding, type StoredEvent, type StoredRecord, type WakeUpReader } from './findings.ts';

const storedCallback = z.strictObject(callbackSchema.shape);

/** The attempts to tell of one record. */
interface Told {
  readonly newest: CallbackRecord;
  readonly place: Pick<StoredRecord, 'wakeShard' | 'wakeAt'>;
}

/**
 * Verifies the attempts to deliver callbacks that are beside the records of one partition. They have no hash. Found: one
 * that is malformed, moved, copied or missing between others; one of an event that is not there, or is another; one that is
 * to be followed by another and that nothing would ever look at, as when the newest were cut off.
 */
export function createCallbacksVerifier(partition: string, reader: WakeUpReader) {
  /** Of a stream, which has few: what its events are held against. Of refused requests there may be any number. */
  const told: CallbackRecord[] = [];
  /** Those of one record stand together. */
  let current: Told | undefined;
  let callbacks = 0;
  const found = (code: Finding['code'], record: string, what: string): Finding => ({
    code,
    stream: partition,
    record,
    what,
  });

  return {
    /** Takes the next one, in the order of the sort keys. */
    add(record: StoredRecord): readonly Finding[] {
      callbacks += 1;
      const { key, wakeShard, wakeAt, looks, lookedAt } = record;
      const { data } = storedCallback.safeParse(record.fields);
      if (data === undefined || looks !== undefined || lookedAt !== undefined) {
        const what = `The record ${key} is not a callback record of this service: a field is missing, malformed or unknown.`;
        return [found('unreadable', key, what)];
      }
      if (partitionBeside(data) !== partition) {
        const what = `The record ${key} belongs to ${partitionBeside(data)}: it was moved or copied here, or altered.`;
        return [found('foreign', key, what)];
      }
      if (callbackKey(data) !== key) {
        const what = `The record ${key} is not what was written: its key gives another record or number than its fields.`;
        return [found('altered', key, what)];
      }
      const before = current?.newest.about === data.about ? current.newest : undefined;
      const ended = before === undefined ? endCurrent() : [];
      current = { newest: data, place: { wakeShard, wakeAt } };
      return [...ended, ...judgeOrder(before, data)];
    },

    /** @param events of the stream; undefined for a day of refused requests, whose records may be any number */
    end(events: readonly StoredEvent[] | undefined): readonly Finding[] {
      const ended = endCurrent();
      return [...ended, ...(events === undefined ? [] : told.flatMap((newest) => judgeSubject(newest, events)))];
    },

    count: () => callbacks,
  };

  function endCurrent(): readonly Finding[] {
    if (current === undefined) return [];
    if (current.newest.jobId !== undefined) told.push(current.newest);
    return reader.isArchive === true ? [] : judgePlace(current);
  }

  function judgeOrder(
    before: CallbackRecord | undefined,
    { number, about, at, webhookId, deleteAfter, notice }: CallbackRecord,
  ) {
    const key = callbackKey({ about, number });
    const expected = (before?.number ?? 0) + 1;
    if (number !== expected && !hasExpired(deleteAfter, reader.nowMs)) {
      return [found('missing', key, `The attempt ${expected} to tell of ${about} is missing.`)];
    }
    if (before === undefined) return [];
    const isSame = before.webhookId === webhookId && before.notice === notice && before.deleteAfter === deleteAfter;
    if (!isSame) return [found('altered', key, `The record ${key} does not agree with the attempt before it.`)];
    const isEarly = Date.parse(at) < Date.parse(before.at) - CLOCK_SKEW_MS;
    return isEarly ? [found('out_of_place', key, `The record ${key} is dated before the attempt before it.`)] : [];
  }

  function judgeSubject(newest: CallbackRecord, events: readonly StoredEvent[]): readonly Finding[] {
    const { about, notice, webhookId, deleteAfter } = newest;
    const key = callbackKey(newest);
    const event = events.find(({ seq }) => eventKey(seq) === about);
    if (event === undefined) {
      if (hasExpired(deleteAfter, reader.nowMs)) return [];
      return [found('orphaned', key, `The record ${key} tells of ${about}, which is not there.`)];
    }
    const { type, eventId, deleteAfter: expiry } = event.fields;
    if (type === notice && eventId === webhookId && expiry === deleteAfter) return [];
    return [found('altered', key, `The record ${key} tells of another event than ${about}.`)];
  }

  function judgePlace({ newest, place: { wakeShard, wakeAt } }: Told): readonly Finding[] {
    const { result, nextAt, partnerId, deleteAfter } = newest;
    const isSettled = result === 'delivered' || result === 'erased';
    if (isSettled || hasExpired(deleteAfter, reader.nowMs)) return [];
    const key = callbackKey(newest);
    const time = timestampSchema.safeParse(wakeAt).data;
    if (nextAt === undefined) {
      if (time !== undefined && wakeShard === keptShard(partnerId)) return [];
      return [
        found(
          'truncated',
          key,
          `After the record ${key} attempts are missing, or no replay would find it: it is not in the index of what is kept.`,
        ),
      ];
    }
    const latest = reader.nowMs + LONGEST_CALLBACK_DELAY_MS + CLOCK_SKEW_MS;
    if (time !== undefined && isDueShard(wakeShard) && Date.parse(time) <= latest) return [];
    return [
      found(
        'truncated',
        key,
        `After the record ${key} attempts are missing, or no other would follow it: its wake-up is gone, or is not one that this service sets.`,
      ),
    ];
  }
}
