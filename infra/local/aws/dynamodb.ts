import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { createTableInput } from './create-table-input.ts';
import { type TableDefinition, type TableName, tables } from '../../blueprint/tables.ts';
import { checkDataFolder } from './check-data-folder.ts';
import { listenOnLoopback } from './listen-on-loopback.ts';

/** What any SDK or CLI call to a local endpoint may carry: nobody checks them. */
export const localCredentials = { accessKeyId: 'local', secretAccessKey: 'local' };
export const localRegion = 'eu-west-1';

export interface LocalDynamoDbOptions {
  /** Where the data stays between runs, made if missing. @default in memory */
  readonly path?: string | undefined;
  /** @default the names of `infra/blueprint/tables.ts` */
  readonly tableNames?: Readonly<Record<TableName, string>>;
  /** Cuts every connection while it says so, but for this object's own client. @default never */
  readonly isDown?: (() => boolean) | undefined;
}

/** How many requests came in, by operation and table: `counts['PutItem']?.['CancellationLog']`. */
export type RequestCounts = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface LocalDynamoDb {
  /** For `AWS_ENDPOINT_URL_DYNAMODB` or `aws --endpoint-url`. */
  readonly url: string;
  readonly tableNames: Readonly<Record<TableName, string>>;
  /** A client of this endpoint, for whoever stands outside the functions. Its requests are counted too. */
  readonly client: DynamoDBClient;
  counts(): RequestCounts;
  resetCounts(): void;
  close(): Promise<void>;
}

/** By which the engine knows {@link LocalDynamoDb.client}. */
const ownAgent = 'local-run';

const ownNames: Readonly<Record<TableName, string>> = {
  JobDirectory: 'JobDirectory',
  CancellationLog: 'CancellationLog',
  Partners: 'Partners',
};

/** Makes a table, unless it is there, and waits until it can be used. */
export const createTable = async (client: DynamoDBClient, name: string, definition: TableDefinition): Promise<void> => {
  try {
    await client.send(new CreateTableCommand(createTableInput(name, definition)));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error; // It is there from the run before.
  }
  // The engine answers before the table is written.
  for (let tries = 0; tries < 400; tries += 1) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
    if (Table?.TableStatus === 'ACTIVE') return;
    await sleep(5);
  }
  throw new Error(`The table ${name} does not become active`);
};

/** Counts requests by listening beside the engine: it reads what the engine reads, and touches nothing. */
const createCounter = () => {
  let counts: Record<string, Record<string, number>> = {};
  const count = (operation: string, table: string): void => {
    const byTable = (counts[operation] ??= {});
    byTable[table] = (byTable[table] ?? 0) + 1;
  };
  return {
    counts: (): RequestCounts => structuredClone(counts),
    reset: (): void => {
      counts = {};
    },
    listen: (request: IncomingMessage): void => {
      const operation = String(request.headers['x-amz-target']).split('.')[1] ?? 'unknown';
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        // Inside a string value the quotes would be escaped, and an attribute of this name has no string behind it.
        const name = /"TableName":"([^"]+)"/.exec(Buffer.concat(chunks).toString('latin1'))?.[1];
        count(operation, name ?? 'several');
      });
    },
  };
};

/**
 * An embedded DynamoDB (dynalite) on 127.0.0.1 with the tables of `infra/blueprint/tables.ts`; tables that exist stay as they are.
 * @throws CannotStart when `path` cannot be written, or another run holds it
 */
export const startLocalDynamoDb = async (options: LocalDynamoDbOptions = {}): Promise<LocalDynamoDb> => {
  const { path, tableNames = ownNames } = options;
  if (path !== undefined) await checkDataFolder(path);
  const server = dynalite({
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
    ...(path === undefined ? {} : { path }),
  });
  const { isDown = () => false } = options;
  server.prependListener('request', (request: IncomingMessage) => {
    if (isDown() && request.headers['user-agent']?.includes(ownAgent) !== true) request.destroy();
  });
  const counter = createCounter();
  server.on('request', counter.listen);
  const url = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  const client = new DynamoDBClient({
    endpoint: url,
    region: localRegion,
    credentials: localCredentials,
    customUserAgent: ownAgent,
  });
  const close = async (): Promise<void> => {
    client.destroy();
    const closed = once(server, 'dynalite-closed');
    server.close(() => server.emit('dynalite-closed'));
    server.closeAllConnections();
    await closed;
  };

  try {
    for (const [name, table] of entriesOf(tableNames)) await createTable(client, table, tables[name]);
  } catch (error) {
    await close();
    throw error;
  }
  counter.reset();
  return { url, tableNames, client, counts: counter.counts, resetCounts: counter.reset, close };
};

const isTableName = (name: string): name is TableName => Object.hasOwn(tables, name);
const entriesOf = (tableNames: Readonly<Record<TableName, string>>): [TableName, string][] =>
  Object.entries(tableNames).flatMap(([name, table]) => (isTableName(name) ? [[name, table]] : []));
