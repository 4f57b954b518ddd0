import { randomUUID } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test, vi } from 'vitest';
import { logReaders } from '../../infra/blueprint/streams/log-readers.ts';
import { startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { type EventPattern, matchesPattern } from '../../infra/local/aws/events/event-pattern.ts';
import {
  type LambdaStreamRecord,
  startStreamSource,
  type StreamSource,
} from '../../infra/local/aws/events/stream-source.ts';
import type { InvocationResult } from '../../infra/local/aws/lambda/container.ts';
import { createTableFeatures } from '../../infra/local/aws/tables/table-features.ts';
import { closeAfterTest } from './arrange.ts';

describe('an event pattern', () => {
  const event = { eventName: 'INSERT', dynamodb: { NewImage: { type: { S: 'closed' }, n: { N: '1' } } } };

  test.each<[EventPattern, boolean]>([
    [logReaders.announce.patterns[0], true],
    [{ dynamodb: { NewImage: { type: { S: ['refused'] } } } }, false],
    [{ eventName: ['MODIFY', 'INSERT'] }, true],
    [{ eventName: ['MODIFY'] }, false],
    [{ dynamodb: { NewImage: { missing: { S: ['closed'] } } } }, false],
    [{ dynamodb: { NewImage: { n: { N: ['1'] } } } }, true],
    [{ dynamodb: { NewImage: { n: { N: [1] } } } }, false],
    [{}, true],
  ])('%j matches: %s', (pattern, is) => {
    expect(matchesPattern(pattern, event)).toBe(is);
  });

  test('with a filter that is not played is rejected, and does not match everything', () => {
    const pattern = { eventName: [{ prefix: 'IN' }] };

    expect(() => Reflect.apply(matchesPattern, undefined, [pattern, event])).toThrow('does not know the pattern');
  });
});

describe('a stream as the event source of a function', () => {
  const streamArn = 'arn:aws:dynamodb:eu-west-1:000000000000:table/Log/stream/now';
  const patterns: StreamSource['patterns'] = [
    { dynamodb: { NewImage: { type: { S: ['closed'] } } } },
    { eventName: ['REMOVE'] },
  ];
  type Batch = readonly LambdaStreamRecord[];
  const start = async (
    play: (batch: Batch, nth: number) => InvocationResult | Promise<InvocationResult>,
    options: Partial<StreamSource> = {},
  ) => {
    const tables = { Log: { partitionKey: 'pk', stream: 'NEW_AND_OLD_IMAGES' } } as const;
    const { client, streams } = closeAfterTest(await startLocalDynamoDb({ tables, front: createTableFeatures }));
    const batches: Batch[] = [];
    const invoke: StreamSource['invoke'] = async ({ Records }) => {
      batches.push(Records);
      return play(Records, batches.length);
    };
    const put = (pk: string, type = 'closed') =>
      client.send(
        new PutItemCommand({ TableName: 'Log', Item: { pk: { S: pk }, type: { S: type }, once: { S: 'x' } } }),
      );
    const begin = () =>
      closeAfterTest(
        startStreamSource(
          { name: 'one', invoke, patterns, batchSize: 10, reportsFailures: true, ...options },
          { streams, table: 'Log', streamArn, retryMs: 5 },
        ),
      );
    return { put, batches, begin };
  };
  const answered = (payload: unknown): InvocationResult => ({ kind: 'answered', payload });
  const done = answered({ batchItemFailures: [] });
  const names = (batch: Batch) => batch.map(({ dynamodb }) => dynamodb.Keys['pk']?.S);
  const failedAt = (batch: Batch, ...pks: readonly string[]): InvocationResult =>
    answered({
      batchItemFailures: batch
        .filter(({ dynamodb }) => pks.includes(String(dynamodb.Keys['pk']?.S)))
        .map(({ dynamodb }) => ({ itemIdentifier: dynamodb.SequenceNumber })),
    });

  test('hands over what a pattern matches, in the order of the writes, as Lambda does', async () => {
    const { put, batches, begin } = await start(() => done);
    begin();
    const written = Array.from({ length: 25 }, () => randomUUID());

    for (const name of written) {
      await put(name);
      await put(`${name} other`, 'requested');
      await put(name); // Changes nothing.
    }

    await vi.waitFor(() => expect(batches.flatMap(names)).toEqual(written));
    expect(batches.every((batch) => batch.length > 0 && batch.length <= 10)).toBe(true);
    expect(batches[0]?.[0]).toEqual({
      eventID: expect.stringMatching(/^[0-9a-f]{32}$/),
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: expect.any(String),
      eventSourceARN: streamArn,
      dynamodb: {
        ApproximateCreationDateTime: expect.any(Number),
        Keys: { pk: { S: written[0] } },
        NewImage: { pk: { S: written[0] }, type: { S: 'closed' }, once: { S: 'x' } },
        SequenceNumber: expect.stringMatching(/^\d{21}$/),
        SizeBytes: expect.any(Number),
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
    });
  });

  test('repeats from the first record on that the function names', async () => {
    const { put, batches, begin } = await start((batch, nth) => failedAt(batch, ...(nth < 3 ? ['3', '2'] : [])));
    for (const name of ['1', 'left out', '2', '3']) await put(name, name === 'left out' ? 'other' : 'closed');

    begin();

    await vi.waitFor(() => expect(batches).toHaveLength(3));
    await put('4');
    await vi.waitFor(() => expect(batches.map(names)).toEqual([['1', '2', '3'], ['2', '3'], ['2', '3'], ['4']]));
  });

  test.each<[string, InvocationResult, Partial<StreamSource>]>([
    ['the function fails', { kind: 'failed', errorType: 'Error', errorMessage: 'x' }, {}],
    ['it takes too long', { kind: 'timed_out' }, {}],
    ['it names a record that it did not get', answered({ batchItemFailures: [{ itemIdentifier: 'x' }] }), {}],
    ['it answers something else', answered({ batchItemFailures: 'x' }), {}],
    ['it fails, and would not name records', { kind: 'timed_out' }, { reportsFailures: false }],
  ])('repeats all when %s', async (_, first, options) => {
    const { put, batches, begin } = await start((_batch, nth) => (nth === 1 ? first : done), options);
    for (const name of ['1', '2']) await put(name);

    begin();

    await vi.waitFor(() =>
      expect(batches.map(names)).toEqual([
        ['1', '2'],
        ['1', '2'],
      ]),
    );
  });

  test('does not ask a function that cannot name records which ones failed', async () => {
    const { put, batches, begin } = await start((batch) => failedAt(batch, '1'), { reportsFailures: false });
    await put('1');
    begin();
    await vi.waitFor(() => expect(batches).toHaveLength(1));

    await put('2');

    await vi.waitFor(() => expect(batches.map(names)).toEqual([['1'], ['2']]));
  });

  test('lets records gather for the window, and goes at once when the batch is full', async () => {
    const { put, batches, begin } = await start(() => done, { batchSize: 3, windowMs: 400 });
    begin();

    const began = Date.now();
    for (const name of ['1', '2', '3', '4']) await put(name);
    await vi.waitFor(() => expect(batches).toHaveLength(1), { interval: 5 });
    const full = Date.now() - began;
    await vi.waitFor(() => expect(batches).toHaveLength(2), { interval: 5 });

    expect(batches.map(names)).toEqual([['1', '2', '3'], ['4']]);
    expect(full).toBeLessThan(350);
    expect(Date.now() - began).toBeGreaterThanOrEqual(390);
  });
});
