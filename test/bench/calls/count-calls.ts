import { type AttributeValue, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { type IndexDefinition, type TableDefinition, tables } from '../../../infra/blueprint/tables.ts';
import type { Stage } from '../../proof/crash/stage.ts';
import type { Effect } from '../../proof/crash/tap.ts';
import type { Outgoing, PathCalls } from './calls-per-path.ts';

/** Counts every request that the functions send, and measures its units, until the returned function is called. */
export function beginCounting({ tap, dynamodb }: Pick<Stage, 'tap' | 'dynamodb'>): () => Promise<PathCalls> {
  const requests: Record<string, number> = {};
  let [writeUnits, readUnits, storedBytes] = [0, 0, 0];
  tap.begin((effect) => async ({ forward, answer }) => {
    const name = nameOf(effect);
    requests[name] = (requests[name] ?? 0) + 1;
    if (effect.service !== 'dynamodb') return answer(await forward());
    let answered: Awaited<ReturnType<typeof forward>> | undefined;
    const [operation = ''] = name.split(' ');
    const consumed = await measureUnits(dynamodb.client, operation, effect.body, async () => {
      answered = await forward();
      return answered.body;
    });
    writeUnits += consumed.writeUnits;
    readUnits += consumed.readUnits;
    storedBytes += consumed.storedBytes;
    if (answered !== undefined) answer(answered);
  });
  return async () => {
    await tap.idle();
    tap.begin();
    return { requests, writeUnits, readUnits, storedBytes };
  };
}

/** The effect's name in the table of calls: the index instead of its table, and a put without the type of the event. */
function nameOf({ service, name }: Effect): string {
  if (service === 'plangrep') return plangrepCalls[name] ?? name;
  const [operation = '', table = '', index] = name.split(' ');
  if (operation === 'Query' && index !== undefined) return `Query ${index}`;
  return service === 'dynamodb' ? `${operation} ${table}` : operation;
}
const plangrepCalls: Readonly<Record<string, Outgoing>> = {
  'POST cancel': 'Plangrep cancel',
  'GET job': 'Plangrep read',
  'GET list': 'Plangrep list',
};

type Item = Readonly<Record<string, AttributeValue>>;
type Keys = Pick<TableDefinition, 'partitionKey' | 'sortKey' | 'indexes'>;
const keysOfTables: ReadonlyMap<string, Keys> = new Map(Object.entries<Keys>(tables));
/** Of the tables of the tutorial stack. */
const tutorialKeys: Keys = { partitionKey: 'id' };

const attributes = z.record(z.string(), z.custom<AttributeValue>());
const requestSchema = z.object({
  TableName: z.string(),
  ConsistentRead: z.optional(z.boolean()),
  Item: z.optional(attributes),
  Key: z.optional(attributes),
});
const answerSchema = z.object({ Item: z.optional(attributes), Items: z.optional(z.array(attributes)) });

/**
 * Lets a request to DynamoDB happen and measures what it consumed.
 * @param client a way to the engine beside the one that is measured: it reads the item before and after a write
 * @param forward sends the request; resolves to the answer's body
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */
async function measureUnits(
  client: DynamoDBClient,
  operation: string,
  request: Buffer,
  forward: () => Promise<Buffer>,
): Promise<Omit<PathCalls, 'requests'>> {
  const { TableName, ConsistentRead = false, Item, Key } = requestSchema.parse(JSON.parse(request.toString()));
  if (operation === 'GetItem' || operation === 'Query') {
    const answer = answerSchema.parse(JSON.parse((await forward()).toString()));
    const items = answer.Items ?? (answer.Item === undefined ? [] : [answer.Item]);
    return { writeUnits: 0, readUnits: unitsOfRead(items, ConsistentRead), storedBytes: 0 };
  }
  const keys = keysOfTables.get(TableName) ?? tutorialKeys;
  const key = keyOf(keys, Item ?? Key ?? {});
  const look = async () => (await client.send(new GetItemCommand({ TableName, Key: key, ConsistentRead: true }))).Item;
  const before = await look();
  await forward();
  const after = await look();
  return {
    writeUnits: unitsOfWrite(before, after) + indexUnits(keys, before, after),
    readUnits: 0,
    storedBytes: itemBytes(after ?? {}) - itemBytes(before ?? {}),
  };
}

function keyOf({ partitionKey, sortKey }: Keys, item: Item): Record<string, AttributeValue> {
  const names = [partitionKey, sortKey].filter((name) => name !== undefined);
  return Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));
}

const KiB = 1024;
function units(bytes: number, perUnit: number): number {
  return Math.max(1, Math.ceil(bytes / perUnit));
}

/** A write takes units by the larger of the item before and after; a rejected write, by the item that is there. */
function unitsOfWrite(before: Item | undefined, after: Item | undefined): number {
  return units(Math.max(itemBytes(before ?? {}), itemBytes(after ?? {})), KiB);
}

function indexUnits({ indexes = {} }: Keys, before: Item | undefined, after: Item | undefined): number {
  return Object.values(indexes).reduce((all, index) => all + unitsOfIndex(index, before, after), 0);
}

/** An entry that appears or disappears is one write of the index; an entry whose key changes is two. */
function unitsOfIndex(index: IndexDefinition, before: Item | undefined, after: Item | undefined): number {
  const entryOf = (item: Item | undefined): string | undefined => {
    const [partition, sort] = [item?.[index.partitionKey]?.S, item?.[index.sortKey]?.S];
    return partition === undefined || sort === undefined ? undefined : `${partition}#${sort}`;
  };
  const [was, is] = [entryOf(before), entryOf(after)];
  if (was === is) return 0;
  return (was === undefined ? 0 : 1) + (is === undefined ? 0 : 1);
}

/** The items of a query count together; a read that finds nothing counts as one unit. */
function unitsOfRead(items: readonly Item[], isConsistent: boolean): number {
  return units(sum(items.map(itemBytes)), 4 * KiB) * (isConsistent ? 1 : 0.5);
}

/**
 * An item's size as DynamoDB counts it.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemBytes(item: Item): number {
  return sum(Object.entries(item).map(([name, value]) => Buffer.byteLength(name) + valueBytes(value)));
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.BOOL !== undefined || value.NULL !== undefined) return 1;
  if (value.SS !== undefined) return sum(value.SS.map((text) => Buffer.byteLength(text)));
  if (value.L !== undefined) return 3 + sum(value.L.map((one) => 1 + valueBytes(one)));
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + itemBytes(value.M);
  throw new Error(`No table here has an attribute of this kind: ${Object.keys(value).join()}`);
}

/**
 * A number takes a byte for two of its digits, and one more. The zeros at its end, which DynamoDB does not store, are
 * counted too: otherwise the size of a time would change from second to second.
 */
function numberBytes(digits: string): number {
  const significant = digits.replaceAll(/[-.]/g, '').replace(/^0+/, '').length;
  return Math.ceil(significant / 2) + 1 + (digits.startsWith('-') ? 1 : 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
