import {
  type AttributeValue,
  DescribeTableCommand,
  type DynamoDBClient,
  paginateQuery,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import { convertToNative } from '@aws-sdk/util-dynamodb';
import { WAKE_SHARDS } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import type { StoredRecord } from '../../../functions/core/audit/findings.ts';
import {
  createPartitionVerifier,
  type PartitionVerifier,
  type Verdict,
} from '../../../functions/core/audit/verify-partition.ts';
import { tables } from '../../blueprint/tables.ts';
import { CannotDo } from '../command.ts';
import { explainFailure } from '../places.ts';

type Item = Readonly<Record<string, AttributeValue>>;

export interface TableToVerify {
  readonly client: DynamoDBClient;
  readonly table: string;
  /** In messages: `http://127.0.0.1:8000`, `eu-central-1`. */
  readonly place: string;
  /** Called after each page. `total` is DynamoDB's own estimate, some hours old. */
  readonly onProgress?: (items: number, total: number | undefined) => void;
}

const { partitionKey, sortKey } = tables.CancellationLog;

/**
 * Verifies a cancellation log partition by partition, in the table's own order: one strongly consistent Scan, in which a
 * partition's items come together and in the order of their sort keys. Memory holds one page and one stream.
 *
 * A Scan is not a snapshot: a stream with a finding is read again by itself before the finding is reported, because the
 * service may have written to it meanwhile.
 * @throws CannotDo (2) when the table is not there, is not a cancellation log, or cannot be read
 */
export async function* verifyTable(source: TableToVerify): AsyncGenerator<Verdict> {
  const { table, place } = source;
  try {
    yield* readPartitions(source);
  } catch (cause) {
    const isMissing = cause instanceof Error && cause.name === 'ResourceNotFoundException';
    const why = isMissing ? `There is no table ${table} (${place}).` : explainFailure(cause, place)?.message;
    // Whatever the reason: a log that could not be read was not verified, so the exit code is 2.
    throw why === undefined ? cause : new CannotDo(2, why, { cause });
  }
}

async function* readPartitions(source: TableToVerify): AsyncGenerator<Verdict> {
  const { client, table, onProgress } = source;
  const total = await checkTable(source);
  let items = 0;
  let current: { readonly partition: string; readonly verifier: PartitionVerifier } | undefined;
  for await (const { Items = [] } of paginateScan({ client }, { TableName: table, ConsistentRead: true })) {
    for (const item of Items) {
      const partition = keyOf(item, partitionKey);
      if (current?.partition !== partition) {
        if (current !== undefined) yield await confirm(source, current.partition, current.verifier.end());
        current = { partition, verifier: newVerifier(partition) };
      }
      current.verifier.add(toRecord(item));
    }
    items += Items.length;
    onProgress?.(items, total);
  }
  if (current !== undefined) yield await confirm(source, current.partition, current.verifier.end());
}

/** @returns how many items the table has, as DynamoDB last counted */
async function checkTable({ client, table, place }: TableToVerify): Promise<number | undefined> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
  const keys = Table?.KeySchema?.map(({ AttributeName }) => AttributeName);
  if (keys?.join() === `${partitionKey},${sortKey}`) return Table?.ItemCount;
  const why = `its keys are not ${partitionKey} and ${sortKey}`;
  throw new CannotDo(2, `${table} (${place}) is not a cancellation log: ${why}.`);
}

async function confirm({ client, table }: TableToVerify, partition: string, verdict: Verdict): Promise<Verdict> {
  if (verdict.findings.length === 0) return verdict;
  const again = newVerifier(partition);
  const query = {
    TableName: table,
    ConsistentRead: true,
    KeyConditionExpression: '#partition = :partition',
    ExpressionAttributeNames: { '#partition': partitionKey },
    ExpressionAttributeValues: { ':partition': { S: partition } },
  };
  for await (const { Items = [] } of paginateQuery({ client }, query)) {
    for (const item of Items) again.add(toRecord(item));
  }
  return again.end();
}

function newVerifier(partition: string): PartitionVerifier {
  return createPartitionVerifier(partition, { shards: WAKE_SHARDS, nowMs: Date.now() });
}

function keyOf(item: Item, key: string): string {
  return item[key]?.S ?? '';
}

function toRecord(item: Item): StoredRecord {
  const fields = Object.fromEntries(
    Object.entries(item).map(([name, value]): [string, unknown] => [name, convertToNative(value, { wrapNumbers })]),
  );
  const { [partitionKey]: _, [sortKey]: key, wakeShard, wakeAt, ...rest } = fields;
  return { key: String(key), wakeShard, wakeAt, fields: rest };
}

/**
 * DynamoDB keeps 38 digits, the service writes only numbers that JavaScript holds exactly. Any other number stays text,
 * so that the verifier reports it.
 */
function wrapNumbers(text: string): number | string {
  const value = Number(text);
  return digitsOf(String(value)) === digitsOf(text) ? value : text;
}

function digitsOf(number: string): string {
  return number
    .replace(/e.*$/i, '')
    .replaceAll(/[-+.]/g, '')
    .replaceAll(/^0+|0+$/g, '');
}
