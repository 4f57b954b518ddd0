import { describe, expect, test } from 'vitest';
import { firewallRefusal, renderGatewayResponse } from '../../infra/blueprint/api.ts';
import { answer } from '../support/front-server.ts';
import { givenClients, quickClock } from '../support/given-clients.ts';
import { givenService } from '../support/given-service.ts';

const service = givenService();
const clients = givenClients(service);
/** For a job that does not end within seconds. */
const withoutWaiting = { waitSeconds: 0 };

describe('cancel resolves to', () => {
  test('cancelled', async () => {
    const result = await clients.create().cancel({ externalId: 'order-7890', reason: 'withdrawn' });

    expect(result).toEqual({
      kind: 'cancelled',
      requestId: expect.stringMatching(/^[\w-]+$/),
      cancellation: expect.objectContaining({ outcome: 'cancelled', creditsDebited: 63, attempts: 1 }),
    });
  });

  test('pending, with when to look again', async () => {
    const { externalId, jobId } = await service.newJob({ cancelTakes: 3_600_000 });

    const result = await clients.create(withoutWaiting).cancel({ externalId });

    expect(result).toMatchObject({
      kind: 'pending',
      cancellation: { jobId, state: 'open', outcome: null },
      retryAfterMs: expect.toSatisfy((ms: number) => ms > 5_000 && ms <= 7_000),
    });
  });

  test('tooLate, with how the job ended', async () => {
    const { externalId, jobId } = await service.newJob({ status: 'completed' });

    const result = await clients.create().cancel({ externalId });

    expect(result).toMatchObject({
      kind: 'tooLate',
      jobStatus: 'completed',
      cancellation: { jobId, outcome: 'too_late' },
    });
  });

  test('unknownToPlangrep', async () => {
    const names = await service.newJob();
    await service.unknownForMinutes(names);
    service.plangrepFails({ on: 'any', kind: 'status', status: 404, body: '{"code":"not_found"}' });

    const result = await clients.create().cancel({ externalId: names.externalId });

    expect(result).toMatchObject({
      kind: 'unknownToPlangrep',
      cancellation: { outcome: 'job_not_found' },
    });
  });

  test('ambiguous, and to cancelled when the caller names one of the candidates', async () => {
    const { externalId, jobId } = await service.newJob();
    await service.run.addJob(externalId, `${jobId}_b`);

    const result = await clients.create().cancel({ externalId });

    expect(result).toMatchObject({ kind: 'ambiguous', candidates: [{ jobId: `${jobId}_b` }, { jobId }] });
    expect(await clients.create().cancel({ externalId, jobId })).toMatchObject({
      kind: 'cancelled',
      cancellation: { jobId },
    });
  });

  test('notFound', async () => {
    const result = await clients.create().cancel({ externalId: 'unknown order' });

    expect(result).toEqual({
      kind: 'notFound',
      detail: expect.stringContaining('No job of yours'),
      requestId: expect.any(String),
    });
  });

  test('keyReused', async () => {
    const { externalId } = await service.newJob();
    const idempotencyKey = 'client/1';
    await clients.create().cancel({ externalId, idempotencyKey });

    const result = await clients.create().cancel({ externalId, idempotencyKey, reason: 'another' });

    expect(result.kind).toBe('keyReused');
  });

  test('invalid, field by field', async () => {
    const result = await clients.create().cancel({ externalId: '', jobId: 'a b' });

    expect(result).toMatchObject({
      kind: 'invalid',
      errors: [
        { path: 'externalId', message: 'must not be empty' },
        { path: 'jobId', message: expect.any(String) },
      ],
    });
    expect(await clients.create().cancel({ externalId: 'x', reason: '!'.repeat(9000) })).toMatchObject({
      kind: 'invalid',
      errors: [],
      detail: expect.stringContaining('8192'),
    });
  });

  test('unauthorized', async () => {
    const result = await clients.create({ credential: 'pcg_local_unknown' }).cancel({ externalId: 'order-7890' });

    expect(result).toMatchObject({ kind: 'unauthorized', requestId: expect.any(String) });
  });

  test('forbidden', async () => {
    const reader = clients.create({ credential: await clients.narrow(['cancellations:read']) });

    const result = await reader.cancel({ externalId: 'order-7890' });

    expect(result).toMatchObject({
      kind: 'forbidden',
      detail: expect.stringContaining('cancellations:write'),
    });
  });

  test('forbidden by the firewall of the service, at once', async () => {
    const { client, requests } = clients.watch();
    const { statusCode, headers, body } = firewallRefusal;
    clients.front.misbehave(answer(statusCode, { 'Content-Type': 'application/json', ...headers }, body));

    const result = await client.cancel({ externalId: 'order-7890' });

    expect(result).toEqual({ kind: 'forbidden', detail: expect.stringContaining('firewall'), requestId: 'none' });
    expect(requests()).toHaveLength(1);
  });

  test('unavailable with the time to wait, when the firewall of the service counted too many requests', async () => {
    const { client, slept } = clients.watch();
    const { statusCode, headers, body } = renderGatewayResponse('WAF_FILTERED', 'request-1');
    clients.front.misbehave(answer(statusCode, headers, body));

    const result = await client.cancel({ externalId: 'order-7890', idempotencyKey: 'mine' });

    expect(result).toMatchObject({ kind: 'unavailable', status: 429, retryAfterMs: 300_000, idempotencyKey: 'mine' });
    expect(slept).toEqual([]);
  });

  test('unavailable where a foreign firewall or proxy answers 403 to every try, with the key for a repeat', async () => {
    const { client } = clients.watch({ maxTries: 2 });
    const forbidden = answer(403, { 'Content-Type': 'text/html' }, '<h1>Forbidden</h1>');
    clients.front.misbehave(forbidden, forbidden);

    expect(await client.cancel({ externalId: 'order-7890', idempotencyKey: 'mine' })).toMatchObject({
      kind: 'unavailable',
      status: 403,
      tries: 2,
      idempotencyKey: 'mine',
      detail: "HTTP 403: not this service's answer. A firewall or proxy?",
    });
  });

  test('unavailable after the last try, with the key for a repeat', async () => {
    const { externalId, jobId } = await service.newJob();
    await service.run.addJob(externalId, `${jobId}_b`);
    service.plangrepFails({ on: 'read', kind: 'status', status: 500 });
    const clock = quickClock();

    const result = await clients.create({ clock, maxTries: 3 }).cancel({ externalId, idempotencyKey: 'mine' });

    expect(result).toMatchObject({
      kind: 'unavailable',
      status: 503,
      tries: 3,
      retryAfterMs: 2000,
      idempotencyKey: 'mine',
    });
    expect(clock.slept).toHaveLength(2);
    service.run.simulator.faults.clear();
    expect((await clients.create().cancel({ externalId, idempotencyKey: 'mine' })).kind).toBe('ambiguous');
  });

  test('unexpected, at a wrong baseUrl', async () => {
    const result = await clients.create({ baseUrl: `${service.run.baseUrl}/v2/` }).cancel({ externalId: 'order-7890' });

    expect(result).toMatchObject({ kind: 'unexpected', status: 404, code: 'route_not_found' });
  });
});

describe('waitUntilClosed', () => {
  test('reads a slow job as often as the service suggests, until it is cancelled', async () => {
    const { externalId } = await service.newJob({ cancelTakes: 3_600_000 });
    const clock = quickClock(async (waits) => {
      if (waits < 3) return;
      service.plangrepFails({ on: 'read', kind: 'job', fields: { status: 'cancelled' } });
      await service.reconcile();
    });
    const client = clients.create({ clock, ...withoutWaiting });
    const pending = await client.cancel({ externalId });
    if (pending.kind !== 'pending') throw new Error(pending.kind);

    const result = await client.waitUntilClosed(pending.cancellation);

    expect(result).toMatchObject({ kind: 'cancelled', cancellation: { externalId, state: 'closed' } });
    expect(clock.slept).toHaveLength(3);
    for (const ms of clock.slept) expect(ms).toBeGreaterThanOrEqual(1000);
  });

  test('resolves to tooLate if the job ended first', async () => {
    const { externalId, jobId } = await service.newJob({ cancelTakes: 3_600_000 });
    const clock = quickClock(async () => {
      service.plangrepFails({ on: 'read', kind: 'job', fields: { status: 'completed' } });
      await service.reconcile();
    });
    const client = clients.create({ clock, ...withoutWaiting });
    await client.cancel({ externalId });

    const result = await client.waitUntilClosed({ jobId });

    expect(result).toMatchObject({
      kind: 'tooLate',
      jobStatus: 'completed',
      detail: 'The job ended first: completed.',
    });
  });

  test('resolves to pending at the end of its time', async () => {
    const { externalId, jobId } = await service.newJob({ cancelTakes: 3_600_000 });
    const clock = quickClock();
    const client = clients.create({ clock, ...withoutWaiting });
    await client.cancel({ externalId });

    const result = await client.waitUntilClosed({ jobId }, { timeoutMs: 60_000 });

    expect(result.kind).toBe('pending');
    expect(clock.now()).toBeLessThan(60_000);
  });

  test('resolves at once if no cancellation was requested, or the credential lacks the scope', async () => {
    const { externalId, jobId } = await service.newJob();

    const result = await clients.create().waitUntilClosed({ jobId });

    expect(result.kind).toBe('notFound');
    const writer = clients.create({ credential: await clients.narrow(['cancellations:write']) });
    await writer.cancel({ externalId });
    expect((await writer.waitUntilClosed({ jobId })).kind).toBe('forbidden');
    expect((await clients.create().waitUntilClosed({ jobId: '../jobs' })).kind).toBe('invalid');
  });
});

describe('read and list', () => {
  test('show a cancellation with its timeline', async () => {
    const { externalId, jobId } = await service.newJob();
    const client = clients.create();
    await client.cancel({ externalId, reason: 'withdrawn' });

    const found = await client.read({ jobId });
    const timeline = [expect.objectContaining({ type: 'requested', reason: 'withdrawn' }), { type: 'closed' }];

    expect(found).toMatchObject({ kind: 'found', cancellation: { jobId, timeline }, retryAfterMs: undefined });
    const cancellations = found.kind === 'found' ? [found.cancellation] : [];
    expect(await client.list({ externalId })).toEqual({
      kind: 'listed',
      cancellations,
      refusals: [],
      refusedCount: 0,
      nextCursor: null,
      requestId: expect.any(String),
    });
  });

  test('lead through all pages of an externalId, each job once', async () => {
    const { externalId } = service.newNames();
    const jobIds = Array.from({ length: 22 }, (_, n) => `job_paged_${n}`);
    for (const jobId of jobIds) await service.run.addJob(externalId, jobId);
    for (const jobId of jobIds) await service.cancel({ externalId, jobId });
    const client = clients.create();
    const shown: string[] = [];

    let page = await client.list({ externalId });
    while (page.kind === 'listed') {
      shown.push(...page.cancellations.map(({ jobId }) => jobId));
      if (page.nextCursor === null) break;
      page = await client.list({ externalId, cursor: page.nextCursor });
    }

    expect(shown.toSorted()).toEqual(jobIds.toSorted());
    const wrong = { kind: 'invalid', errors: [{ path: 'cursor' }] };
    expect(await client.list({ externalId, cursor: 'AAAA' })).toMatchObject(wrong);
    const silent = clients.create({ fetch: () => Promise.reject(new Error('the client must not send this')) });
    expect(await silent.list({ externalId, cursor: 'x&externalId=order-7890' })).toMatchObject(wrong);
  });

  test('take every externalId that can be sent, and reject the others', async () => {
    const externalId = 'a/b ?&=#%2F ☃ 🙂';
    await service.run.addJob(externalId, 'job_client_odd');
    await clients.create().cancel({ externalId });

    const result = await clients.create().list({ externalId });

    expect(result).toMatchObject({
      kind: 'listed',
      cancellations: [{ externalId }],
    });
    expect(await clients.create().list({ externalId: 'half \ud83d' })).toMatchObject({
      kind: 'invalid',
      errors: [{ path: 'externalId' }],
    });
    expect((await clients.create().cancel({ externalId: 'half \ud83d' })).kind).toBe('invalid');
  });

  test('find nothing of another partner', async () => {
    const result = await clients.create().list({ externalId: 'order-9001' });

    expect(result.kind).toBe('notFound');
    expect((await clients.create().read({ jobId: 'job_glbx00000000000000000009001' })).kind).toBe('notFound');
  });
});
