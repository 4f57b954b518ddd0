import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceInUseException,
  type StreamSpecification,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import type { StreamView } from './streams/stream-records.ts';

/** All keys are strings. */
export interface TableDefinition {
  readonly partitionKey: string;
  readonly sortKey?: string;
  /** A number attribute, in seconds since 1970: see `expire-items.ts`. */
  readonly timeToLive?: string;
  /** What its stream shows. @default it has none */
  readonly stream?: StreamView;
  /** Keys only. */
  readonly indexes?: Readonly<Record<string, IndexDefinition>>;
}

interface IndexDefinition {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey: string;
}

/** Creates a table unless it exists, and waits until it can be used. */
export async function createTable(client: DynamoDBClient, name: string, definition: TableDefinition): Promise<void> {
  try {
    await client.send(new CreateTableCommand(createTableInput(name, definition)));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error; // An earlier run created it.
  }
  // The engine answers before it has written the table.
  for (let tries = 0; tries < 400; tries += 1) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
    if (Table?.TableStatus === 'ACTIVE') return;
    await sleep(5);
  }
  throw new Error(`The table ${name} does not become active`);
}

/** The CreateTable call: on demand, without a time to live (DynamoDB takes that with UpdateTimeToLive only). */
export function createTableInput(name: string, definition: TableDefinition): CreateTableCommandInput {
  const { partitionKey, sortKey } = definition;
  const indexes = Object.values(definition.indexes ?? {});
  const indexKeys = indexes.flatMap((index) => [index.partitionKey, index.sortKey]);
  const keys = [partitionKey, sortKey, ...indexKeys].filter((key) => key !== undefined);
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [...new Set(keys)].map((key) => ({ AttributeName: key, AttributeType: 'S' })),
    KeySchema: keySchema(partitionKey, sortKey),
    ...(indexes.length > 0 && {
      GlobalSecondaryIndexes: indexes.map((index) => ({
        IndexName: index.name,
        KeySchema: keySchema(index.partitionKey, index.sortKey),
        Projection: { ProjectionType: 'KEYS_ONLY' as const },
      })),
    }),
  };
}

function keySchema(partitionKey: string, sortKey?: string): CreateTableCommandInput['KeySchema'] {
  return [
    { AttributeName: partitionKey, KeyType: 'HASH' },
    ...(sortKey === undefined ? [] : [{ AttributeName: sortKey, KeyType: 'RANGE' as const }]),
  ];
}

/** Gives a table its stream, unless it has it. A stream that shows something else ends first. */
export async function enableStream(client: DynamoDBClient, TableName: string, view: StreamView): Promise<void> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName }));
  const before = Table?.StreamSpecification?.StreamViewType;
  if (before === view) return;
  const set = (StreamSpecification: StreamSpecification) =>
    client.send(new UpdateTableCommand({ TableName, StreamSpecification }));
  if (before !== undefined) await set({ StreamEnabled: false });
  await set({ StreamEnabled: true, StreamViewType: view });
}
