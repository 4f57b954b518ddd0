import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type * as z from 'zod/mini';
import type { Records } from '../../core/records.ts';
import { type Dependency, DependencyUnavailable, RecordUnreadable } from '../../core/report.ts';

// Functions, not methods of one object: a bundle then holds only the operations that it uses.

/** One table, and the dependency that is unavailable when it does not answer. */
export interface Table {
  readonly client: DynamoDBClient;
  readonly name: string;
  readonly dependency: Dependency;
}

export type Item = Record<string, AttributeValue>;
/** An item's attributes as plain values. */
export type Fields = Readonly<Record<string, unknown>>;

/** The SDK's parameters, with plain `values` in place of `ExpressionAttributeValues`. */
type Plain<Input> = Omit<Input, 'TableName' | 'Key' | 'Item' | 'ExpressionAttributeValues'> & {
  readonly values?: Fields;
};

type Query = Plain<QueryCommandInput>;

/** @param fields flat; a field that is undefined is left out */
export function toItem(fields: Fields): Item {
  return marshall(fields, { removeUndefinedValues: true });
}

/** Never throws: a number that JavaScript cannot hold exactly is rounded, and a schema decides whether it is valid. */
export function fromItem(item: Item): Record<string, unknown> {
  return unmarshall(item, { wrapNumbers: Number });
}

/**
 * Reads each item by itself: one that is malformed is left out and named, so that it does not hide the others.
 * @param parse returns undefined for a malformed record
 * @param nameOf what an operator finds the record by, without anything that a partner wrote
 */
export function readItems<Value>(
  items: readonly Item[],
  parse: (fields: Fields) => Value | undefined,
  nameOf: (fields: Fields) => string = keyOf,
): Records<Value> {
  const read: Value[] = [];
  const unreadable: string[] = [];
  for (const item of items) {
    const fields = fromItem(item);
    const value = parse(fields);
    if (value === undefined) unreadable.push(nameOf(fields));
    else read.push(value);
  }
  return { items: read, unreadable };
}

/** All keys of our tables are text. */
function keyOf({ pk, sk }: Fields): string {
  return [pk, sk].filter((key) => typeof key === 'string').join(' ');
}

/** @returns undefined when there is no such item @throws DependencyUnavailable */
export async function getItem(
  { client, name, dependency }: Table,
  key: Fields,
  options: { readonly ConsistentRead?: boolean } = {},
): Promise<Fields | undefined> {
  const get = new GetItemCommand({ TableName: name, Key: toItem(key), ...options });
  const { Item } = await ask(dependency, () => client.send(get));
  return Item && fromItem(Item);
}

/** @returns undefined when there is no such record @throws RecordUnreadable, DependencyUnavailable */
export async function getRecord<Schema extends z.ZodMiniType>(
  table: Table,
  key: Fields,
  schema: Schema,
  options: { readonly ConsistentRead?: boolean } = {},
): Promise<z.infer<Schema> | undefined> {
  const fields = await getItem(table, key, options);
  if (fields === undefined) return undefined;
  const { success, data } = schema.safeParse(fields);
  if (success) return data;
  throw new RecordUnreadable(table.dependency, keyOf(key));
}

/** @returns whether the place was free @throws DependencyUnavailable */
export function insertItem(table: Table, fields: Fields): Promise<boolean> {
  return putItem(table, fields, { ConditionExpression: 'attribute_not_exists(pk)' });
}

/** @returns whether the condition held @throws DependencyUnavailable */
export function putItem(table: Table, fields: Fields, condition: Plain<PutItemCommandInput>): Promise<boolean> {
  const put = new PutItemCommand({ ...inputOf(table, condition), Item: toItem(fields) });
  return write(table.dependency, () => table.client.send(put));
}

/** @returns whether the condition held @throws DependencyUnavailable */
export function updateItem(table: Table, key: Fields, update: Plain<UpdateItemCommandInput>): Promise<boolean> {
  const command = new UpdateItemCommand({ ...inputOf(table, update), Key: toItem(key) });
  return write(table.dependency, () => table.client.send(command));
}

/** Reads every page. @throws DependencyUnavailable */
export async function queryItems(table: Table, query: Query): Promise<Item[]> {
  const found: Item[] = [];
  for (let page = await queryPage(table, query); ; page = await queryPage(table, query, page.next)) {
    found.push(...page.items);
    if (page.next === undefined) return found;
  }
}

/** `next`: where the next page begins, if there may be one. */
interface Page {
  readonly items: readonly Item[];
  readonly count: number;
  readonly next: Item | undefined;
}

/** Reads one page: at most `Limit` items. @throws DependencyUnavailable */
export async function queryPage(table: Table, query: Query, ExclusiveStartKey?: Item): Promise<Page> {
  const command = new QueryCommand({ ...inputOf(table, query), ExclusiveStartKey });
  const answer = await ask(table.dependency, () => table.client.send(command));
  return { items: answer.Items ?? [], count: answer.Count ?? 0, next: answer.LastEvaluatedKey };
}

/**
 * Counts what a query finds after `from`, at most `upTo`. DynamoDB reads and bills what it counts, at most 1 MB a request
 * (DynamoDB Developer Guide, Counting the items in the results). @throws DependencyUnavailable
 */
export async function countItems(table: Table, query: Query, upTo: number, from: Item): Promise<number> {
  let count = 0;
  for (let next: Item | undefined = from; next !== undefined && count < upTo; ) {
    const page: Page = await queryPage(table, { ...query, Select: 'COUNT', Limit: upTo - count }, next);
    count += page.count;
    next = page.next;
  }
  return count;
}

function inputOf<Input>({ name }: Table, { values, ...input }: Plain<Input>) {
  return { TableName: name, ...input, ExpressionAttributeValues: values && toItem(values) };
}

async function ask<Answer>(dependency: Dependency, send: () => Promise<Answer>): Promise<Answer> {
  try {
    return await send();
  } catch (error) {
    throw new DependencyUnavailable(dependency, error);
  }
}

/** Sends one conditional write. @returns whether the condition held @throws DependencyUnavailable */
export async function write(dependency: Dependency, send: () => Promise<unknown>): Promise<boolean> {
  try {
    await send();
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw new DependencyUnavailable(dependency, error);
  }
}
