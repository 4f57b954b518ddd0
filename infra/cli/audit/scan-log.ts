import { type AttributeValue, DescribeTableCommand, type DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import type { StoredRecord } from '../../../functions/core/audit/findings.ts';
import { readAttributes } from '../../../functions/doors/stream/read-attributes.ts';
import { tables } from '../../blueprint/tables.ts';
import { CannotDo } from '../command.ts';
import { explainFailure } from '../places/explain-failure.ts';

type Item = Readonly<Record<string, AttributeValue>>;

/** A cancellation log to read from one end to the other. */
export interface LogTable {
  readonly client: DynamoDBClient;
  readonly table: string;
  /** In messages: `http://127.0.0.1:8000`, `eu-central-1`. */
  readonly place: string;
  /** Called after each page. `total` is DynamoDB's own estimate, some hours old. */
  readonly onProgress?: (items: number, total: number | undefined) => void;
  /** Called for each record, once. */
  readonly onRecord?: (scanned: ScannedRecord) => void;
}

export interface ScannedRecord {
  /** The partition key. */
  readonly partition: string;
  readonly record: StoredRecord;
}

const { partitionKey, sortKey } = tables.CancellationLog;

/**
 * Reads a cancellation log page by page, in the table's own order: one strongly consistent Scan, in which a partition's
 * records come together and in the order of their sort keys.
 * @throws CannotDo (2) when the table is not there, is not a cancellation log, or cannot be read
 */
export async function* scanLog(source: LogTable): AsyncGenerator<readonly ScannedRecord[]> {
  const { client, table, onProgress, onRecord } = source;
  try {
    const total = await checkTable(source);
    let items = 0;
    for await (const { Items = [] } of paginateScan({ client }, { TableName: table, ConsistentRead: true })) {
      const page = Items.map((item) => ({ partition: keyOf(item, partitionKey), record: toRecord(item) }));
      if (onRecord !== undefined) page.forEach(onRecord);
      yield page;
      items += Items.length;
      onProgress?.(items, total);
    }
  } catch (cause) {
    throw explainUnread(source, cause);
  }
}

/** Whatever the reason: the exit code for a log that could not be read is 2. */
export function explainUnread({ table, place }: LogTable, cause: unknown): unknown {
  const isMissing = cause instanceof Error && cause.name === 'ResourceNotFoundException';
  const why = isMissing ? `There is no table ${table} (${place}).` : explainFailure(cause, place)?.message;
  return why === undefined ? cause : new CannotDo(2, why, { cause });
}

/** @returns how many items the table has, as DynamoDB last counted */
async function checkTable({ client, table, place }: LogTable): Promise<number | undefined> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
  const keys = Table?.KeySchema?.map(({ AttributeName }) => AttributeName);
  if (keys?.join() === `${partitionKey},${sortKey}`) return Table?.ItemCount;
  const why = `its keys are not ${partitionKey} and ${sortKey}`;
  throw new CannotDo(2, `${table} (${place}) is not a cancellation log: ${why}.`);
}

function keyOf(item: Item, key: string): string {
  return item[key]?.S ?? '';
}

export function toRecord(item: Item): StoredRecord {
  const fields = readAttributes(item);
  const { [partitionKey]: _, [sortKey]: key, wakeShard, wakeAt, lookedAt, looks, ...rest } = fields;
  return { key: String(key), wakeShard, wakeAt, lookedAt, looks, fields: rest };
}
