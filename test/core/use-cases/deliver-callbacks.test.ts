import { describe, expect, test, vi } from 'vitest';
import type { Subject } from '../../../functions/core/callbacks/callback-message.ts';
import { keptShard } from '../../../functions/core/callbacks/callback-shards.ts';
import type { CallbackAnswer } from '../../../functions/core/callbacks/ports.ts';
import { sealEvent } from '../../../functions/core/cancellation/chain.ts';
import type { CancellationEvent, EventBody, RefusedRecord } from '../../../functions/core/cancellation/events.ts';
import { refusedKey, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { DependencyUnavailable } from '../../../functions/core/report.ts';
import { deliverCallbacks } from '../../../functions/core/use-cases/deliver-callbacks.ts';
import { sendDueCallbacks } from '../../../functions/core/use-cases/send-due-callbacks.ts';
import { testCallback } from '../../../functions/core/use-cases/test-callback.ts';
import { committed } from '../../support/committed.ts';
import { answered, CallbackWorld, ok } from '../../support/callbacks/memory-callbacks.ts';
import { acme, documentedJob, order7890, retention } from '../../support/names.ts';
import { again, closed, deleteAfter, escalated, requested, unknownJob } from '../../support/stored-streams.ts';

const at = '2026-11-26T12:00:00.000Z';
const startMs = Date.parse(at);
const name = { partnerId: acme, jobId: documentedJob };
const job: Subject = { kind: 'job', ...name };
const url = 'https://partner.example/callbacks';
const hour = 3_600_000;

function eventsOf(bodies: readonly EventBody[]): CancellationEvent[] {
  const events: CancellationEvent[] = [];
  for (const [n, body] of bodies.entries())
    events.push(sealEvent(name, events.at(-1), body, { eventId: `e-${n + 1}`, at, keptDays: retention.events }));
  return events;
}

/** @param bodies of the cancellation's events */
function given(bodies: readonly EventBody[] = [requested, closed]) {
  const world = new CallbackWorld(startMs);
  world.log.streams.set(streamKey(name), eventsOf(bodies));
  world.endpoints.set(acme, { url, version: 1 });
  /** @param timeMs by default enough for one attempt, and not for the pause before another */
  const deliver = (subject = job, replay?: { id: string; all: boolean }, timeMs = 13_000) =>
    deliverCallbacks(world.ports, subject, { replay, untilMs: world.nowMs + timeMs });
  const told = () => world.posted.map(({ headers }) => headers['webhook-id']);
  const results = () => world.log.records().map(({ result, why, attempt }) => [result, why, attempt]);
  return { world, deliver, told, results };
}

/** @returns the messages that a run of the schedule sends, so many milliseconds later */
async function dueAfter(world: CallbackWorld, ms: number) {
  world.nowMs += ms;
  world.sent.length = 0;
  await sendDueCallbacks(world.ports, Infinity);
  return world.sent;
}

describe('a cancellation that closed', () => {
  test('is told once, and that is on record beside it', async () => {
    const { world, deliver } = given();

    await deliver();
    await deliver();

    const [request, ...others] = world.posted;
    expect(others).toEqual([]);
    expect(request).toMatchObject({
      url,
      headers: { 'webhook-id': 'e-2', 'webhook-timestamp': String(startMs / 1_000) },
    });
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      type: 'cancellation.closed',
      timestamp: at,
      data: {
        jobId: documentedJob,
        externalId: order7890,
        state: 'closed',
        outcome: 'cancelled',
        creditsDebited: 62.5,
      },
    });
    expect(world.log.records()).toEqual([
      {
        type: 'callback',
        format: 1,
        ...name,
        about: 'event#000002',
        notice: 'closed',
        number: 1,
        webhookId: 'e-2',
        at,
        deleteAfter: expect.any(Number),
        result: 'delivered',
        httpStatus: 204,
        attempt: 1,
      },
    ]);
    expect(world.log.kept()).toEqual([]);
    expect(world.lines).toEqual([
      ['CALLBACK_ATTEMPTED', expect.objectContaining({ result: 'delivered', webhookId: 'e-2' })],
    ]);
  });

  test('is told in order with what came before it, each as it was then', async () => {
    const { world, deliver, told } = given([requested, escalated, unknownJob, again(2), closed]);

    await deliver();

    expect(told()).toEqual(['e-2', 'e-3', 'e-5']);
    expect(world.posted.map(({ body }) => JSON.parse(body))).toMatchObject([
      { type: 'cancellation.escalated', data: { state: 'open', outcome: null, escalatedAt: at } },
      { type: 'cancellation.closed', data: { outcome: 'job_not_found' } },
      { type: 'cancellation.closed', data: { outcome: 'cancelled' } },
    ]);
  });

  test('is not told to a partner without an endpoint, and nothing of that is on record', async () => {
    const { world, deliver } = given();
    world.endpoints.clear();

    await deliver();

    expect([world.posted, world.log.records()]).toEqual([[], []]);
  });

  test('is not told once its externalId was erased', async () => {
    const { world, deliver, results } = given();
    const [first, ...rest] = world.log.streams.get(streamKey(name)) ?? [];
    const { externalId: _, ...erased } = first as CancellationEvent<typeof requested>;
    world.log.streams.set(streamKey(name), [erased, ...rest] as CancellationEvent[]);

    await deliver();
    await deliver();

    expect([world.posted, results()]).toEqual([[], [['erased', undefined, 1]]]);
  });
});

describe('an attempt that fails', () => {
  test.each([
    ['the endpoint answers 500', answered(500), ['failed', 'http_status', 1], 5_000],
    ['the endpoint redirects', answered(302), ['failed', 'http_status', 1], 5_000],
    ['the endpoint asks for a minute', answered(429, 60_000), ['failed', 'http_status', 1], 60_000],
    ['there is no answer', { kind: 'failed', why: 'timeout' } as const, ['failed', 'timeout', 1], 5_000],
  ])('because %s is made again', async (_, answer, result, delayMs) => {
    const { world, deliver, results, told } = given();
    world.answer = () => answer;

    await deliver();
    expect(results()).toEqual([result]);
    expect(await dueAfter(world, delayMs - 2_000)).toEqual([]);

    // A message that comes early changes nothing.
    await deliver();
    expect(told()).toHaveLength(1);

    expect(await dueAfter(world, 2_000)).toEqual([name]);
    world.answer = () => ok;
    await deliver();
    expect(results().at(-1)).toEqual(['delivered', undefined, 2]);
    expect(told()).toEqual(['e-2', 'e-2']);
    expect(world.posted[0]?.body).toBe(world.posted[1]?.body);
    expect([...world.log.attempts.values()].map(({ place }) => place)).toEqual([undefined, undefined]);
  });

  test('lets nothing overtake it', async () => {
    const { world, deliver, told } = given([requested, escalated, closed]);
    world.answer = () => answered(503);
    await deliver();
    // The message of what follows comes before the next attempt is due.
    await deliver();
    expect(told()).toEqual(['e-2']);
    world.nowMs += 5_000;
    await deliver();
    expect(told()).toEqual(['e-2', 'e-2']);

    world.answer = () => ok;
    world.nowMs += 300_000;
    await deliver();
    expect(told()).toEqual(['e-2', 'e-2', 'e-2', 'e-3']);
  });

  test('is made ten times, over three days, and is then kept for a replay, and tells an operator', async () => {
    const { world, deliver, results } = given();
    world.answer = () => answered(500);
    for (let n = 0; n < 20; n += 1) {
      await deliver();
      world.nowMs = Math.max(world.nowMs, Date.parse(world.log.records().at(-1)?.nextAt ?? at));
    }

    expect(results()).toHaveLength(10);
    expect((world.nowMs - startMs) / hour).toBeCloseTo(75.6, 1);
    expect(world.log.kept()).toEqual([job]);
    expect(world.lines.at(-1)).toMatchObject(['CALLBACK_KEPT', { why: 'http_status', httpStatus: 500, attempt: 10 }]);

    world.answer = () => ok;
    await deliver(job, { id: 'replay-1', all: false });
    expect(results().at(-1)).toEqual(['delivered', undefined, 1]);
    expect(world.log.kept()).toEqual([]);
  });

  describe('for the last time', () => {
    async function givenUp() {
      const scene = given([requested, escalated, closed]);
      const { world, deliver } = scene;
      world.answer = () => answered(500);
      for (let n = 0; n < 10; n += 1) {
        await deliver();
        world.nowMs = Math.max(world.nowMs, Date.parse(world.log.records().at(-1)?.nextAt ?? at));
      }
      return scene;
    }

    test('holds up what comes after it, which has its own attempts', async () => {
      const { world, results } = await givenUp();

      expect(results().slice(-2)).toEqual([
        ['failed', 'http_status', 10],
        ['failed', 'earlier_failed', 1],
      ]);
      expect(world.log.kept()).toEqual([job]);
    });

    test('is made once more before what comes after it, in order', async () => {
      const { world, deliver, told, results } = await givenUp();
      world.answer = () => ok;
      await deliver(job, undefined, 37_000);

      expect(told().slice(-2)).toEqual(['e-2', 'e-3']);
      expect(results().slice(-2)).toEqual([
        ['delivered', undefined, 10],
        ['delivered', undefined, 2],
      ]);
      expect(world.log.kept()).toEqual([]);
    });

    test('is made once more at each time that comes after it is due, and holds it up until both are kept', async () => {
      const { world, deliver, told, results } = await givenUp();
      for (let n = 0; n < 9; n += 1) {
        await deliver(job, undefined, 37_000);
        world.nowMs = Math.max(world.nowMs, Date.parse(world.log.records().at(-1)?.nextAt ?? at));
      }

      expect(new Set(told())).toEqual(new Set(['e-2']));
      expect(results().at(-1)).toEqual(['failed', 'earlier_failed', 10]);
      expect(world.log.kept()).toHaveLength(2);
    });

    test('holds up nothing that is told once it was erased', async () => {
      const { world, deliver, told } = await givenUp();
      const events = world.log.streams.get(streamKey(name)) ?? [];
      const [first, ...rest] = events;
      const { externalId: _, ...erased } = first as CancellationEvent<typeof requested>;
      world.log.streams.set(streamKey(name), [erased, ...rest] as CancellationEvent[]);
      const before = told().length;
      await deliver(job, undefined, 37_000);

      expect(told()).toHaveLength(before);
      expect(
        world.log
          .records()
          .map(({ result }) => result)
          .slice(-2),
      ).toEqual(['erased', 'erased']);
    });

    test('by a 410 holds up what comes after it, which is kept with it', async () => {
      const { world, deliver, results } = await givenUp();
      world.answer = () => answered(410);
      await deliver(job, undefined, 37_000);
      world.nowMs += 600_000;
      await deliver(job, undefined, 37_000);

      expect(results().slice(-3)).toEqual([
        ['paused', 'gone', 10],
        ['failed', 'earlier_failed', 2],
        ['paused', 'gone', 3],
      ]);
    });
  });

  test('is made again by the same run where that has the time', async () => {
    const { world, deliver, results, told } = given([requested, escalated, closed]);
    const answers = [answered(500)];
    world.answer = () => answers.shift() ?? ok;
    await deliver(job, undefined, 40_000);

    expect(results()).toEqual([
      ['failed', 'http_status', 1],
      ['delivered', undefined, 2],
      ['delivered', undefined, 1],
    ]);
    expect([world.slept, told()]).toEqual([[5_000], ['e-2', 'e-2', 'e-3']]);
  });

  test('is not waited for when the endpoint asked for longer', async () => {
    const { world, deliver } = given();
    world.answer = () => answered(429, 10_000);
    await deliver(job, undefined, 40_000);

    expect([world.slept, world.posted.length]).toEqual([[], 1]);
  });

  test('that another run has moved meanwhile is not sent twice', async () => {
    const { world, deliver } = given();
    world.answer = () => answered(503, 2 * hour);
    await deliver();
    world.nowMs += 2 * hour;
    world.log.beforeWrite = () => {
      for (const stored of world.log.attempts.values()) stored.place = { kind: 'due', at: '2099-01-01T00:00:00.000Z' };
    };
    await sendDueCallbacks(world.ports, Infinity);

    expect(world.sent).toEqual([]);
  });

  test('is sent once by the schedule, when it is due', async () => {
    const { world, deliver } = given();
    world.answer = () => answered(503, 2 * hour);
    await deliver();

    expect(await dueAfter(world, hour)).toEqual([]);
    expect(await dueAfter(world, hour)).toEqual([name]);
    expect(await dueAfter(world, 0)).toEqual([]);
  });

  test('because the endpoint was slow is not a call', async () => {
    const { world, deliver, results, told } = given();
    world.answer = () => {
      world.nowMs += 10_000;
      return { kind: 'failed', why: 'timeout' };
    };
    await deliver();
    world.nowMs += 5_000;
    await deliver();
    await deliver(job, { id: 'replay-1', all: false });

    expect(told()).toEqual(['e-2', 'e-2']);
    expect(results().at(-1)).toEqual(['failed', 'endpoint_slow', 1]);
  });
});

describe('callbacks that are paused', () => {
  test('are kept, and told in order once they are not', async () => {
    const { world, deliver, results, told } = given([requested, escalated, closed]);
    world.endpoints.set(acme, { url, version: 1, pausedWhy: 'operator' });
    await deliver();
    await deliver();

    expect(results()).toEqual([
      ['paused', 'operator', 1],
      ['paused', 'operator', 1],
    ]);
    expect([told(), world.log.kept()]).toEqual([[], [job, job]]);

    world.endpoints.set(acme, { url, version: 1 });
    await deliver();
    expect([told(), world.log.kept()]).toEqual([['e-2', 'e-3'], []]);
  });

  test('are so after 410, for all that follows', async () => {
    const { world, deliver, results, told } = given([requested, escalated, closed]);
    world.answer = () => answered(410);
    await deliver();

    expect(results()).toEqual([
      ['paused', 'gone', 1],
      ['paused', 'gone', 1],
    ]);
    expect(told()).toEqual(['e-2']);
    expect(world.endpoints.get(acme)?.pausedWhy).toBe('gone');
  });

  test('are kept when the endpoint was removed between two attempts', async () => {
    const { world, deliver, results } = given();
    world.answer = () => answered(500);
    await deliver();
    world.endpoints.clear();
    await deliver();

    expect(results()).toEqual([
      ['failed', 'http_status', 1],
      ['paused', 'removed', 2],
    ]);
    expect(world.log.kept()).toEqual([job]);
  });
});

describe('a replay', () => {
  test.each([
    ['by the queue', 5_000],
    ['by the schedule', 65_000],
  ])('goes on with what comes after an attempt that fails, which is made again %s', async (_, laterMs) => {
    const { world, deliver, told } = given([requested, escalated, closed]);
    await deliver();
    world.answer = () => answered(500);
    await deliver(job, { id: 'replay-1', all: true });
    world.answer = () => ok;
    world.nowMs += laterMs;
    await deliver();
    await deliver();

    expect(told()).toEqual(['e-2', 'e-3', 'e-2', 'e-2', 'e-3']);
  });

  test('of what is kept does the same, and tells nothing again', async () => {
    const { world, deliver, told } = given([requested, escalated, closed]);
    world.answer = () => answered(500);
    for (let attempt = 1; attempt <= 20; attempt += 1) {
      await deliver();
      world.nowMs += 30 * hour;
    }
    expect(world.log.kept()).toEqual([job, job]);
    world.posted.length = 0;
    await deliver(job, { id: 'replay-1', all: false });
    world.answer = () => ok;
    world.nowMs += 5_000;
    await deliver();
    await deliver();

    expect(told()).toEqual(['e-2', 'e-2', 'e-3']);
    expect(world.log.kept()).toEqual([]);
  });
});

describe('what is kept just after an operator', () => {
  test('has resumed the callbacks, and has replayed what was kept, is told', async () => {
    const { world, deliver, told } = given([requested, escalated, closed]);
    world.endpoints.set(acme, { url, version: 1, pausedWhy: 'operator' });
    world.log.beforeWrite = () => world.endpoints.set(acme, { url, version: 1 });
    await deliver();

    expect(told()).toEqual(['e-2', 'e-3']);
    expect(world.log.kept()).toEqual([]);
  });

  test('has set another URL than that which answers 410, is told there', async () => {
    const { world, deliver } = given();
    const other = 'https://partner.example/new';
    world.answer = () => {
      world.endpoints.set(acme, { url: other, version: 1 });
      world.answer = () => ok;
      return answered(410);
    };
    await deliver();

    expect(world.posted.map((request) => request.url)).toEqual([url, other]);
    expect(world.log.kept()).toEqual([]);
  });
});

describe('a run that dies', () => {
  test.each(['append', 'unindex'] as const)('before it can %s has told nothing that is lost', async (where) => {
    const { world, deliver, told } = given();
    world.answer = () => answered(500);
    await deliver();
    world.answer = () => ok;
    world.nowMs += 5_000;
    world.log.beforeWrite = (what) => {
      if (what === where) throw new DependencyUnavailable('cancellation-log', new Error('died'));
    };
    await expect(deliver()).rejects.toThrow(DependencyUnavailable);
    world.log.beforeWrite = () => undefined;
    await deliver();

    // Told, at least once; and nothing is left in the index.
    expect(new Set(told())).toEqual(new Set(['e-2']));
    expect(world.log.records().at(-1)?.result).toBe('delivered');
    expect([...world.log.attempts.values()].map(({ place }) => place)).toEqual([undefined, undefined]);
  });

  test('between the move of a due attempt and its message is made up for by a later schedule', async () => {
    const { world, deliver } = given();
    world.answer = () => answered(500);
    await deliver();
    world.sent.length = 0;
    world.nowMs += 65_000;
    world.beforeSend = () => {
      throw new DependencyUnavailable('callbacks', new Error('died'));
    };
    await sendDueCallbacks(world.ports, Infinity);
    expect(world.lines.at(-1)).toEqual(['CALLBACKS_RESUMED', { sent: 0, failed: 1 }]);
    world.beforeSend = () => undefined;
    world.nowMs += 300_000;
    await sendDueCallbacks(world.ports, Infinity);

    expect(world.sent).toHaveLength(1);
  });

  test('out of time has asked for another', async () => {
    const { world, deliver, told } = given();
    await deliver(job, { id: 'replay-1', all: true }, 5_000);

    expect(told()).toEqual([]);
    expect(world.sent).toEqual([{ ...name, replay: { id: 'replay-1', all: true } }]);
    await sendDueCallbacks(world.ports, 0);
    expect(world.sent).toHaveLength(1);
  });

  test('goes on where another run, which read the log before the end, has told the same', async () => {
    const { world, deliver, told } = given([requested, escalated]);
    const first = Promise.withResolvers<CallbackAnswer>();
    world.answer = () => first.promise;
    const earlier = deliver();
    await vi.waitFor(() => expect(told()).toEqual(['e-2']));
    world.log.streams.set(streamKey(name), eventsOf([requested, escalated, closed]));
    world.answer = async () => {
      first.resolve(ok);
      await earlier;
      return ok;
    };
    await deliver();

    expect(told()).toEqual(['e-2', 'e-2', 'e-3']);
    expect(world.log.records().map(({ about, result }) => [about, result])).toEqual([
      ['event#000002', 'delivered'],
      ['event#000003', 'delivered'],
    ]);
  });

  test('stops where another run has told the same', async () => {
    const { world, deliver, told } = given([requested, escalated, closed]);
    let isFirst = true;
    world.answer = async () => {
      if (isFirst) {
        isFirst = false;
        await deliver();
      }
      return ok;
    };
    await deliver();

    expect(told()).toEqual(['e-2', 'e-2', 'e-3']);
    expect(world.log.records()).toHaveLength(2);
  });
});

describe('a refused request', () => {
  const refusal: RefusedRecord = {
    type: 'refused',
    partnerId: acme,
    at,
    deleteAfter,
    why: 'job_not_found',
    ...committed({ door: 'events', requestId: 'event-1', externalId: order7890 } as const),
  };
  const subject: Subject = { kind: 'refusal', partnerId: acme, at, requestId: 'event-1' };

  test('is told with what was asked for, under an id that is always the same', async () => {
    const { world, deliver, told } = given();
    world.log.refusals.set(refusedKey(refusal), refusal);
    world.answer = () => answered(500);
    await deliver(subject);
    world.answer = () => ok;
    world.nowMs += 5_000;
    await deliver(subject);

    expect(JSON.parse(world.posted[0]?.body ?? '')).toEqual({
      type: 'cancellation.refused',
      timestamp: at,
      data: { at, why: 'job_not_found', door: 'events', requestId: 'event-1', jobId: null, externalId: order7890 },
    });
    expect(new Set(told()).size).toBe(1);
    expect(told()[0]).toMatch(/^refused_[0-9a-f]{32}$/);
    expect(world.log.records()).toMatchObject([
      { day: '2026-11-26', about: `${at}#event-1`, notice: 'refused', number: 1 },
      { result: 'delivered', number: 2 },
    ]);
  });

  test('that is not on record any more is not told', async () => {
    const { world, deliver } = given();
    await deliver(subject);

    expect(world.posted).toEqual([]);
  });

  test('whose externalId was erased is not told', async () => {
    const { world, deliver, results } = given();
    world.log.refusals.set(refusedKey(refusal), { ...refusal, externalId: undefined });
    await deliver(subject);

    expect([world.posted, results()]).toEqual([[], [['erased', undefined, 1]]]);
  });
});

describe('signatures', () => {
  test.each([
    ['one, by the version that the row names', { version: 2 }, 1],
    ['two while the version before is still valid', { version: 2, previousUntil: toTimestamp(startMs + 1) }, 2],
    ['one from its end on', { version: 2, previousUntil: at }, 1],
  ])('are %s', async (_, versions, count) => {
    const { world, deliver } = given();
    world.endpoints.set(acme, { url, ...versions });
    await deliver();

    expect(world.posted[0]?.headers['webhook-signature']?.split(' ')).toHaveLength(count);
  });
});

describe('a test of an endpoint', () => {
  test.each([
    ['takes it', ok, { isDelivered: true, httpStatus: 204 }],
    ['does not', answered(401), { isDelivered: false, why: 'http_status', httpStatus: 401 }],
  ])('that %s is kept for the operator, and not on record', async (_, answer, result) => {
    const { world } = given();
    world.endpoints.set(acme, { url, version: 1, pausedWhy: 'gone' });
    world.answer = () => answer;
    await testCallback(world.ports, acme, 'test-1');

    expect(JSON.parse(world.posted[0]?.body ?? '')).toEqual({
      type: 'callback.test',
      timestamp: at,
      data: { testId: 'test-1' },
    });
    expect(world.tests.get(acme)).toMatchObject({ id: 'test-1', at, ...result });
    expect(world.log.records()).toEqual([]);
  });

  test('of a partner without one does nothing', async () => {
    const { world } = given();
    world.endpoints.clear();
    await testCallback(world.ports, acme, 'test-1');

    expect([world.posted, world.tests.size]).toEqual([[], 0]);
  });
});

test('what is kept has a part of the index for each partner', () => {
  expect(keptShard(acme)).toBe('kept#acme');
});
