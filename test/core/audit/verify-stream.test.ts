import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finding, StoredRecord } from '../../../functions/core/audit/findings.ts';
import { hashEvent, sealEvent } from '../../../functions/core/cancellation/chain.ts';
import { committed } from '../../support/committed.ts';
import type { CancellationEvent } from '../../../functions/core/cancellation/events.ts';
import { LONGEST_WAKE_UP_DELAY_MS } from '../../../functions/core/cancellation/pace.ts';
import { eventKey, parseEventKey } from '../../../functions/core/cancellation/stream-key.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { acme, documentedJob, globex, jobId, order7890, retention } from '../../support/names.ts';
import {
  accepted,
  again,
  anyLegalBodies,
  at,
  closed,
  edited,
  ended,
  escalated,
  found,
  joinedRecord,
  leaseUntil,
  observed,
  requested,
  started,
  storedStream,
  streamName,
  unknownJob,
  verify,
  without,
  deleteAfter,
} from '../../support/stored-streams.ts';

/** Every kind of event. */
const long = [requested, ended(1), started(2), escalated, ended(2), started(3), closed];
/** A forger's edit: with a hash that fits. */
const forged = (records: readonly StoredRecord[], seq: number, fields: object): StoredRecord[] =>
  edited(records, seq, fields).map((record) =>
    record.key === eventKey(seq) ? { ...record, fields: { ...record.fields, hash: hashEvent(record.fields) } } : record,
  );
const rekeyed = (records: readonly StoredRecord[], keyFor: (key: string) => string): StoredRecord[] =>
  records.map((record) => ({ ...record, key: keyFor(record.key) }));
const swapped = (records: readonly StoredRecord[], a: number, b: number): StoredRecord[] =>
  rekeyed(records, (key) => (key === eventKey(a) ? eventKey(b) : key === eventKey(b) ? eventKey(a) : key));

/** As late as a wake-up may be, seen from a machine whose clock is a minute behind. */
const latestMs = Date.parse(at) + LONGEST_WAKE_UP_DELAY_MS + 60_000;

describe('an untouched stream', () => {
  test.each([
    ['just begun', [requested]],
    ['closed at once', [requested, closed]],
    ['closed because the job does not exist', [requested, { type: 'closed', outcome: 'job_not_found' } as const]],
    ['waiting for the next attempt', [requested, ended(1)]],
    ['taken over', [requested, started(2)]],
    ['accepted and polled', [requested, accepted(1)]],
    ['escalated', [requested, ended(1), escalated]],
    ['begun anew after an unknown job', [requested, unknownJob, again(2)]],
    ['polled while the job was absent', [requested, accepted(1), observed, closed]],
    ['long', long],
  ])('%s is clean', (_, bodies) => {
    const verdict = verify(storedStream(bodies));

    expect(verdict.findings).toEqual([]);
    expect(verdict).toMatchObject({ events: bodies.length, joined: 0, refused: 0 });
    expect(verdict.head).toMatchObject({ stream: streamName, seq: bodies.length });
    expect(verdict.head?.closedAt).toBe(bodies.at(-1)?.type === 'closed' ? at : undefined);
  });

  test('that begins anew keeps its earlier closing, which a digest may have been made of', () => {
    const once = verify(storedStream([requested, unknownJob]));
    const anew = verify(storedStream([requested, unknownJob, again(2), closed]));

    expect(once.closings).toEqual([once.head]);
    expect(anew.closings).toEqual([once.head, anew.head]);
    expect(verify(storedStream([requested])).closings).toEqual([]);
  });

  test('may still have the wake-ups of its older events: the reconciler removes them', () => {
    const wakeUp = { wakeShard: '0', wakeAt: leaseUntil };
    const records = storedStream(long).map((record, n) => (n < 6 ? { ...record, ...wakeUp } : record));

    expect(found(records)).toEqual([]);
  });

  test('may have to wait as long as the service ever waits', () => {
    expect(found(storedStream([requested], { wakeShard: '1', wakeAt: toTimestamp(latestMs) }))).toEqual([]);
  });

  test('may have been joined, also by a machine whose clock is behind', () => {
    const joined = [joinedRecord({ at: toTimestamp(Date.parse(at) - 2000) }), joinedRecord({ requestId: 'r-3' })];

    expect(verify([...storedStream([requested, closed]), ...joined])).toMatchObject({ findings: [], joined: 2 });
  });

  test('is clean in any order of its events, and past the sixth digit', () => {
    expect(found(storedStream(long).toReversed())).toEqual([]);
    expect(['event#1000000', 'event#01000000', 'event#1'].map(parseEventKey)).toEqual([
      1_000_000,
      undefined,
      undefined,
    ]);
  });
});

describe('what is found', () => {
  const records = storedStream(long);
  const open = storedStream([requested, ended(1)]);

  test.each<[string, readonly StoredRecord[], string[]]>([
    ['an edit in the middle', edited(records, 2, { at: '2026-11-23T13:00:00.000Z' }), ['altered 2']],
    ['an edit of the first event', edited(records, 1, { reason: 'other' }), ['altered 1']],
    ['another externalId', edited(records, 1, { externalId: 'order-7891' }), ['altered 1']],
    ['a text without its salt', edited(records, 1, { reasonSalt: undefined }), ['altered 1']],
    ['a salt without its text', edited(records, 1, { externalId: undefined }), ['altered 1']],
    ['a text of another kind of value', edited(records, 1, { reason: 7 }), ['altered 1']],
    [
      'a text with the commitment to it',
      edited(records, 1, { ...committed({ externalId: order7890, reason: 'other' }) }),
      ['altered 1'],
    ],
    ['an edit of the last event', edited(records, 7, { outcome: 'too_late' }), ['altered 7']],
    ['an edit that makes the event unreadable', edited(records, 3, { type: 'nothing' }), ['altered 3']],
    ['an edited hash', edited(records, 2, { hash: 'f'.repeat(64) }), ['altered 2']],
    ['an edited previous hash', edited(records, 2, { previousHash: 'f'.repeat(64) }), ['altered 2']],
    ['a removed hash', edited(records, 2, { hash: undefined }), ['altered 2']],
    ['an edited number', edited(records, 2, { seq: 3 }), ['altered 2']],
    ['an additional attribute', edited(records, 2, { note: 'x' }), ['altered 2']],
    ['a number kept as text', edited(records, 2, { attempt: '1' }), ['altered 2']],
    ['an event rewritten together with its hash', forged(records, 2, { result: 'refused' }), ['altered 2']],
    [
      'a first event that is not chained to the stream',
      forged(records, 1, { previousHash: 'f'.repeat(64) }),
      ['altered 1', 'altered 1'],
    ],
    ['two edits', edited(edited(records, 2, { attempt: 9 }), 5, { result: 'refused' }), ['altered 2', 'altered 5']],
    ['a hash that fits no event', forged(open, 2, { type: 'nothing' }), ['unreadable 2']],
    ['a gap', without(records, 3), ['missing 3']],
    ['a long gap', without(records, 2, 3, 4), ['missing 2']],
    ['two gaps', without(records, 2, 5), ['missing 2', 'missing 5']],
    ['a removed beginning', without(records, 1), ['missing 1']],
    ['two events swapped', swapped(records, 2, 5), ['out_of_place 2', 'out_of_place 5']],
    [
      'an event copied to the end',
      [...records, ...rekeyed(records.slice(1, 2), () => eventKey(8))],
      ['out_of_place 8'],
    ],
    [
      'an event with the number 0',
      [...records, ...rekeyed(records.slice(0, 1), () => eventKey(0))],
      ['out_of_place 0'],
    ],
    ['a closing event that is cut off', without(records, 7), ['truncated 6']],
    ['all but the beginning cut off', without(records, 2, 3, 4, 5, 6, 7), ['truncated 1']],
    ['a wake-up on a closing event', storedStream([requested, closed], { wakeShard: '1', wakeAt: at }), ['altered 2']],
    [
      'a wake-up in a shard that does not exist',
      storedStream([requested], { wakeShard: '8', wakeAt: at }),
      ['altered 1'],
    ],
    ['a wake-up without a shard', storedStream([requested], { wakeAt: at }), ['altered 1']],
    [
      'a wake-up later than any that this service sets',
      storedStream([requested], { wakeShard: '1', wakeAt: toTimestamp(latestMs + 1) }),
      ['altered 1'],
    ],
    [
      'no wake-up, where the stream is open',
      storedStream([requested, ended(1)]).map(({ key, fields }) => ({ key, fields })),
      ['truncated 2'],
    ],
    ['a wake-up without a time', storedStream([requested], { wakeShard: '1', wakeAt: 'never' }), ['altered 1']],
    [
      'a key that is not that of an event',
      [...records, ...rekeyed(open.slice(0, 1), () => 'event#8')],
      ['foreign event#8'],
    ],
  ])('%s', (_, tampered, findings) => {
    expect(found(tampered)).toEqual(findings);
  });

  test('an event moved in from another stream, and a whole stream copied to another job', () => {
    const others = storedStream(long, undefined, { partnerId: acme, jobId: jobId('job_other') });

    expect(found([...without(records, 3), ...others.slice(2, 3)])).toEqual(['foreign 3']);
    expect(found(others)).toEqual(long.map((_, n) => `foreign ${n + 1}`));
    expect(verify(others).findings[0]?.what).toContain('acme#job_other');
    expect(found(records, `${globex}#${documentedJob}`)).toHaveLength(7);
  });

  test('an event inserted after the closing one, chained or not, also when another is damaged', () => {
    const late = storedStream([...long, escalated], {});

    expect(found(late)).toEqual(['out_of_place 8']);
    expect(found(edited(late, 2, { at }))).toEqual(['out_of_place 8']);
    expect(found(edited(late, 2, { attempt: 7 }))).toEqual(['altered 2', 'out_of_place 8']);
  });

  test('an event that may not follow, and no later event because of it', () => {
    expect(found(storedStream([requested, started(3), ended(3), closed]))).toEqual(['out_of_place 2']);
    expect(found(storedStream([closed]))).toEqual(['out_of_place 1']);
  });

  test('is described in one sentence that names the place and nothing that a partner wrote', () => {
    const findings: Finding[] = [
      ...verify(without(records, 2, 3)).findings,
      ...verify(without(records, 7)).findings,
      ...verify(edited(records, 1, { reason: 'secret' })).findings,
    ];

    expect(findings.map(({ what }) => what)).toEqual([
      'Events 2 to 3 are missing.',
      expect.stringMatching(/^The events after event 6 were cut off: .*\.$/),
      'The reason of event 1 is not the one that it commits to.',
    ]);
    expect(findings.every(({ stream }) => stream === streamName)).toBe(true);
  });
});

describe('what is not found in the log alone', () => {
  test('a forger who recomputes every hash, and an open end cut back to an event whose wake-up is still there', () => {
    const rewritten = storedStream([requested, { ...closed, outcome: 'too_late' }]);
    const cut = storedStream([requested, ended(1)]).slice(0, 1);

    expect(found(rewritten)).toEqual([]);
    expect(found(cut.map((record) => ({ ...record, wakeShard: '1', wakeAt: leaseUntil })))).toEqual([]);
  });
});

describe('any legal stream', () => {
  const anyStream = anyLegalBodies.map((bodies) => storedStream(bodies));
  const index = fc.nat();
  const pick = <Value>(values: readonly Value[], n: number): Value => values[n % values.length] as Value;

  test('is clean', () => {
    fc.assert(
      fc.property(anyStream, (records) => {
        expect(found(records)).toEqual([]);
      }),
    );
  });

  test('is not clean after an edit, a removal or an addition of any field of any event', () => {
    const newValue = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.constant(undefined));
    const property = fc.property(anyStream, index, index, newValue, fc.string(), (records, n, m, value, name) => {
      const record = pick(records, n);
      const field = m % 4 === 0 ? name : pick(Object.keys(record.fields), m);
      const fields = Object.fromEntries([...Object.entries(record.fields), [field, value]]);
      fc.pre(JSON.stringify(fields) !== JSON.stringify(record.fields));
      const tampered = records.map((each) => (each === record ? { ...record, fields } : each));

      const codes = verify(tampered).findings.map(({ code, seq }) => ({ code, seq }));

      expect(codes).toContainEqual({ code: 'altered', seq: Number(record.fields['seq']) });
    });
    fc.assert(property, { numRuns: 500 });
  });

  test('is not clean after a removal, a swap, a copy or an insertion', () => {
    const property = fc.property(anyStream, index, index, (records, n, m) => {
      const [a, b] = [1 + (n % records.length), 1 + (m % records.length)];
      // Cut off back to an earlier closing, a stream is as it was then.
      const isAsBefore = a === records.length && records.at(-2)?.fields['type'] === 'closed';
      if (records.length > 1 && !isAsBefore) expect(found(without(records, a))).not.toEqual([]);
      if (a !== b) {
        expect(found(swapped(records, a, b)).toSorted()).toEqual(
          expect.arrayContaining([`out_of_place ${a}`, `out_of_place ${b}`]),
        );
      }
      const copy = { ...pick(records, n), key: eventKey(records.length + 1 + (m % 3)) };
      expect(found([...records, copy])).not.toEqual([]);
      const inserted: CancellationEvent = sealEvent(
        { partnerId: acme, jobId: documentedJob },
        { seq: a - 1, hash: String(pick(records, m).fields['hash']), deleteAfter },
        escalated,
        { eventId: 'forged', at, keptDays: retention.events },
      );
      const moved = rekeyed(records, (key) => (key < eventKey(a) ? key : eventKey(Number(key.slice(6)) + 1)));
      expect(found([...moved, { key: eventKey(a), fields: inserted }])).not.toEqual([]);
    });
    fc.assert(property, { numRuns: 300 });
  });
});
