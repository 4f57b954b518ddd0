import { describe, expect, test } from 'vitest';
import { hashEvent } from '../../../functions/core/cancellation/chain.ts';
import type { StoredRecord } from '../../../functions/core/audit/findings.ts';
import { daysAfter } from '../../../functions/core/retention.ts';
import {
  accepted,
  at,
  closed,
  deleteAfter,
  edited,
  ended,
  found,
  joinedRecord,
  refusedRecord,
  requested,
  started,
  storedStream,
  streamName,
  verify,
  without,
} from '../../support/stored-streams.ts';

const expiredMs = deleteAfter * 1_000;
const stream = storedStream([requested, ended(1), started(2), accepted(2), closed]);
const day = 'acme#refused#2026-11-23';

/** As someone does who knows the format. */
const resealed = (records: readonly StoredRecord[], seq: number, fields: object): StoredRecord[] =>
  edited(records, seq, fields).map((record, n) =>
    n === seq - 1 ? { ...record, fields: { ...record.fields, hash: hashEvent(record.fields) } } : record,
  );

describe('A stream that has expired', () => {
  test('may lack any of its events, and even the newest', () => {
    for (const gone of [[1], [3], [5], [1, 2, 4], [2, 5], [1, 2, 3, 4]]) {
      const verdict = verify(without(stream, ...gone), streamName, expiredMs);

      expect(verdict).toMatchObject({ findings: [], isExpired: true, events: 5 - gone.length });
      expect(verify(without(stream, ...gone), streamName, expiredMs - 1)).not.toMatchObject({ findings: [] });
    }
  });

  test('is nevertheless held against its hashes', () => {
    expect(found(edited(without(stream, 2), 3, { claimedBy: 'x' }), streamName, expiredMs)).toEqual(['altered 3']);
    expect(found(resealed(stream, 3, { claimedBy: 'x' }), streamName, expiredMs)).toEqual(['altered 3']);
  });

  test('may leave behind what joined it', () => {
    expect(found([joinedRecord()], streamName, expiredMs)).toEqual([]);
    expect(found([joinedRecord()], streamName, expiredMs - 1)).toEqual(['orphaned']);
    const kept = joinedRecord({ requestId: 'r-3', deleteAfter: deleteAfter + 86_400 });
    expect(verify([joinedRecord(), kept], streamName, expiredMs).findings[0]?.what).toContain('1 request ');
  });
});

describe('The date of expiry', () => {
  test('is the same on all events of a stream', () => {
    const last = resealed(stream, 5, { deleteAfter: deleteAfter - 86_400 });

    expect(found(last)).toEqual(['altered 5']);
    expect(found(edited(stream, 5, { deleteAfter: deleteAfter - 86_400 }))).toEqual(['altered 5']);
    // A date that has passed on one event makes no gap of the others lawful.
    expect(found(without(resealed(stream, 5, { deleteAfter: 1 }), 4))).toEqual(['missing 4', 'altered 5']);
  });

  test('is whole days after the first event, as many as an environment may set', () => {
    const first = (fields: object) => found(resealed(storedStream([requested]), 1, fields));

    for (const days of [7, 90, 3_653]) expect(first({ deleteAfter: daysAfter(at, days) })).toEqual([]);
    for (const days of [-1, 0, 6, 7.5, 3_654])
      expect(first({ deleteAfter: daysAfter(at, days) })).toEqual(['altered 1']);
    expect(first({ deleteAfter: undefined })).toEqual(['unreadable 1']);
    expect(first({ deleteAfter: 'never' })).toEqual(['unreadable 1']);
  });

  test("of a joined record is whole days after it, or the stream's", () => {
    const joined = (days: number) => joinedRecord({ at: '2026-11-23T12:00:01.000Z', deleteAfter: daysAfter(at, days) });

    expect(found([...stream, joined(3_650)])).toEqual([]);
    expect(found([...stream, joinedRecord({ deleteAfter: daysAfter(at, 30) })])).toEqual([]);
    expect(found([...stream, joined(30)])).toEqual([`altered ${joined(30).key}`]);
  });

  test('of a refused record is whole days after it', () => {
    const refused = (days: number) => refusedRecord({ deleteAfter: daysAfter(at, days) });

    expect(found([refused(30)], day)).toEqual([]);
    expect(found([refused(6)], day)).toEqual([`altered ${refused(6).key}`]);
    expect(verify([refused(30)], day, Date.parse(at) + 30 * 86_400_000)).toMatchObject({
      findings: [],
      isExpired: true,
    });
  });
});
