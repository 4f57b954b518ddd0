import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSandboxRecords } from '../../functions/adapters/dynamodb/sandbox-records.ts';
import { type JobRecords, perform, recognizeCall } from '../../functions/simulator/plangrep-calls.ts';
import { renderSandboxTable, sandboxJobs } from '../../functions/simulator/sandbox-jobs.ts';
import { type LocalDynamoDb, startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { createTable } from '../../infra/local/aws/create-table.ts';
import { createJobStore } from '../../infra/local/plangrep/plangrep-job-store.ts';
import { sandboxTable, type TableName, tables } from '../../infra/blueprint/tables.ts';

let dynamodb: LocalDynamoDb<TableName>;
beforeAll(async () => {
  dynamodb = await startLocalDynamoDb({ tables });
  await createTable(dynamodb.client, 'Sandbox', sandboxTable);
});
afterAll(() => dynamodb.close());

const START = Date.parse('2026-11-02T09:00:00.000Z');
let now = START;
let sequence = 0;
beforeEach(() => {
  now = START;
  sequence += 1;
});

// Stores that start without jobs and keep only what is written to them.
const stores: readonly (readonly [string, () => JobRecords])[] = [
  ['the local run', () => createJobStore(() => now)],
  ['a sandbox in AWS', () => createSandboxRecords(dynamodb.client, 'Sandbox', () => now)],
];

describe.each(stores)('A job of the sandbox, in %s,', (where, open) => {
  let records: JobRecords;
  beforeEach(() => {
    records = open();
  });
  /** New in each test: the stores remember jobs by id. */
  const idOf = (name: string) => `job_sandbox_${name}_${where.replaceAll(' ', '-')}-${sequence}`;
  const call = (method: string, path: string) => perform(recognizeCall(method, `/api/open/v1${path}`), records, now);
  const cancel = (name: string) => call('POST', `/jobs/${idOf(name)}/cancel`);
  const read = (name: string) => call('GET', `/jobs/${idOf(name)}`);
  const job = (fields: object) => ({ status: 200, body: { job: expect.objectContaining(fields) } });

  test('does not change until it is cancelled, at once and only once', async () => {
    const standing = await read('processing');
    now += 3_600_000;
    expect(await read('processing')).toEqual(standing);
    expect(standing).toEqual(job({ status: 'processing', pageCount: 204, successfulPageCount: 63 }));

    const cancelled = await cancel('processing');
    expect(cancelled).toEqual(
      job({
        id: idOf('processing'),
        status: 'cancelled',
        billing: { creditsDebited: 63 },
        completedAt: new Date(now).toISOString(),
      }),
    );
    now += 3_600_000;
    expect(await read('processing')).toEqual(cancelled);
    expect(await cancel('processing')).toMatchObject({ status: 409, body: { code: 'job_already_terminal' } });
  });

  test('can be cancelled before its pages are counted', async () => {
    expect(await read('preflighting')).toEqual(job({ status: 'preflighting', pageCount: null }));
    expect(await cancel('preflighting')).toEqual(
      job({ status: 'cancelled', pageCount: null, successfulPageCount: null, billing: { creditsDebited: 0 } }),
    );
  });

  test('is another job under another id', async () => {
    await cancel('processing');
    const other = await call('GET', `/jobs/${idOf('processing')}x`);
    expect(other).toEqual(job({ status: 'processing' }));
  });

  test('is processed until its cancel takes effect, however often it is cancelled', async () => {
    expect(await cancel('slow')).toEqual(job({ status: 'processing', successfulPageCount: 63 }));
    now += 10_000;
    expect(await cancel('slow')).toEqual(job({ status: 'processing', successfulPageCount: 73 }));
    now += 3_999;
    expect(await read('slow')).toEqual(job({ status: 'processing' }));
    now += 1;
    expect(await read('slow')).toEqual(job({ status: 'cancelled', successfulPageCount: 77 }));
  });

  test('runs out of credits after its cancel, and is cancelled after someone resumed it', async () => {
    const blocked = { status: 'blocked_insufficient_credits', successfulPageCount: 67 };
    expect(await cancel('out_of_credits')).toEqual(job({ status: 'processing', successfulPageCount: 63 }));
    now += 4_000;
    expect(await read('out_of_credits')).toEqual(
      job({ ...blocked, billing: { creditsDebited: 67, creditsReserved: 137 } }),
    );
    now += 7_999;
    expect(await read('out_of_credits')).toEqual(job(blocked));
    now += 1;
    expect(await read('out_of_credits')).toEqual(job({ status: 'processing', successfulPageCount: 67 }));
    now += 1_999;
    expect(await read('out_of_credits')).toEqual(job({ status: 'processing', successfulPageCount: 68 }));
    now += 1;
    const cancelled = job({ status: 'cancelled', successfulPageCount: 69, billing: { creditsDebited: 69 } });
    expect(await read('out_of_credits')).toEqual(cancelled);
    now += 3_600_000;
    expect(await read('out_of_credits')).toEqual(cancelled);
  });

  test('that ran out of credits can be resumed by a call, once', async () => {
    const resume = () => call('POST', `/jobs/${idOf('out_of_credits')}/resume`);
    const notBlocked = { status: 409, body: { code: 'job_not_blocked' } };
    await cancel('out_of_credits');
    expect(await resume()).toMatchObject(notBlocked);
    now += 6_000;
    expect(await resume()).toEqual(job({ status: 'processing', successfulPageCount: 67 }));
    expect(await resume()).toMatchObject(notBlocked);
    now += 1_999;
    expect(await read('out_of_credits')).toEqual(job({ status: 'processing' }));
    now += 1;
    expect(await read('out_of_credits')).toEqual(job({ status: 'cancelled', successfulPageCount: 69 }));
  });

  test('can complete first', async () => {
    expect(await cancel('completes_first')).toEqual(job({ status: 'processing' }));
    now += 60_000;
    const completed = await read('completes_first');
    expect(completed).toEqual(job({ status: 'completed', successfulPageCount: 204 }));
    now += 60_000;
    expect(await read('completes_first')).toEqual(completed);
  });

  test.each(['completed', 'completed_with_errors', 'failed', 'expired', 'cancelled'])(
    'can have ended before as %s, and does not change',
    async (status) => {
      const before = await read(status);
      expect(before).toEqual(job({ status, completedAt: '2024-11-02T09:22:00.000Z' }));
      now += 3_600_000;
      expect(await cancel(status)).toMatchObject({ status: 409, body: { code: 'job_already_terminal' } });
      expect(await read(status)).toEqual(before);
    },
  );

  test.each(['unknown', 'unheard-of', 'processingly', ''])('with the name %j does not exist', async (name) => {
    const nowhere = { status: 404, body: { code: 'job_not_found' } };
    expect(await read(name)).toMatchObject(nowhere);
    expect(await cancel(name)).toMatchObject(nowhere);
  });

  test.each([
    ['rate_limited', 429, { 'Retry-After': '5' }],
    ['error', 500, undefined],
  ])('%s answers %i for 5 s from the first call on, and has no effect meanwhile', async (name, status, headers) => {
    const trouble = { status, ...(headers && { headers }) };
    expect(await cancel(name)).toMatchObject(trouble);
    now += 4_999;
    expect(await read(name)).toMatchObject(trouble);
    now += 1;
    expect(await read(name)).toEqual(job({ status: 'processing' }));
    expect(await cancel(name)).toEqual(job({ status: 'cancelled', completedAt: new Date(now).toISOString() }));
  });

  test('can be cancelled although the answer was lost', async () => {
    expect(await cancel('lost')).toMatchObject({ status: 502 });
    expect(await read('lost')).toMatchObject({ status: 502 });
    now += 5_000;
    expect(await read('lost')).toEqual(job({ status: 'cancelled', completedAt: new Date(START).toISOString() }));
  });

  test('can be cancelled and answer later than any caller waits', async () => {
    expect(await cancel('late')).toEqual({ ...job({ status: 'cancelled' }), delayMs: 6_000 });
    now += 5_000;
    expect(await read('late')).toEqual({ ...job({ status: 'cancelled' }) });
  });

  test('is not listed', async () => {
    await read('processing');
    expect(await call('GET', '/projects/proj_sandbox/jobs')).toEqual({ status: 200, body: { jobs: [] } });
  });

  test('cannot be created', async () => {
    expect(await call('POST', '/projects/proj_sandbox/jobs')).toMatchObject({ status: 404 });
  });
});

describe('The table of the sandbox', () => {
  test('holds when a job was first met and cancelled, and when that expires', async () => {
    const records = createSandboxRecords(dynamodb.client, 'Sandbox', () => now);
    const id = `job_sandbox_lost_kept-${sequence}`;
    const cancel = { kind: 'cancel', id } as const;
    await perform(cancel, records, now);
    now += 1_000;
    // As a second container would that has not read the first one's write.
    const stale = await records.find(id);
    if (stale === undefined) throw new Error('no such job');
    await records.keep({ ...stale, metAt: now, cancelledAt: now });

    expect(await records.find(id)).toMatchObject({ metAt: START, cancelledAt: START });
    const { Item } = await readItem(id);
    expect(Item).toEqual({
      pk: { S: id },
      metAt: { N: String(START) },
      cancelledAt: { N: String(START) },
      expiresAt: { N: String(START / 1_000 + 1 + 7 * 86_400) },
    });
  });

  test('holds nothing for a job that was only read', async () => {
    const records = createSandboxRecords(dynamodb.client, 'Sandbox', () => now);
    const id = `job_sandbox_processing_looked-${sequence}`;
    await perform({ kind: 'read', id }, records, now);
    expect((await readItem(id)).Item).toBeUndefined();
  });
});

const readItem = (id: string) =>
  dynamodb.client.send(new GetItemCommand({ TableName: 'Sandbox', Key: { pk: { S: id } } }));

describe('The table of the documentation', () => {
  test('has a line for each job', () => {
    const lines = renderSandboxTable().trimEnd().split('\n');
    expect(lines).toHaveLength(2 + Object.keys(sandboxJobs).length);
    expect(lines).toContain(
      '| `job_sandbox_slow…` | takes 14 s to cancel it; processing continues meanwhile | 202, then `cancelled` | 15 s |',
    );
  });
});
