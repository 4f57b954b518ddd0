import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { callbackSchema } from '../../core/callbacks/callback-record.ts';
import { type CancellationEvent, joinedSchema, parseEvent } from '../../core/cancellation/events.ts';
import {
  CALLBACK_PREFIX,
  EVENT_PREFIX,
  eventKey,
  JOINED_PREFIX,
  joinedKey,
  parseEventKey,
  parseStreamKey,
  refusedDayKey,
  refusedKey,
  type StreamName,
  streamKey,
} from '../../core/cancellation/stream-key.ts';
import { WAKE_SHARDS } from '../../core/cancellation/pace.ts';
import { BrokenStream } from '../../core/cancellation/state.ts';
import { type JobId, type PartnerId, type Timestamp, timestampSchema } from '../../core/identifiers.ts';
import type { Appended, CancellationLog, Clock, Polls, Stream, WakeUp } from '../../core/ports.ts';
import type { ReadableLog } from '../../core/use-cases/read-cancellations.ts';
import { DependencyUnavailable } from '../../core/report.ts';
import {
  countItems,
  type Fields,
  fromItem,
  insertItem,
  type Item,
  queryItems,
  queryPage,
  readItems,
  type Table,
  updateItem,
} from './table-client.ts';

export const WAKE_UP_INDEX = 'due-wake-ups';

/** So many pages of wake-ups are read for one, if those at the head are malformed or the caller is done with them. */
const MOST_PAGES = 40;

/**
 * The cancellation log on DynamoDB. An item has its keys beside the fields of its record; an event that leaves its stream
 * unfinished also has the scheduling attributes, which are outside the hash.
 * @param now milliseconds since 1970: what has expired by then is not read
 */
export function createCancellationLog(
  client: DynamoDBClient,
  tableName: string,
  now: Clock['now'] = Date.now,
): CancellationLog {
  const table: Table = { client, name: tableName, dependency: 'cancellation-log' };

  /** Every write is an insert: nothing in this table is ever overwritten. */
  function insert(pk: string, sk: string, record: object): Promise<boolean> {
    return insertItem(table, { pk, sk, ...record });
  }

  /** The only update in this table: of scheduling, never of history. @returns whether the wake-up was still as given */
  function updateWakeUp(
    { seq, wakeAt, ...name }: WakeUp,
    UpdateExpression: string,
    values: Readonly<Record<string, string | number>> = {},
  ): Promise<boolean> {
    return updateItem(
      table,
      { pk: streamKey(name), sk: eventKey(seq) },
      { UpdateExpression, ConditionExpression: 'wakeAt = :wakeAt', values: { ':wakeAt': wakeAt, ...values } },
    );
  }

  async function read(partnerId: PartnerId, jobId: JobId): Promise<Stream> {
    return readStream(await queryItems(table, streamQuery({ partnerId, jobId }, EVENT_PREFIX)), now());
  }

  async function append(event: CancellationEvent, wakeAt?: Timestamp): Promise<Appended> {
    const { partnerId, jobId, seq } = event;
    const wakeUp = wakeAt === undefined ? {} : { wakeShard: wakeShardOf(event), wakeAt };
    try {
      if (await insert(streamKey(event), eventKey(seq), { ...event, ...wakeUp })) return { kind: 'appended' };
    } catch (error) {
      // The answer may be lost although the put took effect: a stream that began must not be reported as "not on record".
      const begun: Stream = seq === 1 ? await read(partnerId, jobId) : { events: [] };
      if (begun.events.length === 0) throw error;
      return resultOf(event, begun);
    }
    // When an answer is lost, the SDK repeats the put and then meets its own event.
    const stream = await read(partnerId, jobId);
    if (stream.events.length > 0) return resultOf(event, stream);
    throw new DependencyUnavailable(table.dependency, new Error('an expired stream is not deleted yet'));
  }

  return {
    read,
    append,
    shards: WAKE_SHARDS,

    async wakeUps(shard, limit, isDone) {
      const wakeUps: WakeUp[] = [];
      const unreadable: string[] = [];
      const query = {
        IndexName: WAKE_UP_INDEX,
        KeyConditionExpression: 'wakeShard = :shard',
        values: { ':shard': String(shard) },
        Limit: limit,
      };
      let page = await queryPage(table, query);
      for (let pages = 1; ; pages += 1) {
        const { items, unreadable: left } = readItems(page.items, parseWakeUp);
        wakeUps.push(...items.filter((wakeUp) => !isDone(wakeUp)));
        unreadable.push(...left);
        if (page.next === undefined || wakeUps.length >= limit || pages === MOST_PAGES) break;
        page = await queryPage(table, query, page.next);
      }
      const isCut = page.next !== undefined || wakeUps.length > limit;
      return { items: wakeUps.slice(0, limit), unreadable, isCut };
    },

    moveWakeUp: (wakeUp, to, polledAt) =>
      polledAt === undefined
        ? updateWakeUp(wakeUp, 'SET wakeAt = :to', { ':to': to })
        : updateWakeUp(wakeUp, 'SET wakeAt = :to, lookedAt = :at ADD looks :one', {
            ':to': to,
            ':at': polledAt,
            ':one': 1,
          }),

    async removeWakeUp(wakeUp) {
      await updateWakeUp(wakeUp, 'REMOVE wakeShard, wakeAt');
    },

    async recordJoined(record) {
      await insert(streamKey(record), joinedKey(record), record);
    },

    async recordRefused(record) {
      await insert(refusedDayKey(record), refusedKey(record), record);
    },
  };
}

/** The log with what only its readers ask: so no other bundle holds it. */
export function createReadableLog(
  client: DynamoDBClient,
  tableName: string,
  now: Clock['now'] = Date.now,
): CancellationLog & ReadableLog {
  const table: Table = { client, name: tableName, dependency: 'cancellation-log' };
  return {
    ...createCancellationLog(client, tableName, now),

    async readTold(partnerId, jobId) {
      const { events, callbacks } = await queryTold(table, { partnerId, jobId });
      const parse = (fields: Fields) => callbackSchema.safeParse(fields).data;
      return { stream: readStream(events, now()), callbacks: readItems(callbacks, parse) };
    },

    async readJoined(partnerId, jobId, { shown, counted }) {
      const query = { ...streamQuery({ partnerId, jobId }, JOINED_PREFIX), ScanIndexForward: false };
      const { items, next } = await queryPage(table, { ...query, Limit: shown });
      const newest = readItems(items.toReversed(), (fields) => joinedSchema.safeParse(fields).data);
      if (next === undefined) return { ...newest, count: items.length };
      // Eventually consistent, at half the price: what was recorded last is among the newest.
      const older = { ...query, ConsistentRead: false };
      return { ...newest, count: items.length + (await countItems(table, older, counted - items.length, next)) };
    },
  };
}

/** The items of a stream's events, and of the attempts to tell of them, each in their order; strongly consistent. */
export async function queryTold(table: Table, name: StreamName): Promise<Record<'events' | 'callbacks', Item[]>> {
  // In one query: an event sorts after a callback, and before what joined.
  const items = await queryItems(table, {
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
    values: { ':pk': streamKey(name), ':from': CALLBACK_PREFIX, ':to': `${EVENT_PREFIX}~` },
  });
  const isCallback = ({ sk }: Item): boolean => sk?.S?.startsWith(CALLBACK_PREFIX) === true;
  return { events: items.filter((item) => !isCallback(item)), callbacks: items.filter(isCallback) };
}

/** @param stored the items of its events, in their order: what has expired is left out */
export function readStream(stored: readonly Item[], nowMs: number): Stream {
  const items = stored.filter(({ deleteAfter }) => !(Number(deleteAfter?.N) * 1_000 <= nowMs));
  const wakeAt = timestampSchema.safeParse(items.at(-1)?.['wakeAt']?.S).data;
  return { events: items.map(readEvent), wakeAt, polls: readPolls(items) };
}

function streamQuery(name: StreamName, prefix: string) {
  return {
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    values: { ':pk': streamKey(name), ':prefix': prefix },
  };
}

function resultOf({ seq, eventId }: CancellationEvent, stream: Stream): Appended {
  return stream.events[seq - 1]?.eventId === eventId ? { kind: 'appended' } : { kind: 'lost', stream };
}

function wakeShardOf({ hash }: CancellationEvent): string {
  return String(Number.parseInt(hash.slice(0, 4), 16) % WAKE_SHARDS);
}

const pollsSchema = z.object({ looks: z.int().check(z.positive()), lookedAt: timestampSchema });

/** Of every event that was polled under. Malformed counts are scheduling, not history: they are left out. */
function readPolls(items: readonly Item[]): Polls | undefined {
  const polls = items.flatMap(({ looks, lookedAt }) => {
    const { data } = pollsSchema.safeParse({ looks: Number(looks?.N), lookedAt: lookedAt?.S });
    return data === undefined ? [] : [data];
  });
  const last = polls.at(-1);
  if (last === undefined) return undefined;
  return { count: polls.reduce((sum, { looks }) => sum + looks, 0), lastAt: last.lookedAt };
}

/** The index projects nothing but keys. */
const wakeUpKeySchema = z.object({ pk: z.string(), sk: z.string(), wakeAt: timestampSchema });

/** @returns undefined for what is not an event's wake-up */
function parseWakeUp(fields: Fields): WakeUp | undefined {
  const { data } = wakeUpKeySchema.safeParse(fields);
  if (data === undefined) return undefined;
  const name = parseStreamKey(data.pk);
  const seq = parseEventKey(data.sk);
  return name === undefined || seq === undefined ? undefined : { ...name, seq, wakeAt: data.wakeAt };
}

/** @throws BrokenStream when the item is not an event that this service writes */
function readEvent(item: Item): CancellationEvent {
  const fields = fromItem(item);
  const event = parseEvent(fields);
  if (event === undefined) throw new BrokenStream(`${String(fields['pk'])} ${String(fields['sk'])} is not an event`);
  return event;
}
