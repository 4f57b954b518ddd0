import { beforeEach, describe, expect, it } from 'vitest';
import type { CancelRequest } from '../../functions/core/cancel-request.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import type { ReadAnswer, WakeUp } from '../../functions/core/ports.ts';
import { reconcileCancellation } from '../../functions/core/use-cases/reconcile-cancellation.ts';
import { reconcileDue } from '../../functions/core/use-cases/reconcile-due.ts';
import { requestCancellation } from '../../functions/core/use-cases/request-cancellation.ts';
import { broken, createMemoryPorts, type MemoryPorts } from '../support/memory-ports.ts';
import { acme, cancelOrder7890, documentedJob, externalId, jobId, order7890 } from '../support/names.ts';

let ports: MemoryPorts;
beforeEach(async () => {
  ports = createMemoryPorts();
  await ports.directory.register(acme, order7890, { jobId: documentedJob, registeredAt: toTimestamp(0) });
});

const stillProcessing = () => {
  ports.plangrep.onCancel = (id) => ({ kind: 'job', job: { id, status: 'processing' } });
};
const jobIs = (status: string) => {
  ports.plangrep.onRead = (id) => ({ kind: 'job', job: { id, status } });
};
const cancel = (more: Partial<CancelRequest> = {}) => requestCancellation(ports, { ...cancelOrder7890, ...more });
const wakeUps = async (): Promise<readonly WakeUp[]> =>
  (await Promise.all([ports.log.wakeUps(0, 99), ports.log.wakeUps(1, 99)])).flat().toSorted((a, b) => a.seq - b.seq);
const typesOf = async (id = documentedJob) => (await ports.log.read(acme, id)).events.map(({ type }) => type);
const codes = () => ports.reported.map(({ code }) => code);
/** Lets the given time pass, then looks at everything that is due. */
const after = async (ms: number) => {
  ports.clock.advance(ms);
  ports.plangrep.calls.length = 0;
  const due = async () => (await wakeUps()).filter(({ wakeAt }) => Date.parse(wakeAt) <= ports.clock.now());
  for (let found = await due(); found.length > 0; found = await due()) {
    for (const wakeUp of found) await reconcileCancellation(ports, wakeUp, Number.MAX_VALUE);
  }
};

describe('a cancel that Plangrep accepted', () => {
  beforeEach(async () => {
    stillProcessing();
    await cancel();
  });

  it('is polled, never sent again, and a poll that changes nothing only moves the wake-up', async () => {
    await after(15_000);
    expect(ports.plangrep.calls).toEqual([`read ${documentedJob}`]);
    expect(await typesOf()).toEqual(['requested', 'attempt_ended']);
    const tail = (await wakeUps()).find(({ seq }) => seq === 2);
    expect(tail?.wakeAt).toBe(toTimestamp(ports.clock.now() + 20_000));
  });

  it.each([
    ['cancelled', 'cancelled'],
    ['completed', 'too_late'],
  ])('closes when a poll shows the job %s, and leaves no wake-up behind', async (status, outcome) => {
    jobIs(status);
    await after(60_000);
    expect((await ports.log.read(acme, documentedJob)).events.at(-1)).toMatchObject({ type: 'closed', outcome });
    expect(await wakeUps()).toEqual([]);
    expect(codes()).toContain('CANCELLATION_CLOSED');
  });

  it('closes when Plangrep has no such job any more', async () => {
    ports.plangrep.onRead = () => ({ kind: 'not_found' });
    await after(15_000);
    expect((await ports.log.read(acme, documentedJob)).events.at(-1)).toMatchObject({ outcome: 'job_not_found' });
  });

  it('is read once by two reconcilers that look at once', async () => {
    ports.clock.advance(15_000);
    const [, tail] = await wakeUps();
    if (tail === undefined) throw new Error('no wake-up');
    ports.plangrep.calls.length = 0;
    await Promise.all([1, 2, 3].map(() => reconcileCancellation(ports, tail, Number.MAX_VALUE)));
    expect(ports.plangrep.calls).toEqual([`read ${documentedJob}`]);
  });

  it.each<[ReadAnswer, number]>([
    [{ kind: 'unknown', why: 'timeout' }, 20_000],
    [{ kind: 'rate_limited' }, 20_000],
    [{ kind: 'rate_limited', retryAfterMs: 5_000 }, 20_000],
    [{ kind: 'rate_limited', retryAfterMs: 600_000 }, 600_000],
  ])('waits when the job cannot be read: %o', async (answer, ms) => {
    ports.plangrep.onRead = () => answer;
    await after(15_000);
    const tail = (await wakeUps()).find(({ seq }) => seq === 2);
    expect(tail?.wakeAt).toBe(toTimestamp(ports.clock.now() + ms));
    expect(await typesOf()).toHaveLength(2);
  });

  it('raises the alarm when Plangrep refuses our key', async () => {
    ports.plangrep.onRead = () => ({ kind: 'key_refused' });
    await after(15_000);
    expect(codes()).toContain('PLANGREP_KEY_REFUSED');
  });

  it('goes by the closing that another wrote while it was reading', async () => {
    ports.plangrep.onRead = async (id) => {
      ports.plangrep.onRead = () => ({ kind: 'job', job: { id, status: 'cancelled' } });
      ports.clock.advance(30_000);
      const [, tail] = await wakeUps();
      if (tail !== undefined) await reconcileCancellation(ports, tail, Number.MAX_VALUE);
      return { kind: 'job', job: { id, status: 'cancelled' } };
    };
    await after(15_000);
    expect((await typesOf()).filter((type) => type === 'closed')).toHaveLength(1);
  });

  it('is escalated once after 15 minutes, and polled on', async () => {
    await after(15 * 60_000);
    await after(15 * 60_000);
    expect(await typesOf()).toEqual(['requested', 'attempt_ended', 'escalated']);
    expect(codes().filter((code) => code === 'CANCELLATION_ESCALATED')).toHaveLength(1);
    expect(ports.plangrep.calls).toEqual([`read ${documentedJob}`]);
    jobIs('cancelled');
    await after(15 * 60_000);
    expect(await typesOf()).toEqual(['requested', 'attempt_ended', 'escalated', 'closed']);
    expect(await wakeUps()).toEqual([]);
  });
});

describe('a cancel whose fate is unknown', () => {
  beforeEach(async () => {
    ports.plangrep.onCancel = () => ({ kind: 'unknown', why: 'timeout' });
    await cancel();
  });

  it('is read before it is sent again', async () => {
    ports.plangrep.onCancel = (id) => ({ kind: 'job', job: { id, status: 'cancelled' } });
    await after(60_000);
    expect(ports.plangrep.calls).toEqual([`read ${documentedJob}`, `cancel ${documentedJob}`]);
    expect(await typesOf()).toEqual(['requested', 'attempt_ended', 'attempt_started', 'closed']);
    expect(await wakeUps()).toEqual([]);
  });

  it('is not sent again when it had taken effect', async () => {
    jobIs('cancelled');
    await after(12_000);
    expect(ports.plangrep.calls).toEqual([`read ${documentedJob}`]);
    expect(await typesOf()).toContain('closed');
  });

  it('is tried again and again, ever more slowly, and escalated on the way', async () => {
    for (let n = 0; n < 30; n++) await after(60_000);
    const types = await typesOf();
    expect(types.filter((type) => type === 'escalated')).toHaveLength(1);
    expect(types.filter((type) => type === 'attempt_started').length).toBeGreaterThan(5);
    expect((await wakeUps()).length).toBe(1);
  });

  it('is taken over by one of two reconcilers', async () => {
    ports.clock.advance(12_000);
    const [, tail] = await wakeUps();
    if (tail === undefined) throw new Error('no wake-up');
    await Promise.all([1, 2, 3].map(() => reconcileCancellation(ports, tail, Number.MAX_VALUE)));
    expect((await typesOf()).filter((type) => type === 'attempt_started')).toHaveLength(1);
  });
});

describe('a reconciler that comes second', () => {
  it('leaves an escalation to whoever wrote it first', async () => {
    stillProcessing();
    await cancel();
    ports.clock.advance(15 * 60_000);
    const [, tail] = await wakeUps();
    if (tail === undefined) throw new Error('no wake-up');
    await Promise.all([1, 2].map(() => reconcileCancellation(ports, tail, Number.MAX_VALUE)));
    expect(await typesOf()).toEqual(['requested', 'attempt_ended', 'escalated']);
    expect(codes().filter((code) => code === 'CANCELLATION_ESCALATED')).toHaveLength(1);
  });

  it('keeps the claim’s wake-up when the end of its attempt cannot be written', async () => {
    ports.plangrep.onCancel = () => ({ kind: 'unknown', why: 'timeout' });
    await cancel();
    ports.log.beforeWrite = ({ type }) => {
      if (type === 'attempt_ended') throw broken('cancellation-log');
    };
    await after(15_000);
    expect(await wakeUps()).toMatchObject([{ seq: 1 }, { seq: 3 }]);
  });
});

describe('a request that died', () => {
  it('right after its intent is taken over when its lease ends', async () => {
    ports.plangrep.onCancel = () => Promise.reject(new Error('killed'));
    await expect(cancel()).rejects.toThrow('killed');
    ports.plangrep.onCancel = (id) => ({ kind: 'job', job: { id, status: 'cancelled' } });
    await after(44_000);
    expect(ports.plangrep.calls).toEqual([]);
    await after(1_000);
    expect(await typesOf()).toEqual(['requested', 'attempt_started', 'closed']);
  });

  it('is escalated and taken over when nobody looked for 15 minutes', async () => {
    ports.plangrep.onCancel = () => Promise.reject(new Error('killed'));
    await expect(cancel()).rejects.toThrow('killed');
    ports.plangrep.onCancel = (id) => ({ kind: 'job', job: { id, status: 'cancelled' } });
    await after(20 * 60_000);
    expect(await typesOf()).toEqual(['requested', 'escalated', 'attempt_started', 'closed']);
    expect(await wakeUps()).toEqual([]);
  });
});

describe('a wake-up that is spent', () => {
  it('of a closed cancellation is taken away without a call', async () => {
    await cancel();
    await after(45_000);
    expect(await wakeUps()).toEqual([]);
    expect(ports.plangrep.calls).toEqual([]);
  });

  it('of an event that was overtaken is taken away', async () => {
    stillProcessing();
    await cancel();
    await after(45_000);
    expect((await wakeUps()).map(({ seq }) => seq)).toEqual([2]);
  });
});

describe('a stream that no run of this service writes', () => {
  it('is reported, and waits for a person', async () => {
    stillProcessing();
    await cancel();
    ports.log.streams.get(`acme#${documentedJob}`)?.shift();
    const [wakeUp] = await wakeUps();
    if (wakeUp === undefined) throw new Error('no wake-up');
    ports.clock.advance(15_000);
    await reconcileCancellation(ports, { ...wakeUp, seq: 1 }, Number.MAX_VALUE);
    expect(codes()).toContain('STREAM_BROKEN');
    expect((await wakeUps())[0]?.wakeAt).toBe(toTimestamp(ports.clock.now() + 15 * 60_000));
  });

  it('does not hide a bug', async () => {
    stillProcessing();
    await cancel();
    ports.clock.advance(15_000);
    ports.log.read = () => Promise.reject(new TypeError('a bug'));
    const [, tail] = await wakeUps();
    if (tail === undefined) throw new Error('no wake-up');
    await expect(reconcileCancellation(ports, tail, Number.MAX_VALUE)).rejects.toThrow('a bug');
  });
});

describe('a run of the reconciler', () => {
  const run = (ms: number) => reconcileDue(ports, ports.clock.now() + ms);
  const manyOpen = async (count: number) => {
    stillProcessing();
    for (let n = 0; n < count; n++) {
      const name = externalId(`order-${n}`);
      await ports.directory.register(acme, name, { jobId: jobId(`job_${n}`), registeredAt: toTimestamp(0) });
      await cancel({ externalId: name });
    }
  };

  it('ends at once when nothing is waiting', async () => {
    expect(await run(35_000)).toEqual({ looked: 0, failed: 0, oldestDueMs: 0 });
  });

  it('ends at once when what waits is not due within its time', async () => {
    stillProcessing();
    await cancel();
    const started = ports.clock.now();
    await run(20_000);
    expect(ports.clock.now()).toBe(started);
  });

  it('ends at once however many wait that are not due within its time', async () => {
    await manyOpen(300);
    const started = ports.clock.now();
    expect(await run(20_000)).toMatchObject({ looked: 0 });
    expect(ports.clock.now()).toBe(started);
  });

  it('naps until the next one is due, and sees it through', async () => {
    stillProcessing();
    await cancel();
    jobIs('cancelled');
    await run(35_000);
    expect(await typesOf()).toEqual(['requested', 'attempt_ended', 'closed']);
  });

  it('works through all that is due, many at once and each once', async () => {
    await manyOpen(300);
    jobIs('cancelled');
    ports.clock.advance(45_000);
    ports.plangrep.calls.length = 0;
    let atOnce = 0;
    let most = 0;
    ports.plangrep.onRead = async (id) => {
      most = Math.max(most, ++atOnce);
      await new Promise(setImmediate);
      atOnce -= 1;
      return { kind: 'job', job: { id, status: 'cancelled' } };
    };
    const { looked, failed, oldestDueMs } = await run(35_000);
    expect([looked, failed, oldestDueMs]).toEqual([600, 0, 30_000]);
    expect(new Set(ports.plangrep.calls).size).toBe(300);
    expect(ports.plangrep.calls).toHaveLength(300);
    expect(most).toBe(10);
    expect(await wakeUps()).toEqual([]);
  });

  it('does not let one that fails stop the others', async () => {
    await manyOpen(3);
    jobIs('cancelled');
    ports.clock.advance(15_000);
    ports.log.beforeWrite = (record) => {
      if ('jobId' in record && record.jobId === 'job_0') throw broken('cancellation-log');
      if ('jobId' in record && record.jobId === 'job_1') throw new TypeError('a bug');
    };
    expect(await run(20_000)).toMatchObject({ failed: 2 });
    expect(await typesOf(jobId('job_2'))).toContain('closed');
    expect(codes()).toEqual(expect.arrayContaining(['DEPENDENCY_UNAVAILABLE', 'UNEXPECTED_ERROR']));
  });

  it('begins nothing that it could not end within its time', async () => {
    await manyOpen(50);
    ports.clock.advance(15_000);
    ports.plangrep.calls.length = 0;
    ports.plangrep.onRead = async (id) => {
      ports.clock.advance(5_000);
      return { kind: 'job', job: { id, status: 'processing' } };
    };
    await run(20_000);
    expect(ports.plangrep.calls.length).toBeLessThan(20);
  });

  it('finds what a full page of spent wake-ups hides for a while', async () => {
    await manyOpen(120);
    jobIs('cancelled');
    ports.clock.advance(45_000);
    const read = ports.log.wakeUps.bind(ports.log);
    const seen: (readonly WakeUp[])[] = [];
    // What the index shows is two reads old.
    ports.log.wakeUps = async (shard, limit) => {
      seen.push(await read(shard, limit));
      return seen.at(-5) ?? seen[shard] ?? [];
    };
    await run(35_000);
    expect(await Promise.all([read(0, 1), read(1, 1)])).toEqual([[], []]);
  });

  it('goes on with the other shards when one cannot be read', async () => {
    await manyOpen(20);
    jobIs('cancelled');
    ports.clock.advance(45_000);
    const read = ports.log.wakeUps.bind(ports.log);
    let reads = 0;
    ports.log.wakeUps = (shard, limit) =>
      ++reads % 3 === 0 ? Promise.reject(broken('cancellation-log')) : read(shard, limit);
    expect((await run(35_000)).failed).toBeGreaterThan(0);
    expect(codes()).toContain('DEPENDENCY_UNAVAILABLE');
    expect((await typesOf(jobId('job_0'))).at(-1)).toBe('closed');
  });

  it('is not kept busy by an index that lags behind', async () => {
    stillProcessing();
    await cancel();
    ports.clock.advance(15_000);
    const stale = await wakeUps();
    ports.log.wakeUps = async (shard) => (shard === 0 ? stale : []);
    ports.plangrep.calls.length = 0;
    await run(35_000);
    expect(ports.plangrep.calls).toHaveLength(1);
  });
});
