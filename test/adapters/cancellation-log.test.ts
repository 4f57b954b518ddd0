import { deleteAfter } from '../support/stored-streams.ts';
import { GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createReadableLog } from '../../functions/adapters/dynamodb/cancellation-log.ts';
import { WAKE_SHARDS } from '../../functions/core/cancellation/pace.ts';
import { createDynamoDbClient } from '../../functions/adapters/aws-clients.ts';
import { hashEvent, sealEvent } from '../../functions/core/cancellation/chain.ts';
import type {
  CancellationEvent,
  ClosedBody,
  EventBody,
  JoinedRecord,
} from '../../functions/core/cancellation/events.ts';
import { BrokenStream } from '../../functions/core/cancellation/state.ts';
import { type JobId, toTimestamp } from '../../functions/core/identifiers.ts';
import type { CancellationLog } from '../../functions/core/ports.ts';
import type { ReadableLog } from '../../functions/core/use-cases/read-cancellations.ts';
import { DependencyUnavailable } from '../../functions/core/report.ts';
import { type LocalDynamoDb, startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { localRegion } from '../../infra/local/aws/loopback.ts';
import { MemoryLog } from '../support/memory-ports.ts';
import { acme, documentedJob, globex, jobId, order7890, retention } from '../support/names.ts';
import { type TableName, tables } from '../../infra/blueprint/tables.ts';
import { committed } from '../support/committed.ts';

const at = '2026-11-23T12:00:00.000Z';
const leaseUntil = '2026-11-23T12:00:45.000Z';
const request = { door: 'https', requestId: 'r-1', keyId: 'k', externalId: order7890, reason: 'wrong ✏️ plan' } as const;
const asked = committed(request);
const requestedBody: EventBody = { type: 'requested', ...asked, attempt: 1, claimedBy: 'me', leaseUntil };
const closedBody: ClosedBody = { type: 'closed', outcome: 'cancelled', jobStatus: 'cancelled', creditsDebited: 62.5 };

let dynamodb: LocalDynamoDb<TableName>;
let logs: Record<string, CancellationLog & ReadableLog>;
beforeAll(async () => {
  dynamodb = await startLocalDynamoDb({ tables });
  logs = {
    'on DynamoDB': createReadableLog(dynamodb.client, dynamodb.tableNames.CancellationLog),
    'in memory': new MemoryLog(),
  };
});
afterAll(() => dynamodb.close());

let jobs = 0;
const newJob = (): JobId => jobId(`job_${++jobs}`);
const seal = (id: JobId, previous: CancellationEvent | undefined, body: EventBody, eventId = 'e'): CancellationEvent =>
  sealEvent({ partnerId: acme, jobId: id }, previous, body, { eventId, at, keptDays: retention.events });
const rawItem = async (pk: string, sk: string) => {
  const command = new GetItemCommand({
    TableName: dynamodb.tableNames.CancellationLog,
    Key: { pk: { S: pk }, sk: { S: sk } },
  });
  const { Item } = await dynamodb.client.send(command);
  return Item === undefined ? undefined : unmarshall(Item);
};

describe.each(['on DynamoDB', 'in memory'])('the cancellation log %s', (name) => {
  const log = (): CancellationLog & ReadableLog => {
    const found = logs[name];
    if (found === undefined) throw new Error(name);
    return found;
  };

  test('reads back exactly what was appended, in order, with the last wake-up', async () => {
    const id = newJob();
    const requested = seal(id, undefined, requestedBody);
    const ended = seal(id, requested, { type: 'attempt_ended', attempt: 1, result: 'unknown', why: 'timeout' });

    expect(await log().append(requested, leaseUntil)).toEqual({ kind: 'appended' });
    expect(await log().append(ended, at)).toEqual({ kind: 'appended' });
    expect(await log().read(acme, id)).toEqual({ events: [requested, ended], wakeAt: at });
  });

  test('leaves out what has expired, and keeps its place until it is deleted', async () => {
    const id = newJob();
    const place = { eventId: 'old', at: '2020-01-01T00:00:00.000Z', keptDays: 90 };
    const old = sealEvent({ partnerId: acme, jobId: id }, undefined, requestedBody, place);
    await log().append(old, leaseUntil);
    const later = seal(id, seal(id, undefined, requestedBody), closedBody, 'later');
    await log().append(later);

    expect(await log().read(acme, id)).toMatchObject({ events: [{ eventId: 'later' }] });

    const other = newJob();
    await log().append(sealEvent({ partnerId: acme, jobId: other }, undefined, requestedBody, place), leaseUntil);

    expect(await log().read(acme, other)).toEqual({ events: [], wakeAt: undefined, polls: undefined });
    await expect(log().append(seal(other, undefined, requestedBody, 'new'), leaseUntil)).rejects.toThrow(
      DependencyUnavailable,
    );
  });

  test('has no events for a job without a cancellation, or for another partner', async () => {
    const id = newJob();
    await log().append(seal(id, undefined, requestedBody), leaseUntil);

    expect(await log().read(globex, id)).toEqual({ events: [], wakeAt: undefined });
  });

  test('gives a sequence number to exactly one of many writers, and returns the winner to the others', async () => {
    const id = newJob();
    const writers = Array.from({ length: 20 }, (_, n) => seal(id, undefined, requestedBody, `e-${n}`));
    const results = await Promise.all(writers.map((event) => log().append(event, leaseUntil)));
    const won = writers.filter((_, n) => results[n]?.kind === 'appended');

    expect(won).toHaveLength(1);
    for (const result of results) {
      if (result.kind === 'lost') expect(result.stream).toEqual({ events: won, wakeAt: leaseUntil });
    }
  });

  test('recognises its own event when the put is repeated', async () => {
    const event = seal(newJob(), undefined, requestedBody);
    await log().append(event, leaseUntil);

    expect(await log().append(event, leaseUntil)).toEqual({ kind: 'appended' });
  });

  test('never overwrites, even by a closing event', async () => {
    const id = newJob();
    const requested = seal(id, undefined, requestedBody);
    await log().append(requested, leaseUntil);
    await log().append(seal(id, requested, { type: 'attempt_started', attempt: 2, claimedBy: 'x', leaseUntil }, 'a'));

    expect((await log().append(seal(id, requested, closedBody, 'late'))).kind).toBe('lost');
    expect((await log().read(acme, id)).events.map(({ type }) => type)).toEqual(['requested', 'attempt_started']);
  });

  test('has no wake-up once the stream is closed', async () => {
    const id = newJob();
    const requested = seal(id, undefined, requestedBody);
    await log().append(requested, leaseUntil);
    await log().append(seal(id, requested, closedBody));

    expect((await log().read(acme, id)).wakeAt).toBeUndefined();
  });

  test('keeps joined requests beside the stream: returns the newest ones, oldest first, and counts them', async () => {
    const id = newJob();
    await log().append(seal(id, undefined, requestedBody), leaseUntil);
    const records = Array.from({ length: 5 }, (_, n): JoinedRecord => {
      const time = toTimestamp(Date.parse(at) + n);
      return { type: 'joined', partnerId: acme, jobId: id, deleteAfter, ...asked, requestId: `r-${n}`, at: time };
    });
    for (const record of records) await log().recordJoined(record);

    const read = (shown: number, counted: number) => log().readJoined(acme, id, { shown, counted });
    expect(await read(3, 9)).toEqual({ items: records.slice(2), unreadable: [], count: 5 });
    expect(await read(3, 4)).toEqual({ items: records.slice(2), unreadable: [], count: 4 });
    expect(await read(5, 9)).toEqual({ items: records, unreadable: [], count: 5 });
    expect(await read(9, 9)).toEqual({ items: records, unreadable: [], count: 5 });
    expect(await log().readJoined(acme, newJob(), { shown: 3, counted: 9 })).toEqual({
      items: [],
      unreadable: [],
      count: 0,
    });
    expect((await log().read(acme, id)).events).toHaveLength(1);
  });
});

describe('on DynamoDB', () => {
  const log = () => createReadableLog(dynamodb.client, dynamodb.tableNames.CancellationLog);

  test('reads a stream of several pages', async () => {
    const id = newJob();
    const events = [seal(id, undefined, requestedBody)];
    for (let n = 1; n <= 4; n++) {
      const previous = events.at(-1);
      events.push({ ...seal(id, previous, { type: 'attempt_ended', attempt: n, result: 'unknown' }) });
      if (n < 4)
        events.push(seal(id, events.at(-1), { type: 'attempt_started', attempt: n + 1, claimedBy: 'x', leaseUntil }));
    }
    for (const event of events) {
      // 300 KB of something that a later version might add: a page of DynamoDB's is 1 MB.
      const command = new PutItemCommand({
        TableName: dynamodb.tableNames.CancellationLog,
        Item: {
          pk: { S: `acme#${id}` },
          sk: { S: `event#${String(event.seq).padStart(6, '0')}` },
          ...Object.fromEntries(
            Object.entries(event).map(([key, value]) => [
              key,
              typeof value === 'number' ? { N: `${value}` } : { S: value },
            ]),
          ),
          padding: { S: 'x'.repeat(300_000) },
        },
      });
      await dynamodb.client.send(command);
    }
    dynamodb.resetCounts();

    expect((await log().read(acme, id)).events.map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq));
    expect(dynamodb.counts()['Query']?.['CancellationLog']).toBeGreaterThan(1);
  });

  test('stores an event flat, with the wake-up outside its hash and in the sparse index', async () => {
    const id = newJob();
    const event = seal(id, undefined, requestedBody);
    await log().append(event, leaseUntil);
    const item = await rawItem(`acme#${id}`, 'event#000001');
    const { pk, sk, wakeShard, wakeAt, ...fields } = item ?? {};

    expect([pk, sk, wakeAt]).toEqual([`acme#${id}`, 'event#000001', leaseUntil]);
    expect(Number(wakeShard)).toBeLessThan(WAKE_SHARDS);
    expect(hashEvent(fields)).toBe(event.hash);

    const { Items } = await dynamodb.client.send(
      new QueryCommand({
        TableName: dynamodb.tableNames.CancellationLog,
        IndexName: 'due-wake-ups',
        KeyConditionExpression: 'wakeShard = :shard AND wakeAt <= :now',
        ExpressionAttributeValues: { ':shard': { S: String(wakeShard) }, ':now': { S: leaseUntil } },
      }),
    );

    expect(Items?.map((found) => found['pk']?.S)).toContain(`acme#${id}`);
  });

  test('counts the polls of an event beside its hash, each with the move of the wake-up', async () => {
    const id = newJob();
    const event = seal(id, undefined, requestedBody);
    await log().append(event, leaseUntil);
    const moves = ['2026-11-24T12:00:10.000Z', '2026-11-24T12:00:20.000Z', '2026-11-24T12:00:30.000Z'].map((time) =>
      toTimestamp(Date.parse(time)),
    );
    let wakeAt = leaseUntil;
    for (const [n, to] of moves.entries()) {
      await log().moveWakeUp({ partnerId: acme, jobId: id, seq: 1, wakeAt }, to, n < 2 ? wakeAt : undefined);
      wakeAt = to;
    }
    const stale = await log().moveWakeUp({ partnerId: acme, jobId: id, seq: 1, wakeAt: leaseUntil }, wakeAt, wakeAt);
    const {
      pk: _,
      sk: __,
      wakeShard: ___,
      wakeAt: stored,
      looks,
      lookedAt,
      ...fields
    } = (await rawItem(`acme#${id}`, 'event#000001')) ?? {};

    expect({ stale, stored, looks, lookedAt }).toEqual({ stale: false, stored: wakeAt, looks: 2, lookedAt: moves[0] });
    expect(hashEvent(fields)).toBe(event.hash);
    expect(await log().read(acme, id)).toMatchObject({ wakeAt, polls: { count: 2, lastAt: moves[0] } });
  });

  test('leaves a closing event out of the index', async () => {
    const id = newJob();
    const requested = seal(id, undefined, requestedBody);
    await log().append(requested, leaseUntil);
    await log().append(seal(id, requested, closedBody));

    expect(Object.keys((await rawItem(`acme#${id}`, 'event#000002')) ?? {})).not.toContain('wakeAt');
  });

  test('keeps refused requests by partner and day', async () => {
    await log().recordRefused({ type: 'refused', partnerId: acme, why: 'job_not_found', at, deleteAfter, ...asked });

    expect(await rawItem('acme#refused#2026-11-23', `${at}#r-1`)).toMatchObject({
      type: 'refused',
      why: 'job_not_found',
      reason: asked.reason,
    });
  });

  test('does not overwrite a record that is written again', async () => {
    const record = {
      type: 'refused',
      partnerId: acme,
      why: 'job_not_found',
      at,
      deleteAfter,
      ...asked,
      requestId: 'r-2',
    } as const;
    await log().recordRefused(record);
    await log().recordRefused({ ...record, reason: 'other' });

    expect(await rawItem('acme#refused#2026-11-23', `${at}#r-2`)).toMatchObject({ reason: asked.reason });
  });

  test('rejects an item that is not an event', async () => {
    const id = newJob();
    const command = new PutItemCommand({
      TableName: dynamodb.tableNames.CancellationLog,
      Item: { pk: { S: `acme#${id}` }, sk: { S: 'event#000001' }, type: { S: 'requested' } },
    });
    await dynamodb.client.send(command);

    await expect(log().read(acme, id)).rejects.toThrow(BrokenStream);
  });

  test('is unavailable when the table does not answer', async () => {
    vi.stubEnv('AWS_REGION', localRegion);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'none');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'none');
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', 'http://127.0.0.1:1');
    const nowhere = createReadableLog(createDynamoDbClient(), 'CancellationLog');

    await expect(nowhere.read(acme, documentedJob)).rejects.toThrow(DependencyUnavailable);
    await expect(nowhere.append(seal(documentedJob, undefined, requestedBody))).rejects.toThrow(DependencyUnavailable);
  });
});
