import { beforeEach, describe, expect, test } from 'vitest';
import { sealEvent } from '../../functions/core/cancellation/chain.ts';
import type { EventBody } from '../../functions/core/cancellation/events.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import { DependencyUnavailable } from '../../functions/core/report.ts';
import { given, type Scene } from '../support/given.ts';
import { broken } from '../support/memory-ports.ts';
import { acme, documentedJob, externalId, globex, jobId } from '../support/names.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await given();
});

describe('a request for a job without a cancellation', () => {
  test('writes its intent, cancels, and closes', async () => {
    expect(await scene.cancel()).toMatchObject({ kind: 'closed', state: { step: { outcome: 'cancelled' } } });
    expect(await scene.eventTypes()).toEqual(['requested', 'closed']);
    expect(scene.calls()).toEqual([`cancel ${documentedJob}`]);
  });

  test('calls Plangrep only after the intent is durable', async () => {
    scene.ports.plangrep.onCancel = async (id) => {
      expect(await scene.eventTypes()).toEqual(['requested']);
      return { kind: 'job', job: { id, status: 'cancelled' } };
    };
    await scene.cancel();

    expect.assertions(1);
  });

  test('carries a wake-up at the end of its lease with the intent, and none once closed', async () => {
    const wakeUps: (string | undefined)[] = [];
    const append = scene.ports.log.append.bind(scene.ports.log);
    scene.ports.log.append = (event, wakeAt) => {
      wakeUps.push(wakeAt);
      return append(event, wakeAt);
    };
    await scene.cancel();

    expect(wakeUps).toEqual([toTimestamp(scene.ports.clock.now() + 45_000), undefined]);
  });

  test('stays open and says when to look again, if Plangrep needs time', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });

    expect(await scene.cancel()).toMatchObject({ state: { step: { kind: 'waiting' } }, retryAfterMs: 15_000 });
    expect(await scene.eventTypes()).toEqual(['requested', 'attempt_ended']);
  });

  test('raises the alarm and stays open when Plangrep rejects the key', async () => {
    scene.plangrepAnswers({ cancel: { kind: 'key_refused' } });

    expect(await scene.cancel()).toMatchObject({ state: { step: { kind: 'waiting', result: 'key_refused' } } });
    expect(scene.codes()).toContain('PLANGREP_KEY_REFUSED');
  });

  test('does nothing when the intent cannot be written', async () => {
    scene.ports.log.beforeWrite = () => Promise.reject(broken('cancellation-log'));

    await expect(scene.cancel()).rejects.toThrow(DependencyUnavailable);
    expect(scene.calls()).toEqual([]);
  });

  test('answers that it is open when only the end cannot be written', async () => {
    scene.ports.log.beforeWrite = (record) => {
      if (record.type === 'closed') throw broken('cancellation-log');
    };

    expect(await scene.cancel()).toMatchObject({ state: { step: { kind: 'attempting' } }, retryAfterMs: 45_000 });
    expect(scene.ports.reported).toContainEqual({
      code: 'AUDIT_WRITE_FAILED',
      fields: { partnerId: acme, jobId: documentedJob, type: 'closed' },
    });
  });

  test('does not hide a bug', async () => {
    scene.ports.log.beforeWrite = (record) => {
      if (record.type === 'closed') throw new TypeError('a bug');
    };

    await expect(scene.cancel()).rejects.toThrow('a bug');
  });

  test('is fenced when it continues after another invocation took its attempt over', async () => {
    const takeOver = async () => {
      const [requested] = (await scene.ports.log.read(acme, documentedJob)).events;
      if (requested === undefined) throw new Error('no intent');
      const body: EventBody = { type: 'closed', outcome: 'too_late', jobStatus: 'completed' };
      const place = { eventId: 'other', at: toTimestamp(scene.ports.clock.now()) };
      await scene.ports.log.append(sealEvent(requested, requested, body, place));
    };
    scene.ports.plangrep.onCancel = async (id) => {
      await takeOver();
      return { kind: 'job', job: { id, status: 'cancelled' } };
    };

    expect(await scene.cancel()).toMatchObject({ state: { step: { outcome: 'too_late' } } });
    expect(scene.codes()).toEqual(['ATTEMPT_FENCED']);
  });
});

describe('a request for a job that has a cancellation', () => {
  test('joins it, calls nothing, and is on record', async () => {
    await scene.cancel();

    expect(await scene.cancel({ requestId: 'request-2', reason: 'again' })).toMatchObject({
      state: { step: { outcome: 'cancelled' } },
    });
    expect(scene.calls()).toHaveLength(1);
    expect(scene.ports.log.joined).toMatchObject([
      { type: 'joined', requestId: 'request-2', reason: 'again', keyId: 'key' },
    ]);
  });

  test('is due at once if its wake-up was removed by tampering', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    const open = await scene.cancel();
    const [, newest] = scene.ports.log.streams.get(`acme#${documentedJob}`) ?? [];
    if (newest !== undefined) newest.wakeAt = undefined;

    expect(open).toMatchObject({ kind: 'open', retryAfterMs: 15_000 });
    expect(await scene.cancel()).toMatchObject({ kind: 'open', retryAfterMs: 0 });
  });

  test('has one winner among many at the same time', async () => {
    const ends = await Promise.all(Array.from({ length: 50 }, (_, n) => scene.cancel({ requestId: `request-${n}` })));

    expect(ends.every(({ kind }) => kind === 'open' || kind === 'closed')).toBe(true);
    expect(scene.calls()).toHaveLength(1);
    expect(scene.ports.log.joined).toHaveLength(49);
  });

  test('is answered when its record cannot be written, and that is reported', async () => {
    await scene.cancel();
    scene.ports.log.beforeWrite = ({ type }) => {
      if (type === 'joined') throw broken('cancellation-log');
    };

    expect(await scene.cancel()).toMatchObject({ kind: 'closed' });
    expect(scene.codes()).toContain('AUDIT_WRITE_FAILED');
  });

  test('does not hide a bug in recording', async () => {
    await scene.cancel();
    scene.ports.log.beforeWrite = ({ type }) => {
      if (type === 'joined') throw new TypeError('a bug');
    };

    await expect(scene.cancel()).rejects.toThrow('a bug');
  });
});

describe('a request that reaches no job', () => {
  test.each([
    ['an externalId that is not registered', { externalId: externalId('order-1') }],
    ['another partner’s externalId', { partnerId: globex }],
    ['a jobId that has another externalId', { jobId: jobId('job_newer') }],
  ])('because of %s is not found, is on record, and calls nothing', async (_, more) => {
    expect(await scene.cancel(more)).toEqual({ kind: 'job_not_found' });
    expect(scene.ports.log.refused).toMatchObject([{ type: 'refused', why: 'job_not_found', requestId: 'request-1' }]);
    expect(scene.calls()).toEqual([]);
  });

  test('is unavailable, not refused, when the refusal cannot be recorded', async () => {
    scene.ports.log.beforeWrite = () => Promise.reject(broken('cancellation-log'));

    await expect(scene.cancel({ partnerId: globex })).rejects.toThrow(DependencyUnavailable);
  });
});

describe('a refusal that is provisional', () => {
  test('is not on record yet', async () => {
    expect(await scene.cancel({ partnerId: globex, refusal: 'provisional' })).toEqual({ kind: 'job_not_found' });
    expect(scene.ports.log.refused).toEqual([]);
  });
});
