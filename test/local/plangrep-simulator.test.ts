import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { exampleJob, type SimulatedJob } from '../../functions/simulator/plangrep-jobs.ts';
import {
  type PlangrepSimulator,
  type PlangrepSimulatorOptions,
  startPlangrepSimulator,
} from '../../infra/local/plangrep/plangrep-simulator.ts';

const KEY = 'pgk_live_simulated';
const START = Date.parse('2026-11-02T09:00:00.000Z');
const project = exampleJob.projectId;

let now = START;
let simulator: PlangrepSimulator;
const start = async (options: Partial<PlangrepSimulatorOptions> = {}): Promise<PlangrepSimulator> => {
  const started = await startPlangrepSimulator({ apiKey: KEY, now: () => now, ...options });
  onTestFinished(() => started.close());
  return started;
};
beforeEach(async () => {
  now = START;
  simulator = await startPlangrepSimulator({ apiKey: KEY, now: () => now, jobs: [exampleJob] });
});
afterEach(() => simulator.close());

type Answer = { job: SimulatedJob; jobs: SimulatedJob[] };
const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(`${simulator.url}/api/open/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${KEY}`, ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const answer: Answer = JSON.parse(await response.text());
  return { status: response.status, body: answer };
};
const cancel = (jobId: string) => ask('POST', `/jobs/${jobId}/cancel`);
const read = (jobId: string) => ask('GET', `/jobs/${jobId}`);
const create = (body?: unknown, key?: string) =>
  ask('POST', `/projects/${project}/jobs`, body, key === undefined ? {} : { 'Idempotency-Key': key });

describe('The documented cancel example', () => {
  const documented = {
    id: 'job_01hy3m8qtn2e5r7k9p0w4x1def',
    externalId: 'order-7890',
    status: 'cancelled',
    projectId: 'proj_01hx9z4kqr8e7m3p5n6w2v0abc',
    limits: { maxDeclaredBytes: 10_000_000_000, maxFiles: 100 },
    pageCount: 204,
    successfulPageCount: 63,
    billing: { creditsDebited: 63 },
    files: [{ id: 'file_xyz789', fileName: 'architectural_drawings.pdf', status: 'cancelled' }],
    resultUrl: null,
    error: null,
    createdAt: '2024-11-02T09:00:00.000Z',
    updatedAt: '2026-11-02T10:00:00.000Z',
    completedAt: '2026-11-02T10:00:00.000Z',
    expiresAt: '2024-11-09T09:00:00.000Z',
  };

  test('has 63 of 204 pages processed until it is cancelled', async () => {
    now += 3_600_000;
    expect(await read(exampleJob.id)).toEqual({ status: 200, body: { job: exampleJob } });
  });

  test('is answered exactly as documented', async () => {
    now += 3_600_000;
    expect(await cancel(exampleJob.id)).toEqual({ status: 200, body: { job: documented } });
    expect(await read(exampleJob.id)).toEqual({ status: 200, body: { job: documented } });
  });

  test('cannot be cancelled twice', async () => {
    await cancel(exampleJob.id);
    expect(await cancel(exampleJob.id)).toMatchObject({ status: 409, body: { code: 'job_already_terminal' } });
  });
});

describe('The rules of the API', () => {
  test('a wrong, a revoked and a missing key are rejected at once', async () => {
    const refused = { status: 401, body: { code: 'unauthorized' } };
    expect(await ask('GET', `/jobs/${exampleJob.id}`, undefined, { Authorization: '' })).toMatchObject(refused);
    expect(await ask('GET', `/jobs/${exampleJob.id}`, undefined, { Authorization: 'Bearer x' })).toMatchObject(refused);
    simulator.revokeApiKey();
    expect(await cancel(exampleJob.id)).toMatchObject(refused);
    expect(simulator.job(exampleJob.id)?.status).toBe('processing');
    simulator.setApiKey(KEY);
    expect(await read(exampleJob.id)).toMatchObject({ status: 200 });
  });

  test.each([
    ['GET', '/jobs/job_nobody', 'job_not_found'],
    ['POST', '/jobs/job_nobody/cancel', 'job_not_found'],
    ['DELETE', '/jobs/job_nobody', 'not_found'],
    ['GET', '/elsewhere', 'not_found'],
  ])('%s %s finds nothing', async (method, path, code) => {
    expect(await ask(method, path)).toMatchObject({ status: 404, body: { code } });
  });

  test("a list has only the project's jobs, newest first", async () => {
    now += 1_000;
    simulator.addJob({ id: 'job_b' });
    simulator.addJob({ id: 'job_c' });
    simulator.addJob({ id: 'job_elsewhere', projectId: 'proj_other' });
    const { body } = await ask('GET', `/projects/${project}/jobs`);
    expect(body.jobs.map(({ id }) => id)).toEqual(['job_c', 'job_b', exampleJob.id]);
  });

  test('a new job waits for uploads; its Idempotency-Key identifies it; its webhook secret is shown once', async () => {
    const order = { externalId: 'order-1', webhookUrl: 'https://upstream.example/hook' };
    const first = await create(order, 'key-1');
    expect(first).toMatchObject({ status: 202, body: { job: { externalId: 'order-1', status: 'awaiting_uploads' } } });
    expect(first.body).toHaveProperty('webhookSigningSecret');
    expect(first.body).not.toHaveProperty('idempotent');
    const again = await create(order, 'key-1');
    expect(again).toEqual({ status: 202, body: { job: first.body.job, idempotent: true } });
    expect((await create(order, 'key-2')).body.job.id).not.toBe(first.body.job.id);
    expect((await create()).body).toEqual({ job: expect.objectContaining({ externalId: null }) });
  });

  test.each([
    ['an externalId of 181 characters', { externalId: '🏗'.repeat(181) }, undefined],
    ['an unknown field', { status: 'completed' }, undefined],
    ['a body that is not JSON', '{', undefined],
    ['an Idempotency-Key of 257 characters', {}, 'k'.repeat(257)],
  ])('a job is not created with %s', async (_, body, key) => {
    expect(await create(body, key)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  test('an externalId of 180 characters is kept unchanged', async () => {
    expect((await create({ externalId: '🏗'.repeat(180) })).body.job.externalId).toBe('🏗'.repeat(180));
  });

  test('a body over 64 KiB is too large', async () => {
    expect(await create(`"${'x'.repeat(70_000)}"`)).toMatchObject({ status: 413 });
  });
});

describe('A job over time', () => {
  test('is processed page by page, with its credits, and completes', async () => {
    simulator.addJob({ id: exampleJob.id, pagesPerSecond: 2, creditsPerPage: 10 });
    now += 10_500;
    expect(simulator.job(exampleJob.id)).toMatchObject({
      status: 'processing',
      successfulPageCount: 84,
      billing: { creditsDebited: 273, creditsReserved: 0 },
    });
    now += 3_600_000;
    const completed = simulator.job(exampleJob.id);
    expect(completed).toMatchObject({
      status: 'completed',
      successfulPageCount: 204,
      billing: { creditsDebited: 1_473 },
      files: [{ status: 'completed' }],
      completedAt: new Date(START + 70_500).toISOString(),
    });
    expect(completed?.resultUrl).toMatch(/\?token=\w+$/);
    expect(completed?.billing).not.toHaveProperty('creditsReserved');
    expect(await cancel(exampleJob.id)).toMatchObject({ status: 409 });
  });

  test('is processed until its cancel takes effect', async () => {
    simulator.addJob({ id: exampleJob.id, pagesPerSecond: 1, cancelTakes: 20_000 });
    expect(await cancel(exampleJob.id)).toMatchObject({ status: 200, body: { job: { status: 'processing' } } });
    now += 10_000;
    expect(await cancel(exampleJob.id)).toMatchObject({ status: 200, body: { job: { successfulPageCount: 73 } } });
    now += 10_000;
    expect((await read(exampleJob.id)).body.job).toMatchObject({ status: 'cancelled', successfulPageCount: 83 });
  });

  test('completes if its last page is processed before its cancel takes effect', async () => {
    simulator.addJob({ id: exampleJob.id, pagesPerSecond: 141, cancelTakes: 20_000 });
    await cancel(exampleJob.id);
    now += 20_000;
    expect(simulator.job(exampleJob.id)).toMatchObject({ status: 'completed', successfulPageCount: 204 });
  });

  test('stops when its credits run out, until someone resumes it, and is not blocked again', async () => {
    simulator.addJob({ id: exampleJob.id, pagesPerSecond: 2, creditsForPages: 73 });
    now += 60_000;
    const blocked = { status: 'blocked_insufficient_credits', successfulPageCount: 73 };
    expect((await read(exampleJob.id)).body.job).toMatchObject({
      ...blocked,
      updatedAt: new Date(START + 5_000).toISOString(),
    });
    expect(await ask('POST', `/jobs/${exampleJob.id}/resume`)).toMatchObject({
      status: 200,
      body: { job: { status: 'processing', successfulPageCount: 73, billing: { creditsDebited: 73 } } },
    });
    now += 10_000;
    expect((await read(exampleJob.id)).body.job).toMatchObject({ status: 'processing', successfulPageCount: 93 });
    expect(simulator.requests.count('resume', exampleJob.id)).toBe(1);
  });

  test('is cancelled at once while it is blocked, unless its cancel takes time', async () => {
    const status = 'blocked_insufficient_credits';
    simulator.addJob({ id: exampleJob.id, status });
    expect((await cancel(exampleJob.id)).body.job.status).toBe('cancelled');
    simulator.addJob({ id: 'job_held', status, cancelTakes: 5_000 });
    now += 60_000;
    expect((await cancel('job_held')).body.job.status).toBe(status);
    now += 60_000;
    await ask('POST', '/jobs/job_held/resume');
    now += 4_999;
    expect((await read('job_held')).body.job.status).toBe('processing');
    now += 1;
    expect((await read('job_held')).body.job.status).toBe('cancelled');
  });

  test('is no longer known once it has expired, if it vanishes', async () => {
    const expiresAt = new Date(START + 5_000).toISOString();
    simulator.addJob({ id: exampleJob.id, expiresAt, vanishes: true });
    now += 4_999;
    expect(await read(exampleJob.id)).toMatchObject({ status: 200 });
    now += 1;
    expect(await read(exampleJob.id)).toMatchObject({ status: 404, body: { code: 'job_not_found' } });
    expect(await cancel(exampleJob.id)).toMatchObject({ status: 404 });
    expect((await ask('GET', `/projects/${project}/jobs`)).body.jobs).toEqual([]);
  });

  test('keeps its behaviour when one of its fields is changed', async () => {
    simulator.addJob({ id: exampleJob.id, cancelTakes: 5_000 });
    simulator.addJob({ id: exampleJob.id, externalId: 'order-1' });
    expect((await cancel(exampleJob.id)).body.job).toMatchObject({ status: 'processing', externalId: 'order-1' });
  });

  test.each(['completed', 'completed_with_errors', 'failed', 'expired'] as const)(
    'ends as %s after a cancel, if `endsAs` says so',
    async (endsAs) => {
      simulator.addJob({ id: exampleJob.id, cancelTakes: 5_000, endsAs });
      await cancel(exampleJob.id);
      now += 5_000;
      const { job } = (await read(exampleJob.id)).body;
      expect(job.status).toBe(endsAs);
      expect(job.error === null).toBe(endsAs !== 'failed');
      expect(job.resultUrl === null).toBe(!endsAs.startsWith('completed'));
    },
  );

  test('can be terminal from the start, become unfinished again, and be changed field by field', () => {
    const done = simulator.addJob({ id: 'job_done', status: 'completed', pageCount: 12 });
    expect(done).toMatchObject({
      successfulPageCount: 12,
      billing: { creditsDebited: 12 },
      completedAt: new Date(START).toISOString(),
    });
    expect(simulator.addJob({ id: 'job_done', externalId: 'order-9' })).toEqual({ ...done, externalId: 'order-9' });
    expect(simulator.addJob({ id: 'job_done', status: 'processing' }).status).toBe('processing');
    expect(simulator.jobs()).toHaveLength(2);
    expect(() => simulator.addJob({ id: '../x' })).toThrow('must be 1 to 128');
  });
});

describe('A state file', () => {
  const statePath = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'plangrep-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    return join(folder, 'new', 'jobs.json');
  };

  test('keeps jobs, cancels under way and Idempotency-Keys over a restart', async () => {
    const options = { statePath: await statePath(), jobs: [exampleJob] };
    simulator = await start(options);
    simulator.addJob({ id: exampleJob.id, cancelTakes: 5_000 });
    await cancel(exampleJob.id);
    const { id } = (await create({}, 'key-1')).body.job;
    await simulator.close();
    now += 5_000;
    simulator = await start(options);
    expect(simulator.job(exampleJob.id)).toMatchObject({
      status: 'cancelled',
      completedAt: '2026-11-02T09:00:05.000Z',
    });
    expect((await create({}, 'key-1')).body).toMatchObject({ idempotent: true, job: { id } });
  });

  test('with other content is not overwritten', async () => {
    const path = join(await statePath(), '..', '..', 'broken.json');
    await writeFile(path, '{"jobs":7}');
    await expect(start({ statePath: path })).rejects.toThrow();
    await expect(start({ statePath: join(path, '..') })).rejects.toThrow('is damaged: it is not a file');
  });
});

describe('The jobs of the sandbox', () => {
  test('exist without being added, and cause their trouble', async () => {
    const limited = await fetch(`${simulator.url}/api/open/v1/jobs/job_sandbox_rate_limited_1/cancel`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${KEY}` },
    });
    expect(limited.status).toBe(429);
    expect(limited.headers.get('retry-after')).toBe('5');
    now += 5_000;
    expect(await cancel('job_sandbox_rate_limited_1')).toMatchObject({
      status: 200,
      body: { job: { pageCount: 204 } },
    });
    expect(simulator.job('job_sandbox_rate_limited_1')?.status).toBe('cancelled');
    expect(simulator.job('job_sandbox_unknown')).toBeUndefined();
  });

  test('keep their state over a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'plangrep-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const options = { statePath: join(folder, 'jobs.json') };
    simulator = await start(options);
    await cancel('job_sandbox_slow');
    await simulator.close();
    now += 20_000;
    simulator = await start(options);
    expect((await read('job_sandbox_slow')).body.job).toMatchObject({ status: 'cancelled', successfulPageCount: 77 });
  });

  test('are not the only jobs that can cause trouble', async () => {
    simulator.addJob({ id: exampleJob.id, trouble: { forMs: 1_000, status: 503, effect: 'applied' } });
    expect(await cancel(exampleJob.id)).toMatchObject({ status: 503 });
    now += 1_000;
    expect((await read(exampleJob.id)).body.job.status).toBe('cancelled');
  });
});
