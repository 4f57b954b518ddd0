import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientRun, startClientRun } from '../support/client-run.ts';
import { answer, busy, cutAnswer, hang, loseAnswer, problem, reset } from '../support/front-server.ts';

let service: ClientRun;
beforeAll(async () => {
  service = await startClientRun();
});
afterAll(() => service.close());

describe('a cancel is tried again', () => {
  it.each([
    ['a 429', busy(0)],
    ['a 503', problem('temporarily_unavailable', true, 503)],
    ['a 504', problem('gateway_timeout', true, 504)],
    ['a 500', problem('internal_error', true, 500)],
    ['a proxy’s 502', answer(502, { 'Content-Type': 'text/html' }, '<h1>Bad gateway</h1>')],
    ['a problem of the future that is retryable', problem('try_on_monday', true, 425)],
    ['a reset connection', reset],
    ['half an answer', cutAnswer],
  ])('after %s, with the same Idempotency-Key', async (_what, misbehaviour) => {
    const { externalId } = await service.newJob();
    const { client, slept, requests } = service.watchClient();
    service.front.misbehave(misbehaviour, misbehaviour);

    const result = await client.cancel({ externalId, reason: 'withdrawn' });

    expect(result.kind).toBe('cancelled');
    const keys = requests().map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    expect(new Set(requests().map(({ body }) => body))).toEqual(
      new Set([JSON.stringify({ externalId, reason: 'withdrawn' })]),
    );
    expect(slept).toHaveLength(2);
  });

  it('after its answer was lost, and Plangrep is called once', async () => {
    const { externalId, jobId } = await service.newJob();
    const { client } = service.watchClient();
    service.front.misbehave(loseAnswer, loseAnswer);
    expect((await client.cancel({ externalId })).kind).toBe('cancelled');
    expect(service.run.simulator.requests.count('cancel', jobId)).toBe(1);
  });

  it('after no answer within a third of its time', async () => {
    const { externalId } = await service.newJob();
    const { client, requests } = service.watchClient({ timeoutMs: 6000 });
    service.front.misbehave(hang);
    expect((await client.cancel({ externalId })).kind).toBe('cancelled');
    expect(requests().length).toBeGreaterThan(1);
  });

  it('with a key of its own for every call, and the caller’s where given', async () => {
    const { externalId } = await service.newJob();
    const { client, requests } = service.watchClient();
    await client.cancel({ externalId });
    await client.cancel({ externalId });
    await client.cancel({ externalId, idempotencyKey: 'mine/1' });
    const [first, second, third] = requests().map(({ headers }) => headers['idempotency-key']);
    expect(first).not.toBe(second);
    expect(third).toBe('mine/1');
  });
});

describe('it waits', () => {
  it('no shorter than Retry-After asks, and not much longer', async () => {
    const { externalId } = await service.newJob();
    const { client, slept } = service.watchClient();
    service.front.misbehave(busy(7), busy(11));
    expect((await client.cancel({ externalId })).kind).toBe('cancelled');
    const [first = 0, second = 0] = slept;
    expect([first >= 7000, first < 7500, second >= 11_000, second < 12_000]).toEqual([true, true, true, true]);
  });

  it('with full jitter below a limit that doubles up to 8 s', async () => {
    const limits = [500, 1000, 2000, 4000, 8000, 8000];
    const firsts = new Set<number>();
    for (let round = 0; round < 10; round += 1) {
      const { client, slept } = service.watchClient({ maxTries: 7, fetch: () => Promise.reject(new Error('down')) });
      expect(await client.read({ jobId: 'job_1' })).toMatchObject({ kind: 'unavailable', status: 0, tries: 7 });
      expect(slept.map((ms, index) => ms >= 0 && ms < (limits[index] ?? 0))).toEqual(limits.map(() => true));
      firsts.add(slept[0] ?? 0);
    }
    expect(firsts.size).toBeGreaterThan(1);
  });

  it('never beyond its time: it says at once what it was asked to wait', async () => {
    const { client, slept, requests } = service.watchClient({ timeoutMs: 5000 });
    service.front.misbehave(busy(900));
    expect(await client.cancel({ externalId: 'order-7890' })).toMatchObject({
      kind: 'unavailable',
      status: 429,
      tries: 1,
      retryAfterMs: 900_000,
      detail: 'It is too_many_requests.',
    });
    expect([slept, requests().length]).toEqual([[], 1]);
  });

  it('by its own measure where Retry-After is no number of seconds', async () => {
    const { client, slept } = service.watchClient({ maxTries: 2 });
    service.front.misbehave(
      answer(503, { 'Retry-After': 'Wed, 21 Oct 2026 07:28:00 GMT' }),
      answer(503, { 'Retry-After': '-1' }),
    );
    expect(await client.cancel({ externalId: 'order-7890' })).toMatchObject({ retryAfterMs: undefined });
    expect(slept[0]).toBeLessThan(500);
  });

  it('through an outage while it waits for the end, no longer than told', async () => {
    const { externalId, jobId } = await service.newJob();
    const { client } = service.watchClient({ maxTries: 2 });
    await client.cancel({ externalId });
    service.front.misbehave(reset, reset, busy(30), answer(502));
    expect((await client.waitUntilClosed({ jobId })).kind).toBe('cancelled');

    const { client: other, slept } = service.watchClient({
      fetch: () => Promise.reject(new Error('down')),
      maxTries: 1,
    });
    expect((await other.waitUntilClosed({ jobId }, { timeoutMs: 50_000 })).kind).toBe('unavailable');
    expect(slept).toEqual([15_000, 15_000, 15_000]);
  });
});
