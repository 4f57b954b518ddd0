import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttributeValue, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import engine from 'dynalite/db/index.js';
import { createCancellationLog } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import { createJobDirectory } from '../../../functions/adapters/dynamodb/job-directory.ts';
import type { JobDirectory } from '../../../functions/core/job-directory.ts';
import type { CancellationLog } from '../../../functions/core/ports.ts';
import { startLocalDynamoDb } from '../../../infra/local/aws/dynamodb.ts';
import { openable } from '../../../infra/local/aws/store/open-store.ts';
import { tables } from '../../../infra/blueprint/tables.ts';

/** Items that are written together. */
const BATCH = 5_000;

type Item = Record<string, AttributeValue>;
type Store = ReturnType<typeof engine.create>;
type Entries = ReturnType<Store['getItemDb']>;

/** The service's own ports, of which only the inserts work. */
export interface Loader {
  readonly log: CancellationLog;
  readonly directory: JobDirectory;
}

/**
 * Makes a folder for an engine and fills it directly: through the engine's HTTP API a million items would take ten
 * minutes. The service's own adapters make the items, and the engine's own code makes the keys and the index entries.
 * @returns the folder, to start an engine on
 */
export async function loadEngine(fill: (loader: Loader) => Promise<void>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'growth-'));
  const started = await startLocalDynamoDb({ tables, path });
  const names = started.tableNames;
  await started.close();
  // What closed it has sealed it against writers like this one.
  await openable(path);

  const store = engine.create({ path });
  const log = await openTable(store, names.CancellationLog);
  const directory = await openTable(store, names.JobDirectory);
  await fill({
    log: createCancellationLog(log.client, names.CancellationLog),
    directory: createJobDirectory(directory.client, names.JobDirectory),
  });
  await log.flush();
  await directory.flush();
  await promised<void>((done) => store.db.close(done));
  return path;
}

/** @returns a client that can only put items, and what writes those that wait */
async function openTable(store: Store, name: string) {
  const table = await promised<Parameters<typeof engine.createKey>[1]>((done) => store.getTable(name, false, done));
  const indexes = table.GlobalSecondaryIndexes ?? [];
  const items = store.getItemDb(name);
  const waiting = new Map<Entries, Map<string, Item>>();
  let count = 0;
  const put = (entries: Entries, key: string, item: Item): void => {
    const batch = waiting.get(entries) ?? new Map<string, Item>();
    waiting.set(entries, batch.set(key, item));
  };
  const flush = async (): Promise<void> => {
    for (const [entries, batch] of waiting) {
      const operations = [...batch].map(([key, value]) => ({ type: 'put' as const, key, value }));
      await promised<void>((done) => entries.batch(operations, done));
    }
    waiting.clear();
    count = 0;
  };
  const send = async ({ input }: PutItemCommand): Promise<object> => {
    const item = input.Item ?? {};
    put(items, engine.createKey(item, table), item);
    for (const { index, key, item: entry } of engine.getIndexActions(indexes, null, item, table).puts) {
      put(store.getIndexDb('global', name, index), key, { ...entry });
    }
    count += 1;
    if (count >= BATCH) await flush();
    return {};
  };
  return { client: { send } as unknown as DynamoDBClient, flush };
}

function promised<Result>(start: (done: (error?: Error | null, result?: Result) => void) => void): Promise<Result> {
  return new Promise((resolve, reject) =>
    start((error, result) => (error ? reject(error) : resolve(result as Result))),
  );
}
