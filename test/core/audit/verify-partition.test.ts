import { describe, expect, test } from 'vitest';
import { globex } from '../../support/names.ts';
import {
  at,
  closed,
  edited,
  found,
  joinedRecord,
  leaseUntil,
  refusedRecord,
  requested,
  storedStream,
  verify,
  without,
} from '../../support/stored-streams.ts';

describe('what is found beside the streams', () => {
  test('a joined record that has no stream, is early, malformed, altered, foreign or due', () => {
    const stream = storedStream([requested, closed]);
    const early = joinedRecord({ at: '2026-11-23T11:00:00.000Z' });

    expect(found([joinedRecord()])).toEqual(['orphaned']);
    expect(verify([joinedRecord(), joinedRecord({ requestId: 'r-3' })]).findings[0]?.what).toContain('2 requests');
    expect(found([...stream, early])).toEqual([`out_of_place ${early.key}`]);
    expect(found([...without(stream, 1), early])).toEqual(['missing 1']);
    expect(found([...edited(stream, 1, { at: leaseUntil }), early])).toEqual(['altered 1']);

    for (const [fields, code] of [
      [{ door: 'window' }, 'unreadable'],
      [{ note: 'x' }, 'unreadable'],
      [{ at: leaseUntil }, 'altered'],
      [{ requestId: 'r-9' }, 'altered'],
      [{ externalId: 'order-7891' }, 'altered'],
      [{ reasonSalt: '0'.repeat(32) }, 'altered'],
      [{ partnerId: globex }, 'foreign'],
    ] as const) {
      const record = joinedRecord();
      expect(found([...stream, { ...record, fields: { ...record.fields, ...fields } }])).toEqual([
        `${code} ${record.key}`,
      ]);
    }

    expect(found([...stream, { ...joinedRecord(), wakeAt: at }])[0]).toMatch(/^unreadable joined#/);
    expect(found([...stream, { ...joinedRecord(), wakeShard: '1' }])[0]).toMatch(/^unreadable joined#/);
    expect(found([...stream, { ...joinedRecord(), key: 'other#1' }])).toEqual(['foreign other#1']);
  });

  test('a refused record that is malformed, altered, foreign, or has a key that this log does not write', () => {
    const record = refusedRecord();
    const day = 'acme#refused#2026-11-23';

    expect(verify([record], day)).toEqual({
      findings: [],
      events: 0,
      joined: 0,
      refused: 1,
      callbacks: 0,
      erased: 0,
      erasures: [],
      isExpired: false,
      closings: [],
    });
    expect(found([{ ...record, fields: { ...record.fields, why: 'never' } }], day)).toEqual([
      `unreadable ${record.key}`,
    ]);
    expect(found([{ ...record, fields: { ...record.fields, requestId: 'x' } }], day)).toEqual([
      `altered ${record.key}`,
    ]);
    expect(found([{ ...record, fields: { ...record.fields, reason: 'other' } }], day)).toEqual([
      `altered ${record.key}`,
    ]);
    expect(found([record], 'acme#refused#2026-11-24')).toEqual([`foreign ${record.key}`]);
    expect(found([record], 'acme#other#2026-11-23')).toEqual([`foreign ${record.key}`]);
    expect(found(storedStream([requested, closed]), 'acme#not/a/job')).toHaveLength(2);
  });
});
