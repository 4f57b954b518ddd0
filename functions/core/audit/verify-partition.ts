import * as z from 'zod/mini';
import { hashEvent } from '../cancellation/chain.ts';
import { judgeTexts } from '../cancellation/commitment.ts';
import { type ErasedRecord, erasedSchema } from '../cancellation/erased.ts';
import { joinedSchema, refusedSchema } from '../cancellation/events.ts';
import {
  CALLBACK_PREFIX,
  ERASED_PREFIX,
  erasedKey,
  partitionBeside,
  isRefusedDayKey,
  JOINED_PREFIX,
  joinedKey,
  parseEventKey,
  parseStreamKey,
  refusedDayKey,
  refusedKey,
  schedulingAttributes,
  streamKey,
} from '../cancellation/stream-key.ts';
import { hasExpired, isPlausible } from '../retention.ts';
import {
  CLOCK_SKEW_MS,
  type Finding,
  type StoredEvent,
  type StoredRecord,
  type StreamHead,
  type WakeUpReader,
} from './findings.ts';
import { createCallbacksVerifier } from './verify-callbacks.ts';
import { verifyStream } from './verify-stream.ts';

/**
 * The result for one partition of the cancellation log: a stream with its `joined` records, or a day of `refused` ones,
 * either with its `callback` and its `erased` ones.
 */
export interface Verdict {
  readonly findings: readonly Finding[];
  readonly events: number;
  readonly joined: number;
  readonly refused: number;
  /** Attempts to deliver callbacks. */
  readonly callbacks: number;
  /** How many records have lost their texts to an erasure that is on record. */
  readonly erased: number;
  /** Every record has expired: DynamoDB may have deleted others. */
  readonly isExpired: boolean;
  /** The `erased` records. */
  readonly erasures: readonly ErasedRecord[];
  /** Of a stream: its newest event, and its closing ones. */
  readonly head?: StreamHead | undefined;
  readonly closings: readonly StreamHead[];
}

export interface PartitionVerifier {
  /** Takes the next record, in the order of the sort keys. Only events are kept. */
  add(record: StoredRecord): void;
  end(): Verdict;
}

/**
 * Verifies one partition, record by record. Memory holds its events, the newest attempt of each callback and the findings, and
 * never its `joined` or `refused` records, of which there may be any number. {@link verifyStream} says what can be found and what cannot.
 *
 * A `joined` or `refused` record must be well-formed and agree with its keys. It has no hash, so its deletion cannot be
 * found, nor an edit that keeps to the schema and the key (of `reason`, for example).
 * @param partition the partition key
 */
export function createPartitionVerifier(partition: string, reader: WakeUpReader): PartitionVerifier {
  const name = parseStreamKey(partition);
  const events: StoredEvent[] = [];
  const beside: Finding[] = [];
  const erasures = createErasures(partition, reader.isArchive === true);
  const callbacks = createCallbacksVerifier(partition, reader);
  let [joined, refused] = [0, 0];
  /** Records that have not expired, and those of them that joined. */
  let [kept, keptJoined] = [0, 0];
  /** Stays unknown (NaN) if the first event is missing or was altered. */
  let requestedAtMs = Number.NaN;
  return {
    add(record) {
      const seq = parseEventKey(record.key);
      if (record.key.startsWith(ERASED_PREFIX) && (name !== undefined || isRefusedDayKey(partition))) {
        beside.push(...erasures.addErasure(record));
        return;
      }
      beside.push(...erasures.add(record, seq));
      const isKept = !hasExpired(record.fields['deleteAfter'], reader.nowMs);
      if (isKept) kept += 1;
      if (record.key.startsWith(CALLBACK_PREFIX) && (name !== undefined || isRefusedDayKey(partition))) {
        beside.push(...callbacks.add(record));
        return;
      }
      if (name !== undefined && seq !== undefined) {
        const { at, hash } = record.fields;
        if (seq === 1 && hashEvent(record.fields) === hash) requestedAtMs = Date.parse(String(at));
        events.push({ ...record, seq });
      } else if (name !== undefined && record.key.startsWith(JOINED_PREFIX)) {
        joined += 1;
        if (isKept) keptJoined += 1;
        beside.push(...judgeJoined(partition, record, { requestedAtMs, events }));
      } else if (isRefusedDayKey(partition)) {
        refused += 1;
        beside.push(...judgeRefused(partition, record));
      } else {
        const what = `The record ${record.key} of ${partition} has keys that this log never writes.`;
        beside.push({ code: 'foreign', stream: partition, record: record.key, what });
      }
    },
    end() {
      const stream = name === undefined ? { findings: [], closings: [] } : verifyStream(name, events, reader);
      const orphaned = keptJoined > 0 && events.length === 0 ? [orphanedBy(partition, keptJoined)] : [];
      const told = callbacks.end(name === undefined ? undefined : events);
      const findings = [...stream.findings, ...orphaned, ...beside, ...told];
      return {
        ...stream,
        findings,
        events: events.length,
        joined,
        refused,
        callbacks: callbacks.count(),
        isExpired: kept === 0,
        ...erasures.end(),
      };
    },
  };
}

function orphanedBy(partition: string, joined: number): Finding {
  const requests = joined === 1 ? '1 request' : `${joined} requests`;
  const what = `The stream was deleted: it has no event, but ${requests} joined it.`;
  return { code: 'orphaned', stream: partition, what };
}

const storedErased = z.strictObject(erasedSchema.shape);

/**
 * Holds the records of a partition against its erasures: a record without its texts must be named by one. In the archive no
 * record has texts, and whether an erasure is finished is not its matter.
 */
function createErasures(partition: string, isArchive: boolean) {
  const named = new Set<string>();
  const erasures: ErasedRecord[] = [];
  let erased = 0;
  return {
    addErasure(record: StoredRecord): readonly Finding[] {
      const { data } = storedErased.safeParse(record.fields);
      if (data === undefined || hasWakeUp(record) || data.records !== data.keys.length) {
        return [unreadable(partition, record, 'erased')];
      }
      for (const key of data.keys) named.add(key);
      erasures.push(data);
      return judgeKeys(partition, record, partitionBeside(data), erasedKey(data));
    },
    /** Of a record after all `erased` ones. */
    add({ key, fields, wasErased = false }: StoredRecord, seq: number | undefined): readonly Finding[] {
      const { isErased, wrong } = isArchive ? { isErased: wasErased, wrong: [] } : judgeTexts(fields);
      if (isErased && named.has(key)) {
        erased += 1;
        return [];
      }
      const where = { stream: partition, ...(seq === undefined ? { record: key } : { seq }) };
      if (isErased) {
        const what = `The record ${key} has lost a text, and no erasure on record names it.`;
        return [{ code: 'altered', ...where, what }];
      }
      if (isArchive || !named.has(key) || wrong.length > 0) return [];
      const what = `An erasure names the record ${key}, which still has its texts: the erasure is to be finished.`;
      return [{ code: 'unerased', ...where, what }];
    },
    end: () => ({ erased, erasures }),
  };
}

const storedJoined = z.strictObject(joinedSchema.shape);
const storedRefused = z.strictObject(refusedSchema.shape);

/** What is known of the stream that a record joined. */
interface JoinedStream {
  /** NaN: unknown. */
  readonly requestedAtMs: number;
  readonly events: readonly StoredEvent[];
}

function judgeJoined(partition: string, record: StoredRecord, stream: JoinedStream): readonly Finding[] {
  const { data } = storedJoined.safeParse(record.fields);
  if (data === undefined || hasWakeUp(record)) return [unreadable(partition, record, 'joined')];
  const replaced = findReplaced(partition, record);
  if (replaced.length > 0) return replaced;
  const displaced = judgeKeys(partition, record, streamKey(data), joinedKey(data));
  if (displaced.length > 0) return displaced;
  // What joined late does not outlive the stream.
  const { requestedAtMs, events } = stream;
  const isStreams = events.length === 0 || events.some(({ fields }) => fields['deleteAfter'] === data.deleteAfter);
  if (!isStreams && !isPlausible(data.deleteAfter, data.at)) return [misdated(partition, record)];
  const isEarly = Date.parse(data.at) < requestedAtMs - CLOCK_SKEW_MS;
  if (!isEarly) return [];
  const what = `The record ${record.key} is dated before the request that it joined.`;
  return [{ code: 'out_of_place', stream: partition, record: record.key, what }];
}

function judgeRefused(partition: string, record: StoredRecord): readonly Finding[] {
  const { data } = storedRefused.safeParse(record.fields);
  if (data === undefined || hasWakeUp(record)) return [unreadable(partition, record, 'refused')];
  const displaced = judgeKeys(partition, record, refusedDayKey(data), refusedKey(data));
  const dated = displaced.length > 0 || isPlausible(data.deleteAfter, data.at) ? [] : [misdated(partition, record)];
  return [...findReplaced(partition, record), ...displaced, ...dated];
}

function misdated(partition: string, { key }: StoredRecord): Finding {
  const what = `The record ${key} expires at a time that no retention of this service gives it.`;
  return { code: 'altered', stream: partition, record: key, what };
}

function findReplaced(partition: string, { key, fields }: StoredRecord): readonly Finding[] {
  return judgeTexts(fields).wrong.map((field) => {
    const what = `The ${field} of the record ${key} is not the one that it commits to.`;
    return { code: 'altered', stream: partition, record: key, what };
  });
}

function judgeKeys(partition: string, { key }: StoredRecord, ownPartition: string, ownKey: string): readonly Finding[] {
  if (ownPartition !== partition) {
    const what = `The record ${key} belongs to ${ownPartition}: it was moved or copied here, or altered.`;
    return [{ code: 'foreign', stream: partition, record: key, what }];
  }
  if (ownKey === key) return [];
  const what = `The record ${key} is not what was written: its key gives another time or request than its fields.`;
  return [{ code: 'altered', stream: partition, record: key, what }];
}

function hasWakeUp(record: StoredRecord): boolean {
  return schedulingAttributes.some((name) => record[name] !== undefined);
}

function unreadable(partition: string, { key }: StoredRecord, kind: 'joined' | 'refused' | 'erased'): Finding {
  const what = `The record ${key} is not ${kind === 'erased' ? 'an' : 'a'} ${kind} record of this service: a field is missing, malformed or unknown.`;
  return { code: 'unreadable', stream: partition, record: key, what };
}
