import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  paginateQuery,
  QueryCommand,
  type QueryCommandInput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type Dependency, DependencyUnavailable } from '../../core/report.ts';

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

/** @param fields flat; a field that is undefined is left out */
export function toItem(fields: Fields): Item {
  return marshall(fields, { removeUndefinedValues: true });
}

export function fromItem(item: Item): Record<string, unknown> {
  return unmarshall(item);
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
export function queryItems(table: Table, query: Plain<QueryCommandInput>): Promise<Item[]> {
  return ask(table.dependency, async () => {
    const found: Item[] = [];
    const pages = paginateQuery({ client: table.client }, inputOf(table, query));
    for await (const { Items = [] } of pages) found.push(...Items);
    return found;
  });
}

/** Reads one page: at most `Limit` items. @throws DependencyUnavailable */
export async function queryPage(table: Table, query: Plain<QueryCommandInput>): Promise<Item[]> {
  const command = new QueryCommand(inputOf(table, query));
  const { Items = [] } = await ask(table.dependency, () => table.client.send(command));
  return Items;
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
