import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sealEvent } from '../../../functions/core/cancellation/chain.ts';
import type { AttemptEndedBody, EventBody, RequestedBody } from '../../../functions/core/cancellation/events.ts';
import type { SpentMs } from '../../../functions/core/cancellation/account.ts';
import { applyEvent, type CancellationState, checkNext } from '../../../functions/core/cancellation/state.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { acme, documentedJob, order7890, retention } from '../../support/names.ts';
import { committed } from '../../support/committed.ts';

const requestedMs = Date.parse('2026-11-23T12:00:00.000Z');
/** @param seconds after the request */
const timeOf = (seconds: number) => toTimestamp(requestedMs + seconds * 1_000);

const claim = { claimedBy: 'a', leaseUntil: timeOf(45) };
const requested = (attempt = 1): RequestedBody => ({
  type: 'requested',
  ...committed({ door: 'https', requestId: 'r-1', externalId: order7890 }),
  attempt,
  ...claim,
});
const started = (attempt: number): EventBody => ({ type: 'attempt_started', attempt, ...claim });
const ended = (
  attempt: number,
  result: AttemptEndedBody['result'],
  more: Partial<AttemptEndedBody> = {},
): EventBody => ({
  type: 'attempt_ended',
  attempt,
  result,
  ...more,
});
const observed = (jobStatus: string, creditsDebited?: number): EventBody => ({
  type: 'observed',
  result: 'job',
  jobStatus,
  creditsDebited,
});
const absent: EventBody = { type: 'observed', result: 'not_found' };
const escalated: EventBody = { type: 'escalated' };
const cancelled = { type: 'closed', outcome: 'cancelled', jobStatus: 'cancelled' } as const satisfies EventBody;
const unknownJob: EventBody = { type: 'closed', outcome: 'job_not_found' };

/** Events with the seconds after the request at which they were written. */
type Timed = readonly (readonly [seconds: number, body: EventBody])[];

const append = (state: CancellationState | undefined, [seconds, body]: Timed[number]) => {
  const place = { eventId: 'e', at: timeOf(seconds), keptDays: retention.events };
  return applyEvent(state, sealEvent({ partnerId: acme, jobId: documentedJob }, state?.last, body, place));
};

const figuresOf = (...events: Timed) => {
  const state = events.reduce<CancellationState | undefined>(append, undefined);
  if (state?.step.kind !== 'closed') throw new Error('these events close no cancellation');
  const { ranMs, spentMs, creditsDebitedMeanwhile } = state.step.figures;
  const { us, plangrep, person } = spentMs;
  const ran = ranMs === undefined ? undefined : ranMs / 1_000;
  return { ran, us: us / 1_000, plangrep: plangrep / 1_000, person: person / 1_000, credits: creditsDebitedMeanwhile };
};

describe('the time of a cancellation is spent', () => {
  test('by Plangrep while an attempt calls it', () => {
    expect(figuresOf([0, requested()], [0.2, cancelled])).toMatchObject({ us: 0, plangrep: 0.2, person: 0 });
  });

  test('by Plangrep for as long as it asked to wait, and by us for the rest', () => {
    const limited = ended(1, 'rate_limited', { retryAfterMs: 2_000 });

    expect(figuresOf([0, requested()], [1, limited], [4, started(2)], [4.5, cancelled])).toMatchObject({
      us: 1,
      plangrep: 1 + 2 + 0.5,
      person: 0,
    });
  });

  test('by Plangrep alone if we return before the wait that it asked for is over', () => {
    const limited = ended(1, 'unknown', { why: 'server_error', retryAfterMs: 20_000 });

    expect(figuresOf([0, requested()], [1, limited], [4, started(2)], [5, cancelled])).toMatchObject({
      us: 0,
      plangrep: 5,
    });
  });

  test.each(['unknown', 'not_sent', 'refused', 'rate_limited'] as const)(
    'by us after %s: our own backoff',
    (result) => {
      expect(figuresOf([0, requested()], [1, ended(1, result)], [3, started(2)], [4, cancelled])).toMatchObject({
        us: 2,
        plangrep: 2,
      });
    },
  );

  test.each(['no_key', 'no_time'] as const)('by us in an attempt that made no call: %s', (why) => {
    const prevented = ended(1, 'not_sent', { why });

    expect(figuresOf([0, requested()], [5, prevented], [6, started(2)], [7, cancelled])).toMatchObject({
      us: 6,
      plangrep: 1,
    });
  });

  test('by Plangrep in an attempt that it did not let connect', () => {
    const refused = ended(1, 'not_sent', { why: 'no_connection' });

    expect(figuresOf([0, requested()], [5, refused], [6, started(2)], [7, cancelled])).toMatchObject({
      us: 1,
      plangrep: 6,
    });
  });

  test('by us in an attempt that was abandoned, and an alert changes nothing about that', () => {
    expect(figuresOf([0, requested()], [30, escalated], [46, started(2)], [47, cancelled])).toMatchObject({
      us: 46,
      plangrep: 1,
    });
  });

  test('by a person while Plangrep rejects the key', () => {
    const events = [
      [0, requested()],
      [1, ended(1, 'key_refused')],
      [601, started(2)],
      [602, cancelled],
    ] as const;

    expect(figuresOf(...events)).toMatchObject({ us: 0, plangrep: 2, person: 600 });
  });

  test('by Plangrep while it does not know the job', () => {
    const events = [
      [0, requested()],
      [1, ended(1, 'not_found')],
      [200, started(2)],
      [201, unknownJob],
    ] as const;

    expect(figuresOf(...events)).toEqual({ us: 0, plangrep: 201, person: 0, ran: undefined, credits: undefined });
  });

  test('by Plangrep after it accepted, and by a person while the job is out of credits', () => {
    const events = [
      [0, requested()],
      [1, ended(1, 'accepted', { jobStatus: 'processing' })],
      [11, observed('blocked_insufficient_credits')],
      [900, escalated],
      [1_011, observed('processing')],
      [1_016, absent],
      [1_021, cancelled],
    ] as const;

    expect(figuresOf(...events)).toMatchObject({ us: 0, plangrep: 21, person: 1_000, ran: 1_021 });
  });

  test('by a person from the start if the job is out of credits when Plangrep accepts', () => {
    const accepted = ended(1, 'accepted', { jobStatus: 'blocked_insufficient_credits' });

    expect(figuresOf([0, requested()], [1, accepted], [61, cancelled])).toMatchObject({ plangrep: 1, person: 60 });
  });

  test('by us from the end of an accepted job until we knew', () => {
    const accepted = ended(1, 'accepted', { jobStatus: 'processing' });
    const end = { ...cancelled, completedAt: timeOf(3) };

    expect(figuresOf([0, requested()], [1, accepted], [6, end])).toMatchObject({ ran: 3, us: 3, plangrep: 3 });
  });

  test('from its own request, if it began anew', () => {
    const first = [
      [0, requested()],
      [1, ended(1, 'key_refused')],
      [300, started(2)],
      [301, unknownJob],
    ] as const;
    const figures = figuresOf(...first, [1_000, requested(3)], [1_002, cancelled]);

    expect(figures).toMatchObject({ ran: 2, us: 0, plangrep: 2, person: 0 });
  });
});

describe('a job ran', () => {
  const ranIfEnded = (completedAt: string) => {
    const alive = ended(1, 'accepted', { jobStatus: 'processing' });
    return figuresOf([0, requested()], [2, alive], [10, { ...cancelled, completedAt }]);
  };

  test('until the end that Plangrep tells', () => {
    expect(ranIfEnded(timeOf(7))).toMatchObject({ ran: 7, us: 3 });
  });

  test('at least until it was last seen alive, whatever Plangrep’s clock says', () => {
    expect(ranIfEnded(timeOf(-30))).toMatchObject({ ran: 2, us: 8 });
  });

  test('at most until the cancellation closed', () => {
    expect(ranIfEnded(timeOf(3_600))).toMatchObject({ ran: 10, us: 0 });
  });

  test('not at all after the request, if it had ended before', () => {
    const completed = { type: 'closed', outcome: 'too_late', jobStatus: 'completed' } as const;

    expect(figuresOf([0, requested()], [1, { ...completed, completedAt: timeOf(-60) }])).toMatchObject({ ran: 0 });
  });
});

describe('the credits debited meanwhile', () => {
  const creditsOf = (...told: readonly (number | undefined)[]) => {
    const [accepted, ...later] = told;
    const last = later.pop();
    return figuresOf(
      [0, requested()],
      [1, ended(1, 'accepted', { jobStatus: 'processing', creditsDebited: accepted })],
      ...later.map((credits, n): Timed[number] => [2 + n, observed(`status ${n}`, credits)]),
      [100, { ...cancelled, creditsDebited: last }],
    ).credits;
  };

  test('are the difference between the first and the last read that told', () => {
    expect(creditsOf(10, 20, 35)).toBe(25);
    expect(creditsOf(undefined, 20, 35)).toBe(15);
    expect(creditsOf(10, 20, undefined)).toBe(10);
    expect(creditsOf(0.1, 0.3)).toBe(0.2);
    expect(creditsOf(7, 7)).toBe(0);
  });

  test('are unknown when fewer than two reads told, or when the figures fall', () => {
    expect(creditsOf(undefined, undefined)).toBeUndefined();
    expect(creditsOf(undefined, 35)).toBeUndefined();
    expect(creditsOf(35, undefined)).toBeUndefined();
    expect(creditsOf(35, 20)).toBeUndefined();
  });
});

describe('clocks that differ', () => {
  test('take back what was counted too much, last from us', () => {
    const events = [
      [0, requested()],
      [2, ended(1, 'unknown')],
      // Written by a clock that is a minute ahead.
      [64, started(2)],
      [66, ended(2, 'key_refused')],
      [8, started(3)],
      [9, cancelled],
    ] as const;

    expect(figuresOf(...events)).toMatchObject({ us: 8, plangrep: 1, person: 0 });
  });

  test('never make the time negative: a closing event from before the request closes at once', () => {
    expect(figuresOf([0, requested()], [5, ended(1, 'key_refused')], [-9, unknownJob])).toMatchObject({
      us: 0,
      plangrep: 0,
      person: 0,
    });
  });

  const count = fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: undefined });
  const status = fc.constantFrom('processing', 'blocked_insufficient_credits', undefined);
  const anyBody = (attempt: number): fc.Arbitrary<EventBody> =>
    fc.oneof(
      fc.constant(requested(attempt)),
      fc.constant(started(attempt)),
      fc.record({
        type: fc.constant('attempt_ended' as const),
        attempt: fc.constant(attempt - 1),
        result: fc.constantFrom(
          'accepted',
          'refused',
          'rate_limited',
          'key_refused',
          'not_sent',
          'not_found',
          'unknown',
        ),
        why: fc.constantFrom('no_key', 'timeout', undefined),
        retryAfterMs: fc.option(fc.integer({ min: 0, max: 900_000 }), { nil: undefined }),
        jobStatus: status,
        creditsDebited: count,
      }),
      fc.record({
        type: fc.constant('observed' as const),
        result: fc.constantFrom('job', 'not_found'),
        jobStatus: status,
        creditsDebited: count,
      }),
      fc.constant(escalated),
      fc.record({
        type: fc.constant('closed' as const),
        outcome: fc.constantFrom('cancelled', 'too_late', 'job_not_found'),
        completedAt: fc.option(
          fc.integer({ min: -10_000, max: 10_000 }).map((seconds) => timeOf(seconds)),
          { nil: undefined },
        ),
        creditsDebited: count,
      }),
    );

  test('leave the three parties with the whole time, and none with less than nothing, at every event', () => {
    let closings = 0;
    let jumps = 0;
    const gaps = fc.oneof(
      { weight: 5, arbitrary: fc.nat(100_000) },
      { weight: 1, arbitrary: fc.integer({ min: -90_000, max: 0 }) },
    );
    fc.assert(
      fc.property(fc.infiniteStream(gaps), fc.gen(), (stepsMs, draw) => {
        let state: CancellationState | undefined;
        let nowMs = 0;
        let newestMs = 0;
        for (let n = 0; n < 12; n += 1) {
          const body = draw(anyBody, (state?.attempts ?? 0) + 1);
          if (checkNext(state, body).kind === 'not_allowed') continue;
          const stepMs = stepsMs.next().value ?? 0;
          if (stepMs < 0) jumps += 1;
          nowMs += stepMs;
          state = append(state, [nowMs / 1_000, body]);
          if (body.type !== 'escalated') newestMs = nowMs;
          const wholeMs = Math.max(0, requestedMs + newestMs - Date.parse(state.requestedAt));
          judge(state.account.spentMs, wholeMs);
          if (state.step.kind !== 'closed') continue;
          closings += 1;
          const { ranMs, spentMs, creditsDebitedMeanwhile } = state.step.figures;
          judge(spentMs, Math.max(0, Date.parse(state.step.at) - Date.parse(state.requestedAt)));
          expect(ranMs ?? 0).toBeGreaterThanOrEqual(0);
          expect(ranMs ?? 0).toBeLessThanOrEqual(wholeMs);
          expect(ranMs === undefined).toBe(state.step.outcome === 'job_not_found');
          expect(creditsDebitedMeanwhile ?? 0).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 2_000 },
    );

    expect(closings).toBeGreaterThan(500);
    expect(jumps).toBeGreaterThan(500);
  });

  function judge(spentMs: SpentMs, wholeMs: number): void {
    const { us, plangrep, person } = spentMs;
    expect(us + plangrep + person).toBe(wholeMs);
    expect(Math.min(us, plangrep, person)).toBeGreaterThanOrEqual(0);
  }
});
