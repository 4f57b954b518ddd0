import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttributeValue, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import engine from 'dynalite/db/index.js';
import { createCancellationLog } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import { createJobDirectory } from '../../../functions/adapters/dynamodb/job-directory.ts';
import type { CancellationLog, JobDirectory } from '../../../functions/core/ports.ts';
import { startLocalDynamoDb } from '../../../infra/local/aws/dynamodb.ts';

/** Written together: enough to keep the store busy, little enough to hold. */
const BATCH = 5_000;

type Item = Record<string, AttributeValue>;
type Table = Parameters<typeof engine.createKey>[1];

/** The service's own ports, to insert by and nothing else. */
export interface Loader {
  readonly log: CancellationLog;
  readonly directory: JobDirectory;
}

/**
 * Makes a folder for an engine and fills it beside its HTTP API, which would take ten minutes for a million items. What
 * is stored comes from the service's own adapters, and goes through the engine's own keys and indexes.
 * @returns the folder, to start an engine on
 */
export const loadEngine = async (fill: (loader: Loader) => Promise<void>): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'growth-'));
  const started = await startLocalDynamoDb({ path });
  const names = started.tableNames;
  await started.close();

  const store = engine.create({ path });
  const into = async (name: string) => {
    const table = await new Promise<Table>((resolve, reject) =>
      store.getTable(name, false, (error, found) => (error ? reject(error) : resolve(found))),
    );
    const indexes = table.GlobalSecondaryIndexes ?? [];
    const waiting = new Map<{ batch: ReturnType<typeof store.getItemDb>['batch'] }, Map<string, Item>>();
    const items = store.getItemDb(name);
    let count = 0;
    const put = (entries: typeof items, key: string, item: Item): void => {
      const batch = waiting.get(entries) ?? new Map<string, Item>();
      waiting.set(entries, batch.set(key, item));
    };
    const flush = async (): Promise<void> => {
      for (const [entries, batch] of waiting) {
        const operations = [...batch].map(([key, value]) => ({ type: 'put' as const, key, value }));
        await new Promise<void>((resolve, reject) =>
          entries.batch(operations, (error) => (error ? reject(error) : resolve())),
        );
      }
      waiting.clear();
      count = 0;
    };
    /** The client that an adapter needs, as far as it needs one to insert. */
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
  };
  const [log, directory] = await Promise.all([into(names.CancellationLog), into(names.JobDirectory)]);
  await fill({
    log: createCancellationLog(log.client, names.CancellationLog),
    directory: createJobDirectory(directory.client, names.JobDirectory),
  });
  await Promise.all([log.flush(), directory.flush()]);
  await new Promise<void>((resolve, reject) => store.db.close((error) => (error ? reject(error) : resolve())));
  return path;
};
