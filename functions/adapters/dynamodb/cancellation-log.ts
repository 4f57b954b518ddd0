import {
  type DynamoDBClient,
  PutItemCommand,
  paginateQuery,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import {
  type CancellationEvent,
  envelopeSchema,
  eventBodySchema,
  type JoinedRecord,
  joinedSchema,
  type RefusedRecord,
} from '../../core/cancellation/events.ts';
import {
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
import { BrokenStream } from '../../core/cancellation/state.ts';
import { type JobId, type PartnerId, type Timestamp, timestampSchema } from '../../core/identifiers.ts';
import type { Appended, CancellationLog, Stream, WakeUp } from '../../core/ports.ts';
import { ask, fromItem, type Item, toItem, write } from './dynamodb.ts';

/**
 * Partitions of the wake-up index: due wake-ups are spread over as many. Each takes 1,000 new cancellations a second, and
 * is a query of every look.
 */
export const WAKE_SHARDS = 4;

const WAKE_UP_INDEX = 'due-wake-ups';

const DEPENDENCY = 'cancellation-log';
const wakeShardOf = ({ hash }: CancellationEvent): string =>
  String(Number.parseInt(hash.slice(0, 4), 16) % WAKE_SHARDS);

/**
 * The cancellation log on DynamoDB. Beside each record's own fields an item has its keys, and an event that leaves its
 * stream unfinished has `wakeShard` and `wakeAt`, which are outside the hash.
 */
export const createCancellationLog = (client: DynamoDBClient, table: string): CancellationLog => {
  /** Every write is an insert: nothing in this table is ever overwritten. @returns whether the place was free */
  const insert = (pk: string, sk: string, fields: object): Promise<boolean> =>
    write(DEPENDENCY, () =>
      client.send(
        new PutItemCommand({
          TableName: table,
          Item: toItem({ pk, sk, ...fields }),
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );

  /** The only update of this table: of scheduling, never of history. @returns whether the wake-up was still as given */
  const updateWakeUp = (
    { seq, wakeAt, ...name }: WakeUp,
    UpdateExpression: string,
    values: Readonly<Record<string, string>> = {},
  ): Promise<boolean> =>
    write(DEPENDENCY, () =>
      client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: toItem({ pk: streamKey(name), sk: eventKey(seq) }),
          UpdateExpression,
          ConditionExpression: 'wakeAt = :wakeAt',
          ExpressionAttributeValues: toItem({ ':wakeAt': wakeAt, ...values }),
        }),
      ),
    );

  const queryOf = (name: StreamName, prefix: string) => ({
    TableName: table,
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: toItem({ ':pk': streamKey(name), ':prefix': prefix }),
  });

  const read = async (partnerId: PartnerId, jobId: JobId): Promise<Stream> => {
    const items = await ask(DEPENDENCY, async () => {
      const found: Item[] = [];
      const pages = paginateQuery({ client }, queryOf({ partnerId, jobId }, EVENT_PREFIX));
      for await (const page of pages) found.push(...(page.Items ?? []));
      return found;
    });
    const events = items.map(parseEvent);
    return { events, wakeAt: items.at(-1)?.['wakeAt']?.S };
  };

  return {
    read,

    async append(event: CancellationEvent, wakeAt?: Timestamp): Promise<Appended> {
      const { partnerId, jobId, seq } = event;
      const wakeUp = wakeAt === undefined ? {} : { wakeShard: wakeShardOf(event), wakeAt };
      const told = (stream: Stream): Appended =>
        stream.events[seq - 1]?.eventId === event.eventId ? { kind: 'appended' } : { kind: 'lost', stream };
      try {
        if (await insert(streamKey(event), eventKey(seq), { ...event, ...wakeUp })) {
          return { kind: 'appended' };
        }
      } catch (error) {
        // Whoever begins a stream must not be told that nothing is on record when only the answers were lost.
        const stream: Stream = seq === 1 ? await read(partnerId, jobId) : { events: [] };
        if (stream.events.length === 0) throw error;
        return told(stream);
      }
      // The SDK repeats a put whose answer was lost, and then finds its own event in the way.
      return told(await read(partnerId, jobId));
    },

    shards: WAKE_SHARDS,

    async wakeUps(shard: number, limit: number): Promise<readonly WakeUp[]> {
      const query = new QueryCommand({
        TableName: table,
        IndexName: WAKE_UP_INDEX,
        KeyConditionExpression: 'wakeShard = :shard',
        ExpressionAttributeValues: toItem({ ':shard': String(shard) }),
        Limit: limit,
      });
      const { Items = [] } = await ask(DEPENDENCY, () => client.send(query));
      return Items.map(parseWakeUp);
    },

    moveWakeUp: (wakeUp: WakeUp, to: Timestamp): Promise<boolean> =>
      updateWakeUp(wakeUp, 'SET wakeAt = :to', { ':to': to }),

    async removeWakeUp(wakeUp: WakeUp): Promise<void> {
      await updateWakeUp(wakeUp, 'REMOVE wakeShard, wakeAt');
    },

    async recordJoined(record: JoinedRecord): Promise<void> {
      await insert(streamKey(record), joinedKey(record), record);
    },

    async recordRefused(record: RefusedRecord): Promise<void> {
      await insert(refusedDayKey(record), refusedKey(record), record);
    },

    async readJoined(partnerId: PartnerId, jobId: JobId, limit: number): Promise<readonly JoinedRecord[]> {
      const query = new QueryCommand({
        ...queryOf({ partnerId, jobId }, JOINED_PREFIX),
        ScanIndexForward: false,
        Limit: limit,
      });
      const { Items = [] } = await ask(DEPENDENCY, () => client.send(query));
      return Items.map((item) => joinedSchema.parse(fromItem(item))).toReversed();
    },
  };
};

/** The index has nothing but keys. */
const wakeUpKeySchema = z.object({ pk: z.string(), sk: z.string(), wakeAt: timestampSchema });

const parseWakeUp = (item: Item): WakeUp => {
  const { pk, sk, wakeAt } = wakeUpKeySchema.parse(fromItem(item));
  const name = parseStreamKey(pk);
  const seq = parseEventKey(sk);
  if (name === undefined || seq === undefined) throw new Error(`${pk} ${sk} has a wake-up, but is not an event`);
  return { ...name, seq, wakeAt };
};

/** @throws BrokenStream when the item is no event that this service writes */
const parseEvent = (item: Item): CancellationEvent => {
  const fields = fromItem(item);
  const body = eventBodySchema.safeParse(fields);
  const envelope = envelopeSchema.safeParse(fields);
  if (!body.success || !envelope.success) {
    throw new BrokenStream(`${String(fields['pk'])} ${String(fields['sk'])} is no event`);
  }
  return { ...body.data, ...envelope.data };
};
