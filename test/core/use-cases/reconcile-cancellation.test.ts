import { beforeEach, describe, expect, test } from 'vitest';
import { BrokenStream } from '../../../functions/core/cancellation/state.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import type { ReadAnswer } from '../../../functions/core/plangrep.ts';
import { reconcileCancellation } from '../../../functions/core/use-cases/reconcile-cancellation.ts';
import { given, type Scene } from '../../support/given.ts';
import { broken } from '../../support/memory-ports.ts';
import { acme, documentedJob, retention } from '../../support/names.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await given();
});

test('a cancellation that has expired is not looked at, and its wake-up goes', async () => {
  scene.plangrepAnswers({ cancel: 'processing' });
  await scene.cancel();
  await scene.reconcileAfter(retention.events * 86_400_000 + 60_000);

  expect([scene.calls(), await scene.wakeUps(), scene.codes()]).toEqual([[], [], ['CANCELLATION_PENDING']]);
});

describe('a cancel that Plangrep accepted', () => {
  beforeEach(async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    await scene.cancel();
  });

  test('is polled, never sent again, and a poll that changes nothing only moves the wake-up', async () => {
    await scene.reconcileAfter(15_000);

    expect(scene.calls()).toEqual([`read ${documentedJob}`]);
    expect(await scene.eventTypes()).toEqual(['requested', 'attempt_ended']);

    const tail = (await scene.wakeUps()).find(({ seq }) => seq === 2);

    expect(tail?.wakeAt).toBe(toTimestamp(scene.ports.clock.now() + 15_000));
  });

  test.each<[string, Parameters<Scene['plangrepAnswers']>[0]['read'], string]>([
    ['a job that goes on', 'processing', 'processing'],
    ['the end of the job', 'cancelled', 'cancelled'],
    ['no job', { kind: 'not_found' }, 'not_found'],
    ['no answer', { kind: 'unknown', why: 'timeout' }, 'unknown'],
  ])('leaves a line and a count for a poll that finds %s', async (_what, read, result) => {
    scene.plangrepAnswers({ read });
    await scene.reconcileAfter(5_000);

    const { polls } = await scene.ports.log.read(acme, documentedJob);
    const line = scene.ports.reported.find(({ code }) => code === 'CANCELLATION_POLLED');

    expect(polls).toEqual({ count: 1, lastAt: toTimestamp(scene.ports.clock.now()) });
    expect(line?.fields).toEqual({ partnerId: acme, jobId: documentedJob, requestId: 'request-1', result });
  });

  test.each([
    ['cancelled', 'cancelled'],
    ['completed', 'too_late'],
  ])('closes when a poll shows the job %s, and leaves no wake-up behind', async (status, outcome) => {
    scene.plangrepAnswers({ read: status });
    await scene.reconcileAfter(60_000);

    expect((await scene.ports.log.read(acme, documentedJob)).events.at(-1)).toMatchObject({ type: 'closed', outcome });
    expect(await scene.wakeUps()).toEqual([]);
    expect(scene.codes()).toContain('CANCELLATION_CLOSED');
  });

  test('closes when Plangrep has not known the job for minutes, and says so at its first 404', async () => {
    scene.plangrepAnswers({ read: { kind: 'not_found' } });
    await scene.reconcileAfter(5_000);

    expect(await scene.eventTypes()).toEqual(['requested', 'attempt_ended', 'observed']);
    expect(scene.codes().filter((code) => code === 'JOB_ABSENT')).toHaveLength(1);

    for (let minutes = 0; minutes < 10; minutes++) await scene.reconcileAfter(60_000);

    expect((await scene.ports.log.read(acme, documentedJob)).events.at(-1)).toMatchObject({ outcome: 'job_not_found' });
    expect(scene.codes().filter((code) => code === 'JOB_ABSENT')).toHaveLength(1);
    expect(scene.codes()).toContain('CANCELLATION_UNKNOWN_JOB');
    expect(await scene.wakeUps()).toEqual([]);
  });

  test('goes on when the job was not known for a moment', async () => {
    scene.plangrepAnswers({ read: { kind: 'not_found' } });
    await scene.reconcileAfter(5_000);
    scene.plangrepAnswers({ read: 'processing' });
    await scene.reconcileAfter(60_000);
    scene.plangrepAnswers({ read: 'cancelled' });
    await scene.reconcileAfter(120_000);

    expect(await scene.eventTypes()).toEqual(['requested', 'attempt_ended', 'observed', 'observed', 'closed']);
    expect(scene.codes()).not.toContain('CANCELLATION_UNKNOWN_JOB');
  });

  test('is left alone for as long as Plangrep asks, counted from its answer', async () => {
    const { clock, plangrep } = scene.ports;
    plangrep.onRead = () => {
      clock.advance(4_000);
      return { kind: 'rate_limited', retryAfterMs: 60_000 };
    };
    await scene.reconcileAfter(15_000);

    const tail = (await scene.wakeUps()).find(({ seq }) => seq === 2);
    expect(tail?.wakeAt).toBe(toTimestamp(clock.now() + 60_000));
  });

  test('is read once by three reconcilers that look at the same time', async () => {
    scene.ports.clock.advance(15_000);
    const [, tail] = await scene.wakeUps();
    if (tail === undefined) throw new Error('no wake-up');
    scene.ports.plangrep.calls.length = 0;
    await Promise.all([1, 2, 3].map(() => reconcileCancellation(scene.ports, tail, Number.MAX_VALUE)));

    expect(scene.calls()).toEqual([`read ${documentedJob}`]);
  });

  test.each<[ReadAnswer, number]>([
    [{ kind: 'unknown', why: 'timeout' }, 15_000],
    [{ kind: 'rate_limited' }, 15_000],
    [{ kind: 'rate_limited', retryAfterMs: 5_000 }, 15_000],
    [{ kind: 'rate_limited', retryAfterMs: 600_000 }, 600_000],
  ])('waits when the job cannot be read: %o', async (answer, ms) => {
    scene.plangrepAnswers({ read: answer });
    await scene.reconcileAfter(15_000);
    const tail = (await scene.wakeUps()).find(({ seq }) => seq === 2);

    expect(tail?.wakeAt).toBe(toTimestamp(scene.ports.clock.now() + ms));
    expect(scene.ports.wakeUpQueue.sent.at(-1)).toEqual(tail);
    expect(await scene.eventTypes()).toHaveLength(2);
  });

  test('sends no message for a longer wait that another reconciler has shortened meanwhile', async () => {
    scene.ports.plangrep.onRead = async () => {
      const tail = (await scene.wakeUps()).find(({ seq }) => seq === 2);
      if (tail !== undefined) await scene.ports.log.moveWakeUp(tail, toTimestamp(scene.ports.clock.now() + 1_000));
      return { kind: 'rate_limited', retryAfterMs: 600_000 };
    };
    const sent = scene.ports.wakeUpQueue.sent.length;
    scene.ports.clock.advance(15_000);
    const tail = (await scene.wakeUps()).find(({ seq }) => seq === 2);
    if (tail === undefined) throw new Error('no wake-up');
    await reconcileCancellation(scene.ports, tail, Number.MAX_VALUE);

    expect(scene.ports.wakeUpQueue.sent).toHaveLength(sent);
  });

  test('raises the alarm when Plangrep rejects the key', async () => {
    scene.plangrepAnswers({ read: { kind: 'key_refused' } });
    await scene.reconcileAfter(15_000);

    expect(scene.codes()).toContain('PLANGREP_KEY_REFUSED');
  });

  test('keeps the closing event that another reconciler wrote during the read', async () => {
    scene.ports.plangrep.onRead = async (id) => {
      scene.plangrepAnswers({ read: { kind: 'job', job: { id, status: 'cancelled' } } });
      scene.ports.clock.advance(30_000);
      const [, tail] = await scene.wakeUps();
      if (tail !== undefined) await reconcileCancellation(scene.ports, tail, Number.MAX_VALUE);
      return { kind: 'job', job: { id, status: 'cancelled' } };
    };
    await scene.reconcileAfter(15_000);

    expect((await scene.eventTypes()).filter((type) => type === 'closed')).toHaveLength(1);
  });

  test('is escalated once after 15 minutes, and polled on', async () => {
    await scene.reconcileAfter(15 * 60_000);
    await scene.reconcileAfter(15 * 60_000);

    expect(await scene.eventTypes()).toEqual(['requested', 'attempt_ended', 'escalated']);
    expect(scene.codes().filter((code) => code === 'CANCELLATION_ESCALATED')).toHaveLength(1);
    expect(scene.calls()).toEqual([`read ${documentedJob}`]);

    scene.plangrepAnswers({ read: 'cancelled' });
    await scene.reconcileAfter(15 * 60_000);

    expect(await scene.eventTypes()).toEqual(['requested', 'attempt_ended', 'escalated', 'closed']);
    expect(await scene.wakeUps()).toEqual([]);
  });
});

describe('a cancel whose effect is unknown', () => {
  beforeEach(async () => {
    scene.plangrepAnswers({ cancel: { kind: 'unknown', why: 'timeout' } });
    await scene.cancel();
  });

  test('is read before it is sent again', async () => {
    scene.plangrepAnswers({ cancel: 'cancelled' });
    await scene.reconcileAfter(60_000);

    expect(scene.calls()).toEqual([`read ${documentedJob}`, `cancel ${documentedJob}`]);
    expect(await scene.eventTypes()).toEqual(['requested', 'attempt_ended', 'attempt_started', 'closed']);
    expect(await scene.wakeUps()).toEqual([]);
  });

  test('is not sent again when it had taken effect', async () => {
    scene.plangrepAnswers({ read: 'cancelled' });
    await scene.reconcileAfter(12_000);

    expect(scene.calls()).toEqual([`read ${documentedJob}`]);
    expect(await scene.eventTypes()).toContain('closed');
  });

  test('is tried again at growing intervals, and escalated once', async () => {
    for (let n = 0; n < 30; n++) await scene.reconcileAfter(60_000);
    const types = await scene.eventTypes();

    expect(types.filter((type) => type === 'escalated')).toHaveLength(1);
    expect(types.filter((type) => type === 'attempt_started').length).toBeGreaterThan(5);
    expect((await scene.wakeUps()).length).toBe(1);
  });

  test('is taken over by one of three reconcilers', async () => {
    scene.ports.clock.advance(12_000);
    const [, tail] = await scene.wakeUps();
    if (tail === undefined) throw new Error('no wake-up');
    await Promise.all([1, 2, 3].map(() => reconcileCancellation(scene.ports, tail, Number.MAX_VALUE)));

    expect((await scene.eventTypes()).filter((type) => type === 'attempt_started')).toHaveLength(1);
  });
});

describe('a reconciler that comes second', () => {
  test('does not repeat the escalation of the first one', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    await scene.cancel();
    scene.ports.clock.advance(15 * 60_000);
    const [, tail] = await scene.wakeUps();
    if (tail === undefined) throw new Error('no wake-up');
    await Promise.all([1, 2].map(() => reconcileCancellation(scene.ports, tail, Number.MAX_VALUE)));

    expect(await scene.eventTypes()).toEqual(['requested', 'attempt_ended', 'escalated']);
    expect(scene.codes().filter((code) => code === 'CANCELLATION_ESCALATED')).toHaveLength(1);
  });

  test('makes its attempt before it removes a wake-up, which may fail', async () => {
    scene.plangrepAnswers({ cancel: { kind: 'unknown', why: 'timeout' } });
    await scene.cancel();
    scene.plangrepAnswers({ cancel: 'cancelled' });
    scene.ports.clock.advance(15_000);
    const [, tail] = await scene.wakeUps();
    if (tail === undefined) throw new Error('no wake-up');
    scene.ports.log.removeWakeUp = () => Promise.reject(broken('cancellation-log'));

    await expect(reconcileCancellation(scene.ports, tail, Number.MAX_VALUE)).rejects.toThrow('did not answer');

    expect((await scene.eventTypes()).at(-1)).toBe('closed');
  });

  test('keeps the claim’s wake-up when the end of its attempt cannot be written', async () => {
    scene.plangrepAnswers({ cancel: { kind: 'unknown', why: 'timeout' } });
    await scene.cancel();
    scene.ports.log.beforeWrite = ({ type }) => {
      if (type === 'attempt_ended') throw broken('cancellation-log');
    };
    await scene.reconcileAfter(15_000);

    expect(await scene.wakeUps()).toMatchObject([{ seq: 1 }, { seq: 3 }]);
  });
});

describe('a request that died', () => {
  test('right after its intent is taken over when its lease ends', async () => {
    scene.plangrepAnswers({ cancel: () => Promise.reject(new Error('killed')) });

    await expect(scene.cancel()).rejects.toThrow('killed');

    scene.plangrepAnswers({ cancel: 'cancelled' });
    await scene.reconcileAfter(44_000);

    expect(scene.calls()).toEqual([]);

    await scene.reconcileAfter(1_000);

    expect(await scene.eventTypes()).toEqual(['requested', 'attempt_started', 'closed']);
  });

  test('is escalated and taken over when no reconciler looked for 15 minutes', async () => {
    scene.plangrepAnswers({ cancel: () => Promise.reject(new Error('killed')) });

    await expect(scene.cancel()).rejects.toThrow('killed');

    scene.plangrepAnswers({ cancel: 'cancelled' });
    await scene.reconcileAfter(20 * 60_000);

    expect(await scene.eventTypes()).toEqual(['requested', 'escalated', 'attempt_started', 'closed']);
    expect(await scene.wakeUps()).toEqual([]);
  });
});

describe('an obsolete wake-up', () => {
  test('of a closed cancellation is removed without a call', async () => {
    await scene.cancel();
    await scene.reconcileAfter(45_000);

    expect(await scene.wakeUps()).toEqual([]);
    expect(scene.calls()).toEqual([]);
  });

  test('of an event that a newer one followed is removed', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    await scene.cancel();
    await scene.reconcileAfter(45_000);

    expect((await scene.wakeUps()).map(({ seq }) => seq)).toEqual([2]);
  });
});

describe('a stream that this service does not write', () => {
  test('is reported, and waits for an operator', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    await scene.cancel();
    scene.ports.log.streams.get(`acme#${documentedJob}`)?.shift();
    const [wakeUp] = await scene.wakeUps();
    if (wakeUp === undefined) throw new Error('no wake-up');
    scene.ports.clock.advance(15_000);
    await reconcileCancellation(scene.ports, { ...wakeUp, seq: 1 }, Number.MAX_VALUE);

    expect(scene.codes()).toContain('STREAM_BROKEN');
    expect((await scene.wakeUps())[0]?.wakeAt).toBe(toTimestamp(scene.ports.clock.now() + 15 * 60_000));
  });

  test('is left to an operator also when one of its events cannot even be read', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    await scene.cancel();
    scene.ports.log.read = () => Promise.reject(new BrokenStream('acme#job_1 event#000002 is not an event'));
    scene.ports.clock.advance(15_000);
    const [, tail] = await scene.wakeUps();
    if (tail === undefined) throw new Error('no wake-up');

    expect(await reconcileCancellation(scene.ports, tail, Number.MAX_VALUE)).toBe('broken');
    expect(scene.codes()).toContain('STREAM_BROKEN');
    expect((await scene.wakeUps())[1]?.wakeAt).toBe(toTimestamp(scene.ports.clock.now() + 15 * 60_000));
  });

  test('does not hide a bug', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    await scene.cancel();
    scene.ports.clock.advance(15_000);
    scene.ports.log.read = () => Promise.reject(new TypeError('a bug'));
    const [, tail] = await scene.wakeUps();
    if (tail === undefined) throw new Error('no wake-up');

    await expect(reconcileCancellation(scene.ports, tail, Number.MAX_VALUE)).rejects.toThrow('a bug');
  });
});
