import { describe, expect, test } from 'vitest';
import { givenClients } from '../support/given-clients.ts';
import { givenService } from '../support/given-service.ts';
import { documentedProject } from '../support/names.ts';
import { answer, type Misbehaviour, problem, startFrontServer } from '../support/front-server.ts';

const service = givenService();
const clients = givenClients(service);

describe('an answer that a repeat would not change is unexpected, after one try', () => {
  const html = { 'Content-Type': 'text/html' };
  const json = { 'Content-Type': 'application/json' };
  const cancelled = JSON.stringify({
    jobId: 'j',
    externalId: 'e',
    state: 'closed',
    outcome: 'cancelled',
    jobStatus: 'cancelled',
    pageCount: null,
    successfulPageCount: 1,
    creditsDebited: 0.5,
    attempts: 1,
    requestedAt: '2026-11-24T12:00:00.000Z',
    escalatedAt: null,
    nextLookAt: null,
    closedAt: '2026-11-24T12:00:01.000Z',
  });
  const postponed = cancelled.replace('"outcome":"cancelled"', '"outcome":"postponed"');
  const withoutAttempts = cancelled.replace('"attempts":1,', '');
  test.each<[string, number, Misbehaviour]>([
    ['a page', 200, answer(200, html, '<h1>Sign in to the Wi-Fi</h1>')],
    ['an empty answer', 200, answer(200)],
    ['JSON of another kind', 200, answer(200, json, '[null, 1, "a"]')],
    ['an unknown outcome', 200, answer(200, json, postponed)],
    ['a cancellation that lacks a field', 200, answer(200, json, withoutAttempts)],
    ['a 204', 204, answer(204)],
    ['a body that is too long to be ours', 200, answer(200, json, cancelled.padEnd(10_000_001))],
    ['a page with a 404', 404, answer(404, html, '<h1>Not found</h1>')],
    ['a 409 without its cancellation', 409, problem('job_already_terminal', false, 409)],
    ['a 409 without its candidates', 409, problem('ambiguous_external_id', false, 409)],
    ['a 409 of another operation', 409, problem('job_registered_otherwise', false, 409)],
    ['an unknown problem', 451, problem('not_on_sundays', false, 451)],
    ['a problem named like a method of every object', 400, problem('toString', false, 400)],
    ['a problem named like the prototype of every object', 400, problem('__proto__', false, 400)],
  ])('%s', async (_what, status, misbehaviour) => {
    const { client, requests } = clients.watch();
    clients.front.misbehave(misbehaviour);

    const result = await client.cancel({ externalId: 'order-7890' });

    expect(result).toMatchObject({ kind: 'unexpected', status, detail: expect.any(String) });
    expect(requests()).toHaveLength(1);
  });

  test.each([
    ['an unknown field beside the known ones is ignored', cancelled.replace('{', '{"newer":{"than":"this"},')],
    ['a service that does not send nextLookAt yet is understood', cancelled.replace('"nextLookAt":null,', '')],
  ])('but %s', async (_what, body) => {
    const { client } = clients.watch();
    clients.front.misbehave(answer(200, json, body));

    const result = await client.cancel({ externalId: 'order-7890' });

    expect(result.kind).toBe('cancelled');
  });

  test.each([301, 302, 303, 307, 308])('a redirect (%i), which the client does not follow', async (status) => {
    const elsewhere = await startFrontServer(service.run.baseUrl);
    const { client } = clients.watch();
    clients.front.misbehave(answer(status, { Location: `${elsewhere.url}/v1/cancellations` }));

    const result = await client.cancel({ externalId: 'order-7890' });
    await elsewhere.close();

    expect(result).toMatchObject({ kind: 'unexpected', status });
    expect(elsewhere.requests).toEqual([]);
  });

  test('a redirect whose status a browser hides', async () => {
    let tries = 0;
    const hidden = Object.create(Response.error(), {
      type: { value: 'opaqueredirect' },
      headers: { value: new Headers() },
      body: { value: null },
      status: { value: 0 },
    });
    const client = clients.create({ fetch: () => Promise.resolve((tries += 1) && hidden) });

    expect(await client.cancel({ externalId: 'order-7890' })).toMatchObject({ kind: 'unexpected', status: 302 });
    expect(tries).toBe(1);
  });

  test('with the code and the detail of an unknown problem', async () => {
    const { client } = clients.watch();
    clients.front.misbehave(problem('not_on_sundays', false, 451));

    const result = await client.cancel({ externalId: 'order-7890' });

    expect(result).toMatchObject({
      code: 'not_on_sundays',
      detail: 'It is not_on_sundays.',
      requestId: 'r',
    });
  });
});

describe('the result is invalid, and the client sends nothing, if', () => {
  /** As JavaScript may give it, whatever the types say. */
  const none = [null, 4711] as unknown as string[];

  test('the Idempotency-Key cannot be sent', async () => {
    const fetch = () => Promise.reject(new Error('the client must not send this'));
    for (const idempotencyKey of ['', 'a\nb', 'é', 'x'.repeat(256), ...none]) {
      expect(await clients.create({ fetch }).cancel({ externalId: 'order-7890', idempotencyKey })).toMatchObject({
        kind: 'invalid',
        errors: [{ path: 'Idempotency-Key', message: 'is malformed' }],
      });
    }
  });

  test.each(['..', '', 'a/b', 'a?b', 'é', 'x'.repeat(129), undefined as unknown as string, ...none])(
    'the jobId is %j',
    async (jobId) => {
      const client = clients.create({ fetch: () => Promise.reject(new Error('the client must not send this')) });
      const errors = [{ path: 'jobId', message: 'is malformed' }];

      const result = await client.read({ jobId });

      expect(result).toMatchObject({ kind: 'invalid', errors });
      expect(await client.registerJob({ jobId, externalId: 'x' })).toMatchObject({ kind: 'invalid', errors });
      expect(await client.waitUntilClosed({ jobId })).toMatchObject({ kind: 'invalid', errors });
    },
  );

  test.each([undefined as unknown as string, ...none])('the externalId of a list is %j', async (externalId) => {
    const client = clients.create({ fetch: () => Promise.reject(new Error('the client must not send this')) });

    expect(await client.list({ externalId })).toMatchObject({ kind: 'invalid', errors: [{ path: 'externalId' }] });
  });
});

describe('registerJob', () => {
  test('registers a job, also a second time, but not under another externalId', async () => {
    const client = clients.create();
    const job = { jobId: 'job_client_registered', externalId: 'client registered', projectId: documentedProject };
    service.run.simulator.addJob({ id: job.jobId, externalId: job.externalId });

    const registered = await client.registerJob(job);

    expect(registered).toMatchObject({ kind: 'registered', job: { ...job, verifiedAt: expect.any(String) } });
    expect(await client.registerJob(job)).toMatchObject({ kind: 'registered', job });
    expect(await client.registerJob({ ...job, externalId: 'another' })).toMatchObject({ kind: 'registeredOtherwise' });
    expect(await client.registerJob({ ...job, jobId: 'job_nobodys' })).toMatchObject({ kind: 'notFound' });
    expect(await client.registerJob({ ...job, externalId: '' })).toMatchObject({ kind: 'invalid' });
  });
});
