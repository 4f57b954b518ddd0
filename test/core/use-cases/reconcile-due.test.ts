import { beforeEach, describe, expect, test } from 'vitest';
import type { WakeUp } from '../../../functions/core/ports.ts';
import { reconcileDue } from '../../../functions/core/use-cases/reconcile-due.ts';
import { given, type Scene } from '../../support/given.ts';
import { broken } from '../../support/memory-ports.ts';
import { externalId, jobId } from '../../support/names.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await given();
});

describe('a run of the reconciler', () => {
  const run = (ms: number) => reconcileDue(scene.ports, scene.ports.clock.now() + ms);
  const manyOpen = async (count: number) => {
    scene.plangrepAnswers({ cancel: 'processing' });
    for (let n = 0; n < count; n++) {
      const name = externalId(`order-${n}`);
      await scene.register({ jobId: jobId(`job_${n}`), externalId: name });
      await scene.cancel({ externalId: name });
    }
  };

  test('ends at once when nothing is waiting', async () => {
    expect(await run(35_000)).toEqual({ looked: 0, lostByQueue: 0, failed: 0, oldestDueMs: 0 });
  });

  test('ends at once when what waits is not due within its time', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    await scene.cancel();
    const started = scene.ports.clock.now();
    await run(20_000);

    expect(scene.ports.clock.now()).toBe(started);
  });

  test('ends at once for any number of cancellations that are not due within its time', async () => {
    await manyOpen(300);
    const started = scene.ports.clock.now();

    expect(await run(20_000)).toMatchObject({ looked: 0 });
    expect(scene.ports.clock.now()).toBe(started);
  });

  test('leaves the wake-up queue its time, and counts what it lost', async () => {
    await manyOpen(3);
    scene.plangrepAnswers({ read: 'cancelled' });
    scene.ports.clock.advance(9_999);

    expect(await run(35_000)).toMatchObject({ looked: 0, lostByQueue: 0 });

    scene.ports.clock.advance(1);

    expect(await run(35_000)).toMatchObject({ looked: 3, lostByQueue: 3, oldestDueMs: 5_000 });
  });

  test('counts no claim as lost by the queue, which gets no message of it', async () => {
    scene.plangrepAnswers({ cancel: () => Promise.reject(new Error('killed')) });
    await expect(scene.cancel()).rejects.toThrow('killed');
    scene.ports.clock.advance(50_000);
    scene.plangrepAnswers({ cancel: 'cancelled' });

    expect(await run(35_000)).toMatchObject({ looked: 1, lostByQueue: 0 });
    expect(await scene.eventTypes()).toContain('closed');
  });

  test('looks at everything that is due, many at the same time and each once', async () => {
    await manyOpen(300);
    scene.plangrepAnswers({ read: 'cancelled' });
    scene.ports.clock.advance(50_000);
    scene.ports.plangrep.calls.length = 0;
    let atOnce = 0;
    let most = 0;
    scene.ports.plangrep.onRead = async (id) => {
      most = Math.max(most, ++atOnce);
      await new Promise(setImmediate);
      atOnce -= 1;
      return { kind: 'job', job: { id, status: 'cancelled' } };
    };
    const { looked, failed, oldestDueMs } = await run(35_000);

    expect([looked, failed, oldestDueMs]).toEqual([600, 0, 45_000]);
    expect(new Set(scene.ports.plangrep.calls).size).toBe(300);
    expect(scene.calls()).toHaveLength(300);
    expect(most).toBe(10);
    expect(await scene.wakeUps()).toEqual([]);
  });

  test('continues after one that fails', async () => {
    await manyOpen(3);
    scene.plangrepAnswers({ read: 'cancelled' });
    scene.ports.clock.advance(15_000);
    scene.ports.log.beforeWrite = (record) => {
      if ('jobId' in record && record.jobId === 'job_0') throw broken('cancellation-log');
      if ('jobId' in record && record.jobId === 'job_1') throw new TypeError('a bug');
    };

    expect(await run(20_000)).toMatchObject({ failed: 2 });
    expect(await scene.eventTypes(jobId('job_2'))).toContain('closed');
    expect(scene.codes()).toEqual(expect.arrayContaining(['DEPENDENCY_UNAVAILABLE', 'UNEXPECTED_ERROR']));
    const failures = scene.ports.reported.filter(({ code }) => /UNAVAILABLE|UNEXPECTED/.test(code));
    for (const { fields } of failures) expect(fields).toMatchObject({ requestId: expect.any(String) });
  });

  test('begins nothing that it could not finish within its time', async () => {
    await manyOpen(50);
    scene.ports.clock.advance(15_000);
    scene.ports.plangrep.calls.length = 0;
    scene.ports.plangrep.onRead = async (id) => {
      scene.ports.clock.advance(5_000);
      return { kind: 'job', job: { id, status: 'processing' } };
    };
    await run(20_000);

    expect(scene.ports.plangrep.calls.length).toBeLessThan(20);
  });

  test('finds what a full page of obsolete wake-ups hides for a while', async () => {
    await manyOpen(120);
    scene.plangrepAnswers({ read: 'cancelled' });
    scene.ports.clock.advance(50_000);
    const read = scene.ports.log.wakeUps.bind(scene.ports.log);
    const seen: (readonly WakeUp[])[] = [];
    // What the index shows is two reads old, and no more than a page is read of it.
    scene.ports.log.wakeUps = async (shard, limit, isDone) => {
      seen.push((await read(shard, limit, () => false)).items);
      const shown = seen.at(-5) ?? seen[shard] ?? [];
      return { items: shown.filter((wakeUp) => !isDone(wakeUp)), unreadable: [], isCut: shown.length === limit };
    };
    await run(35_000);

    scene.ports.log.wakeUps = read;

    expect(await scene.wakeUps()).toEqual([]);
  });

  test('continues with the other shards when one cannot be read', async () => {
    await manyOpen(20);
    scene.plangrepAnswers({ read: 'cancelled' });
    scene.ports.clock.advance(50_000);
    const read = scene.ports.log.wakeUps.bind(scene.ports.log);
    let reads = 0;
    scene.ports.log.wakeUps = (...page) =>
      ++reads % 3 === 0 ? Promise.reject(broken('cancellation-log')) : read(...page);

    expect((await run(35_000)).failed).toBeGreaterThan(0);
    expect(scene.codes()).toContain('DEPENDENCY_UNAVAILABLE');
    expect((await scene.eventTypes(jobId('job_0'))).at(-1)).toBe('closed');
  });

  test('does not say how late it is while a shard cannot be read', async () => {
    await manyOpen(20);
    scene.ports.clock.advance(50_000);
    const read = scene.ports.log.wakeUps.bind(scene.ports.log);
    scene.ports.log.wakeUps = (shard, ...rest) =>
      shard === 0 ? Promise.reject(broken('cancellation-log')) : read(shard, ...rest);

    const summary = await run(35_000);

    expect(summary.looked).toBeGreaterThan(0);
    expect(summary.failed).toBeGreaterThan(0);
    expect(summary.oldestDueMs).toBeUndefined();
    expect(scene.ports.reported.at(-1)).toEqual({ code: 'RECONCILED', fields: summary });
  });

  test('reports each malformed wake-up once, counts it as failed, and looks at the others', async () => {
    await manyOpen(3);
    scene.plangrepAnswers({ read: 'cancelled' });
    scene.ports.clock.advance(15_000);
    scene.ports.log.unreadableWakeUps.push('acme#job_x event#1', 'acme joined#1');

    expect(await run(35_000)).toMatchObject({ failed: 2, oldestDueMs: 10_000 });
    expect(scene.ports.reported.filter(({ code }) => code === 'RECORD_UNREADABLE')).toEqual(
      scene.ports.log.unreadableWakeUps.map((key) => ({
        code: 'RECORD_UNREADABLE',
        fields: { dependency: 'cancellation-log', key },
      })),
    );
    for (const id of ['job_0', 'job_1', 'job_2']) expect(await scene.eventTypes(jobId(id))).toContain('closed');
  });

  test('looks at what is due behind any number of wake-ups whose look fails', async () => {
    await manyOpen(200);
    scene.plangrepAnswers({ read: 'cancelled' });
    scene.ports.clock.advance(15_000);
    const others = ['job_150', 'job_199'];
    scene.ports.log.beforeWrite = (record) => {
      if ('jobId' in record && !others.some((id) => id === record.jobId)) throw broken('cancellation-log');
    };
    await run(35_000);

    for (const id of others) expect(await scene.eventTypes(jobId(id))).toContain('closed');
  });

  test('does not look twice at what a lagging index still shows', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    await scene.cancel();
    scene.ports.clock.advance(15_000);
    const stale = await scene.wakeUps();
    scene.ports.log.wakeUps = async (shard, _, isDone) => {
      const items = shard === 0 ? stale.filter((wakeUp) => !isDone(wakeUp)) : [];
      return { items, unreadable: [], isCut: false };
    };
    scene.ports.plangrep.calls.length = 0;
    await run(35_000);

    expect(scene.calls()).toHaveLength(1);
  });
});
