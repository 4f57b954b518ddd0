import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCallbackEndpoints, endpointKey } from '../../functions/adapters/dynamodb/callback-endpoints.ts';
import { createCallbackLog } from '../../functions/adapters/dynamodb/callback-log.ts';
import { createCancellationLog } from '../../functions/adapters/dynamodb/cancellation-log.ts';
import { insertItem, updateItem } from '../../functions/adapters/dynamodb/table-client.ts';
import type { Subject } from '../../functions/core/callbacks/callback-message.ts';
import { type CallbackRecord, callbackSchema } from '../../functions/core/callbacks/callback-record.ts';
import type { CallbackLog, DueCallback } from '../../functions/core/callbacks/ports.ts';
import type { CancellationEvent, EventBody, RefusedRecord } from '../../functions/core/cancellation/events.ts';
import { refusedKey, streamKey } from '../../functions/core/cancellation/stream-key.ts';
import { type JobId, type PartnerId, partnerIdSchema } from '../../functions/core/identifiers.ts';
import { RecordUnreadable } from '../../functions/core/report.ts';
import { type TableName, tables } from '../../infra/blueprint/tables.ts';
import { type LocalDynamoDb, startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { committed } from '../support/committed.ts';
import { MemoryCallbackLog } from '../support/callbacks/memory-callbacks.ts';
import { acme, globex, jobId, order7890 } from '../support/names.ts';
import {
  callbackRecord,
  cancellationEvents,
  closed,
  deleteAfter,
  escalated,
  requested,
} from '../support/stored-streams.ts';

const at = '2026-11-23T12:00:00.000Z';
const later = '2026-11-23T12:05:00.000Z';
const url = 'https://partner.example/callbacks';

let dynamodb: LocalDynamoDb<TableName>;
let partners: {
  readonly client: LocalDynamoDb<TableName>['client'];
  readonly name: string;
  readonly dependency: 'partners';
};
interface Filled {
  readonly log: CallbackLog;
  readonly write: (events: readonly CancellationEvent[]) => Promise<void>;
  readonly refuse: (record: RefusedRecord) => Promise<void>;
}
const logs: Record<string, Filled> = {};
beforeAll(async () => {
  dynamodb = await startLocalDynamoDb({ tables });
  partners = { client: dynamodb.client, name: dynamodb.tableNames.Partners, dependency: 'partners' };
  const table = dynamodb.tableNames.CancellationLog;
  const written = createCancellationLog(dynamodb.client, table);
  const memory = new MemoryCallbackLog();
  logs['on DynamoDB'] = {
    log: createCallbackLog(dynamodb.client, table),
    write: async (events) => {
      for (const event of events) await written.append(event);
    },
    refuse: (record) => written.recordRefused(record),
  };
  logs['in memory'] = {
    log: memory,
    write: async (events) => {
      const [first] = events;
      if (first !== undefined) memory.streams.set(streamKey(first), events);
    },
    refuse: async (record) => void memory.refusals.set(refusedKey(record), record),
  };
});
afterAll(() => dynamodb.close());

let jobs = 0;
function stream(...bodies: readonly EventBody[]): {
  readonly job: JobId;
  readonly events: readonly CancellationEvent[];
} {
  const job = jobId(`job_${++jobs}`);
  const events = cancellationEvents(bodies, { partnerId: acme, jobId: job });
  return { job, events };
}
const attempt = (job: JobId, fields: Partial<CallbackRecord> = {}): CallbackRecord =>
  callbackSchema.parse(
    callbackRecord({ jobId: job, result: 'failed', why: 'timeout', nextAt: later, ...fields }).fields,
  );

describe.each(['on DynamoDB', 'in memory'])('the log %s, as the delivery of callbacks sees it,', (name) => {
  const filled = (): Filled => {
    const found = logs[name];
    if (found === undefined) throw new Error(name);
    return found;
  };
  const allDue = async (now: string): Promise<DueCallback[]> => {
    const { log } = filled();
    const pages = await Promise.all(Array.from({ length: log.shards }, (_, shard) => log.due(shard, now, 100)));
    return pages.flat();
  };

  test('has the events of a job and the attempts to tell of them, and nothing else', async () => {
    const { log, write } = filled();
    const { job, events } = stream(requested, escalated, closed);
    await write(events);
    const first = attempt(job);
    expect(await log.append(first, { kind: 'due', at: later })).toBe(true);
    expect(await log.append({ ...first, result: 'delivered' })).toBe(false);
    const second = attempt(job, { number: 2, result: 'delivered', why: undefined, nextAt: undefined });
    await log.append(second);

    const read = await log.readJob({ partnerId: acme, jobId: job });
    expect(read.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(read.callbacks).toEqual([
      { ...first, isIndexed: true },
      { ...second, isIndexed: false },
    ]);
    await log.unindex(first);
    await log.unindex(first);
    expect((await log.readJob({ partnerId: acme, jobId: job })).callbacks[0]?.isIndexed).toBe(false);
  });

  test('has nothing of a job without a cancellation', async () => {
    expect(await filled().log.readJob({ partnerId: globex, jobId: jobId('job_x') })).toEqual({
      events: [],
      callbacks: [],
    });
  });

  test('has a refused request and the attempts to tell of it, and not those of the others of its day', async () => {
    const { log, refuse } = filled();
    const subjectOf = (requestId: string) => ({ kind: 'refusal', partnerId: acme, at, requestId }) as const;
    for (const requestId of ['event-1', 'event-10']) {
      const asked = committed({ door: 'events', requestId, externalId: order7890 } as const);
      await refuse({ type: 'refused', partnerId: acme, at, deleteAfter, why: 'job_not_found', ...asked });
      const { jobId: _, ...told } = attempt(jobId('none'));
      const about = refusedKey({ at, requestId });
      const place = { kind: 'due', at: later } as const;
      await log.append({ ...told, day: at.slice(0, 10), about, notice: 'refused', webhookId: requestId }, place);
    }

    for (const requestId of ['event-1', 'event-10']) {
      const { refusal, callbacks } = await log.readRefusal(subjectOf(requestId));
      expect(refusal?.requestId).toBe(requestId);
      expect(callbacks.map(({ webhookId }) => webhookId)).toEqual([requestId]);
    }
    expect(await log.readRefusal(subjectOf('event-2'))).toEqual({ refusal: undefined, callbacks: [] });
    const due = (await allDue(later)).map(({ subject }) => subject);
    expect(due).toEqual(expect.arrayContaining([subjectOf('event-1'), subjectOf('event-10')]));
  });

  test('shows what is due, the rest neither before its time nor when it is kept, and moves it once', async () => {
    const { log } = filled();
    const [one, two] = [jobId(`job_${++jobs}`), jobId(`job_${++jobs}`)];
    await log.append(attempt(one), { kind: 'due', at: later });
    await log.append(attempt(two, { result: 'paused', why: 'operator', nextAt: undefined }), { kind: 'kept' });
    const ofJobs = (due: readonly DueCallback[]): Subject[] =>
      due.map(({ subject }) => subject).filter((subject) => 'jobId' in subject && [one, two].includes(subject.jobId));

    expect(ofJobs(await allDue('2026-11-23T12:04:59.999Z'))).toEqual([]);
    expect(ofJobs(await allDue(later))).toEqual([{ kind: 'job', partnerId: acme, jobId: one }]);
    const due = (await allDue(later)).find(({ subject }) => 'jobId' in subject && subject.jobId === one);
    if (due === undefined) throw new Error('it is due');
    const to = '2026-11-23T12:10:00.000Z';
    expect([await log.postpone(due, to), await log.postpone(due, to)]).toEqual([true, false]);
    expect(ofJobs(await allDue(later))).toEqual([]);
  });
});

test('of a cancellation that has expired nothing is told: DynamoDB may have deleted any of its events', async () => {
  const { job, events } = stream(requested, closed);
  await logs['on DynamoDB']?.write(events);
  const expired = () => (events[0]?.deleteAfter ?? 0) * 1_000;
  const log = createCallbackLog(dynamodb.client, dynamodb.tableNames.CancellationLog, expired);

  expect((await log.readJob({ partnerId: acme, jobId: job })).events).toEqual([]);
});

describe('a record that cannot be read', () => {
  test('is an error that names its key: without it nothing is told in order', async () => {
    const { job, events } = stream(requested, closed);
    await logs['on DynamoDB']?.write(events);
    const table = {
      client: dynamodb.client,
      name: dynamodb.tableNames.CancellationLog,
      dependency: 'cancellation-log',
    } as const;
    await insertItem(table, { ...attempt(job), result: 'lost', pk: `acme#${job}`, sk: 'callback#event#000002#000001' });

    const read = logs['on DynamoDB']?.log.readJob({ partnerId: acme, jobId: job });
    await expect(read).rejects.toThrow(RecordUnreadable);
    await expect(read).rejects.toThrow(`acme#${job} callback#event#000002#000001`);
  });

  test('is left out of what is due', async () => {
    const table = {
      client: dynamodb.client,
      name: dynamodb.tableNames.CancellationLog,
      dependency: 'cancellation-log',
    } as const;
    const wakeUp = { wakeShard: 'callbacks-0', wakeAt: '2020-01-01T00:00:00.000Z' };
    for (const [pk, sk] of [
      ['acme', 'callback#event#000001#000001'],
      ['acme#job_1', 'event#000001'],
      ['acme#refused#2026-11-23', 'callback#x#000001'],
    ] as const) {
      await insertItem(table, { pk, sk, ...wakeUp }).catch(() => false);
    }
    await insertItem(table, { pk: 'acme#job_2', sk: 'callback#event#000001#000009', ...wakeUp, wakeAt: 'soon' });

    expect(await logs['on DynamoDB']?.log.due(0, '2020-01-02T00:00:00.000Z', 100)).toEqual([]);
  });
});

describe('a partner’s endpoint', () => {
  let count = 0;
  async function given(fields: Readonly<Record<string, unknown>> = {}) {
    const partnerId: PartnerId = partnerIdSchema.parse(`partner-${++count}`);
    await insertItem(partners, { ...endpointKey(partnerId), url, version: 1, ...fields });
    return { partnerId, endpoints: createCallbackEndpoints(dynamodb.client, dynamodb.tableNames.Partners) };
  }

  test('is paused by its 410, once', async () => {
    const { partnerId, endpoints } = await given();
    await endpoints.pause(partnerId, url, at);
    await endpoints.pause(partnerId, url, later);

    expect(await endpoints.read(partnerId)).toEqual({ url, version: 1, pausedAt: at, pausedWhy: 'gone' });
  });

  test('is not paused by the 410 of the one before it, nor anew by its own when an operator has paused it', async () => {
    const replaced = await given({ url: `${url}/2` });
    await replaced.endpoints.pause(replaced.partnerId, url, at);
    expect(await replaced.endpoints.read(replaced.partnerId)).toEqual({ url: `${url}/2`, version: 1 });

    const paused = await given({ pausedAt: at, pausedWhy: 'operator' });
    await paused.endpoints.pause(paused.partnerId, url, later);
    expect(await paused.endpoints.read(paused.partnerId)).toMatchObject({ pausedAt: at, pausedWhy: 'operator' });
  });

  test('has the result of its newest test', async () => {
    const { partnerId, endpoints } = await given();
    await endpoints.keepTest(partnerId, { id: 'test-1', at, isDelivered: false, why: 'timeout' });
    const test2 = { id: 'test-2', at: later, isDelivered: true, httpStatus: 204 };
    await endpoints.keepTest(partnerId, test2);

    expect(await endpoints.read(partnerId)).toEqual({ url, version: 1, test: test2 });
  });

  test('that does not exist is neither read nor made by a test', async () => {
    const { endpoints } = await given();
    await endpoints.keepTest(globex, { id: 'test-1', at, isDelivered: true });

    expect(await endpoints.read(globex)).toBeUndefined();
  });

  test('that is malformed is an error that names its key', async () => {
    const { partnerId, endpoints } = await given();
    await updateItem(partners, endpointKey(partnerId), { UpdateExpression: 'SET version = :v', values: { ':v': 0 } });

    await expect(endpoints.read(partnerId)).rejects.toThrow(`callback#${partnerId}`);
  });
});
