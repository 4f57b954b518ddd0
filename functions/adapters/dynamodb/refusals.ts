import * as z from 'zod/mini';
import { type NewRefusal, refusedSchema } from '../../core/cancellation/events.ts';
import { refusedKey } from '../../core/cancellation/stream-key.ts';
import { REFUSALS_DAYS, type Refusal, type Refusals } from '../../core/refusals.ts';
import type { Records } from '../../core/records.ts';
import { daysAfter } from '../../core/retention.ts';
import { sha256 } from '../../core/sha256.ts';
import { refusalsKey } from './directory-keys.ts';
import { type Fields, insertItem, queryPage, readItems, type Table } from './table-client.ts';

const refusalSchema = z.pick(refusedSchema, { at: true, why: true, door: true, requestId: true, jobId: true });

export async function keepRefusal(table: Table, record: NewRefusal): Promise<void> {
  const { partnerId, externalId, at, why, door, requestId, jobId } = record;
  const expiresAt = daysAfter(at, REFUSALS_DAYS);
  const keys = { pk: refusalsKey(partnerId, externalId), sk: refusedKey(record) };
  await insertItem(table, { ...keys, at, why, door, requestId, jobId, expiresAt });
}

/** The sort key begins with the time, so an expired one that DynamoDB has not deleted yet is not read. */
export async function findRefusals(
  table: Table,
  ...[partnerId, externalId, { since, limit }]: Parameters<Refusals['findRefusals']>
): Promise<Records<Refusal>> {
  const { items } = await queryPage(table, {
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk AND sk > :since',
    values: { ':pk': refusalsKey(partnerId, externalId), ':since': since },
    ScanIndexForward: false,
    Limit: limit,
  });
  // Neither the externalId nor what else may be in a malformed key names it.
  const nameOf = ({ sk }: Fields): string =>
    `${partnerId}#refused#sha256:${sha256(externalId)} sha256:${sha256(String(sk))}`;
  return readItems(items, (fields) => refusalSchema.safeParse(fields).data, nameOf);
}
