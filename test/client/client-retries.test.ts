import { getEventListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../client/src/read-options.ts';
import type { ClientOptions } from '../../client/src/index.ts';
import { givenClients } from '../support/given-clients.ts';
import { givenService } from '../support/given-service.ts';
import {
  answer,
  busy,
  cutAnswer,
  hang,
  loseAnswer,
  type Misbehaviour,
  problem,
  reset,
} from '../support/front-server.ts';

const service = givenService();
const clients = givenClients(service);

describe('the client repeats a cancel', () => {
  test.each<[string, Misbehaviour]>([
    ['a 429', busy(0)],
    ['a 503', problem('temporarily_unavailable', true, 503)],
    ['a 504', problem('gateway_timeout', true, 504)],
    ['a 500', problem('internal_error', true, 500)],
    // AWS WAF's answer without a custom response.
    ['a firewall’s 403', answer(403, { 'Content-Type': 'application/json' }, '{"message":"Forbidden"}')],
    ['a proxy’s 502', answer(502, { 'Content-Type': 'text/html' }, '<h1>Bad gateway</h1>')],
    ['an unknown problem that is retryable', problem('try_on_monday', true, 425)],
    ['a reset connection', reset],
    ['half an answer', cutAnswer],
  ])('after %s, with the same Idempotency-Key', async (_what, misbehaviour) => {
    const { externalId } = await service.newJob();
    const { client, slept, requests } = clients.watch();
    clients.front.misbehave(misbehaviour, misbehaviour);

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

  test('after its answer was lost, and the service calls Plangrep once', async () => {
    const { externalId, jobId } = await service.newJob();
    const { client } = clients.watch();
    clients.front.misbehave(loseAnswer, loseAnswer);

    const result = await client.cancel({ externalId });

    expect(result.kind).toBe('cancelled');
    expect(service.run.simulator.requests.count('cancel', jobId)).toBe(1);
  });

  test('if there is no answer within a third of its time', async () => {
    const { externalId } = await service.newJob();
    const { client, requests } = clients.watch({ timeoutMs: 6000 });
    clients.front.misbehave(hang);

    const result = await client.cancel({ externalId });

    expect(result.kind).toBe('cancelled');
    expect(requests().length).toBeGreaterThan(1);
  });

  test('with a new key for every call, or with the key that the caller gave', async () => {
    const { externalId } = await service.newJob();
    const { client, requests } = clients.watch();
    await client.cancel({ externalId });
    await client.cancel({ externalId });
    await client.cancel({ externalId, idempotencyKey: 'mine/1' });
    const [first, second, third] = requests().map(({ headers }) => headers['idempotency-key']);

    expect(first).not.toBe(second);
    expect(third).toBe('mine/1');
  });
});

describe('the service waits for the end of a cancel, if the client asks', () => {
  test('so the result is certain after one request', async () => {
    const { externalId, jobId } = await service.newJob();
    service.plangrepFails({ on: 'cancel', jobId, kind: 'status', status: 500, times: 1 });
    const { client, requests } = clients.watch();

    const result = await client.cancel({ externalId });

    expect(result).toMatchObject({ kind: 'cancelled', cancellation: { attempts: 2 } });
    expect(requests().map(({ headers }) => headers['prefer'])).toEqual(['wait=10']);
  });

  test.each<[Partial<ClientOptions>, string | undefined]>([
    [{ waitSeconds: 3 }, 'wait=3'],
    [{ waitSeconds: 2.9 }, 'wait=2'],
    [{ waitSeconds: 0 }, undefined],
    [{ waitSeconds: -1 }, undefined],
    [{ waitSeconds: Number.NaN }, undefined],
    [{ timeoutMs: 30_000 }, 'wait=5'],
    [{ timeoutMs: 5_000 }, undefined],
  ])('with %j: %j', async (options, prefer) => {
    const { externalId } = await service.newJob();
    const { client, requests } = clients.watch(options);

    expect((await client.cancel({ externalId })).kind).toBe('cancelled');
    expect(requests().map(({ headers }) => headers['prefer'])).toEqual([prefer]);
  });

  test('and every try asks for what is left of the time', async () => {
    const { externalId } = await service.newJob();
    const { client, requests } = clients.watch({ timeoutMs: 30_000 });
    clients.front.misbehave(busy(24));

    expect((await client.cancel({ externalId })).kind).toBe('cancelled');
    expect(requests().map(({ headers }) => headers['prefer'])).toEqual(['wait=5', 'wait=2']);
  });

  test('or waits for its end', async () => {
    const { externalId, jobId } = await service.newJob();
    const { client, requests } = clients.watch();
    await client.cancel({ externalId });

    expect((await client.waitUntilClosed({ jobId })).kind).toBe('cancelled');
    expect(requests().map(({ method, headers }) => [method, headers['prefer']])).toEqual([
      ['POST', 'wait=10'],
      ['GET', 'wait=10'],
    ]);
  });

  test('and only then', async () => {
    const { externalId, jobId } = await service.newJob();
    const { client, requests } = clients.watch();
    await client.registerJob({ jobId, externalId });
    await client.read({ jobId });
    await client.list({ externalId });

    expect(requests().map(({ headers }) => headers['prefer'])).toEqual([undefined, undefined, undefined]);
  });
});

describe('the client waits', () => {
  test('at least as long as Retry-After says, and not much longer', async () => {
    const { externalId } = await service.newJob();
    const { client, slept } = clients.watch();
    clients.front.misbehave(busy(7), busy(11));

    const result = await client.cancel({ externalId });

    expect(result.kind).toBe('cancelled');
    const [first = 0, second = 0] = slept;
    expect([first >= 7000, first < 7500, second >= 11_000, second < 12_000]).toEqual([true, true, true, true]);
  });

  test('with full jitter below a limit that doubles up to 8 s', async () => {
    const limits = [500, 1000, 2000, 4000, 8000, 8000];
    const firsts = new Set<number>();
    for (let round = 0; round < 10; round += 1) {
      const { client, slept } = clients.watch({ maxTries: 7, fetch: () => Promise.reject(new Error('down')) });

      expect(await client.read({ jobId: 'job_1' })).toMatchObject({ kind: 'unavailable', status: 0, tries: 7 });
      expect(slept.map((ms, index) => ms >= 0 && ms < (limits[index] ?? 0))).toEqual(limits.map(() => true));
      firsts.add(slept[0] ?? 0);
    }
    expect(firsts.size).toBeGreaterThan(1);
  });

  test('never beyond its time: it resolves at once, with the wait that the service asked for', async () => {
    const { client, slept, requests } = clients.watch({ timeoutMs: 5000 });
    clients.front.misbehave(busy(900));

    const result = await client.cancel({ externalId: 'order-7890' });

    expect(result).toMatchObject({
      kind: 'unavailable',
      status: 429,
      tries: 1,
      retryAfterMs: 900_000,
      detail: 'It is too_many_requests.',
    });
    expect([slept, requests().length]).toEqual([[], 1]);
  });

  test('with its own backoff if Retry-After is not a number of seconds', async () => {
    const { client, slept } = clients.watch({ maxTries: 2 });
    clients.front.misbehave(
      answer(503, { 'Retry-After': 'Wed, 21 Oct 2026 07:28:00 GMT' }),
      answer(503, { 'Retry-After': '-1' }),
    );

    const result = await client.cancel({ externalId: 'order-7890' });

    expect(result).toMatchObject({ retryAfterMs: undefined });
    expect(slept[0]).toBeLessThan(500);
  });

  test('through an outage while it waits for the end', async () => {
    const { externalId, jobId } = await service.newJob();
    const { client } = clients.watch({ maxTries: 2 });
    await client.cancel({ externalId });
    clients.front.misbehave(reset, reset, busy(30), answer(502));

    const result = await client.waitUntilClosed({ jobId });

    expect(result.kind).toBe('cancelled');
  });

  test('through an outage while it waits for the end, but not beyond its time', async () => {
    const { client, slept } = clients.watch({ fetch: () => Promise.reject(new Error('down')), maxTries: 1 });

    const result = await client.waitUntilClosed({ jobId: 'job_1' }, { timeoutMs: 50_000 });

    expect(result.kind).toBe('unavailable');
    expect(slept).toEqual([15_000, 15_000, 15_000]);
  });
});

describe('an aborted signal ends a call with its reason', () => {
  const reason = new Error('the user cancelled the page');

  test('before it starts, and the client sends nothing', async () => {
    const { client, requests } = clients.watch();
    const signal = AbortSignal.abort(reason);
    for (const call of [
      client.cancel({ externalId: 'order-7890' }, { signal }),
      client.read({ jobId: 'job_1' }, { signal }),
      client.list({ externalId: 'order-7890' }, { signal }),
      client.registerJob({ jobId: 'job_1', externalId: 'x' }, { signal }),
      client.waitUntilClosed({ jobId: 'job_1' }, { signal }),
    ]) {
      await expect(call).rejects.toBe(reason);
    }
    expect(requests()).toEqual([]);
  });

  test.each<[string, (response: ServerResponse) => unknown]>([
    ['while there is no answer', () => undefined],
    ['in the middle of an answer', (response) => response.write('{"jobId":')],
  ])('%s, also in the last try', async (_what, begin) => {
    const { client, requests } = clients.watch({ maxTries: 1 });
    const controller = new AbortController();
    clients.front.misbehave((response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      begin(response);
      setTimeout(() => controller.abort(reason), 50);
    });

    await expect(client.cancel({ externalId: 'order-7890' }, { signal: controller.signal })).rejects.toBe(reason);
    expect(requests()).toHaveLength(1);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  /** A client whose signal is aborted while it waits. */
  function abortWhileWaiting() {
    const controller = new AbortController();
    const clock: ClientOptions['clock'] = {
      now: () => systemClock.now(),
      sleep: (ms, signal) => {
        setTimeout(() => controller.abort(reason), 50);
        return systemClock.sleep(ms, signal);
      },
    };
    return { ...clients.watch({ clock }), signal: controller.signal };
  }

  test('between two tries', async () => {
    const { client, requests, signal } = abortWhileWaiting();
    clients.front.misbehave(busy(30));

    await expect(client.cancel({ externalId: 'order-7890' }, { signal })).rejects.toBe(reason);

    expect(requests()).toHaveLength(1);
  });

  test('between two reads', async () => {
    const { externalId, jobId } = await service.newJob({ cancelTakes: 3_600_000 });
    await clients.create({ waitSeconds: 0 }).cancel({ externalId });
    const { client, requests, signal } = abortWhileWaiting();

    await expect(client.waitUntilClosed({ jobId }, { signal })).rejects.toBe(reason);

    expect(requests()).toHaveLength(1);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('but not after it has resolved', async () => {
    const { externalId } = await service.newJob();
    const controller = new AbortController();

    const result = await clients.watch().client.cancel({ externalId }, { signal: controller.signal });
    controller.abort(reason);

    expect(result.kind).toBe('cancelled');
  });
});
