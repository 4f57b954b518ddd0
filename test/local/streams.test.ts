import {
  type AttributeValue,
  BatchWriteItemCommand,
  DeleteItemCommand,
  PutItemCommand,
  PutResourcePolicyCommand,
  UpdateItemCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, test, vi } from 'vitest';
import { startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { consumeStream } from '../../infra/local/aws/streams/consume-stream.ts';
import { type EngineStore, openEngine } from '../../infra/local/aws/streams/open-engine.ts';
import type { StreamRecord, StreamView } from '../../infra/local/aws/streams/stream-records.ts';
import { takeStreams } from '../../infra/local/aws/streams/table-streams.ts';
import { createTableFeatures } from '../../infra/local/aws/tables/table-features.ts';
import { closeAfterTest } from './arrange.ts';

const TableName = 'Log';
const start = async (stream: StreamView = 'NEW_AND_OLD_IMAGES') => {
  const tables = {
    Log: { partitionKey: 'pk', sortKey: 'sk', timeToLive: 'gone', stream },
    Other: { partitionKey: 'pk' },
  };
  const dynamodb = closeAfterTest(await startLocalDynamoDb({ tables, front: createTableFeatures }));
  const { client, streams } = dynamodb;
  return {
    ...dynamodb,
    put: (sk: string, attributes: Record<string, AttributeValue> = {}) =>
      client.send(new PutItemCommand({ TableName, Item: { ...keyOf(sk), ...attributes } })),
    remove: (sk: string) => client.send(new DeleteItemCommand({ TableName, Key: keyOf(sk) })),
    records: () => streams.read(TableName, 0, 1_000),
  };
};
const keyOf = (sk: string) => ({ pk: { S: 'p' }, sk: { S: sk } });
const numbersOf = (records: readonly StreamRecord[]) => records.map(({ dynamodb }) => dynamodb.SequenceNumber);

describe('the stream of a table', () => {
  test('has a record of each write that changes an item, with its images', async () => {
    const { client, put, remove, records } = await start();

    await put('1', { note: { S: 'a' } });
    await put('1', { note: { S: 'b' } });
    await client.send(
      new UpdateItemCommand({
        TableName,
        Key: keyOf('1'),
        UpdateExpression: 'SET wakeAt = :at REMOVE note',
        ExpressionAttributeValues: { ':at': { S: 'now' } },
      }),
    );
    await remove('1');

    const found = await records();
    expect(found.map(({ eventName, dynamodb }) => [eventName, dynamodb.OldImage, dynamodb.NewImage])).toEqual([
      ['INSERT', undefined, { ...keyOf('1'), note: { S: 'a' } }],
      ['MODIFY', { ...keyOf('1'), note: { S: 'a' } }, { ...keyOf('1'), note: { S: 'b' } }],
      ['MODIFY', { ...keyOf('1'), note: { S: 'b' } }, { ...keyOf('1'), wakeAt: { S: 'now' } }],
      ['REMOVE', { ...keyOf('1'), wakeAt: { S: 'now' } }, undefined],
    ]);
    expect(found[0]).toMatchObject({
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'eu-west-1',
      dynamodb: { Keys: keyOf('1'), StreamViewType: 'NEW_AND_OLD_IMAGES', SizeBytes: expect.any(Number) },
    });
    expect(Math.abs((found[0]?.dynamodb.ApproximateCreationDateTime ?? 0) - Date.now() / 1_000)).toBeLessThan(60);
    expect(numbersOf(found)).toEqual(numbersOf(found).toSorted());
    expect(new Set(found.map(({ eventID }) => eventID)).size).toBe(4);
    expect(numbersOf(found).every((number) => /^\d{21}$/.test(number))).toBe(true);
  });

  test('tells what expired from what was deleted, also where a policy lets no one delete', async () => {
    const { client, put, remove, records, ...engine } = await start();
    await put('1', { gone: { N: '100' } });
    await put('2', { gone: { N: '101' } });
    await put('3', { gone: { S: '1' } });
    await put('4');
    await remove('4');
    const Statement = [{ Effect: 'Deny', Principal: '*', Action: 'dynamodb:DeleteItem', Resource: '*' }];
    const ResourceArn = `arn:aws:dynamodb:eu-west-1:000000000000:table/${TableName}`;
    await client.send(
      new PutResourcePolicyCommand({ ResourceArn, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }),
    );

    await expect(remove('2')).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(await engine.expireItems(99_999)).toBe(0);
    expect(await engine.expireItems(100_999)).toBe(1);

    const removed = (await records()).filter(({ eventName }) => eventName === 'REMOVE');
    expect(removed.map(({ dynamodb, userIdentity }) => [dynamodb.Keys['sk']?.S, userIdentity])).toEqual([
      ['4', undefined],
      ['1', { type: 'Service', principalId: 'dynamodb.amazonaws.com' }],
    ]);
    expect(await engine.expireItems(Date.now())).toBe(1);
  });

  test('has none of a write that changes nothing, that fails, or that is of another table', async () => {
    const { client, put, remove, records } = await start();
    await put('1', { names: { SS: ['a', 'b'] }, map: { M: { x: { N: '1' }, y: { NULL: true } } } });

    await put('1', { map: { M: { y: { NULL: true }, x: { N: '1' } } }, names: { SS: ['b', 'a'] } });
    await remove('missing');
    const failing = new PutItemCommand({
      TableName,
      Item: keyOf('1'),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    await expect(client.send(failing)).rejects.toThrow('conditional');
    await client.send(new PutItemCommand({ TableName: 'Other', Item: { pk: { S: 'p' } } }));
    await client.send(
      new UpdateItemCommand({
        TableName,
        Key: keyOf('1'),
        UpdateExpression: 'SET #map.x = :same',
        ExpressionAttributeNames: { '#map': 'map' },
        ExpressionAttributeValues: { ':same': { N: '1' } },
      }),
    );

    expect((await records()).map(({ eventName }) => eventName)).toEqual(['INSERT']);
  });

  test('has the writes of a batch', async () => {
    const { client, put, records } = await start();
    await put('old');

    const Log = [{ PutRequest: { Item: keyOf('new') } }, { DeleteRequest: { Key: keyOf('old') } }];
    await client.send(new BatchWriteItemCommand({ RequestItems: { Log } }));

    const found = await records();
    expect(found.map(({ eventName, dynamodb }) => `${eventName} ${dynamodb.Keys['sk']?.S}`).toSorted()).toEqual([
      'INSERT new',
      'INSERT old',
      'REMOVE old',
    ]);
  });

  test.each<[StreamView, readonly string[]]>([
    ['KEYS_ONLY', []],
    ['NEW_IMAGE', ['NewImage']],
    ['OLD_IMAGE', ['OldImage']],
    ['NEW_AND_OLD_IMAGES', ['NewImage', 'OldImage']],
  ])('shows in %s: %j', async (view, images) => {
    const { put, records } = await start(view);
    await put('1');
    await put('1', { note: { S: 'b' } });

    const shown = Object.keys((await records())[1]?.dynamodb ?? {}).filter((name) => name.endsWith('Image'));

    expect(shown).toEqual(images);
  });

  test('has the records of a key in the order of their effects when many write at once', async () => {
    const { client, records } = await start();
    const add = () =>
      client.send(
        new UpdateItemCommand({
          TableName,
          Key: keyOf('1'),
          UpdateExpression: 'ADD n :one',
          ExpressionAttributeValues: { ':one': { N: '1' } },
        }),
      );

    await Promise.all(Array.from({ length: 300 }, add));

    const found = await records();
    expect(found.map(({ dynamodb }) => Number(dynamodb.NewImage?.['n']?.N))).toEqual(
      Array.from({ length: 300 }, (_, before) => before + 1),
    );
    expect(found.slice(1).map(({ dynamodb }) => dynamodb.OldImage)).toEqual(
      found.slice(0, -1).map(({ dynamodb }) => dynamodb.NewImage),
    );
  });

  test('ends when it is switched off, and begins again', async () => {
    const { client, put, records } = await start();
    const stream = (StreamEnabled: boolean) =>
      client.send(
        new UpdateTableCommand({
          TableName,
          StreamSpecification: { StreamEnabled, ...(StreamEnabled && { StreamViewType: 'NEW_IMAGE' as const }) },
        }),
      );
    await put('1');
    await stream(false);
    await put('2');
    await stream(true);
    await put('3');

    expect((await records()).map(({ dynamodb }) => dynamodb.Keys['sk']?.S)).toEqual(['1', '3']);
  });
});

describe('the records in the engine’s store', () => {
  const openStore = (now?: () => number) => {
    const { engine, store } = openEngine({});
    closeAfterTest({ close: () => new Promise<void>((resolve) => engine.close(() => resolve())) });
    return { store, streams: takeStreams(store, 'eu-west-1', now) };
  };
  const settings = { view: 'NEW_IMAGE', keys: ['pk'] } as const;
  const put = (store: EngineStore, pk: string, n = 0) =>
    new Promise<void>((resolve, reject) => {
      const items = store.getItemDb('T');
      const item = { pk: { S: pk }, n: { N: String(n) } };
      items.get(pk, () => items.put(pk, item, (error) => (error ? reject(error) : resolve())));
    });

  test('a reader stops before a record that is still being written', async () => {
    const { store, streams } = openStore();
    const { db } = store;
    await streams.begin('T', settings);
    const batch = db.batch.bind(db);
    const held: (() => void)[] = [];
    db.batch = (...call) => held.push(() => batch(...call));
    const first = put(store, 'a');
    await vi.waitFor(() => expect(held).toHaveLength(1));
    db.batch = batch;
    await put(store, 'b');

    const early = await streams.read('T', 0, 10);
    for (const go of held) go();
    await first;
    const late = await streams.read('T', 0, 10);

    expect(early).toEqual([]);
    expect(late.map(({ dynamodb }) => dynamodb.Keys['pk']?.S)).toEqual(['a', 'b']);
  });

  test('those older than a day go, unless a consumer has not read them, also of an earlier process', async () => {
    let now = Date.now();
    const { store, streams } = openStore(() => now);
    await streams.begin('T', settings);
    await streams.checkpoint('T', 'slow');
    await streams.advance('T', 'slow', 300);
    for (let n = 1; n <= 500; n += 1) await put(store, `old ${n}`);
    now += 86_500_000;
    const oldest = async (from = streams) => (await from.read('T', 0, 1))[0]?.dynamodb.Keys['pk']?.S;
    const before = await oldest();
    streams.end('T');

    const restarted = takeStreams(store, 'eu-west-1', () => now);
    await restarted.begin('T', settings);
    await put(store, 'new');
    await vi.waitFor(async () => expect(await oldest(restarted)).toBe('old 301'));
    await restarted.advance('T', 'slow', 501);
    for (let n = 1; n <= 1_000; n += 1) await put(store, `new ${n}`);

    await vi.waitFor(async () => expect(await oldest(restarted)).toBe('new'));
    expect(before).toBe('old 1');
  });

  test('those that only a consumer of an earlier version has not read go too', async () => {
    let now = Date.now();
    const { store, streams } = openStore(() => now);
    await streams.begin('T', settings);
    await streams.checkpoint('T', 'read');
    await streams.advance('T', 'read', 300);
    await streams.advance('T', 'gone', 0);
    for (let n = 1; n <= 300; n += 1) await put(store, `old ${n}`);
    now += 86_500_000;

    const restarted = takeStreams(store, 'eu-west-1', () => now);
    await restarted.begin('T', settings);
    await restarted.forgetOthers('T', ['read']);
    await put(store, 'new');

    const oldest = async () => (await restarted.read('T', 0, 1))[0]?.dynamodb.Keys['pk']?.S;
    await vi.waitFor(async () => expect(await oldest()).toBe('new'));
    expect(await takeStreams(store, 'eu-west-1').checkpoint('T', 'read')).toBe(300);
  });

  test('of a table that takes the place of another have numbers after those of that one', async () => {
    const { store, streams } = openStore();
    await streams.begin('T', settings);
    for (const name of ['a', 'b']) await put(store, name);

    const restarted = takeStreams(store, 'eu-west-1');
    await restarted.begin('T', settings);
    await restarted.begin('Restored', settings);

    const newest = await restarted.latest('T');
    expect(newest).toBe(2);
    expect(await restarted.latest('Restored')).toBe(newest);
  });

  test('those that every consumer has go, but for the newest 10,000 to 11,000', { timeout: 60_000 }, async () => {
    const { store, streams } = openStore();
    await streams.begin('T', settings);
    const write = async (count: number) => {
      for (let n = 0; n < count; n += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, one) => put(store, `${n + one}`, Math.random())));
      }
    };
    const countOf = async () => (await streams.read('T', 0, 100_000)).length;
    await streams.checkpoint('T', 'slow');

    await write(12_000);
    const before = await countOf();
    await streams.advance('T', 'slow', 11_500);
    await write(1_000);

    expect(before).toBe(12_000);
    await vi.waitFor(async () => expect(await countOf()).toBeLessThanOrEqual(11_000), 20_000);
    expect(await countOf()).toBeGreaterThanOrEqual(10_000);
  });
});

describe('a consumer', () => {
  const texts = (records: readonly StreamRecord[]) => records.map(({ dynamodb }) => dynamodb.Keys['sk']?.S);

  test('takes the records in order, also those that come later, in batches', async () => {
    const { put, streams } = await start();
    const batches: (readonly unknown[])[] = [];
    for (let n = 1; n <= 5; n += 1) await put(`${n}`);
    const take = async (records: readonly StreamRecord[]) => {
      batches.push(texts(records));
      return records.length;
    };
    closeAfterTest(consumeStream(streams, { table: TableName, name: 'one', batchSize: 3, take }));
    await vi.waitFor(() => expect(batches.flat()).toHaveLength(5));
    await put('6');

    await vi.waitFor(() => expect(batches).toEqual([['1', '2', '3'], ['4', '5'], ['6']]));
  });

  test('gets a batch again until it succeeds, and nothing before that', async () => {
    const { put, streams } = await start();
    const tried: (string | undefined)[] = [];
    const take = async (records: readonly StreamRecord[]) => {
      tried.push(...texts(records));
      if (tried.length < 4) throw new Error('not yet');
      return records.length;
    };
    closeAfterTest(consumeStream(streams, { table: TableName, name: 'one', batchSize: 1, take, retryMs: 5 }));

    await put('1');
    await put('2');

    await vi.waitFor(() => expect(tried).toEqual(['1', '1', '1', '1', '2']));
  });

  test('goes on where the one of its name has ended', async () => {
    const { put, streams } = await start();
    const taken: string[] = [];
    const consume = (name: string) =>
      consumeStream(streams, {
        table: TableName,
        name,
        batchSize: 10,
        take: async (records) => {
          taken.push(...texts(records).map((text) => `${name} ${text}`));
          return records.length;
        },
      });
    const first = consume('a');
    await put('1');
    await vi.waitFor(() => expect(taken).toEqual(['a 1']));
    await first.close();
    await put('2');

    closeAfterTest(consume('a'));
    await vi.waitFor(() => expect(taken).toEqual(['a 1', 'a 2']));
    closeAfterTest(consume('b'));
    await vi.waitFor(() => expect(taken).toEqual(['a 1', 'a 2', 'b 1', 'b 2']));
  });
});
