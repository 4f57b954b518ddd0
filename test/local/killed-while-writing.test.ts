import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { openObjectStore } from '../../infra/local/aws/s3/object-store.ts';
import { consumeStream } from '../../infra/local/aws/streams/consume-stream.ts';
import type { Item, StreamRecord } from '../../infra/local/aws/streams/stream-records.ts';
import { stateFile } from '../../infra/local/aws/store/state-file.ts';
import { compileCache } from '../support/run-command.ts';
import { createTableFeatures } from '../../infra/local/aws/tables/table-features.ts';
import { closeAfterTest, temporaryFolder } from './arrange.ts';

const source = (path: string): string => JSON.stringify(new URL(`../../infra/local/aws/${path}`, import.meta.url).href);

/** Runs a script that prints a number after each write, and kills it in the middle of one. @returns the last number */
async function killWriter(script: string, afterMs: number): Promise<number> {
  const args = ['--input-type=module', '--eval', script];
  const child = spawn(process.execPath, args, { env: { ...compileCache }, stdio: ['ignore', 'pipe', 'inherit'] });
  let last = 0;
  const lines = createInterface({ input: child.stdout });
  const begun = once(lines, 'line');
  lines.on('line', (line) => (last = Number(line)));
  await begun;
  await sleep(afterMs);
  child.kill('SIGKILL');
  await once(lines, 'close');
  return last;
}

describe('A process that is killed while it writes', () => {
  test('leaves a state file with the old state or the new one, 40 times', { timeout: 120_000 }, async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'state.json');
    const schema = z.object({ writes: z.number(), filling: z.string() });
    const script = `
      import * as z from ${JSON.stringify(import.meta.resolve('zod/mini'))};
      import { writeSync } from 'node:fs';
      import { stateFile } from ${source('store/state-file.ts')};
      const schema = z.object({ writes: z.number(), filling: z.string() });
      const file = stateFile(${JSON.stringify(path)}, schema);
      for (let writes = (file.read()?.writes ?? 0) + 1; ; writes += 1) {
        file.write({ writes, filling: 'x'.repeat(200_000 + (writes % 7) * 100_000) });
        writeSync(1, writes + '\\n');
      }`;

    for (let kills = 0; kills < 40; kills += 1) {
      const last = await killWriter(script, Math.random() * 20);

      const { writes, filling } = stateFile(path, schema).read() ?? { writes: 0, filling: '' };
      expect([last, last + 1]).toContain(writes);
      expect(filling).toHaveLength(200_000 + (writes % 7) * 100_000);
    }
    expect(readdirSync(folder).filter((name) => !/^state\.json(\.new)?$/.test(name))).toEqual([]);
  });

  test('loses no item that the tables have answered for, 8 times', { timeout: 120_000 }, async () => {
    const store = join(temporaryFolder(), 'dynamodb');
    const tables = { Numbers: { partitionKey: 'pk' } };
    const script = `
      import { PutItemCommand } from ${JSON.stringify(import.meta.resolve('@aws-sdk/client-dynamodb'))};
      import { writeSync } from 'node:fs';
      import { startLocalDynamoDb } from ${source('dynamodb.ts')};
      const { client } = await startLocalDynamoDb({ tables: ${JSON.stringify(tables)}, path: ${JSON.stringify(store)} });
      for (let number = 1; ; number += 1) {
        const Item = { pk: { S: process.pid + '-' + number }, filling: { S: 'x'.repeat(20_000) } };
        await client.send(new PutItemCommand({ TableName: 'Numbers', Item }));
        writeSync(1, number + '\\n');
      }`;
    let answered = 0;

    for (let kills = 0; kills < 8; kills += 1) {
      answered += await killWriter(script, Math.random() * 100);
    }

    const database = await startLocalDynamoDb({ tables, path: store });
    let found = 0;
    const query = { TableName: 'Numbers', ProjectionExpression: 'pk', ConsistentRead: true };
    for await (const { Count = 0 } of paginateScan({ client: database.client }, query)) found += Count;
    await database.close();
    expect(answered).toBeGreaterThan(8);
    expect(found).toBeGreaterThanOrEqual(answered);
    expect(found).toBeLessThanOrEqual(answered + 8); // What was written when the kill came.
  });

  test('loses no object that the local S3 has answered for, and leaves none in part, 20 times', async () => {
    const folder = join(temporaryFolder(), 's3');
    const bucket = { name: 'b', createdMs: 0, versioning: 'Enabled' } as const;
    openObjectStore(folder, 1e9).putBucket(bucket);
    const facts = { bucket: 'b', key: 'k', isDeleteMarker: false, writtenMs: 0, etag: '', headers: {} };
    const script = `
      import { writeSync } from 'node:fs';
      import { openObjectStore } from ${source('s3/object-store.ts')};
      const store = openObjectStore(${JSON.stringify(folder)}, 1e9);
      const facts = ${JSON.stringify(facts)};
      for (let number = 1; ; number += 1) {
        const body = Buffer.alloc(100_000 + (number % 7) * 10_000, number % 7);
        store.add({ ...facts, size: body.length }, body);
        writeSync(1, number + '\\n');
      }`;
    let answered = 0;

    for (let kills = 0; kills < 20; kills += 1) answered += await killWriter(script, Math.random() * 20);

    const store = openObjectStore(folder, 1e9);
    const versions = store.versions('b', 'k');
    expect(versions.length).toBeGreaterThanOrEqual(answered);
    expect(versions.length).toBeLessThanOrEqual(answered + 20);
    for (const version of versions) {
      const kind = (version.size - 100_000) / 10_000;
      expect(store.body(version).equals(Buffer.alloc(version.size, kind))).toBe(true);
    }
    expect(readdirSync(folder).filter((name) => name.endsWith('.new'))).toEqual([]);
  });
});

describe('A process that is killed while it writes to a table with a stream', () => {
  const tables = { Log: { partitionKey: 'pk', stream: 'NEW_AND_OLD_IMAGES' } } as const;
  /** Many writers of few keys, and a consumer that prints how many records it has taken. */
  const script = (store: string, taken: string): string => `
    import { appendFileSync } from 'node:fs';
    import { DeleteItemCommand, UpdateItemCommand } from ${JSON.stringify(import.meta.resolve('@aws-sdk/client-dynamodb'))};
    import { writeSync } from 'node:fs';
    import { startLocalDynamoDb } from ${source('dynamodb.ts')};
    import { consumeStream } from ${source('streams/consume-stream.ts')};
    import { createTableFeatures } from ${source('tables/table-features.ts')};
    const options = { tables: ${JSON.stringify(tables)}, path: ${JSON.stringify(store)}, front: createTableFeatures };
    const { client, streams } = await startLocalDynamoDb(options);
    let records = 0;
    const take = async (batch) => {
      appendFileSync(${JSON.stringify(taken)}, batch.map(({ eventID }) => eventID + '\\n').join(''));
      records += batch.length;
      writeSync(1, records + '\\n');
      return batch.length;
    };
    consumeStream(streams, { table: 'Log', name: 'one', batchSize: 3, take });
    const write = async (pk) => {
      for (let writes = 1; ; writes += 1) {
        const Key = { pk: { S: pk } };
        const ExpressionAttributeValues = { ':one': { N: '1' } };
        const update = { TableName: 'Log', Key, UpdateExpression: 'ADD n :one', ExpressionAttributeValues };
        await client.send(writes % 9 === 0 ? new DeleteItemCommand({ TableName: 'Log', Key }) : new UpdateItemCommand(update));
      }
    };
    for (const pk of ['a', 'a', 'b', 'b', 'c', 'd']) void write(pk);`;

  test('leaves a record of every effect, and takes each at least once, 8 times', { timeout: 120_000 }, async () => {
    const folder = temporaryFolder();
    const [store, takenPath] = [join(folder, 'dynamodb'), join(folder, 'taken.txt')];
    for (let kills = 0; kills < 8; kills += 1) await killWriter(script(store, takenPath), Math.random() * 150);

    const database = closeAfterTest(await startLocalDynamoDb({ tables, path: store, front: createTableFeatures }));
    const records = await database.streams.read('Log', 0, 100_000);
    const taken = readFileSync(takenPath, 'utf8').trimEnd().split('\n');
    const consumer = consumeStream(database.streams, {
      table: 'Log',
      name: 'one',
      batchSize: 100,
      take: async (batch) => {
        taken.push(...batch.map(({ eventID }) => eventID));
        return batch.length;
      },
    });
    const newest = records.at(-1)?.eventID;
    await expect.poll(() => taken).toContain(newest);
    await consumer.close();

    // The records, played in their order, make the table: none is missing, and none is of a write that is not there.
    const items: Item[] = [];
    for await (const { Items = [] } of paginateScan({ client: database.client }, { TableName: 'Log' })) {
      items.push(...Items);
    }
    expect(records.length).toBeGreaterThan(100);
    expect(play(records)).toEqual(new Map(items.map((item) => [item['pk']?.S, item])));
    expect([...new Set(taken)].toSorted()).toEqual(records.map(({ eventID }) => eventID).toSorted());
    // What was taken when the kill came is taken again: at most a batch each time.
    expect(taken.length).toBeLessThanOrEqual(records.length + 8 * 3);
  });

  /** @throws when a record does not begin where the one before it ended */
  function play(records: readonly StreamRecord[]): Map<string | undefined, Item> {
    const items = new Map<string | undefined, Item>();
    for (const { eventName, dynamodb } of records) {
      const key = dynamodb.Keys['pk']?.S;
      expect(dynamodb.OldImage).toEqual(items.get(key));
      if (eventName === 'REMOVE' || dynamodb.NewImage === undefined) items.delete(key);
      else items.set(key, dynamodb.NewImage);
    }
    return items;
  }
});

test('a state file that cannot be written keeps its old state', () => {
  const path = join(temporaryFolder(), 'state.json');
  const file = stateFile(path, z.object({ n: z.number() }));
  file.write({ n: 1 });
  const circular: { n: number; self?: object } = { n: 2 };
  circular.self = circular;

  expect(() => file.write(circular)).toThrow();

  expect(file.read()).toEqual({ n: 1 });
  writeFileSync(`${path}.new`, '{"n":'); // What a kill leaves beside it.
  expect(file.read()).toEqual({ n: 1 });
  file.write({ n: 3 });
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ n: 3 });
});
