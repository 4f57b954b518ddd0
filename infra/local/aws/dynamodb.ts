import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type AccessKey, createAccessKey } from './access-keys.ts';
import { admit, describeError, ServiceError } from './aws-json-endpoint.ts';
import { createTable, enableStream, type TableDefinition } from './create-table.ts';
import { localRegion, serveOnLoopback } from './loopback.ts';
import { openable } from './store/open-store.ts';
import { sealStore } from './store/seal-store.ts';
import { openEngine } from './streams/open-engine.ts';
import { expireItems } from './expire-items.ts';
import { takeStreams, type TableStreams } from './streams/table-streams.ts';
import {
  callOf,
  type CreateFront,
  createCounter,
  parseInput,
  replay,
  type RequestCounts,
  type TableCaller,
  type TablesFront,
} from './table-calls.ts';

/** The functions' connections to DynamoDB are cut. */
export interface TablesFault {
  readonly kind: 'tables_down';
}

export interface LocalDynamoDbOptions<TableName extends string> {
  /** The tables to create, by their names; a table that exists already stays as it is. */
  readonly tables: Readonly<Record<TableName, TableDefinition>>;
  /** Tables that are used in place of some of these, by name: restored ones. @default none */
  readonly restoredTables?: Readonly<Partial<Record<TableName, string>>> | undefined;
  /** The folder that keeps the data between runs, created if missing. @default in memory */
  readonly path?: string | undefined;
  /** Whose holder may call everything. @default a new one */
  readonly accessKey?: AccessKey | undefined;
  /** Others that may call. @default none */
  readonly callers?: readonly TableCaller[] | undefined;
  /** Cuts every connection while it returns true, except those of this object's own client. @default never */
  readonly isDown?: (() => boolean) | undefined;
  /** @default the engine answers everything */
  readonly front?: CreateFront | undefined;
  /** How long each answer waits, in milliseconds, as over a network. @default 0 */
  readonly latencyMs?: number | undefined;
}

export interface LocalDynamoDb<TableName extends string> {
  /** For `AWS_ENDPOINT_URL_DYNAMODB` or `aws --endpoint-url`. */
  readonly url: string;
  /** Its holder may call everything. */
  readonly accessKey: AccessKey;
  /** The name of each table in use. */
  readonly tableNames: Readonly<Record<TableName, string>>;
  /** A client for code outside the functions. Its requests are counted too. */
  readonly client: DynamoDBClient;
  /** Of the tables that have one, by the name of each table in use. Only a `front` has them. */
  readonly streams: TableStreams;
  /**
   * Deletes what has expired by then, as DynamoDB does by itself within some days. @param nowMs milliseconds since 1970
   * @returns how many items were deleted
   */
  expireItems(nowMs: number): Promise<number>;
  counts(): RequestCounts;
  resetCounts(): void;
  close(): Promise<void>;
}

/** How the engine recognizes {@link LocalDynamoDb.client}. */
const ownAgent = 'local-run';
/** And the client of what stands in front of it, which reaches the engine itself. */
const frontAgent = 'local-front';

/**
 * An embedded DynamoDB (dynalite) on 127.0.0.1. What dynalite does not have of a table, a `front` plays: `tables/`.
 * @throws DataFolderError when `path` cannot be written, is damaged, or another process uses it
 */
export async function startLocalDynamoDb<TableName extends string>({
  tables,
  restoredTables,
  path,
  accessKey = createAccessKey(),
  callers = [],
  isDown = () => false,
  front: createFront,
  latencyMs = 0,
}: LocalDynamoDbOptions<TableName>): Promise<LocalDynamoDb<TableName>> {
  if (path !== undefined) await openable(path);
  const { engine, store } = openEngine({
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
    ...(path !== undefined && { path }),
  });
  const streams = takeStreams(store, localRegion);
  let front: TablesFront | undefined;
  const counter = createCounter();
  const answer = engine.listeners('request');
  engine.removeAllListeners('request');
  engine.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const agent = request.headers['user-agent'] ?? '';
    if (isDown() && !agent.includes(ownAgent) && !agent.includes(frontAgent)) {
      request.destroy();
      return;
    }
    const keys = [accessKey, ...callers.map((caller) => caller.accessKey)];
    const admitted = admit(keys, request).then(({ body, accessKeyId }) => {
      const call = callOf(request, body);
      const caller = callers.find((one) => one.accessKey.accessKeyId === accessKeyId);
      if (caller?.mayCall(call) !== false)
        return { body, call, isFront: caller === undefined && agent.includes(frontAgent) };
      throw new ServiceError('AccessDeniedException', `The role does not allow ${call.operation} on ${call.table}.`);
    });
    const reply = (status: number, body: object): void => {
      response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
    };
    const pass = (body: Buffer): void => {
      for (const listener of answer) Reflect.apply(listener, engine, [replay(request, body), response]);
    };
    const handle = async ({ body, call, isFront }: Awaited<typeof admitted>): Promise<void> => {
      if (isFront) {
        pass(body);
        return;
      }
      counter.count(call);
      if (latencyMs > 0) await sleep(latencyMs);
      const input = parseInput(body);
      front?.admit(call.operation, input);
      const own = await front?.answer(call.operation, input);
      if (own !== undefined) {
        reply(200, own);
        return;
      }
      response.once('finish', () => {
        if (response.statusCode === 200) front?.answered(call.operation, input);
      });
      pass(body);
    };
    admitted.then(handle).catch((error: unknown) => {
      const { status, ...body } = describeError(error);
      reply(status, body);
    });
  });
  const { url, close: closeEngine } = await serveOnLoopback(engine);
  const connect = (customUserAgent: string) =>
    new DynamoDBClient({ endpoint: url, region: localRegion, credentials: accessKey, customUserAgent });
  const [client, direct] = [connect(ownAgent), connect(frontAgent)];
  const close = async (): Promise<void> => {
    client.destroy();
    direct.destroy();
    await closeEngine();
    if (path !== undefined) await sealStore(path);
  };

  try {
    front = createFront?.({
      engine: direct,
      statePath: path === undefined ? undefined : `${path}-features.json`,
      streams,
    });
    await Promise.all(
      Object.entries<TableDefinition>(tables).map(([name, definition]) => createTable(client, name, definition)),
    );
    if (front !== undefined) {
      await front.resume();
      for (const [name, { stream }] of Object.entries<TableDefinition>(tables)) {
        if (stream !== undefined) await enableStream(client, name, stream);
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  counter.reset();
  const names = { ...namesOf(tables), ...restoredTables };
  const counts = { counts: counter.counts, resetCounts: counter.reset };
  const inUse: Readonly<Record<string, string>> = names;
  const definitions = new Map(
    Object.entries<TableDefinition>(tables).map(([name, definition]) => [inUse[name] ?? name, definition]),
  );
  const expire = (nowMs: number): Promise<number> => expireItems({ engine: direct, streams, definitions }, nowMs);
  return { url, accessKey, tableNames: names, client, streams, expireItems: expire, ...counts, close };
}

function namesOf<Name extends string>(tables: Readonly<Record<Name, unknown>>): Record<Name, string>;
function namesOf(tables: object): Record<string, string> {
  return Object.fromEntries(Object.keys(tables).map((name) => [name, name]));
}
