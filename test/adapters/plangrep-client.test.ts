import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exampleJob } from '../../functions/simulator/plangrep-jobs.ts';
import { type PlangrepSimulator, startPlangrepSimulator } from '../../infra/local/plangrep/plangrep-simulator.ts';
import { documentedJob, documentedProject, jobId } from '../support/names.ts';
import { API_KEY, callNames, calls, clientOf, keyOf } from '../support/plangrep-calls.ts';

const NOW = Date.parse('2026-11-02T09:00:00.000Z');
const LATER = NOW + 60_000;

let simulator: PlangrepSimulator;
beforeEach(async () => {
  simulator = await startPlangrepSimulator({ apiKey: API_KEY, jobs: [exampleJob] });
});
afterEach(() => simulator.close());

const connect = () => clientOf(simulator.url, keyOf(API_KEY), () => NOW);
const answersNext = (status: number, body = '', headers: Record<string, string> = {}): void =>
  simulator.faults.add({ on: 'any', kind: 'status', status, body, headers, times: 1 });

const processing = {
  id: documentedJob,
  status: 'processing',
  externalId: 'order-7890',
  projectId: documentedProject,
  pageCount: 204,
  successfulPageCount: 63,
  creditsDebited: 63,
  createdAt: '2024-11-02T09:00:00.000Z',
  updatedAt: '2024-11-02T09:22:00.000Z',
  expiresAt: '2024-11-09T09:00:00.000Z',
};

describe('A call that Plangrep answers', () => {
  test('cancels the job and shows it cancelled', async () => {
    const answer = await connect().cancel(documentedJob, LATER);

    const { status, updatedAt, completedAt } = simulator.job(documentedJob) ?? {};
    expect(answer).toEqual({ kind: 'job', job: { ...processing, status, updatedAt, completedAt } });
    expect([status, completedAt]).toEqual(['cancelled', expect.any(String)]);
  });

  test('shows a job that is still processing after its cancel', async () => {
    simulator.addJob({ id: documentedJob, cancelTakes: 60_000 });

    expect(await connect().cancel(documentedJob, LATER)).toEqual({ kind: 'job', job: processing });
  });

  test('reads a job', async () => {
    expect(await connect().read(documentedJob, LATER)).toEqual({ kind: 'job', job: processing });
  });

  test("lists a project's jobs", async () => {
    const list = await connect().list(documentedProject, LATER);
    const { id, status, externalId, projectId, createdAt, updatedAt, expiresAt } = processing;

    expect(list).toMatchObject({ kind: 'jobs', count: 1, unreadable: 0, listedAt: expect.any(Number) });
    expect(list.kind === 'jobs' && list.jobsOf('order-7890')).toEqual({
      jobs: [{ id, status, externalId, projectId, createdAt, updatedAt, expiresAt }],
      isWhole: true,
    });
  });

  test('reads a job that has only id and status', async () => {
    answersNext(200, JSON.stringify({ job: { id: documentedJob, status: 'uploading' } }));

    expect(await connect().read(documentedJob, LATER)).toEqual({
      kind: 'job',
      job: { id: documentedJob, status: 'uploading' },
    });
  });

  test.each([
    { pageCount: null, successfulPageCount: null, billing: null, externalId: null },
    { pageCount: -1, successfulPageCount: 1.5, billing: { creditsDebited: -3 } },
    { pageCount: '204', successfulPageCount: {}, billing: { creditsDebited: '63' } },
    { projectId: '../x', createdAt: 'yesterday', billing: 'none', files: 'none', surprise: [1] },
    { updatedAt: 7, completedAt: null, expiresAt: '2026-13-01T00:00:00Z' },
  ])('treats a field that is not as documented as absent: %j', async (fields) => {
    const body = { job: { id: documentedJob, status: 'processing', ...fields }, also: true };
    answersNext(200, JSON.stringify(body));

    expect(await connect().read(documentedJob, LATER)).toEqual({
      kind: 'job',
      job: { id: documentedJob, status: 'processing' },
    });
  });

  test.each([7, '', {}, [], true])(
    'does not take a job of the externalId %j for one without an externalId',
    async (id) => {
      answersNext(200, JSON.stringify({ job: { id: documentedJob, status: 'processing', externalId: id } }));

      expect(await connect().read(documentedJob, LATER)).toMatchObject({ job: { externalId: '' } });
    },
  );

  test.each(['x'.repeat(181), 'a\u0000b', 'a\uFFFDb'])(
    'keeps the externalId %j as it is, to compare it',
    async (id) => {
      answersNext(200, JSON.stringify({ job: { id: documentedJob, status: 'processing', externalId: id } }));

      expect(await connect().read(documentedJob, LATER)).toMatchObject({ job: { externalId: id } });
    },
  );

  test('keeps an undocumented status', async () => {
    simulator.faults.add({ on: 'read', kind: 'job', fields: { status: 'on_hold' } });

    expect(await connect().read(documentedJob, LATER)).toMatchObject({ kind: 'job', job: { status: 'on_hold' } });
  });
});

describe('An unreliable answer', () => {
  test.each(['cancel', 'read'] as const)('is unknown when a %s shows another job', async (name) => {
    simulator.faults.add({ on: name, kind: 'job', fields: { id: 'job_another' } });

    expect(await calls[name](connect(), LATER)).toEqual({ kind: 'unknown', why: 'wrong_job', httpStatus: 200 });
  });

  const unreadable = {
    'an empty body': '',
    'truncated JSON': '{"job":{"id":"job_01hy',
    HTML: '<html>Welcome</html>',
    'another JSON': '[]',
    'no job': '{"job":null,"jobs":null}',
    'a malformed id': '{"job":{"id":"..","status":"failed"}}',
    'a malformed status': `{"job":{"id":"${documentedJob}","status":"a\\nb"}}`,
    'no status': `{"job":{"id":"${documentedJob}"}}`,
    'the key in it': `{"job":{"id":"${documentedJob}","status":"${API_KEY}"},"jobs":"${API_KEY}"}`,
  };
  describe.each(callNames)('of a %s', (name) => {
    test.each(Object.entries(unreadable))('is unknown with %s', async (_, body) => {
      answersNext(200, body);

      expect(await calls[name](connect(), LATER)).toEqual({
        kind: 'unknown',
        why: 'unreadable_answer',
        httpStatus: 200,
      });
    });

    test('is unknown when few bytes would become too many', async () => {
      simulator.faults.add({ on: name, kind: 'gzip_bomb' });

      expect(await calls[name](connect(), LATER)).toEqual({
        kind: 'unknown',
        why: name === 'list' ? 'unreadable_answer' : 'oversized_answer',
        httpStatus: 200,
      });
    });

    test('is read with Content-Encoding identity', async () => {
      const job = { id: documentedJob, status: 'failed' };
      answersNext(200, JSON.stringify({ job, jobs: [job] }), { 'Content-Encoding': 'Identity' });

      expect(await calls[name](connect(), LATER)).toMatchObject({ kind: name === 'list' ? 'jobs' : 'job' });
    });

    test.each([301, 302, 303, 304, 307, 308])(
      'is unknown after a redirect (%i), which is not followed',
      async (status) => {
        answersNext(status, '', { Location: `${simulator.url}/api/open/v1/jobs/${documentedJob}` });
        expect(await calls[name](connect(), LATER)).toEqual({ kind: 'unknown', why: 'redirect', httpStatus: status });
        expect(simulator.requests.all()).toHaveLength(1);
      },
    );

    test.each([500, 502, 503, 504, 599])('is unknown after %i, and the call is not repeated', async (status) => {
      answersNext(status, '<html>Bad gateway</html>');

      expect(await calls[name](connect(), LATER)).toEqual({ kind: 'unknown', why: 'server_error', httpStatus: status });
      expect(simulator.requests.all()).toHaveLength(1);
    });

    test.each([408, 425])(
      'is unknown after %i: it may come from a proxy that forwarded the request or not',
      async (status) => {
        answersNext(status);
        expect(await calls[name](connect(), LATER)).toEqual({ kind: 'unknown', why: 'timeout', httpStatus: status });
      },
    );
  });
});

describe('A rejection', () => {
  test.each(['read', 'list'] as const)('with 404 means for a %s that it does not exist', async (name) => {
    answersNext(404, '<html>');

    expect(await calls[name](connect(), LATER)).toEqual({ kind: 'not_found' });
  });

  test('with 404 is an ordinary rejection for a cancel', async () => {
    expect(await connect().cancel(jobId('job_nobody'), LATER)).toEqual({
      kind: 'refused',
      httpStatus: 404,
      code: 'job_not_found',
    });
  });

  test('of a second cancel has a code that says why', async () => {
    const plangrep = connect();
    await plangrep.cancel(documentedJob, LATER);

    expect(await plangrep.cancel(documentedJob, LATER)).toEqual({
      kind: 'refused',
      httpStatus: 409,
      code: 'job_already_terminal',
    });
  });

  test.each([
    ['{"code":"not.allowed-1_a","message":"x"}', 'not.allowed-1_a'],
    ['{"error":{"code":"nested","message":"x"}}', 'nested'],
    ['{"code":7,"error":{"code":"nested"}}', 'nested'],
    ['{"error":"text"}', undefined],
    ['{"code":"two words"}', undefined],
    [`{"code":"${'x'.repeat(65)}"}`, undefined],
    [`{"code":"${API_KEY}"}`, undefined],
    ['<html>Forbidden</html>', undefined],
    ['{"code":"cut', undefined],
    ['', undefined],
  ])('carries the code of %s: %s', async (body, code) => {
    answersNext(403, body);

    expect(await connect().cancel(documentedJob, LATER)).toEqual({ kind: 'refused', httpStatus: 403, code });
  });

  test.each(callNames)('with 429 is a separate kind for a %s', async (name) => {
    answersNext(429, '{"code":"slow_down"}', { 'Retry-After': '30' });

    expect(await calls[name](connect(), LATER)).toEqual({ kind: 'rate_limited', retryAfterMs: 30_000 });
  });

  test.each([
    ['1', 1_000],
    ['0', 1_000],
    ['99999999999999999999', 900_000],
    ['Mon, 02 Nov 2026 09:00:42 GMT', 42_000],
    ['Mon, 02 Nov 2026 08:00:00 GMT', 1_000],
    ['Tue, 03 Nov 2026 09:00:00 GMT', 900_000],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['Xxx, 99 Yyy 2026 09:00:00 GMT', undefined],
    ['', undefined],
  ])('reads Retry-After %j as %s ms', async (value, retryAfterMs) => {
    answersNext(429, '', { 'Retry-After': value, Date: new Date(NOW).toUTCString() });

    expect(await connect().read(documentedJob, LATER)).toEqual({ kind: 'rate_limited', retryAfterMs });
  });

  test('without Retry-After has no wait', async () => {
    answersNext(429);

    expect(await connect().read(documentedJob, LATER)).toEqual({ kind: 'rate_limited', retryAfterMs: undefined });
  });
});
