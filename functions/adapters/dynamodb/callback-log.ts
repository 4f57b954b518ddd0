import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type { Subject } from '../../core/callbacks/callback-message.ts';
import { callbackSchema } from '../../core/callbacks/callback-record.ts';
import { dueShard, dueShardOf, keptShard } from '../../core/callbacks/callback-shards.ts';
import type { CallbackLog, DueCallback, StoredCallback } from '../../core/callbacks/ports.ts';
import { refusedSchema } from '../../core/cancellation/events.ts';
import { WAKE_SHARDS } from '../../core/cancellation/pace.ts';
import {
  CALLBACK_PREFIX,
  callbackKey,
  parseCallbackKey,
  parseRefusal,
  parseStreamKey,
  partitionBeside,
  refusedDayKey,
  refusedKey,
} from '../../core/cancellation/stream-key.ts';
import { timestampSchema } from '../../core/identifiers.ts';
import type { Clock } from '../../core/ports.ts';
import { RecordUnreadable } from '../../core/report.ts';
import { queryTold, readStream, WAKE_UP_INDEX } from './cancellation-log.ts';
import {
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

/** The cancellation log as the delivery of callbacks sees it: it adds attempts beside what they tell of, and nothing else. */
export function createCallbackLog(
  client: DynamoDBClient,
  tableName: string,
  now: Clock['now'] = Date.now,
): CallbackLog {
  const table: Table = { client, name: tableName, dependency: 'cancellation-log' };

  /** Strongly consistent. @param from, to sort keys, inclusive */
  const between = (pk: string, from: string, to: string): Promise<Item[]> =>
    queryItems(table, {
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
      values: { ':pk': pk, ':from': from, ':to': to },
    });

  return {
    shards: WAKE_SHARDS,

    async readJob(name) {
      const { events, callbacks } = await queryTold(table, name);
      return { events: readStream(events, now()).events, callbacks: callbacks.map(readCallback) };
    },

    async readRefusal(subject) {
      const [pk, about] = [refusedDayKey(subject), refusedKey(subject)];
      const [found, callbacks] = await Promise.all([
        between(pk, about, about),
        between(pk, `${CALLBACK_PREFIX}${about}#`, `${CALLBACK_PREFIX}${about}#~`),
      ]);
      const [item] = found;
      return { refusal: item && readOrThrow(item, refusedSchema), callbacks: callbacks.map(readCallback) };
    },

    append(record, place) {
      const pk = partitionBeside(record);
      const scheduling =
        place?.kind === 'due'
          ? { wakeShard: dueShardOf(pk), wakeAt: place.at }
          : place && { wakeShard: keptShard(record.partnerId), wakeAt: record.at };
      return insertItem(table, { pk, sk: callbackKey(record), ...record, ...scheduling });
    },

    async unindex(record) {
      const key = { pk: partitionBeside(record), sk: callbackKey(record) };
      await updateItem(table, key, {
        UpdateExpression: 'REMOVE wakeShard, wakeAt',
        ConditionExpression: 'attribute_exists(wakeAt)',
      });
    },

    async due(shard, until, limit) {
      const { items } = await queryPage(table, {
        IndexName: WAKE_UP_INDEX,
        KeyConditionExpression: 'wakeShard = :shard AND wakeAt <= :now',
        values: { ':shard': dueShard(shard), ':now': until },
        Limit: limit,
      });
      return readItems(items, parseDue).items;
    },

    postpone: ({ partition, key, wakeAt }, to) =>
      updateItem(
        table,
        { pk: partition, sk: key },
        {
          UpdateExpression: 'SET wakeAt = :to',
          ConditionExpression: 'wakeAt = :wakeAt',
          values: { ':to': to, ':wakeAt': wakeAt },
        },
      ),
  };
}

const keysSchema = z.object({ pk: z.string(), sk: z.string(), wakeAt: timestampSchema });

/** @returns undefined for what is not an attempt to deliver a callback */
export function parseDue(fields: Fields): DueCallback | undefined {
  const { data } = keysSchema.safeParse(fields);
  if (data === undefined) return undefined;
  const { pk: partition, sk: key, wakeAt } = data;
  const about = parseCallbackKey(key);
  const subject = about === undefined ? undefined : subjectOf(partition, about);
  return subject && { subject, partition, key, wakeAt };
}

function subjectOf(partition: string, about: string): Subject | undefined {
  const name = parseStreamKey(partition);
  if (name !== undefined) return { kind: 'job', ...name };
  const refusal = parseRefusal(partition, about);
  return refusal && { kind: 'refusal', ...refusal };
}

function readCallback(item: Item): StoredCallback {
  return { ...readOrThrow(item, callbackSchema), isIndexed: item['wakeAt'] !== undefined };
}

/** @throws RecordUnreadable: without it nothing can be told in order */
function readOrThrow<Schema extends z.ZodMiniType>(item: Item, schema: Schema): z.infer<Schema> {
  const fields = fromItem(item);
  const { success, data } = schema.safeParse(fields);
  if (success) return data;
  throw new RecordUnreadable('cancellation-log', `${String(fields['pk'])} ${String(fields['sk'])}`);
}
