import {
  type AttributeValue,
  DescribeTableCommand,
  type DynamoDBClient,
  paginateQuery,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import { convertToNative } from '@aws-sdk/util-dynamodb';
import { WAKE_SHARDS } from '../../functions/adapters/dynamodb/cancellation-log.ts';
import type { StoredRecord } from '../../functions/core/audit/findings.ts';
import {
  createPartitionVerifier,
  type PartitionVerifier,
  type Verdict,
} from '../../functions/core/audit/verify-partition.ts';
import { tables } from '../blueprint/tables.ts';
import { CannotVerify } from './verify-audit-options.ts';

type Item = Readonly<Record<string, AttributeValue>>;

export interface TableToVerify {
  readonly client: DynamoDBClient;
  readonly table: string;
  /** Where it is, for a person: `http://127.0.0.1:8000`, `eu-central-1`. */
  readonly place: string;
  /** Called after each page. `total` is DynamoDB's own estimate, some hours old. */
  readonly onProgress?: (items: number, total: number | undefined) => void;
}

const { partitionKey, sortKey } = tables.CancellationLog;

/**
 * Verifies a cancellation log partition by partition, in whatever order the table has them: one Scan, strongly
 * consistent, in which a partition's items come together and in the order of their sort keys. Memory holds one page and
 * one stream.
 *
 * A Scan is no snapshot, so a stream with a finding is read again by itself before it is named: what the service wrote
 * meanwhile is no tampering.
 * @throws CannotVerify when the table is not there, is no cancellation log, or cannot be read
 */
export async function* verifyTable(source: TableToVerify): AsyncGenerator<Verdict> {
  const { client, table, onProgress } = source;
  const total = await checkTable(source);
  const pages = paginateScan({ client }, { TableName: table, ConsistentRead: true });
  let items = 0;
  let current: { readonly partition: string; readonly verifier: PartitionVerifier } | undefined;
  for await (const { Items = [] } of reading(source, pages)) {
    for (const item of Items) {
      const partition = keyOf(item, partitionKey);
      if (current?.partition !== partition) {
        if (current !== undefined) yield await confirm(source, current.partition, current.verifier.end());
        current = { partition, verifier: createPartitionVerifier(partition, WAKE_SHARDS) };
      }
      current.verifier.add(toRecord(item));
    }
    items += Items.length;
    onProgress?.(items, total);
  }
  if (current !== undefined) yield await confirm(source, current.partition, current.verifier.end());
}

const confirm = async (source: TableToVerify, partition: string, verdict: Verdict): Promise<Verdict> => {
  if (verdict.findings.length === 0) return verdict;
  const again = createPartitionVerifier(partition, WAKE_SHARDS);
  const pages = paginateQuery(
    { client: source.client },
    {
      TableName: source.table,
      ConsistentRead: true,
      KeyConditionExpression: '#partition = :partition',
      ExpressionAttributeNames: { '#partition': partitionKey },
      ExpressionAttributeValues: { ':partition': { S: partition } },
    },
  );
  for await (const { Items = [] } of reading(source, pages)) for (const item of Items) again.add(toRecord(item));
  return again.end();
};

/** @returns how many items it has, as DynamoDB last counted */
const checkTable = async (source: TableToVerify): Promise<number | undefined> => {
  const { client, table, place } = source;
  const { Table } = await client.send(new DescribeTableCommand({ TableName: table })).catch((error: unknown) => {
    throw explain(source, error);
  });
  const keys = Table?.KeySchema?.map(({ AttributeName }) => AttributeName);
  if (keys?.join() === `${partitionKey},${sortKey}`) return Table?.ItemCount;
  throw new CannotVerify(
    `${table} (${place}) is no cancellation log: its keys are not ${partitionKey} and ${sortKey}.`,
  );
};

/** Passes pages on. @throws CannotVerify for whatever the SDK gives up on */
async function* reading<Page>(source: TableToVerify, pages: AsyncIterable<Page>): AsyncGenerator<Page> {
  const iterator = pages[Symbol.asyncIterator]();
  for (;;) {
    const next = await iterator.next().catch((error: unknown) => {
      throw explain(source, error);
    });
    if (next.done === true) return;
    yield next.value;
  }
}

const explain = ({ table, place }: TableToVerify, error: unknown): CannotVerify => {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof Error && 'code' in error ? String(error.code) : name;
  if (name === 'ResourceNotFoundException') {
    return new CannotVerify(`There is no table ${table} (${place}).`, { cause: error });
  }
  if (name === 'TimeoutError' || /^(E[A-Z]+|UND_ERR_\w+)$/.test(code)) {
    return new CannotVerify(`DynamoDB does not answer (${place}): ${code}.`, { cause: error });
  }
  const [line = ''] = message.split('\n');
  return new CannotVerify(`${table} (${place}) cannot be read: ${name}: ${line}`, { cause: error });
};

const keyOf = (item: Item, key: string): string => item[key]?.S ?? '';

const toRecord = (item: Item): StoredRecord => {
  const fields = Object.fromEntries(
    Object.entries(item).map(([name, value]): [string, unknown] => [name, convertToNative(value, { wrapNumbers })]),
  );
  const { [partitionKey]: _, [sortKey]: key, wakeShard, wakeAt, ...rest } = fields;
  return { key: String(key), wakeShard, wakeAt, fields: rest };
};

/** DynamoDB keeps 38 digits. A number that says more than JavaScript's was not written by us: as text, it is found. */
const wrapNumbers = (text: string): number | string => {
  const value = Number(text);
  return digitsOf(String(value)) === digitsOf(text) ? value : text;
};
const digitsOf = (number: string): string =>
  number
    .replace(/e.*$/i, '')
    .replaceAll(/[-+.]/g, '')
    .replaceAll(/^0+|0+$/g, '');
