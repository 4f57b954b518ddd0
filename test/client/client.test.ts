import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ClientRun, quickClock, startClientRun } from '../support/client-run.ts';
import { reconcileNow } from '../support/given-service.ts';

let service: ClientRun;
beforeAll(async () => {
  service = await startClientRun();
});
afterAll(() => service.close());
afterEach(() => service.run.simulator.faults.clear());

let narrowed = 0;
/** acme's credential, with these scopes alone. */
const narrow = async (scopes: string[]) => {
  // The secret, in base64url, may have underscores of its own.
  const [, , keyId = '', ...secret] = service.credential.split('_');
  const { client, tableNames } = service.run.dynamodb;
  const table = { TableName: tableNames.Partners };
  const stored = await client.send(new GetItemCommand({ ...table, Key: { pk: { S: `key#${keyId}` } } }));
  const narrowKeyId = `narrow${++narrowed}`.padEnd(12, '0');
  const item = { ...stored.Item, pk: { S: `key#${narrowKeyId}` }, scopes: { SS: scopes } };
  await client.send(new PutItemCommand({ ...table, Item: item }));
  return `pcg_local_${narrowKeyId}_${secret.join('_')}`;
};

describe('cancel resolves to', () => {
  it('cancelled', async () => {
    const result = await service.createClient().cancel({ externalId: 'order-7890', reason: 'withdrawn' });
    expect(result).toEqual({
      kind: 'cancelled',
      requestId: expect.stringMatching(/^[\w-]+$/),
      cancellation: expect.objectContaining({ outcome: 'cancelled', creditsDebited: 63, attempts: 1 }),
    });
  });

  it('pending, with when to look again', async () => {
    const { externalId, jobId } = await service.newJob({ cancelTakes: 3_600_000 });
    expect(await service.createClient().cancel({ externalId })).toMatchObject({
      kind: 'pending',
      cancellation: { jobId, state: 'open', outcome: null },
      retryAfterMs: 15_000,
    });
  });

  it('tooLate, with how the job ended', async () => {
    const { externalId, jobId } = await service.newJob({ status: 'completed' });
    expect(await service.createClient().cancel({ externalId })).toMatchObject({
      kind: 'tooLate',
      jobStatus: 'completed',
      cancellation: { jobId, outcome: 'too_late' },
    });
  });

  it('unknownToPlangrep', async () => {
    const { externalId } = await service.newJob();
    service.run.simulator.faults.add({ on: 'any', kind: 'status', status: 404, body: '{"code":"not_found"}' });
    expect(await service.createClient().cancel({ externalId })).toMatchObject({
      kind: 'unknownToPlangrep',
      cancellation: { outcome: 'job_not_found' },
    });
  });

  it('ambiguous, and to cancelled when one of the candidates is named', async () => {
    const { externalId, jobId } = await service.newJob();
    await service.run.addJob(externalId, `${jobId}_b`);
    const result = await service.createClient().cancel({ externalId });
    expect(result).toMatchObject({ kind: 'ambiguous', candidates: [{ jobId: `${jobId}_b` }, { jobId }] });
    expect(await service.createClient().cancel({ externalId, jobId })).toMatchObject({
      kind: 'cancelled',
      cancellation: { jobId },
    });
  });

  it('notFound', async () => {
    expect(await service.createClient().cancel({ externalId: 'nobody knows' })).toEqual({
      kind: 'notFound',
      detail: expect.stringContaining('No job of yours'),
      requestId: expect.any(String),
    });
  });

  it('keyReused', async () => {
    const { externalId } = await service.newJob();
    const idempotencyKey = 'client/1';
    await service.createClient().cancel({ externalId, idempotencyKey });
    const result = await service.createClient().cancel({ externalId, idempotencyKey, reason: 'another' });
    expect(result.kind).toBe('keyReused');
  });

  it('invalid, field by field', async () => {
    expect(await service.createClient().cancel({ externalId: '', jobId: 'a b' })).toMatchObject({
      kind: 'invalid',
      errors: [
        { path: 'externalId', message: 'must not be empty' },
        { path: 'jobId', message: expect.any(String) },
      ],
    });
    expect(await service.createClient().cancel({ externalId: 'x', reason: '!'.repeat(9000) })).toMatchObject({
      kind: 'invalid',
      errors: [],
      detail: expect.stringContaining('8192'),
    });
  });

  it('invalid without a request, when an Idempotency-Key could not be sent', async () => {
    const fetch = () => Promise.reject(new Error('nothing may be sent'));
    for (const idempotencyKey of ['', 'a\nb', 'é', 'x'.repeat(256)]) {
      expect(await service.createClient({ fetch }).cancel({ externalId: 'order-7890', idempotencyKey })).toMatchObject({
        kind: 'invalid',
        errors: [{ path: 'Idempotency-Key', message: 'is malformed' }],
      });
    }
  });

  it('unauthorized', async () => {
    const result = await service.createClient({ credential: 'pcg_local_nobody' }).cancel({ externalId: 'order-7890' });
    expect(result).toMatchObject({ kind: 'unauthorized', requestId: expect.any(String) });
  });

  it('forbidden', async () => {
    const reader = service.createClient({ credential: await narrow(['cancellations:read']) });
    expect(await reader.cancel({ externalId: 'order-7890' })).toMatchObject({
      kind: 'forbidden',
      detail: expect.stringContaining('cancellations:write'),
    });
  });

  it('unavailable, once the tries are used up, with the key to ask again with', async () => {
    const { externalId, jobId } = await service.newJob();
    await service.run.addJob(externalId, `${jobId}_b`);
    service.run.simulator.faults.add({ on: 'read', kind: 'status', status: 500 });
    const clock = quickClock();
    const result = await service.createClient({ clock, maxTries: 3 }).cancel({ externalId, idempotencyKey: 'mine' });
    expect(result).toMatchObject({
      kind: 'unavailable',
      status: 503,
      tries: 3,
      retryAfterMs: 2000,
      idempotencyKey: 'mine',
    });
    expect(clock.slept).toHaveLength(2);
    service.run.simulator.faults.clear();
    expect((await service.createClient().cancel({ externalId, idempotencyKey: 'mine' })).kind).toBe('ambiguous');
  });

  it('unexpected, at a wrong baseUrl', async () => {
    const result = await service
      .createClient({ baseUrl: `${service.run.baseUrl}/v2/` })
      .cancel({ externalId: 'order-7890' });
    expect(result).toMatchObject({ kind: 'unexpected', status: 404, code: 'route_not_found' });
  });
});

describe('waitUntilClosed', () => {
  it('follows a slow job at the service’s pace, until it is cancelled', async () => {
    const { externalId } = await service.newJob({ cancelTakes: 3_600_000 });
    const clock = quickClock(async (waits) => {
      if (waits < 3) return;
      service.run.simulator.faults.add({ on: 'read', kind: 'job', fields: { status: 'cancelled' } });
      await reconcileNow(service.run);
    });
    const client = service.createClient({ clock });
    const pending = await client.cancel({ externalId });
    if (pending.kind !== 'pending') throw new Error(pending.kind);

    const result = await client.waitUntilClosed(pending.cancellation);

    expect(result).toMatchObject({ kind: 'cancelled', cancellation: { externalId, state: 'closed' } });
    expect(clock.slept).toHaveLength(3);
    for (const ms of clock.slept) expect(ms).toBeGreaterThanOrEqual(1000);
  });

  it('tells that the job ended first', async () => {
    const { externalId, jobId } = await service.newJob({ cancelTakes: 3_600_000 });
    const clock = quickClock(async () => {
      service.run.simulator.faults.add({ on: 'read', kind: 'job', fields: { status: 'completed' } });
      await reconcileNow(service.run);
    });
    const client = service.createClient({ clock });
    await client.cancel({ externalId });
    expect(await client.waitUntilClosed({ jobId })).toMatchObject({
      kind: 'tooLate',
      jobStatus: 'completed',
      detail: 'The job ended first: completed.',
    });
  });

  it('says pending when the time is up', async () => {
    const { externalId, jobId } = await service.newJob({ cancelTakes: 3_600_000 });
    const clock = quickClock();
    const client = service.createClient({ clock });
    await client.cancel({ externalId });
    expect((await client.waitUntilClosed({ jobId }, { timeoutMs: 60_000 })).kind).toBe('pending');
    expect(clock.now()).toBeLessThan(60_000);
  });

  it('tells at once of a job that nobody asked to cancel, and of a credential that may not look', async () => {
    const { externalId, jobId } = await service.newJob();
    expect((await service.createClient().waitUntilClosed({ jobId })).kind).toBe('notFound');
    const writer = service.createClient({ credential: await narrow(['cancellations:write']) });
    await writer.cancel({ externalId });
    expect((await writer.waitUntilClosed({ jobId })).kind).toBe('forbidden');
    expect((await service.createClient().waitUntilClosed({ jobId: '../jobs' })).kind).toBe('invalid');
  });
});
