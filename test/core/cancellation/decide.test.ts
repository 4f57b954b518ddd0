import { describe, expect, test } from 'vitest';
import { sealEvent } from '../../../functions/core/cancellation/chain.ts';
import {
  decide,
  decideAfterCancel,
  decideAfterFirstRead,
  decideAfterPoll,
  decideAfterRefusal,
  decideEnd,
  judgeRead,
  type Reading,
} from '../../../functions/core/cancellation/decide.ts';
import type { AttemptEndedBody, CancellationEvent, EventBody } from '../../../functions/core/cancellation/events.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { stateOf } from '../../../functions/core/cancellation/state.ts';
import type { PlangrepFailure, PlangrepJob } from '../../../functions/core/plangrep.ts';
import { decideRequest } from '../../../functions/core/use-cases/request-cancellation.ts';
import { acme, documentedJob, retention } from '../../support/names.ts';
import { accepted, again, at, closed, ended, escalated, requested, started } from '../../support/stored-streams.ts';

const startMs = Date.parse(at);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** A stream whose events were all written at the same time, `at`. */
const stateAfter = (...bodies: EventBody[]) => {
  const events: CancellationEvent[] = [];
  for (const body of bodies) {
    events.push(
      sealEvent({ partnerId: acme, jobId: documentedJob }, events.at(-1), body, {
        eventId: 'e',
        at,
        keptDays: retention.events,
      }),
    );
  }
  return stateOf(events);
};
const given = (...bodies: EventBody[]) => {
  const state = stateAfter(...bodies);
  return {
    /** The wake-up of this event is due so many milliseconds after the request. */
    whenDue: (seq: number, afterMs: number) => decide(state, { seq }, startMs + afterMs),
  };
};

describe('a wake-up that is due', () => {
  test.each([
    ['of a closed cancellation', [requested, closed], 2],
    ['of an event before the closing one', [requested, closed], 1],
    ['of an event that a newer one followed', [requested, ended(1)], 1],
  ])('%s is obsolete, however late', (_, bodies, seq) => {
    expect(given(...bodies).whenDue(seq, 60 * MINUTE)).toEqual({ kind: 'obsolete' });
  });

  test.each([
    ['under a claim', [requested], 1],
    ['between two attempts', [requested, ended(1)], 2],
    ['of an accepted cancel', [requested, accepted(1)], 2],
  ])('%s escalates once the cancellation is open for 15 minutes', (_, bodies, seq) => {
    expect(given(...bodies).whenDue(seq, 15 * MINUTE)).toEqual({ kind: 'escalate' });
    expect(given(...bodies).whenDue(seq, 15 * MINUTE - 1)).not.toEqual({ kind: 'escalate' });
  });

  test('escalates only once', () => {
    expect(given(requested, ended(1), escalated).whenDue(3, 20 * MINUTE)).toEqual({ kind: 'take_over', attempt: 2 });
  });

  test.each([
    ['whose claim was never followed by an end', [requested], 1, 2],
    ['whose attempt ended without effect', [requested, ended(1)], 2, 2],
    ['whose second attempt was abandoned', [requested, ended(1), started(2)], 3, 3],
  ])('of a cancellation %s takes over with the next attempt', (_, bodies, seq, attempt) => {
    expect(given(...bodies).whenDue(seq, 45 * SECOND)).toEqual({ kind: 'take_over', attempt });
  });

  test.each([
    [5, 10],
    [30, 30],
    [300, 300],
  ])('of a cancel accepted %i s ago polls, and again after %i s', (agoS, againS) => {
    const nextPollMs = startMs + (agoS + againS) * SECOND;

    expect(given(requested, accepted(1)).whenDue(2, agoS * SECOND)).toMatchObject({ kind: 'poll', nextPollMs });
  });
});

const job = (status: string): PlangrepJob => ({ id: documentedJob, status });
const alive: Reading = { kind: 'alive', job: job('processing') };
const cancelled: Reading = { kind: 'closes', body: { type: 'closed', outcome: 'cancelled', jobStatus: 'cancelled' } };
const failures: PlangrepFailure[] = [
  { kind: 'rate_limited', retryAfterMs: 7 * SECOND },
  { kind: 'key_refused' },
  { kind: 'not_sent', why: 'no_connection' },
  { kind: 'refused', httpStatus: 403 },
  { kind: 'unknown', why: 'timeout' },
];

describe('a job read', () => {
  test('that shows a terminal status closes with its outcome', () => {
    expect(judgeRead({ kind: 'job', job: job('expired') })).toMatchObject({
      kind: 'closes',
      body: { outcome: 'too_late', jobStatus: 'expired' },
    });
  });

  test('that shows any other status shows the job alive', () => {
    expect(judgeRead({ kind: 'job', job: job('a_status_of_tomorrow') }).kind).toBe('alive');
  });

  test('that finds no job shows it absent, which is no end', () => {
    expect(judgeRead({ kind: 'not_found' })).toEqual({ kind: 'absent' });
  });

  test.each(failures)('that failed says nothing about the job: %o', (failure) => {
    expect(judgeRead(failure)).toEqual({ kind: 'failed', failure });
  });
});

describe('after a poll', () => {
  const nextPollMs = startMs + 20 * SECOND;
  const wakeAt = '2026-11-23T12:00:20.000Z';
  const polled = { ...accepted(1), jobStatus: 'processing' };
  const when = (reading: Reading, ...more: EventBody[]) =>
    decideAfterPoll(stateAfter(requested, polled, ...more), { kind: 'poll', nowMs: startMs, nextPollMs }, reading);

  test('a terminal job closes the cancellation', () => {
    expect(when(cancelled)).toMatchObject({ kind: 'closes', body: { outcome: 'cancelled' } });
  });

  test.each([
    ['a job that is still alive', alive],
    ['a read that failed', { kind: 'failed', failure: { kind: 'unknown', why: 'timeout' } }],
    ['a 429 without Retry-After', { kind: 'failed', failure: { kind: 'rate_limited' } }],
    ['a 429 with a Retry-After up to the next poll', failed({ kind: 'rate_limited', retryAfterMs: 20 * SECOND })],
  ] satisfies [string, Reading][])('%s waits for the next poll', (_, reading) => {
    expect(when(reading)).toEqual({ kind: 'wait' });
  });

  test.each([
    [{ kind: 'rate_limited', retryAfterMs: 10 * MINUTE }],
    [{ kind: 'unknown', why: 'server_error', httpStatus: 503, retryAfterMs: 10 * MINUTE }],
  ] satisfies [PlangrepFailure][])('waits as long as Plangrep asks, if that is longer: %o', (failure) => {
    expect(when(failed(failure))).toEqual({ kind: 'wait_longer', wakeAt: '2026-11-23T12:10:00.000Z' });
  });

  test('another status goes on record, with the next poll', () => {
    const blocked: Reading = { kind: 'alive', job: job('blocked_insufficient_credits') };

    expect(when(blocked)).toMatchObject({
      kind: 'leaves_open',
      body: { type: 'observed', result: 'job', jobStatus: 'blocked_insufficient_credits' },
      wakeAt,
    });
  });

  test('a job that is not found goes on record, and so does its return', () => {
    const absent = { type: 'observed', result: 'not_found' } as const;

    expect(when({ kind: 'absent' })).toEqual({ kind: 'leaves_open', body: absent, wakeAt });
    expect(when(alive, absent)).toMatchObject({ kind: 'leaves_open', body: { type: 'observed', result: 'job' } });
    expect(when(alive, absent, { ...absent, result: 'job', jobStatus: 'processing' })).toEqual({ kind: 'wait' });
  });

  test('a job that can be read neither after it expired nor for an hour more closes as job_not_found', () => {
    const expiresAt = new Date(startMs + MINUTE).toISOString();
    const expired = stateAfter(requested, polled, { type: 'observed', result: 'job', jobStatus: 'new', expiresAt });
    const failure = failed({ kind: 'unknown', why: 'timeout' });
    const later = (reading: Reading, nowMs: number) =>
      decideAfterPoll(expired, { kind: 'poll', nowMs, nextPollMs: nowMs + MINUTE }, reading);

    expect(later({ kind: 'absent' }, startMs + MINUTE - 1)).toMatchObject({ kind: 'leaves_open' });
    expect(later({ kind: 'absent' }, startMs + MINUTE)).toEqual(unknownJob);
    expect(later(failure, startMs + 61 * MINUTE)).toEqual(unknownJob);
    expect(later(failure, startMs + 61 * MINUTE - 1)).toEqual({ kind: 'wait' });
    expect(later({ kind: 'alive', job: job('new') }, startMs + MINUTE - 1)).toEqual({ kind: 'wait' });
  });

  test('a job that is alive after it expired goes on record once, so that one 404 is no end', () => {
    const expiresAt = new Date(startMs + MINUTE).toISOString();
    const seen: EventBody = { type: 'observed', result: 'job', jobStatus: 'processing', expiresAt };
    const poll = { kind: 'poll', nowMs: startMs + 2 * MINUTE, nextPollMs: startMs + 4 * MINUTE } as const;

    const next = decideAfterPoll(stateAfter(requested, polled, seen), poll, alive);
    expect(next).toMatchObject({ kind: 'leaves_open', body: { type: 'observed', jobStatus: 'processing' } });
    if (next.kind !== 'leaves_open') return;

    const name = { partnerId: acme, jobId: documentedJob };
    const times = [at, at, at, toTimestamp(poll.nowMs)];
    const known = stateOf(
      [requested, polled, seen, next.body].reduce<CancellationEvent[]>(
        (events, body, n) => [
          ...events,
          sealEvent(name, events.at(-1), body, { eventId: 'e', at: times[n] ?? at, keptDays: retention.events }),
        ],
        [],
      ),
    );
    const later = { ...poll, nowMs: poll.nextPollMs, nextPollMs: poll.nextPollMs + MINUTE };
    expect(decideAfterPoll(known, later, alive)).toEqual({ kind: 'wait' });
    expect(decideAfterPoll(known, later, { kind: 'absent' })).toMatchObject({ kind: 'leaves_open' });
  });

  test('a job that was seen alive after it expired is asked about as if it had not, for an hour', () => {
    const expiresAt = new Date(startMs - 60 * MINUTE).toISOString();
    const seen = stateAfter(requested, polled, { type: 'observed', result: 'job', jobStatus: 'new', expiresAt });
    const after = (reading: Reading, nowMs: number) =>
      decideAfterPoll(seen, { kind: 'poll', nowMs, nextPollMs: nowMs + MINUTE }, reading);
    const failure = failed({ kind: 'unknown', why: 'timeout' });

    expect(after({ kind: 'absent' }, startMs + MINUTE)).toMatchObject({ kind: 'leaves_open' });
    expect(after(failure, startMs + 60 * MINUTE - 1)).toEqual({ kind: 'wait' });
    expect(after(failure, startMs + 60 * MINUTE)).toEqual(unknownJob);
  });

  function failed(failure: PlangrepFailure): Reading {
    return { kind: 'failed', failure };
  }
});

const unknownJob = { kind: 'closes', body: { type: 'closed', outcome: 'job_not_found' } };

describe('an attempt', () => {
  test('that reads a live job first sends the cancel', () => {
    expect(decideAfterFirstRead(2, alive)).toEqual({ kind: 'cancel' });
  });

  test.each(failures.filter(({ kind }) => kind !== 'refused'))(
    'whose cancel failed keeps what its first read showed: %o',
    (failure) => {
      expect(decideAfterCancel(2, failure, alive)).toMatchObject({
        kind: 'end',
        body: { result: failure.kind, jobStatus: 'processing' },
      });
    },
  );

  test('that reads a terminal job first ends with its outcome', () => {
    expect(decideAfterFirstRead(2, cancelled)).toMatchObject({ kind: 'end', body: { outcome: 'cancelled' } });
  });

  test.each(failures)('that cannot read the job first ends open: %o', (failure) => {
    expect(decideAfterFirstRead(2, { kind: 'failed', failure })).toMatchObject({
      kind: 'end',
      body: { type: 'attempt_ended', attempt: 2, result: failure.kind },
    });
  });

  test('whose cancel is answered with a terminal job closes', () => {
    expect(decideAfterCancel(1, { kind: 'job', job: job('completed') })).toMatchObject({
      kind: 'end',
      body: { type: 'closed', outcome: 'too_late' },
    });
  });

  test('whose cancel is answered with a live job ends as accepted', () => {
    expect(decideAfterCancel(1, { kind: 'job', job: job('processing') })).toMatchObject({
      kind: 'end',
      body: { type: 'attempt_ended', result: 'accepted', jobStatus: 'processing' },
    });
  });

  test.each(failures.filter(({ kind }) => kind !== 'refused'))('whose cancel failed ends open: %o', (failure) => {
    expect(decideAfterCancel(1, failure)).toMatchObject({ kind: 'end', body: { result: failure.kind } });
  });

  const refusal = { kind: 'refused', httpStatus: 409, code: 'job_terminal' } as const;

  test('whose cancel is refused reads the job', () => {
    expect(decideAfterCancel(1, refusal)).toEqual({ kind: 'read_job', refusal });
  });

  test('whose cancel was refused closes if the job has ended', () => {
    expect(decideAfterRefusal(1, refusal, cancelled).body).toMatchObject({ type: 'closed', outcome: 'cancelled' });
  });

  test.each([
    ['is alive', alive, 'processing'],
    ['cannot be read', { kind: 'failed', failure: { kind: 'unknown', why: 'timeout' } }, undefined],
  ] satisfies [string, Reading, string | undefined][])(
    'whose cancel was refused ends as refused if the job %s',
    (_, reading, jobStatus) => {
      const { body } = decideAfterRefusal(1, refusal, reading);

      expect(body).toMatchObject({ type: 'attempt_ended', result: 'refused', httpStatus: 409, code: 'job_terminal' });
      expect('jobStatus' in body ? body.jobStatus : undefined).toBe(jobStatus);
    },
  );

  test('that reads no job, first or after a refusal, ends as not_found', () => {
    expect(decideAfterFirstRead(2, { kind: 'absent' })).toMatchObject({ body: { result: 'not_found' } });
    expect(decideAfterRefusal(1, refusal, { kind: 'absent' })).toMatchObject({
      body: { result: 'not_found', httpStatus: 409, code: 'job_terminal' },
    });
  });

  test('whose refused cancel is followed by a failed read keeps the wait that Plangrep asks for', () => {
    const failure = { kind: 'rate_limited', retryAfterMs: 7 * SECOND } as const;

    expect(decideAfterRefusal(1, refusal, { kind: 'failed', failure }).body).toMatchObject({ retryAfterMs: 7_000 });
  });

  const endOf = (body: typeof closed | AttemptEndedBody, state = stateAfter(requested), nowMs = startMs) =>
    decideEnd(state, { kind: 'end', body }, { nowMs, random: 0, hasRead: false });

  test('that closes the cancellation leaves no wake-up', () => {
    expect(endOf(closed)).toEqual({ kind: 'closes', body: closed });
  });

  test.each([
    ['2 s after its first end, if nothing is known', ended(1), '2026-11-23T12:00:02.000Z'],
    ['5 s after Plangrep accepted the cancel', accepted(1), '2026-11-23T12:00:05.000Z'],
    [
      'as late as Plangrep asks',
      { ...ended(1), result: 'rate_limited' as const, retryAfterMs: 90 * SECOND },
      '2026-11-23T12:01:30.000Z',
    ],
  ])('that leaves it open is followed by a look %s', (_, body, wakeAt) => {
    expect(endOf(body)).toEqual({ kind: 'leaves_open', body, wakeAt });
  });

  describe('that does not find the job', () => {
    const absent = (attempt: number): AttemptEndedBody => ({ type: 'attempt_ended', attempt, result: 'not_found' });
    const twice = stateAfter(requested, absent(1), started(2), absent(2), started(3));

    test('leaves the cancellation open until that was read three times, over 5 minutes', () => {
      const once = stateAfter(requested, absent(1), started(2));

      expect(endOf(absent(2), once, startMs + 60 * MINUTE).kind).toBe('leaves_open');
      expect(endOf(absent(3), twice, startMs + 5 * MINUTE - 1).kind).toBe('leaves_open');
      expect(endOf(absent(3), twice, startMs + 5 * MINUTE)).toEqual(unknownJob);
    });

    test('counts anew after a read that found it', () => {
      const found = { ...ended(3), result: 'refused' as const, jobStatus: 'processing' };
      const state = stateAfter(requested, absent(1), started(2), absent(2), started(3), found, started(4));

      expect(endOf(absent(4), state, startMs + 60 * MINUTE).kind).toBe('leaves_open');
    });

    test('closes it at once after the job expired', () => {
      const known = { ...ended(1), result: 'refused' as const, jobStatus: 'processing', expiresAt: at };
      const state = stateAfter(requested, known, started(2));

      expect(endOf(absent(2), state)).toEqual(unknownJob);
      expect(endOf(ended(2), state, startMs + 60 * MINUTE)).toEqual(unknownJob);
      expect(endOf(ended(2), state, startMs + 60 * MINUTE - 1).kind).toBe('leaves_open');
      expect(endOf({ ...known, attempt: 2 }, state, startMs + 60 * MINUTE).kind).toBe('leaves_open');
    });
  });

  test('of a cancellation that began anew is paced as the first', () => {
    const state = stateAfter(requested, started(2), { type: 'closed', outcome: 'job_not_found' }, again(3));

    expect(endOf(ended(3), state)).toMatchObject({ wakeAt: '2026-11-23T12:00:02.000Z' });
  });
});

describe('a request', () => {
  const noJob = [
    { kind: 'job_not_found' },
    { kind: 'ambiguous_external_id', candidates: [] },
    { kind: 'idempotency_key_reused' },
  ] as const;

  test.each(['final', 'provisional'] as const)('with one job cancels it, be its refusal %s', (refusal) => {
    const found = { kind: 'job', jobId: documentedJob, firstCall: 'read' } as const;

    expect(decideRequest(found, refusal)).toEqual({ kind: 'cancel', job: found });
  });

  test.each(noJob)('that will not come again goes on record as refused: $kind', (found) => {
    expect(decideRequest(found, 'final')).toEqual({ kind: 'record_refusal', refusal: found });
  });

  test.each(noJob)('that comes again leaves no record yet: $kind', (found) => {
    expect(decideRequest(found, 'provisional')).toEqual({ kind: 'answer', end: found });
  });
});
