import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FaultInput } from '../../infra/local/plangrep/plangrep-faults.ts';
import { exampleJob } from '../../functions/simulator/plangrep-jobs.ts';
import { type PlangrepSimulator, startPlangrepSimulator } from '../../infra/local/plangrep/plangrep-simulator.ts';

const KEY = 'pgk_live_simulated';
const authorized = { Authorization: `Bearer ${KEY}` };

let simulator: PlangrepSimulator;
beforeEach(async () => {
  simulator = await startPlangrepSimulator({ apiKey: KEY, jobs: [exampleJob] });
});
afterEach(() => simulator.close());

const at = (path: string): string => `${simulator.url}${path}`;
const cancel = (jobId: string = exampleJob.id, signal: AbortSignal | null = null) =>
  fetch(at(`/api/open/v1/jobs/${jobId}/cancel`), { method: 'POST', headers: authorized, redirect: 'manual', signal });
const read = (jobId: string = exampleJob.id) => fetch(at(`/api/open/v1/jobs/${jobId}`), { headers: authorized });
const status = () => simulator.job(exampleJob.id)?.status;
const control = async (method: string, path: string, body?: string) => {
  const { accessKeyId, secretAccessKey } = simulator.accessKey;
  const headers = { Authorization: `Basic ${btoa(`${accessKeyId}:${secretAccessKey}`)}` };
  const response = await fetch(at(`/simulator${path}`), { method, headers, ...(body !== undefined && { body }) });
  const answer: { message: string; requests: unknown[]; jobs: unknown[] } = JSON.parse(await response.text());
  return { status: response.status, body: answer };
};

describe('A fault', () => {
  test('is played for as many calls as it says, and then no more', async () => {
    simulator.faults.add({ on: 'cancel', kind: 'status', status: 503, times: 2 });
    const statuses = [await cancel(), await cancel(), await cancel()].map((response) => response.status);
    expect(statuses).toEqual([503, 503, 200]);
  });

  test('is played only for its kind of call and its job, until the faults are cleared', async () => {
    simulator.addJob({ id: 'job_b' });
    simulator.faults.add({ on: 'read', jobId: 'job_b', kind: 'status', status: 500 });
    expect((await read()).status).toBe(200);
    expect((await cancel('job_b')).status).toBe(200);
    expect((await read('job_b')).status).toBe(500);
    simulator.faults.clear();
    expect((await read('job_b')).status).toBe(200);
  });

  test('answers with the status, headers and body it was given', async () => {
    simulator.faults.add({ on: 'any', kind: 'status', status: 302, headers: { Location: '/x' }, body: 'gone' });
    const response = await cancel();
    expect([response.status, response.headers.get('Location'), await response.text()]).toEqual([302, '/x', 'gone']);
  });

  const kinds: FaultInput[] = [
    { on: 'cancel', kind: 'status', status: 500 },
    { on: 'cancel', kind: 'job', fields: { id: 'job_another', status: 'unheard_of' } },
    { on: 'cancel', kind: 'oversized', bytes: 10 },
    { on: 'cancel', kind: 'gzip_bomb', bytes: 1_000 },
    { on: 'cancel', kind: 'drip', intervalMs: 1 },
    { on: 'cancel', kind: 'late', delayMs: 1 },
  ];
  test.each(kinds)('($kind) decides whether the cancel takes effect', async (fault) => {
    simulator.faults.add({ ...fault, effect: 'none' });
    await (await cancel()).arrayBuffer();
    expect(status()).toBe('processing');
    simulator.faults.clear();
    simulator.faults.add({ ...fault, effect: 'applied' });
    await (await cancel()).arrayBuffer();
    expect(status()).toBe('cancelled');
  });

  test.each(['before_answer', 'mid_answer'] as const)(
    'loses the answer to a cancel that took effect (%s)',
    async (when) => {
      simulator.faults.add({ on: 'cancel', kind: 'reset', when, effect: 'applied' });
      await expect(cancel().then((response) => response.text())).rejects.toThrow();
      expect(status()).toBe('cancelled');
    },
  );

  test('can let only so many calls a second through, and says when to come again', async () => {
    simulator.faults.add({ on: 'any', kind: 'rate_limit', ratePerSecond: 0.01, burst: 2 });

    const answers = [await read(), await read(), await read()];

    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 429]);
    expect(answers[2]?.headers.get('retry-after')).toBe('100');
  });

  test('can leave a call without an answer', async () => {
    simulator.faults.add({ on: 'cancel', kind: 'hang' });
    await expect(cancel(exampleJob.id, AbortSignal.timeout(50))).rejects.toThrow('timeout');
    expect(status()).toBe('processing');
  });

  test('does nothing for a call without the right key', async () => {
    simulator.revokeApiKey();
    simulator.faults.add({ on: 'cancel', kind: 'late' });
    expect((await cancel()).status).toBe(401);
    expect(status()).toBe('processing');
  });

  test('sends few bytes as a gzip bomb, which become many', async () => {
    simulator.faults.add({ on: 'read', kind: 'gzip_bomb' });
    const bytesOnTheWire = await new Promise<number>((resolve) => {
      request(at(`/api/open/v1/jobs/${exampleJob.id}`), { headers: authorized }, (response) => {
        let size = 0;
        response.on('data', (chunk: Buffer) => (size += chunk.length)).on('end', () => resolve(size));
      }).end();
    });
    expect(bytesOnTheWire).toBeLessThan(64 * 1024);
    expect((await (await read()).arrayBuffer()).byteLength).toBeGreaterThan(16 * 1024 * 1024);
  });
});

describe('The journal', () => {
  test('lists the requests, without the key', async () => {
    await cancel();
    await fetch(at(`/api/open/v1/jobs/job_b?x=${KEY}`));
    await fetch(at('/api/open/v1/projects/proj_a/jobs'), { method: 'POST', headers: authorized, body: '{}' });
    simulator.faults.add({ on: 'list', kind: 'status', status: 500 });
    await fetch(at('/api/open/v1/projects/proj_a/jobs'), { headers: authorized });
    expect(simulator.requests.all()).toMatchObject([
      { kind: 'cancel', method: 'POST', jobId: exampleJob.id, authorized: true, bodyBytes: 0 },
      { kind: 'read', path: '/api/open/v1/jobs/job_b', authorized: false },
      { kind: 'create', authorized: true, bodyBytes: 2 },
      { kind: 'list', fault: 'status' },
    ]);
    expect(JSON.stringify(await control('GET', '/requests'))).not.toContain(KEY);
    expect([simulator.requests.count('cancel'), simulator.requests.count('cancel', 'job_b')]).toEqual([1, 0]);
  });
});

describe('Over HTTP', () => {
  test.each<[string, string | undefined]>([
    ['no key', undefined],
    ["Plangrep's key", `Bearer ${KEY}`],
    ['a wrong key', `Basic ${btoa('LOCAL:secret')}`],
  ])('nothing is shown or done with %s', async (_what, authorization) => {
    const headers = authorization === undefined ? {} : { Authorization: authorization };
    const fault = '{"on":"cancel","kind":"status","status":500}';
    const shown = await fetch(at('/simulator/requests'), { headers });
    const added = await fetch(at('/simulator/faults'), { method: 'POST', headers, body: fault });

    expect([shown.status, added.status]).toEqual([401, 401]);
    expect(shown.headers.get('www-authenticate')).toMatch(/^Basic /);
    expect(simulator.faults.waiting()).toEqual([]);
  });

  test('faults are added and cleared', async () => {
    const fault = { on: 'cancel', kind: 'status', status: 500 };
    expect(await control('POST', '/faults', JSON.stringify(fault))).toMatchObject({ status: 201, body: { fault } });
    expect(await control('GET', '/faults')).toMatchObject({ status: 200, body: { faults: [fault] } });
    expect((await cancel()).status).toBe(500);
    await control('DELETE', '/faults');
    expect((await cancel()).status).toBe(200);
  });

  test('requests are listed and cleared', async () => {
    await read();
    expect((await control('GET', '/requests')).body.requests).toHaveLength(1);
    await control('DELETE', '/requests');
    expect((await control('GET', '/requests')).body.requests).toEqual([]);
  });

  test('jobs are added, changed and listed', async () => {
    expect(await control('POST', '/jobs', '{"id":"job_b"}')).toMatchObject({
      status: 201,
      body: { job: { id: 'job_b' } },
    });
    await control('POST', '/jobs', '{"id":"job_b","externalId":"order-2","cancelTakes":5}');
    expect((await control('GET', '/jobs')).body.jobs).toMatchObject([{ id: exampleJob.id }, { externalId: 'order-2' }]);
  });

  test.each([
    ['/faults', '{"on":"cancel","kind":"status"}', 'status'],
    ['/faults', '{"on":"cancel","kind":"magic"}', 'kind'],
    ['/faults', '{"on":"cancel","kind":"hang","tmies":1}', 'tmies'],
    ['/faults', 'not JSON', 'not JSON'],
    ['/jobs', '{"cancelTakes":-1}', 'cancelTakes'],
  ])('%s rejects %s and says why', async (path, body, named) => {
    const answer = await control('POST', path, body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body.message).toContain(named);
  });

  test('another address is not found', async () => {
    expect(await control('PUT', '/faults')).toMatchObject({ status: 404 });
  });
});

test('Closing ends open calls at once, including delayed ones', async () => {
  simulator.faults.add({ on: 'cancel', kind: 'hang', times: 1 });
  simulator.faults.add({ on: 'cancel', kind: 'late', delayMs: 600_000 });
  const open = Promise.allSettled([cancel(), cancel()]);
  await expect.poll(() => simulator.requests.count('cancel')).toBe(2);
  await simulator.close();
  expect((await open).map((call) => call.status)).toEqual(['rejected', 'rejected']);
});
