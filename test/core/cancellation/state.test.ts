import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { genesisHash, hashEvent, sealEvent } from '../../../functions/core/cancellation/chain.ts';
import {
  type AttemptEndedBody,
  type CancellationEvent,
  type EventBody,
  parseEvent,
  type RequestedBody,
} from '../../../functions/core/cancellation/events.ts';
import {
  acceptedAt,
  applyEvent,
  BrokenStream,
  checkNext,
  foldEvents,
  stateOf,
} from '../../../functions/core/cancellation/state.ts';
import { recordedExternalIdSchema } from '../../../functions/core/identifiers.ts';
import { acme, documentedJob, order7890, retention } from '../../support/names.ts';
import { committed } from '../../support/committed.ts';

const at = '2026-11-23T12:00:00.000Z';
const leaseUntil = '2026-11-23T12:00:45.000Z';
const requested: RequestedBody = {
  type: 'requested',
  ...committed({ door: 'https', requestId: 'r-1', externalId: order7890 }),
  attempt: 1,
  claimedBy: 'a',
  leaseUntil,
};
const started = (attempt: number): EventBody => ({ type: 'attempt_started', attempt, claimedBy: 'b', leaseUntil });
const ended = (attempt: number, result: 'accepted' | 'unknown' = 'unknown'): AttemptEndedBody => ({
  type: 'attempt_ended',
  attempt,
  result,
});
const escalated: EventBody = { type: 'escalated' };
const observed: EventBody = { type: 'observed', result: 'not_found' };
const unknownJob: EventBody = { type: 'closed', outcome: 'job_not_found' };
const again = (attempt: number): EventBody => ({ ...requested, attempt, externalId: order7890 });
const closed: EventBody = { type: 'closed', outcome: 'cancelled', jobStatus: 'cancelled', creditsDebited: 63 };

const streamOf = (...bodies: EventBody[]): CancellationEvent[] => {
  const events: CancellationEvent[] = [];
  for (const [index, body] of bodies.entries()) {
    const place = { eventId: `e-${index}`, at, keptDays: retention.events };
    events.push(sealEvent({ partnerId: acme, jobId: documentedJob }, events.at(-1), body, place));
  }
  return events;
};
const fold = (...bodies: EventBody[]) => foldEvents(streamOf(...bodies));

test('an event that was recorded before U+FFFD was refused is still an event', () => {
  const externalId = recordedExternalIdSchema.parse('commande-\ufffd');
  const [event] = streamOf({ ...requested, externalId, reason: 'd\ufffdj\ufffd vu' });

  expect(parseEvent(event)).toEqual(event);
});

describe('the fold of a stream', () => {
  test('is undefined for an empty stream', () => {
    expect(foldEvents([])).toBeUndefined();
    expect(() => stateOf([])).toThrow(BrokenStream);
  });

  test('is attempting, under the claim of attempt 1, once requested', () => {
    expect(fold(requested)).toMatchObject({
      jobId: documentedJob,
      attempts: 1,
      step: { kind: 'attempting', claimedBy: 'a', leaseUntil },
      last: { seq: 1 },
    });
  });

  test('waits after an attempt ended, and knows what the job was then', () => {
    const state = fold(requested, { ...ended(1), jobStatus: 'processing', pageCount: 204 });

    expect(state?.step).toEqual({ kind: 'waiting', since: at, result: 'unknown' });
    expect(state?.facts).toMatchObject({ jobStatus: 'processing', pageCount: 204 });
  });

  test('keeps what an earlier read showed when a later event has no read', () => {
    const state = fold(requested, { ...ended(1), jobStatus: 'uploading' }, started(2), ended(2));

    expect(state?.facts.jobStatus).toBe('uploading');
    expect(
      fold(
        requested,
        { ...ended(1), jobStatus: 'uploading' },
        {
          type: 'closed',
          outcome: 'job_not_found',
        },
      )?.facts.jobStatus,
    ).toBe('uploading');
  });

  test('is attempting again, under the new claim, when an attempt was taken over', () => {
    expect(fold(requested, started(2))).toMatchObject({ attempts: 2, step: { kind: 'attempting', claimedBy: 'b' } });
  });

  test('remembers an escalation and changes nothing else', () => {
    expect(fold(requested, ended(1), escalated)).toMatchObject({ escalatedAt: at, step: { kind: 'waiting' } });
  });

  test('is closed with the outcome and what the job cost', () => {
    expect(fold(requested, closed)).toMatchObject({
      step: { kind: 'closed', at, outcome: 'cancelled' },
      facts: { creditsDebited: 63 },
    });
  });

  test('begins anew after an unknown job: another request, its own attempts, nothing known', () => {
    const state = fold(requested, { ...ended(1), jobStatus: 'processing' }, escalated, unknownJob, again(2));

    expect(state).toMatchObject({ attempts: 2, firstAttempt: 2, facts: {}, step: { kind: 'attempting' } });
    expect(state?.escalatedAt).toBeUndefined();
  });

  test('counts the reads in a row that did not find the job, until one finds it', () => {
    const absent: EventBody = { type: 'attempt_ended', attempt: 1, result: 'not_found' };
    const found: EventBody = { type: 'observed', result: 'job', jobStatus: 'processing', expiresAt: at };

    expect(fold(requested, absent)?.absence).toEqual({ since: at, reads: 1 });
    const gone = [requested, ended(1, 'accepted'), observed, observed];
    expect(fold(...gone)?.absence).toEqual({ since: at, reads: 2 });
    expect(fold(...gone, found)?.absence).toBeUndefined();
    expect(fold(...gone, found, observed)).toMatchObject({ facts: { expiresAt: at }, absence: { reads: 1 } });
  });

  test('is accepted from the time at which Plangrep accepted the cancel', () => {
    const [first, second] = [fold(requested), fold(requested, ended(1, 'accepted'))];

    expect([first && acceptedAt(first), second && acceptedAt(second)]).toEqual([undefined, at]);
  });
});

describe('what may not follow', () => {
  test.each([
    ['anything but requested at the start', [started(1)]],
    ['a second requested', [requested, requested]],
    ['a second end of one attempt', [requested, ended(1), ended(1)]],
    ['the end of an attempt that was taken over', [requested, started(2), ended(1)]],
    ['an attempt number left out', [requested, ended(1), started(3)]],
    ['a new attempt after an accepted one', [requested, ended(1, 'accepted'), started(2)]],
    ['a second escalation', [requested, escalated, escalated]],
    ['anything after closed', [requested, closed, escalated]],
    ['a request after a known end', [requested, closed, again(2)]],
    ['a request while the cancellation is open', [requested, ended(1), again(2)]],
    ['a request that repeats an attempt', [requested, unknownJob, again(1)]],
    ['anything but a request after an unknown job', [requested, unknownJob, started(2)]],
    ['a poll before an accepted cancel', [requested, ended(1), observed]],
    ['a poll during an attempt', [requested, observed]],
    ['a second closing', [requested, closed, closed]],
  ])('%s', (_, bodies) => {
    expect(() => fold(...bodies)).toThrow(BrokenStream);
  });

  test('a requested that claims another attempt than the first', () => {
    const later: EventBody = { ...requested, attempt: 2 };

    expect(checkNext(undefined, later)).toMatchObject({ kind: 'not_allowed', why: expect.stringMatching(/attempt 1/) });
    expect(() => fold(later)).toThrow(BrokenStream);
  });

  test('an event after a gap', () => {
    const [first, , third] = streamOf(requested, ended(1), started(2));

    expect(() => foldEvents([first, third].filter((event) => event !== undefined))).toThrow(/missing/);
    expect(() => foldEvents(streamOf(requested, ended(1)).slice(1))).toThrow(/missing/);
  });

  test('a first event of another type, even with the right number', () => {
    const [event] = streamOf(closed);

    expect(() => event && applyEvent(undefined, event)).toThrow(BrokenStream);
  });
});

describe('any stream that the rules allow', () => {
  const anyBody = fc.oneof(
    fc.constant(requested),
    fc.integer({ min: 1, max: 4 }).map(started),
    fc.integer({ min: 1, max: 4 }).map((attempt) => ended(attempt)),
    fc.integer({ min: 1, max: 4 }).map((attempt) => ended(attempt, 'accepted')),
    fc.constant(escalated),
    fc.constant(observed),
    fc.constant(closed),
    fc.constant(unknownJob),
    fc.integer({ min: 2, max: 4 }).map(again),
  );

  test('has one open part at most, attempts in order, and a chain that holds', () => {
    fc.assert(
      fc.property(fc.array(anyBody, { maxLength: 40 }), (bodies) => {
        const events: CancellationEvent[] = [];
        for (const body of bodies) {
          if (checkNext(foldEvents(events), body).kind === 'not_allowed') continue;
          const place = { eventId: `e-${events.length}`, at, keptDays: retention.events };
          events.push(sealEvent({ partnerId: acme, jobId: documentedJob }, events.at(-1), body, place));
        }
        const types = events.map(({ type }) => type);
        expect(types.map((type, n) => type === 'requested' && n > 0 && types[n - 1] !== 'closed')).not.toContain(true);
        expect(
          types.map((type, n) => type === 'closed' && (types[n + 1] ?? 'requested') !== 'requested'),
        ).not.toContain(true);
        const known = events.findIndex((event) => event.type === 'closed' && event.outcome !== 'job_not_found');
        expect([-1, events.length - 1]).toContain(known);
        const attempts = events.flatMap((event) => ('claimedBy' in event ? [event.attempt] : []));
        expect(attempts).toEqual(attempts.map((_, index) => index + 1));
        const parts = types.join(' ').split('requested');
        expect(Math.max(...parts.map((part) => part.split('escalated').length - 1))).toBeLessThan(2);
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
        let previousHash = genesisHash({ partnerId: acme, jobId: documentedJob });
        for (const event of events) {
          expect(event.previousHash).toBe(previousHash);
          expect(event.hash).toBe(hashEvent(event));
          previousHash = event.hash;
        }
      }),
    );
  });
});
