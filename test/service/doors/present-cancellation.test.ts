import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cancellationWithTimelineSchema, type TimelineEntry } from '../../../functions/contract/answers.ts';
import { callbackSchema } from '../../../functions/core/callbacks/callback-record.ts';
import type { CancellationEvent, EventBody, JoinedRecord } from '../../../functions/core/cancellation/events.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { type NamedView, JOINED_SHOWN } from '../../../functions/core/use-cases/read-cancellations.ts';
import {
  EVENTS_SHOWN,
  MAX_CANCELLATIONS_BYTES,
  presentWithTimeline,
} from '../../../functions/doors/http/present-cancellation.ts';
import { acme, externalId, jobId } from '../../support/names.ts';
import { callbackRecord, closed, ended, requested, started, deleteAfter } from '../../support/stored-streams.ts';
import { FORMAT } from '../../../functions/core/cancellation/commitment.ts';
import { committed } from '../../support/committed.ts';

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const timeOf = (seconds: number): string => toTimestamp(Date.parse('2026-11-23T12:00:00.000Z') + seconds * 1000);

/** Texts of which every character takes as many bytes in an answer as one can: 6 for a control, 4 for an emoji. */
const ofControls = (length: number): string => '\u0001'.repeat(length);
const ofEmoji = (length: number): string => '😀'.repeat(length);

const name = externalId(ofEmoji(180));
const job = jobId('j'.repeat(128));

interface Given {
  /** Attempts that ended without effect. */
  readonly attempts: number;
  readonly joined: readonly string[];
  readonly isClosed: boolean;
  /** Of the request ids and job statuses. */
  readonly filler: (length: number) => string;
}

/** What the core reads from a stream and its `joined` records. */
function viewOf({ attempts, joined, isClosed, filler }: Given): NamedView {
  const bodies: EventBody[] = [{ ...requested, requestId: filler(128), keyId: filler(64), reason: ofEmoji(500) }];
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    if (attempt > 1) bodies.push(started(attempt));
    bodies.push({ ...ended(attempt), result: 'rate_limited', httpStatus: 429, jobStatus: filler(64) });
  }
  if (isClosed) bodies.push({ ...closed, jobStatus: filler(64) });
  const envelope = {
    format: FORMAT,
    partnerId: acme,
    jobId: job,
    eventId: 'e',
    deleteAfter,
    previousHash: '',
    hash: '',
  };
  const events = bodies.map((body, n): CancellationEvent => ({ ...body, ...envelope, seq: n + 1, at: timeOf(2 * n) }));
  const texts = committed({ externalId: name, door: 'https', keyId: filler(64) } as const);
  const asked = { partnerId: acme, jobId: job, deleteAfter, ...texts };
  const records = joined.map(
    (reason, n): JoinedRecord => ({ type: 'joined', ...asked, requestId: `${n}`, reason, at: timeOf(2 * n + 1) }),
  );
  const longest = Number.MAX_SAFE_INTEGER;
  const spentMs = { us: longest, plangrep: longest, person: longest };
  const step = isClosed
    ? ({ kind: 'closed', at: timeOf(0), outcome: 'cancelled', figures: { spentMs } } as const)
    : ({ kind: 'attempting', claimedBy: 'a', leaseUntil: timeOf(0) } as const);
  const account = { requestedMs: 0, spentMs, phase: { kind: 'attempt' }, aliveMs: 0 } as const;
  const facts = { jobStatus: filler(64), pageCount: Number.MAX_SAFE_INTEGER, creditsDebited: -1.7976931348623157e308 };
  const last = { seq: events.length, hash: '', deleteAfter };
  const state = {
    partnerId: acme,
    jobId: job,
    externalId: name,
    requestId: 'request-1',
    requestedAt: timeOf(0),
    attempts,
    firstAttempt: 1,
    step,
    facts,
    account,
    last,
  };
  return {
    state,
    events,
    joined: records,
    joinedCount: records.length,
    callbacks: [],
    unreadable: [],
    looks: attempts,
    lastLookedAt: timeOf(0),
  };
}

const eventsOf = (timeline: readonly TimelineEntry[]) => timeline.filter(({ type }) => type !== 'joined');
const joinedOf = (timeline: readonly TimelineEntry[]) => timeline.filter(({ type }) => type === 'joined');

describe('a cancellation with its timeline', () => {
  test('shows everything where that is little', () => {
    const view = viewOf({ attempts: 3, joined: ['once', 'twice'], isClosed: true, filler: () => 'x' });
    const { timeline, joinedCount } = presentWithTimeline(view);

    expect(eventsOf(timeline).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(joinedOf(timeline).map(({ reason }) => reason)).toEqual(['once', 'twice']);
    expect(joinedCount).toBe(2);
    expect(timeline.map(({ at }) => at)).toEqual(timeline.map(({ at }) => at).toSorted());
  });

  test('shows how the partner was told', () => {
    const view = viewOf({ attempts: 1, joined: [], isClosed: true, filler: () => 'x' });
    const { fields } = callbackRecord({ result: 'failed', why: 'http_status', httpStatus: 503, nextAt: timeOf(9) });
    const { data: told } = callbackSchema.safeParse(fields);
    const { timeline } = presentWithTimeline({ ...view, callbacks: told === undefined ? [] : [told] });

    expect(timeline.filter(({ type }) => type === 'callback')).toEqual([
      {
        at: told?.at,
        type: 'callback',
        about: 3,
        attempt: 1,
        result: 'failed',
        why: 'http_status',
        httpStatus: 503,
        nextAt: timeOf(9),
      },
    ]);
  });

  test('shows the first and the newest of many events', () => {
    const { timeline } = presentWithTimeline(
      viewOf({ attempts: 2_016, joined: [], isClosed: true, filler: ofControls }),
    );
    const [first, second, ...rest] = timeline.map(({ seq }) => seq);

    expect(timeline).toHaveLength(EVENTS_SHOWN);
    expect([first, second, rest.at(-1)]).toEqual([1, 3_835, 4_033]);
  });

  test('leaves out the oldest joined requests where they are too long, and still counts them', () => {
    const joined = Array.from({ length: JOINED_SHOWN }, () => ofEmoji(500));
    const answer = presentWithTimeline(viewOf({ attempts: 99, joined, isClosed: false, filler: ofControls }));
    const shown = joinedOf(answer.timeline);

    expect(bytes(answer)).toBeLessThanOrEqual(MAX_CANCELLATIONS_BYTES);
    expect(answer.joinedCount).toBe(JOINED_SHOWN);
    expect(shown.length).toBeGreaterThan(50);
    expect(shown.at(-1)?.requestId).toBe(`${JOINED_SHOWN - 1}`);
  });

  test('whatever is on record, stays within its bytes and leaves out no more than it must', () => {
    const given = fc.record({
      attempts: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 2_100 })),
      joined: fc.array(
        fc.oneof(
          fc.integer({ min: 0, max: 500 }).map(ofEmoji),
          fc.string({ unit: 'binary', maxLength: 250 }),
          fc.constant(ofEmoji(500)),
        ),
        { size: 'max', maxLength: JOINED_SHOWN },
      ),
      isClosed: fc.boolean(),
      filler: fc.constantFrom(
        ofControls,
        (length: number) => 'x'.repeat(length),
        () => '"',
      ),
    });
    fc.assert(
      fc.property(given, (drawn) => {
        const view = viewOf(drawn);
        const answer = presentWithTimeline(view);
        const shown = joinedOf(answer.timeline);
        const left = drawn.joined.length - shown.length;

        expect(bytes(answer)).toBeLessThanOrEqual(MAX_CANCELLATIONS_BYTES);
        expect(answer.joinedCount).toBe(drawn.joined.length);
        expect(shown.map(({ requestId }) => requestId)).toEqual(drawn.joined.map((_reason, n) => `${n}`).slice(left));
        const events = eventsOf(answer.timeline).map(({ seq }) => seq);
        expect(events).toHaveLength(Math.min(EVENTS_SHOWN, view.events.length));
        expect([events[0], events.at(-1)]).toEqual([1, view.events.length]);
        // Not even the newest one of those that are left out would fit.
        const next = view.joined[left - 1];
        const longer = bytes(answer) + bytes({ at: '', type: 'joined', reason: next?.reason, keyId: next?.keyId }) + 60;
        if (left > 0) expect(longer).toBeGreaterThan(MAX_CANCELLATIONS_BYTES);
      }),
      { numRuns: 150 },
    );
  });

  test('is what the contract describes', () => {
    const view = viewOf({ attempts: 200, joined: ['a'], isClosed: true, filler: (length) => 'x'.repeat(length) });

    expect(cancellationWithTimelineSchema.safeParse(presentWithTimeline(view)).error).toBeUndefined();
  });
});
