import { beforeEach, describe, expect, test, vi } from 'vitest';
import { sealEvent } from '../../../functions/core/cancellation/chain.ts';
import type { EventBody } from '../../../functions/core/cancellation/events.ts';
import { BrokenStream } from '../../../functions/core/cancellation/state.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import type { CancelAnswer, ReadAnswer } from '../../../functions/core/plangrep.ts';
import { DependencyUnavailable } from '../../../functions/core/report.ts';
import { given, jobThatIs, type Scene } from '../../support/given.ts';
import { broken } from '../../support/memory-ports.ts';
import { acme, documentedJob, externalId, globex, jobId, order7890, retention } from '../../support/names.ts';
import { deleteAfter, requested } from '../../support/stored-streams.ts';

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

    expect(await scene.cancel()).toMatchObject({ state: { step: { kind: 'waiting' } }, retryAfterMs: 6_500 });
    expect(await scene.eventTypes()).toEqual(['requested', 'attempt_ended']);
  });

  test('raises the alarm and stays open when Plangrep rejects the key', async () => {
    scene.plangrepAnswers({ cancel: { kind: 'key_refused' } });

    expect(await scene.cancel()).toMatchObject({ state: { step: { kind: 'waiting', result: 'key_refused' } } });
    expect(scene.codes()).toContain('PLANGREP_KEY_REFUSED');
  });

  test.each([
    ['the read too: it may be the key’s scopes', { kind: 'refused', httpStatus: 403 }, 1],
    ['only the cancel: it is about the job', jobThatIs('processing'), 0],
  ] satisfies [string, ReadAnswer, number][])('raises the alarm when a 403 refuses %s', async (_, read, alarms) => {
    scene.plangrepAnswers({ cancel: { kind: 'refused', httpStatus: 403 }, read });
    await scene.cancel();

    expect(scene.codes().filter((code) => code === 'PLANGREP_KEY_REFUSED')).toHaveLength(alarms);
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

    expect(await scene.cancel()).toMatchObject({ state: { step: { kind: 'attempting' } }, retryAfterMs: 6_000 });
    expect(scene.ports.reported).toContainEqual({
      code: 'AUDIT_WRITE_FAILED',
      fields: { partnerId: acme, jobId: documentedJob, requestId: 'request-1', type: 'closed' },
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
      const [intent] = (await scene.ports.log.read(acme, documentedJob)).events;
      if (intent === undefined) throw new Error('no intent');
      const body: EventBody = { type: 'closed', outcome: 'too_late', jobStatus: 'completed' };
      const place = { eventId: 'other', at: toTimestamp(scene.ports.clock.now()), keptDays: retention.events };
      await scene.ports.log.append(sealEvent(intent, intent, body, place));
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
  test("joins it under the caller's externalId where the one on record was erased", async () => {
    await scene.cancel();
    scene.ports.log.erase({ partnerId: acme, jobId: documentedJob });

    expect(await scene.cancel({ requestId: 'request-2' })).toMatchObject({
      kind: 'closed',
      state: { externalId: order7890 },
    });
  });

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

  test('does not outlive it on record', async () => {
    await scene.cancel();
    const [begun] = (await scene.ports.log.read(acme, documentedJob)).events;
    scene.ports.clock.advance(60_000);
    await scene.cancel({ requestId: 'request-2' });

    expect(retention.requests).toBe(retention.events);
    expect(scene.ports.log.joined).toMatchObject([{ deleteAfter: begun?.deleteAfter }]);
  });

  test('is due at once if its wake-up was removed by tampering', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    const open = await scene.cancel();
    const [, newest] = scene.ports.log.streams.get(`acme#${documentedJob}`) ?? [];
    if (newest !== undefined) newest.wakeAt = undefined;

    expect(open).toMatchObject({ kind: 'open', retryAfterMs: 6_500 });
    expect(await scene.cancel()).toMatchObject({ kind: 'open', retryAfterMs: 1_500 });
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

const unknownThere: CancelAnswer = { kind: 'refused', httpStatus: 404 };

test.each([
  [1, true],
  [-1, false],
])('a 404 for a job that expires in %i min alarms an operator: %s', async (minutes, alarms) => {
  scene = await given({ jobs: [], plangrep: { cancel: unknownThere, read: { kind: 'not_found' } } });
  const { clock, directory } = scene.ports;
  const [before, jobExpiresAt] = [-60, minutes].map((offset) => toTimestamp(clock.now() + offset * 60_000));
  const times = { registeredAt: String(before), verifiedAt: String(before), jobExpiresAt };
  await directory.claim(acme, order7890, { jobId: documentedJob, ...times });

  expect(await scene.cancel()).toMatchObject({ kind: 'open' });
  expect(scene.codes().includes('JOB_ABSENT')).toBe(alarms);
  expect(scene.codes()).toContain('CANCELLATION_PENDING');
});

describe('a request for a job that Plangrep did not know', () => {
  const unknownJob: EventBody = { type: 'closed', outcome: 'job_not_found' };
  beforeEach(async () => {
    scene = await given({ events: [requested, unknownJob] });
  });

  test('begins the cancellation anew when Plangrep knows the job after all', async () => {
    expect(await scene.cancel({ requestId: 'request-2' })).toMatchObject({
      kind: 'closed',
      state: { attempts: 2, step: { outcome: 'cancelled' } },
    });
    expect(await scene.eventTypes()).toEqual(['requested', 'closed', 'requested', 'closed']);
    expect(scene.calls()).toEqual([`read ${documentedJob}`, `cancel ${documentedJob}`]);
    expect(scene.ports.log.joined).toEqual([]);
  });

  test('keeps the date on which the stream expires', async () => {
    scene.ports.clock.advance(86_400_000);
    await scene.cancel();
    const { events } = await scene.ports.log.read(acme, documentedJob);

    expect(events).toHaveLength(4);
    expect(events.map((event) => event.deleteAfter)).toEqual(events.map(() => deleteAfter));
  });

  test('closes it by what the read showed when the job has ended meanwhile', async () => {
    scene.plangrepAnswers({ read: 'completed' });

    expect(await scene.cancel()).toMatchObject({ kind: 'closed', state: { step: { outcome: 'too_late' } } });
    expect(scene.calls()).toEqual([`read ${documentedJob}`]);
  });

  test('joins it while Plangrep does not know the job', async () => {
    scene.plangrepAnswers({ read: { kind: 'not_found' } });

    expect(await scene.cancel()).toMatchObject({ kind: 'closed', state: { step: { outcome: 'job_not_found' } } });
    expect(await scene.eventTypes()).toEqual(['requested', 'closed']);
    expect(scene.ports.log.joined).toHaveLength(1);
  });

  test('does nothing, and has to come again, when Plangrep cannot be asked: the job may run after all', async () => {
    scene.plangrepAnswers({ read: { kind: 'unknown', why: 'timeout' } });

    expect(await scene.cancel({ refusal: 'provisional' })).toEqual({ kind: 'unresolved' });
    expect(scene.ports.log.refused).toEqual([]);
    expect(await scene.cancel({ refusal: 'final' })).toEqual({ kind: 'unresolved' });
    expect(scene.ports.log.refused).toMatchObject([{ why: 'unresolved' }]);
    expect(await scene.eventTypes()).toEqual(['requested', 'closed']);
    expect(scene.ports.log.joined).toEqual([]);

    scene.plangrepAnswers({ read: 'processing' });
    expect(await scene.cancel()).toMatchObject({ kind: 'closed', state: { step: { outcome: 'cancelled' } } });
  });

  test('has one winner among many that begin it anew at the same time', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, n) => scene.cancel({ requestId: `request-${n}` })));

    expect(await scene.eventTypes()).toEqual(['requested', 'closed', 'requested', 'closed']);
    expect(scene.calls().filter((call) => call.startsWith('cancel'))).toHaveLength(1);
    expect(scene.ports.log.joined).toHaveLength(19);
  });
});

describe('a request that waits', () => {
  const wait = (ms: number) => {
    const now = scene.ports.clock.now();
    return scene.cancel({ waitUntilMs: now + ms, untilMs: now + 12_000 });
  };

  test('stays until its retry took effect', async () => {
    const answers: CancelAnswer[] = [{ kind: 'unknown', why: 'server_error', httpStatus: 500 }];
    scene.plangrepAnswers({ cancel: (id) => answers.shift() ?? { kind: 'job', job: { id, status: 'cancelled' } } });

    expect(await wait(10_000)).toMatchObject({ kind: 'closed', state: { attempts: 2 } });
    expect(await scene.wakeUps()).toEqual([expect.objectContaining({ seq: 1 })]);
  });

  test('does not look again and again at a cancellation whose wake-up is malformed', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    await scene.cancel();
    const last = scene.ports.log.streams.get(`acme#${documentedJob}`)?.at(-1);
    if (last !== undefined) last.wakeAt = undefined;
    const read = vi.spyOn(scene.ports.log, 'read');

    expect(await wait(10_000)).toMatchObject({ kind: 'open' });
    expect(read.mock.calls.length).toBeLessThan(5);
  });

  test('polls an accepted cancel, no faster than Plangrep allows', async () => {
    scene.plangrepAnswers({ cancel: 'processing', read: 'cancelled' });
    const started = scene.ports.clock.now();

    expect(await wait(10_000)).toMatchObject({ kind: 'closed' });
    expect(scene.ports.clock.now() - started).toBe(5_000);
    expect(scene.calls()).toEqual([`cancel ${documentedJob}`, `read ${documentedJob}`]);
  });

  test('is answered when its time is up, with the look that comes next', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    const started = scene.ports.clock.now();

    expect(await wait(7_000)).toMatchObject({
      kind: 'open',
      wakeAt: toTimestamp(started + 15_000),
      retryAfterMs: 9_500,
    });
    expect(scene.ports.clock.now() - started).toBe(7_000);
  });

  test('makes no look for which a slow log left too little time', async () => {
    scene.plangrepAnswers({ cancel: 'processing', read: 'cancelled' });
    const { log, clock } = scene.ports;
    const read = log.read.bind(log);
    log.read = async (...name) => {
      await clock.sleep(2_000);
      return read(...name);
    };

    expect(await wait(5_000)).toMatchObject({ kind: 'open' });
    expect(scene.calls()).toEqual([`cancel ${documentedJob}`]);
  });

  test('sees what another invocation wrote', async () => {
    scene.plangrepAnswers({ cancel: () => Promise.reject(new Error('killed')) });
    await expect(scene.cancel()).rejects.toThrow('killed');
    const sleep = scene.ports.clock.sleep.bind(scene.ports.clock);
    const [intent] = (await scene.ports.log.read(acme, documentedJob)).events;
    Object.assign(scene.ports.clock, {
      sleep: async (ms: number) => {
        await sleep(ms);
        if (intent === undefined || (await scene.eventTypes()).length > 1) return;
        const place = { eventId: 'other', at: toTimestamp(scene.ports.clock.now()), keptDays: retention.events };
        await scene.ports.log.append(sealEvent(intent, intent, { type: 'closed', outcome: 'cancelled' }, place));
      },
    });

    expect(await wait(10_000)).toMatchObject({ kind: 'closed', state: { step: { outcome: 'cancelled' } } });
  });

  test.each([
    ['does not answer', () => broken('cancellation-log')],
    ['is broken', () => new BrokenStream('a gap')],
  ])('is answered with what it knows when the log %s', async (_, error) => {
    scene.plangrepAnswers({ cancel: 'processing' });
    scene.ports.log.read = () => Promise.reject(error());

    expect(await wait(10_000)).toMatchObject({ kind: 'open', state: { step: { kind: 'waiting' } } });
  });

  test('does not hide a bug', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    scene.ports.log.read = () => Promise.reject(new TypeError('a bug'));

    await expect(wait(10_000)).rejects.toThrow('a bug');
  });
});

describe('the message for a wake-up', () => {
  test('is sent for an event that leaves the cancellation open, and not on the happy path', async () => {
    await scene.cancel();

    expect(scene.ports.wakeUpQueue.sent).toEqual([]);

    scene = await given({ plangrep: { cancel: { kind: 'unknown', why: 'timeout' } } });
    await scene.cancel();

    expect(scene.ports.wakeUpQueue.sent).toEqual([
      { partnerId: acme, jobId: documentedJob, seq: 2, wakeAt: toTimestamp(scene.ports.clock.now() + 2_200) },
    ]);
  });

  test('may be lost: that is reported, and the index has the wake-up', async () => {
    scene.plangrepAnswers({ cancel: { kind: 'unknown', why: 'timeout' } });
    scene.ports.wakeUpQueue.before = () => Promise.reject(broken('wake-ups'));

    expect(await scene.cancel()).toMatchObject({ kind: 'open' });
    expect(scene.codes()).toContain('WAKE_UP_NOT_SENT');
    expect((await scene.wakeUps()).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test('hides no bug', async () => {
    scene.plangrepAnswers({ cancel: { kind: 'unknown', why: 'timeout' } });
    scene.ports.wakeUpQueue.before = () => Promise.reject(new TypeError('a bug'));

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
