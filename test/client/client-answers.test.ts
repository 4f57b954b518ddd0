import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { CancellationClient, type ClientOptions } from '../../client/src/index.ts';
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
  test('the Idempotency-Key cannot be sent', async () => {
    const fetch = () => Promise.reject(new Error('the client must not send this'));
    for (const idempotencyKey of ['', 'a\nb', 'é', 'x'.repeat(256)]) {
      expect(await clients.create({ fetch }).cancel({ externalId: 'order-7890', idempotencyKey })).toMatchObject({
        kind: 'invalid',
        errors: [{ path: 'Idempotency-Key', message: 'is malformed' }],
      });
    }
  });

  test.each(['..', '', 'a/b', 'a?b', 'é', 'x'.repeat(129)])('the jobId is %j', async (jobId) => {
    const client = clients.create({ fetch: () => Promise.reject(new Error('the client must not send this')) });
    const errors = [{ path: 'jobId', message: 'is malformed' }];

    const result = await client.read({ jobId });

    expect(result).toMatchObject({ kind: 'invalid', errors });
    expect(await client.registerJob({ jobId, externalId: 'x' })).toMatchObject({ kind: 'invalid', errors });
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

/** As JavaScript may give it, whatever the types say. */
const withCredential = (credential: unknown): Partial<ClientOptions> => ({ credential: credential as string });

describe('the client', () => {
  test.each<[string, Partial<ClientOptions>, string]>([
    ['an unsafe address', { baseUrl: 'http://cancellations.example' }, 'baseUrl'],
    ['an address that only looks like loopback', { baseUrl: 'http://127.0.0.1.example' }, 'baseUrl'],
    ['an address with a secret', { baseUrl: 'https://user:hunter2@cancellations.example' }, 'baseUrl'],
    ['an address with a query', { baseUrl: 'https://cancellations.example/?key=hunter2' }, 'baseUrl'],
    ['no address', { baseUrl: 'hunter2' }, 'baseUrl'],
    ['no credential', withCredential(undefined), 'credential'],
    ['null in place of a credential', withCredential(null), 'credential'],
    ['a number in place of a credential', withCredential(4711), 'credential'],
    ['an empty credential', { credential: '' }, 'credential'],
    ['a credential with a line break', { credential: 'hunter2\n' }, 'credential'],
    ['no time', { timeoutMs: 0 }, 'timeoutMs'],
    ['no tries', { maxTries: Number.NaN }, 'maxTries'],
  ])('rejects %s, without repeating it in the error', (_what, options, named) => {
    const create = () => clients.create(options);

    expect(create).toThrow(TypeError);
    expect(create).toThrow(named);
    expect(create).not.toThrow('hunter2');
  });

  test.each([
    'https://api.example/prod',
    'https://api.example',
    'http://localhost:1',
    'http://[::1]:1',
    'http://127.9.9.9',
  ])('accepts %s', (baseUrl) => {
    expect(clients.create({ baseUrl })).toBeInstanceOf(CancellationClient);
  });

  test('never shows its credential in what is printed, thrown or resolved', async () => {
    const fetch = (_url: string, init: RequestInit) =>
      Promise.reject(new TypeError(`failed with ${JSON.stringify(init)}`, { cause: { code: clients.credential } }));
    const client = clients.create({ fetch, maxTries: 1 });

    const result = await client.cancel({ externalId: 'order-7890' });
    const shown = [client, result].map((value) => [
      inspect(value, { depth: 9, showHidden: true }),
      JSON.stringify(value),
      String(value as unknown),
      JSON.stringify(Object.getOwnPropertyDescriptors(value)),
    ]);

    expect(result).toMatchObject({ kind: 'unavailable', status: 0, detail: 'No answer: connection failed.' });
    expect(shown.join()).not.toContain(clients.credential.slice(-20));
  });

  test('leaves no listener on a signal after the call', async () => {
    const { signal } = new AbortController();
    const { externalId } = await service.newJob();
    await clients.create().cancel({ externalId }, { signal });

    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
