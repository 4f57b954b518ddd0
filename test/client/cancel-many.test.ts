import { describe, expect, test } from 'vitest';
import type { ManyResult, Planned } from '../../client/src/index.ts';
import { answer, busy, loseAnswer, problem } from '../support/front-server.ts';
import { givenClients } from '../support/given-clients.ts';
import { givenService } from '../support/given-service.ts';

const service = givenService();
const clients = givenClients(service);

const newOrders = (count: number) => Promise.all(Array.from({ length: count }, () => service.newJob()));
const newOrder = () => service.newJob();
const cancelsOf = (jobId: string): number => service.run.simulator.requests.count('cancel', jobId);
const planned = (plan: { readonly kind: string }): Planned => {
  if (!isPlan(plan)) throw new Error(`no plan: ${JSON.stringify(plan)}`);
  return plan;
};
const isPlan = (plan: { readonly kind: string }): plan is Planned => plan.kind === 'planned';

describe('cancelMany', () => {
  test('shows what would be done, and does it only when it is run', async () => {
    const orders = await newOrders(12);
    const cancelled = await newOrder();
    await service.cancel({ externalId: cancelled.externalId });
    const client = clients.create();

    const plan = planned(
      await client.cancelMany([...orders, { externalId: 'order-7893' }, { externalId: 'none' }, cancelled]),
    );

    expect(plan.summary).toMatchObject({
      will_cancel: 12,
      ambiguous: 1,
      not_found: 1,
      already_ended: 1,
      unresolved: 0,
    });
    expect(plan.orders[12]?.candidates).toHaveLength(2);
    expect(orders.map(({ jobId }) => cancelsOf(jobId))).toEqual(orders.map(() => 0));

    const seen: number[] = [];
    const results = await plan.run({ onProgress: ({ done }) => seen.push(done) });

    expect(results.map(({ result }) => result.kind)).toEqual(orders.map(() => 'cancelled'));
    expect(results.map(({ jobId }) => jobId)).toEqual(orders.map(({ jobId }) => jobId));
    expect(seen).toEqual(orders.map((_, n) => n + 1));
    expect(orders.map(({ jobId }) => cancelsOf(jobId))).toEqual(orders.map(() => 1));
  });

  test('never reaches a job that was submitted after the preview', async () => {
    const order = await newOrder();
    const plan = planned(await clients.create().cancelMany([order]));
    service.run.simulator.addJob({ id: order.jobId, externalId: order.externalId, status: 'completed' });
    await service.run.addJob(order.externalId, `${order.jobId}_again`);

    const [ended] = await plan.run();

    expect(ended).toMatchObject({ jobId: order.jobId, result: { kind: 'tooLate' } });
    expect(cancelsOf(`${order.jobId}_again`)).toBe(0);
  });

  test('continues in another process where the first one was killed, and cancels nothing twice', async () => {
    const orders = await newOrders(6);
    const plan = planned(await clients.create().cancelMany(orders));
    const kept: ManyResult[] = [];
    const killed = new AbortController();
    const onResult = (result: ManyResult): void => {
      kept.push(result);
      if (kept.length === 3) killed.abort(new Error('killed'));
    };
    await expect(plan.run({ onResult, signal: killed.signal, concurrency: 2 })).rejects.toThrow('killed');
    const stored = JSON.parse(JSON.stringify({ plan, kept: kept.slice(0, 2) }));
    const { client, requests } = clients.watch();

    const results = await client.continueMany(stored.plan, stored.kept).run();

    expect(results.map(({ result }) => result.kind)).toEqual(orders.map(() => 'cancelled'));
    expect(requests()).toHaveLength(4);
    expect(orders.map(({ jobId }) => cancelsOf(jobId))).toEqual(orders.map(() => 1));
  });

  test('repeats a cancel whose answer was lost under the same key', async () => {
    const order = await newOrder();
    const { client, requests } = clients.watch();
    const plan = planned(await client.cancelMany([order]));
    clients.front.misbehave(loseAnswer);

    const [ended] = await plan.run();

    expect(ended?.result.kind).toBe('cancelled');
    expect(cancelsOf(order.jobId)).toBe(1);
    const keys = requests().flatMap(({ headers }) => headers['idempotency-key'] ?? []);
    expect(keys).toEqual([`${plan.token}-${order.jobId}`, `${plan.token}-${order.jobId}`]);
  });

  test('waits for what the service accepted, and leaves it pending when that takes too long', async () => {
    const jobId = 'job_many_slow';
    await service.run.addJob('order-many-slow', jobId, { cancelTakes: 10_000_000 });
    const client = clients.create({ waitSeconds: 0 });
    const plan = planned(await client.cancelMany([{ externalId: 'order-many-slow' }]));

    const [first] = await plan.run();
    const [second] = await plan.run();

    expect([first?.result.kind, second?.result.kind]).toEqual(['pending', 'pending']);
    const shown = await service.show(jobId);
    expect(shown.body['joinedCount']).toBe(0);
  });
});

describe('many cancels stay behind single requests', () => {
  test('a 429 to a single request pauses them for as long as it says', async () => {
    const orders = await newOrders(3);
    const { client, slept } = clients.watch({ maxTries: 1 });
    const plan = planned(await client.cancelMany(orders));
    clients.front.misbehave(busy(30));
    expect(await client.list({ externalId: 'order-7890' })).toMatchObject({ kind: 'unavailable', status: 429 });
    expect(slept).toEqual([]);

    await plan.run();

    expect(slept).toEqual([30_000]);
  });

  test('they begin one after another, and more at the same time only while that is calm', async () => {
    const orders = await newOrders(40);
    let [now, most] = [0, 0];
    const early: number[] = [];
    const fetch = async (url: string, init: RequestInit): Promise<Response> => {
      now += 1;
      most = Math.max(most, now);
      early.push(now);
      try {
        return await globalThis.fetch(url, init);
      } finally {
        now -= 1;
      }
    };
    const plan = planned(await clients.create({ fetch }).cancelMany(orders));
    const before = early.length;

    await plan.run();

    expect(early.slice(before, before + 6)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(most).toBe(4);
  });

  test('they end when the service cannot be reached, and the plan can be run again', async () => {
    const orders = await newOrders(9);
    const { client, requests } = clients.watch({ maxTries: 1 });
    const plan = planned(await client.cancelMany(orders));
    const before = requests().length;
    clients.front.misbehave(...Array.from({ length: 5 }, () => problem('temporarily_unavailable', true, 503)));

    const first = await plan.run();
    expect(first.map(({ result }) => result.kind)).toEqual(Array.from({ length: 5 }, () => 'unavailable'));
    expect(requests()).toHaveLength(before + 5);

    const second = await plan.run();
    expect(second.map(({ result }) => result.kind)).toEqual(orders.map(() => 'cancelled'));
  });

  test('they end when something else answers, and the next run repeats what has not ended', async () => {
    const orders = await newOrders(9);
    const { client, requests } = clients.watch();
    const plan = planned(await client.cancelMany(orders));
    const before = requests().length;
    clients.front.misbehave(...Array.from({ length: 5 }, () => answer(404, { 'Content-Type': 'text/html' })));

    const first = await plan.run();
    expect(first.map(({ result }) => result.kind)).toEqual(Array.from({ length: 5 }, () => 'unexpected'));
    expect(requests()).toHaveLength(before + 5);

    const second = await plan.run();
    expect(second.map(({ result }) => result.kind)).toEqual(orders.map(() => 'cancelled'));
    expect(orders.map(({ jobId }) => cancelsOf(jobId))).toEqual(orders.map(() => 1));
  });
});

describe('a list that cannot be previewed', () => {
  test('has an externalId twice', async () => {
    const { client, requests } = clients.watch();

    const result = await client.cancelMany([{ externalId: 'a' }, { externalId: 'b' }, { externalId: 'a' }]);

    expect(result).toMatchObject({ kind: 'invalid', errors: [{ path: 'orders.2.externalId' }] });
    expect(requests()).toEqual([]);
  });

  test('has a malformed externalId, which is named by its place in the whole list', async () => {
    const orders = Array.from({ length: 15 }, (_, n) => ({ externalId: n === 12 ? 'bell\u0007' : `many-${n}` }));

    const result = await clients.create().cancelMany(orders);

    expect(result).toMatchObject({
      kind: 'invalid',
      errors: [{ path: 'orders.12.externalId', message: 'must not contain control characters' }],
    });
  });

  test('comes with a credential that may not cancel', async () => {
    const client = clients.create({ credential: await clients.narrow(['cancellations:read']) });

    expect(await client.cancelMany([{ externalId: 'a' }])).toMatchObject({ kind: 'forbidden' });
  });

  test('is asked for again while it is unresolved, and is unresolved in the end', async () => {
    const order = await newOrder();
    service.plangrepFails({ on: 'read', kind: 'status', status: 503, times: 1 });
    const { client, slept } = clients.watch();

    expect(planned(await client.cancelMany([order])).summary).toMatchObject({ will_cancel: 1 });
    expect(slept).toEqual([5_000]);

    service.plangrepFails({ on: 'read', kind: 'status', status: 503 });
    expect(planned(await client.cancelMany([order])).summary).toMatchObject({ unresolved: 1 });
  });
});
