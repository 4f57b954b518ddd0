import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  cancellationListSchema,
  cancellationSchema,
  cancellationWithTimelineSchema,
  problemSchema,
} from '../../functions/contract/answers.ts';
import { problems } from '../../functions/contract/problems.ts';
import { plangrepSecretId } from '../../infra/local/seeds.ts';
import { type Answered, canaries, startTestRun, type TestRun } from '../support/local-run.ts';

let run: TestRun;
beforeAll(async () => {
  run = await startTestRun();
});
afterAll(() => run.close());
afterEach(() => {
  run.simulator.faults.clear();
  run.simulator.setApiKey(canaries.apiKey);
  run.secretsManager.put(plangrepSecretId, canaries.apiKey);
});

const cancel = (body: unknown, headers?: Readonly<Record<string, string>>, partner: 'acme' | 'globex' = 'acme') =>
  run.call(partner, 'POST /v1/cancellations', body, headers);
const read = (externalId: string, partner: 'acme' | 'globex' = 'acme') =>
  run.call(partner, `GET /v1/cancellations?externalId=${encodeURIComponent(externalId)}`);
const expectProblem = ({ status, headers, body }: Answered, code: keyof typeof problems) => {
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(problemSchema.parse(body)).toMatchObject({ code, status, retryable: problems[code].retryable });
  expect(status).toBe(problems[code].status);
};
let jobs = 0;
const newJob = async (fields?: Parameters<TestRun['addJob']>[2]) => {
  const names = { externalId: `order ${++jobs} ü✏️`, jobId: `job_door_${jobs}` };
  await run.addJob(names.externalId, names.jobId, fields);
  return names;
};

describe('the documented job', () => {
  it('is cancelled by its externalId, with what it cost', async () => {
    const { status, headers, body } = await cancel({ externalId: 'order-7890' });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{1,64}$/);
    expect(cancellationSchema.parse(body)).toMatchObject({
      jobId: 'job_01hy3m8qtn2e5r7k9p0w4x1def',
      externalId: 'order-7890',
      state: 'closed',
      outcome: 'cancelled',
      jobStatus: 'cancelled',
      pageCount: 204,
      successfulPageCount: 63,
      creditsDebited: 63,
    });
  });

  it('is shown with its timeline, event by event', async () => {
    const byExternalId = cancellationListSchema.parse((await read('order-7890')).body);
    const [cancellation] = byExternalId.cancellations;
    expect(cancellation?.timeline.map(({ type }) => type)).toEqual(['requested', 'closed']);
    const byJobId = await run.call('acme', 'GET /v1/cancellations/job_01hy3m8qtn2e5r7k9p0w4x1def');
    expect(cancellationWithTimelineSchema.parse(byJobId.body)).toEqual(cancellation);
  });

  it('is cancelled again without a second call, and that is on record', async () => {
    run.simulator.requests.clear();
    const { status, body } = await cancel({ externalId: 'order-7890', reason: 'to be sure' });
    expect([status, body['outcome']]).toEqual([200, 'cancelled']);
    expect(run.simulator.requests.all()).toEqual([]);
    const [cancellation] = cancellationListSchema.parse((await read('order-7890')).body).cancellations;
    expect(cancellation?.timeline.at(-1)).toMatchObject({
      type: 'joined',
      reason: 'to be sure',
      keyId: 'acmelocal001',
    });
  });
});

describe('a cancel that cannot be certain yet is accepted (202), says where to look and when', () => {
  const openNow = async (names: { externalId: string; jobId: string }, result: string) => {
    const { status, headers, body } = await cancel({ externalId: names.externalId });
    expect([status, body['state'], body['outcome']]).toEqual([202, 'open', null]);
    expect(headers.get('location')).toBe(`/v1/cancellations/${names.jobId}`);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    const shown = await run.call('acme', `GET ${headers.get('location')}`);
    expect(shown.headers.get('retry-after')).not.toBeNull();
    expect(cancellationWithTimelineSchema.parse(shown.body).timeline.at(-1)).toMatchObject({
      type: 'attempt_ended',
      result,
    });
    return body;
  };

  it('while the job is still processing', async () => {
    const body = await openNow(await newJob({ cancelTakes: 60_000 }), 'accepted');
    expect(body['jobStatus']).toBe('processing');
  });

  it('after a 5xx', async () => {
    const names = await newJob();
    run.simulator.faults.add({ on: 'cancel', kind: 'status', status: 502, body: '<html>Bad gateway</html>' });
    await openNow(names, 'unknown');
  });

  it('after a lost answer, although the job was cancelled', async () => {
    const names = await newJob();
    run.simulator.faults.add({ on: 'cancel', kind: 'reset', effect: 'applied' });
    await openNow(names, 'unknown');
    expect(run.simulator.job(names.jobId)?.status).toBe('cancelled');
  });

  it('after a 429, no sooner than it asks', async () => {
    const names = await newJob();
    run.simulator.faults.add({ on: 'cancel', kind: 'status', status: 429, headers: { 'Retry-After': '40' } });
    await openNow(names, 'rate_limited');
    const { headers } = await cancel({ externalId: names.externalId });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(35);
  });

  it('while Plangrep refuses our key, which is never shown as the caller’s 401', async () => {
    const names = await newJob();
    run.simulator.revokeApiKey();
    await openNow(names, 'key_refused');
    expect(run.logs.some((line) => line.includes('PLANGREP_KEY_REFUSED'))).toBe(true);
  });

  it('while a cancel is refused though the job lives', async () => {
    const names = await newJob();
    run.simulator.faults.add({ on: 'cancel', kind: 'status', status: 403, body: '{"code":"insufficient_scope"}' });
    await openNow(names, 'refused');
  });
});

describe('Plangrep’s key', () => {
  it('is fetched again when it was rotated, and the cancel goes through at once', async () => {
    const names = await newJob();
    const rotated = `${canaries.apiKey}-rotated`;
    run.simulator.setApiKey(rotated);
    run.secretsManager.put(plangrepSecretId, JSON.stringify({ apiKey: rotated }));
    expect((await cancel({ externalId: names.externalId })).status).toBe(200);
  });
});

describe('a job that ended otherwise', () => {
  it.each(['completed', 'completed_with_errors', 'failed', 'expired'])(
    'as %s is a 409 that says so',
    async (status) => {
      const { externalId, jobId } = await newJob({ status });
      const answered = await cancel({ externalId });
      expectProblem(answered, 'job_already_terminal');
      expect(answered.body).toMatchObject({ jobStatus: status, cancellation: { jobId, outcome: 'too_late' } });
    },
  );

  it('as cancelled, by whomever, is a 200', async () => {
    const { externalId } = await newJob({ status: 'cancelled' });
    expect(await cancel({ externalId })).toMatchObject({ status: 200, body: { outcome: 'cancelled' } });
  });

  it.each([400, 404, 409, 410, 422])('is known by a job read, whatever the error: %i', async (status) => {
    const { externalId } = await newJob({ status: 'completed' });
    run.simulator.faults.add({ on: 'cancel', kind: 'status', status, body: 'no JSON at all', times: 1 });
    expectProblem(await cancel({ externalId }), 'job_already_terminal');
  });

  it('as unknown to Plangrep is a 409 of its own', async () => {
    const { externalId } = await newJob();
    run.simulator.faults.add({ on: 'any', kind: 'status', status: 404, body: '{"code":"not_found"}' });
    const answered = await cancel({ externalId });
    expectProblem(answered, 'job_unknown_to_plangrep');
    expect(answered.body).toMatchObject({ cancellation: { outcome: 'job_not_found' } });
  });
});

describe('several live jobs behind one externalId', () => {
  it('are a 409 with the candidates, and one of them named is cancelled', async () => {
    const { externalId, jobId } = await newJob();
    await run.addJob(externalId, `${jobId}_b`);
    const answered = await cancel({ externalId });
    expectProblem(answered, 'ambiguous_external_id');
    expect(problemSchema.parse(answered.body).candidates?.map((candidate) => candidate.jobId)).toEqual([
      `${jobId}_b`,
      jobId,
    ]);
    expect(await cancel({ externalId, jobId })).toMatchObject({ status: 200, body: { jobId } });
    expect(await cancel({ externalId })).toMatchObject({ status: 200, body: { jobId: `${jobId}_b` } });
  });

  it('are a 503 while they cannot be read, and nothing is done', async () => {
    const { externalId, jobId } = await newJob();
    await run.addJob(externalId, `${jobId}_b`);
    run.simulator.faults.add({ on: 'read', kind: 'status', status: 500 });
    const answered = await cancel({ externalId });
    expectProblem(answered, 'temporarily_unavailable');
    expect(answered.headers.get('retry-after')).toBe('2');
  });
});

describe('what is not the partner’s', () => {
  it('does not exist: the same 404 for unknown and for another partner’s, by name or by id, asked or read', async () => {
    const { externalId, jobId } = await newJob();
    await cancel({ externalId });
    const answers = [
      await cancel({ externalId: 'nobody knows' }, {}, 'globex'),
      await cancel({ externalId }, {}, 'globex'),
      await cancel({ externalId, jobId }, {}, 'globex'),
    ];
    const reads = [
      await read('nobody knows', 'globex'),
      await read(externalId, 'globex'),
      await run.call('globex', 'GET /v1/cancellations/job_nobody_knows'),
      await run.call('globex', `GET /v1/cancellations/${jobId}`),
    ];
    for (const group of [answers, reads]) {
      const bodies = group.map(({ status, body }) => ({ status, ...body, requestId: '' }));
      for (const body of bodies) expect(body).toEqual(bodies[0]);
      for (const answered of group) expectProblem(answered, 'job_not_found');
    }
  });

  it('leaves a refused record', async () => {
    await cancel({ externalId: 'never registered', reason: 'why not' });
    const records = await run.items('CancellationLog');
    expect(records).toContainEqual(
      expect.objectContaining({ type: 'refused', why: 'job_not_found', externalId: 'never registered' }),
    );
  });
});

describe('an Idempotency-Key', () => {
  it('reaches the job that it was first used for, and no newer one', async () => {
    const { externalId, jobId } = await newJob();
    const key = { 'Idempotency-Key': 'order-1/cancel/1' };
    expect((await cancel({ externalId }, key)).body).toMatchObject({ jobId, outcome: 'cancelled' });
    await run.addJob(externalId, `${jobId}_anew`);
    expect((await cancel({ externalId }, key)).body).toMatchObject({ jobId });
    expect(run.simulator.job(`${jobId}_anew`)?.status).not.toBe('cancelled');
    expect((await cancel({ externalId }, { 'Idempotency-Key': 'order-1/cancel/2' })).body).toMatchObject({
      jobId: `${jobId}_anew`,
    });
  });

  it('stands for one request', async () => {
    const { externalId } = await newJob();
    const key = { 'Idempotency-Key': 'k-1' };
    await cancel({ externalId }, key);
    expectProblem(await cancel({ externalId, reason: 'other' }, key), 'idempotency_key_reused');
    expectProblem(await cancel({ externalId: 'other' }, key), 'idempotency_key_reused');
    expect((await cancel({ externalId: 'other' }, key, 'globex')).status).toBe(404);
  });

  it.each([
    ['', 'empty'],
    ['x'.repeat(256), 'too long'],
  ])('is refused when it is %#: %s', async (key) => {
    const answered = await cancel({ externalId: 'order-7890' }, { 'Idempotency-Key': key });
    expectProblem(answered, 'invalid_request');
    expect(answered.body['errors']).toMatchObject([{ path: 'Idempotency-Key' }]);
  });
});

describe('bad input', () => {
  const nothingHappens = async (ask: () => Promise<Answered>, code: keyof typeof problems) => {
    const before = await run.items('CancellationLog');
    run.simulator.requests.clear();
    expectProblem(await ask(), code);
    expect(run.simulator.requests.all()).toEqual([]);
    expect(await run.items('CancellationLog')).toHaveLength(before.length);
  };

  it.each([
    ['no JSON', 'externalId=order-7890'],
    ['an array', '[{"externalId":"order-7890"}]'],
    ['deep', `${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`],
    ['an unknown key', '{"externalId":"order-7890","force":true}'],
    ['a key twice', '{"externalId":"order-1","externalId":"order-7890"}'],
    ['__proto__', '{"externalId":"order-7890","__proto__":{"jobId":"x"}}'],
    ['an empty externalId', '{"externalId":""}'],
    ['181 characters', JSON.stringify({ externalId: 'x'.repeat(181) })],
    ['a control character', '{"externalId":"order\\u0000"}'],
    ['half a surrogate pair', '{"externalId":"\\ud83d"}'],
    ['a jobId that climbs', '{"externalId":"order-7890","jobId":".."}'],
    ['a jobId that is a path', '{"externalId":"order-7890","jobId":"a/b"}'],
    ['a jobId in percent', '{"externalId":"order-7890","jobId":"%2e%2e"}'],
  ])('is refused with the field and the reason: %s', async (_, body) => {
    await nothingHappens(() => cancel(body), 'invalid_request');
  });

  it('names what is wrong', async () => {
    const { body } = await cancel({ externalId: '', jobId: '..', partnerId: 'globex' });
    expect(body['errors']).toEqual([
      { path: 'externalId', message: 'must not be empty' },
      { path: 'jobId', message: 'must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -' },
      { path: 'partnerId', message: 'is not a field of this request' },
    ]);
    expect(body['detail']).toMatch(/^externalId must not be empty\./);
  });

  it('is refused over 8 KiB, and when it is not JSON by its own word', async () => {
    await nothingHappens(() => cancel({ externalId: 'x', reason: 'y'.repeat(8192) }), 'body_too_large');
    await nothingHappens(() => cancel('{}', { 'Content-Type': 'text/plain' }), 'unsupported_media_type');
  });

  // A fetch would resolve dots itself: %2e%2e as it stands is another test's, with a raw request.
  it.each(['..%2f', 'a%2fb', 'job_1%00', 'x'.repeat(129)])('is refused in a path: %.20s', async (jobId) => {
    const answered = await run.call('acme', `GET /v1/cancellations/${jobId}`);
    expectProblem(answered, 'invalid_request');
  });

  it('is refused in a path that climbs, as raw as it came', async () => {
    const token = run.partners[0]?.token;
    const { hostname, port } = new URL(run.baseUrl);
    for (const path of ['/v1/cancellations/..', '/v1/cancellations/%2e%2e']) {
      const headers = { Authorization: `Bearer ${token}` };
      const [response] = await once(httpRequest({ hostname, port, path, headers }).end(), 'response');
      expect(await json(response)).toMatchObject({ code: 'invalid_request' });
    }
  });

  it.each(['', '?externalId=', '?externalId=a&externalId=b', '?externalId=a&other=b', '?externalId=%ff%00'])(
    'is refused in a query: "%s"',
    async (query) => {
      expectProblem(await run.call('acme', `GET /v1/cancellations${query}`), 'invalid_request');
    },
  );
});

describe('a credential', () => {
  it.each<[string, Record<string, string>]>([
    ['malformed', { Authorization: 'Bearer nonsense' }],
    ['of another scheme', { Authorization: 'Basic YTpi' }],
    ['unknown', { Authorization: `Bearer pcg_local_000000000000_${'A'.repeat(43)}` }],
    ['of another environment', { Authorization: `Bearer pcg_prod_acmelocal001_${'A'.repeat(43)}` }],
    ['wrong', { Authorization: `Bearer pcg_local_acmelocal001_${'A'.repeat(43)}` }],
  ])('that is %s is a 401 that names the scheme', async (_, headers) => {
    const answered = await cancel({ externalId: 'order-7890' }, headers);
    expectProblem(answered, 'unauthorized');
    expect(answered.headers.get('www-authenticate')).toBe('Bearer');
  });
});
