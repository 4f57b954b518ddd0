import { type AttributeValue, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { type TableDefinition, tables } from '../../../infra/blueprint/tables.ts';
import { baselineTables } from '../contenders/baseline-tables.ts';

/** What a request took of a table, in DynamoDB's request units, and by how many bytes it made the table grow. */
export interface Consumed {
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly storedBytes: number;
}

type Item = Readonly<Record<string, AttributeValue>>;
type Keys = Pick<TableDefinition, 'partitionKey' | 'sortKey' | 'index'>;

/** Ours, and the tutorial stack's. */
const keysOfTables = new Map<string, Keys>([
  ...Object.entries<Keys>(tables),
  ...Object.values(baselineTables).map((name): [string, Keys] => [name, { partitionKey: 'id' }]),
]);
const keysOf = (table: string): Keys => {
  const keys = keysOfTables.get(table);
  if (keys === undefined) throw new Error(`no table is called ${table}`);
  return keys;
};

const utf8 = (text: string): number => Buffer.byteLength(text);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/**
 * A number takes a byte for two of its digits, and one more. The zeros at its end, which DynamoDB does not store, are
 * counted too: otherwise what a time takes would change from second to second.
 */
const numberBytes = (digits: string): number =>
  Math.ceil(digits.replaceAll(/[-.]/g, '').replace(/^0+/, '').length / 2) + 1 + (digits.startsWith('-') ? 1 : 0);

const valueBytes = (value: AttributeValue): number => {
  if (value.S !== undefined) return utf8(value.S);
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.BOOL !== undefined || value.NULL !== undefined) return 1;
  if (value.SS !== undefined) return sum(value.SS.map(utf8));
  if (value.L !== undefined) return 3 + sum(value.L.map((one) => 1 + valueBytes(one)));
  if (value.M !== undefined) {
    return 3 + sum(Object.entries(value.M).map(([name, one]) => 1 + utf8(name) + valueBytes(one)));
  }
  throw new Error(`an attribute of a kind that no table here has: ${Object.keys(value).join()}`);
};

/**
 * An item's size as DynamoDB counts it.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export const itemBytes = (item: Item): number =>
  sum(Object.entries(item).map(([name, value]) => utf8(name) + valueBytes(value)));

const units = (bytes: number, perUnit: number): number => Math.max(1, Math.ceil(bytes / perUnit));
const KiB = 1024;

/** A write takes units by the larger of what was there and what is there now; one that is refused, by what is there. */
const writeUnits = (before: Item | undefined, after: Item | undefined): number =>
  units(Math.max(itemBytes(before ?? {}), itemBytes(after ?? {})), KiB);

/** An entry that appears or goes is one write of the index; one whose key changes goes and appears. */
const indexUnits = ({ index }: Keys, before: Item | undefined, after: Item | undefined): number => {
  if (index === undefined) return 0;
  const keyOf = (item: Item | undefined): string | undefined => {
    const [partition, sort] = [item?.[index.partitionKey]?.S, item?.[index.sortKey]?.S];
    return partition === undefined || sort === undefined ? undefined : `${partition}#${sort}`;
  };
  const [was, is] = [keyOf(before), keyOf(after)];
  if (was === is) return 0;
  return (was === undefined ? 0 : 1) + (is === undefined ? 0 : 1);
};

/** A query's items count together; looking for what is not there counts as one unit. */
const readUnits = (items: readonly Item[], isConsistent: boolean): number =>
  units(sum(items.map(itemBytes)), 4 * KiB) * (isConsistent ? 1 : 0.5);

const attributes = z.record(z.string(), z.custom<AttributeValue>());
const requestSchema = z.object({
  TableName: z.string(),
  ConsistentRead: z.optional(z.boolean()),
  Item: z.optional(attributes),
  Key: z.optional(attributes),
});
const answerSchema = z.object({ Item: z.optional(attributes), Items: z.optional(z.array(attributes)) });

/**
 * Lets a request to DynamoDB happen, and says what it consumed.
 * @param client a way to the engine beside the one that is measured: it looks at the item before and after a write
 * @param forward sends the request; resolves to the answer's body
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */
export const measureUnits = async (
  client: DynamoDBClient,
  operation: string,
  request: Buffer,
  forward: () => Promise<Buffer>,
): Promise<Consumed> => {
  const { TableName, ConsistentRead = false, Item, Key } = requestSchema.parse(JSON.parse(request.toString()));
  if (operation === 'GetItem' || operation === 'Query') {
    const answer = answerSchema.parse(JSON.parse((await forward()).toString()));
    const items = answer.Items ?? (answer.Item === undefined ? [] : [answer.Item]);
    return { writeUnits: 0, readUnits: readUnits(items, ConsistentRead), storedBytes: 0 };
  }
  const keys = keysOf(TableName);
  const look = async (): Promise<Item | undefined> => {
    const key = keyOf(keys, Item ?? Key ?? {});
    return (await client.send(new GetItemCommand({ TableName, Key: key, ConsistentRead: true }))).Item;
  };
  const before = await look();
  await forward();
  const after = await look();
  return {
    writeUnits: writeUnits(before, after) + indexUnits(keys, before, after),
    readUnits: 0,
    storedBytes: itemBytes(after ?? {}) - itemBytes(before ?? {}),
  };
};

const keyOf = ({ partitionKey, sortKey }: Keys, item: Item): Record<string, AttributeValue> => {
  const names = [partitionKey, sortKey].filter((name) => name !== undefined);
  return Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));
};
