import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CancellationClient } from '../../client/src/index.ts';
import { type ClientRun, startClientRun } from '../support/client-run.ts';

let service: ClientRun;
beforeAll(async () => {
  service = await startClientRun();
});
afterAll(() => service.close());

describe('read and list', () => {
  it('show a cancellation with its timeline', async () => {
    const { externalId, jobId } = await service.newJob();
    const client = service.createClient();
    await client.cancel({ externalId, reason: 'withdrawn' });
    const found = await client.read({ jobId });
    const timeline = [expect.objectContaining({ type: 'requested', reason: 'withdrawn' }), { type: 'closed' }];
    expect(found).toMatchObject({ kind: 'found', cancellation: { jobId, timeline }, retryAfterMs: undefined });
    const cancellations = found.kind === 'found' ? [found.cancellation] : [];
    expect(await client.list({ externalId })).toEqual({
      kind: 'listed',
      cancellations,
      requestId: expect.any(String),
    });
  });

  it('take any externalId that can be sent, and refuse what cannot', async () => {
    const externalId = 'a/b ?&=#%2F ☃ 🙂';
    await service.run.addJob(externalId, 'job_client_odd');
    await service.createClient().cancel({ externalId });
    expect(await service.createClient().list({ externalId })).toMatchObject({
      kind: 'listed',
      cancellations: [{ externalId }],
    });
    expect(await service.createClient().list({ externalId: 'half \ud83d' })).toMatchObject({
      kind: 'invalid',
      errors: [{ path: 'externalId' }],
    });
    expect((await service.createClient().cancel({ externalId: 'half \ud83d' })).kind).toBe('invalid');
  });

  it('find nothing of another partner', async () => {
    expect((await service.createClient().list({ externalId: 'order-9001' })).kind).toBe('notFound');
    expect((await service.createClient().read({ jobId: 'job_glbx00000000000000000009001' })).kind).toBe('notFound');
  });

  it.each(['..', '', 'a/b', 'a?b', 'é', 'x'.repeat(129)])('refuse the jobId %j without a request', async (jobId) => {
    const client = service.createClient({ fetch: () => Promise.reject(new Error('nothing may be sent')) });
    const errors = [{ path: 'jobId', message: 'is malformed' }];
    expect(await client.read({ jobId })).toMatchObject({ kind: 'invalid', errors });
    expect(await client.registerJob({ jobId, externalId: 'x' })).toMatchObject({ kind: 'invalid', errors });
  });
});

describe('registerJob', () => {
  it('registers, again with the same, and otherwise not', async () => {
    const client = service.createClient();
    const job = { jobId: 'job_client_registered', externalId: 'client registered', projectId: 'proj_1' };
    const registered = await client.registerJob(job);
    expect(registered).toMatchObject({ kind: 'registered', job });
    expect(await client.registerJob(job)).toMatchObject({ kind: 'registered', job });
    expect(await client.registerJob({ ...job, externalId: 'another' })).toMatchObject({ kind: 'registeredOtherwise' });
    expect(await client.registerJob({ ...job, externalId: '' })).toMatchObject({ kind: 'invalid' });
  });
});

describe('the client', () => {
  it.each([
    ['an unsafe address', { baseUrl: 'http://cancellations.example' }, 'baseUrl'],
    ['an address that only looks like loopback', { baseUrl: 'http://127.0.0.1.example' }, 'baseUrl'],
    ['an address with a secret', { baseUrl: 'https://user:hunter2@cancellations.example' }, 'baseUrl'],
    ['an address with a query', { baseUrl: 'https://cancellations.example/?key=hunter2' }, 'baseUrl'],
    ['no address', { baseUrl: 'hunter2' }, 'baseUrl'],
    ['an empty credential', { credential: '' }, 'credential'],
    ['a credential with a line break', { credential: 'hunter2\n' }, 'credential'],
    ['no time', { timeoutMs: 0 }, 'timeoutMs'],
    ['no tries', { maxTries: Number.NaN }, 'maxTries'],
  ])('refuses %s, and does not repeat it', (_what, options, named) => {
    const create = () => service.createClient(options);
    expect(create).toThrow(TypeError);
    expect(create).toThrow(named);
    expect(create).not.toThrow('hunter2');
  });

  it.each([
    'https://api.example/prod',
    'https://api.example',
    'http://localhost:1',
    'http://[::1]:1',
    'http://127.9.9.9',
  ])('takes %s', (baseUrl) => {
    expect(service.createClient({ baseUrl })).toBeInstanceOf(CancellationClient);
  });

  it('shows its credential in nothing that is printed, thrown or resolved', async () => {
    const fetch = (_url: string, init: RequestInit) =>
      Promise.reject(new TypeError(`failed with ${JSON.stringify(init)}`, { cause: { code: service.credential } }));
    const client = service.createClient({ fetch, maxTries: 1 });
    const result = await client.cancel({ externalId: 'order-7890' });
    const shown = [client, result].map((value) => [
      inspect(value, { depth: 9, showHidden: true }),
      JSON.stringify(value),
      String(value as unknown),
      JSON.stringify(Object.getOwnPropertyDescriptors(value)),
    ]);
    expect(result).toMatchObject({ kind: 'unavailable', status: 0, detail: 'No answer: connection failed.' });
    expect(shown.join()).not.toContain(service.credential.slice(-20));
  });

  it('leaves no listener on a signal that outlives the call', async () => {
    const { signal } = new AbortController();
    const { externalId } = await service.newJob();
    await service.createClient().cancel({ externalId }, { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
