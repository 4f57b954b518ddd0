import * as z from 'zod/mini';
import type { Finding, StoredRecord } from './findings.ts';
import { joinedSchema, refusedSchema } from '../cancellation/events.ts';
import { joinedKey, refusedDayKey, refusedKey, type StreamName, streamKey } from '../cancellation/stream-key.ts';

/** Who joins is dated by another machine's clock than who came first. */
const CLOCK_SKEW_MS = 60_000;

const storedJoined = z.strictObject(joinedSchema.shape);
const storedRefused = z.strictObject(refusedSchema.shape);

const hasWakeUp = ({ wakeShard, wakeAt }: StoredRecord): boolean => wakeShard !== undefined || wakeAt !== undefined;
const unreadable = (stream: string, { key }: StoredRecord, kind: 'joined' | 'refused'): Finding => ({
  code: 'unreadable',
  stream,
  record: key,
  what: `The record ${key} is no ${kind} record that this service writes: a field is missing, malformed or too many.`,
});
const altered = (stream: string, { key }: StoredRecord): Finding => ({
  code: 'altered',
  stream,
  record: key,
  what: `The record ${key} is not what was written: its time or its request is another than its key says.`,
});
const foreign = (stream: string, { key }: StoredRecord, home: string): Finding => ({
  code: 'foreign',
  stream,
  record: key,
  what: `The record ${key} belongs to ${home}: it was moved or copied here, or altered.`,
});

/**
 * Whether a `joined` record is well-formed, agrees with its keys and is not dated before the request that it joined.
 *
 * It carries no hash: the deletion of one, and an edit that keeps to the schema and the key (of `reason`, say), cannot
 * be found.
 * @param requestedAt milliseconds since 1970; NaN when that is not known
 */
export const verifyJoined = (name: StreamName, record: StoredRecord, requestedAt: number): Finding | undefined => {
  const stream = streamKey(name);
  const joined = storedJoined.safeParse(record.fields);
  if (!joined.success || hasWakeUp(record)) return unreadable(stream, record, 'joined');
  const home = streamKey(joined.data);
  if (home !== stream) return foreign(stream, record, home);
  if (record.key !== joinedKey(joined.data)) return altered(stream, record);
  if (Date.parse(joined.data.at) >= requestedAt - CLOCK_SKEW_MS || Number.isNaN(requestedAt)) return undefined;
  const what = `The record ${record.key} is dated before the request that it joined.`;
  return { code: 'out_of_place', stream, record: record.key, what };
};

/** Whether a `refused` record is well-formed and agrees with its keys. It carries no hash either. */
export const verifyRefused = (partition: string, record: StoredRecord): Finding | undefined => {
  const refused = storedRefused.safeParse(record.fields);
  if (!refused.success || hasWakeUp(record)) return unreadable(partition, record, 'refused');
  const home = refusedDayKey(refused.data);
  if (home !== partition) return foreign(partition, record, home);
  return record.key === refusedKey(refused.data) ? undefined : altered(partition, record);
};
