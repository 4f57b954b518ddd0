import { describe, expect, test } from 'vitest';
import {
  eventKey,
  isRefusedDayKey,
  joinedKey,
  parseEventKey,
  parseStreamKey,
  refusedDayKey,
  refusedKey,
  streamKey,
} from '../../../functions/core/cancellation/stream-key.ts';
import { acme, documentedJob } from '../../support/names.ts';

const at = '2026-11-23T12:00:00.000Z';

describe('the keys of the cancellation log', () => {
  test('are spelled as they are stored', () => {
    const keys = [
      streamKey({ partnerId: acme, jobId: documentedJob }),
      eventKey(1),
      eventKey(1_000_000),
      joinedKey({ at, requestId: 'r-1' }),
      refusedDayKey({ partnerId: acme, at }),
      refusedKey({ at, requestId: 'r-1' }),
    ];

    expect(keys).toEqual([
      'acme#job_01hy3m8qtn2e5r7k9p0w4x1def',
      'event#000001',
      'event#1000000',
      'joined#2026-11-23T12:00:00.000Z#r-1',
      'acme#refused#2026-11-23',
      '2026-11-23T12:00:00.000Z#r-1',
    ]);
  });

  test.each([1, 999_999, 1_000_000])('give back the number of event %i', (seq) => {
    expect(parseEventKey(eventKey(seq))).toBe(seq);
  });

  test.each(['event#1', 'event#01000000', 'event#', 'event#00000x', 'joined#000001', 'event#99999999999999999999'])(
    'of an event are never %s',
    (key) => {
      expect(parseEventKey(key)).toBeUndefined();
    },
  );

  test('give back the name of a stream', () => {
    const name = { partnerId: acme, jobId: documentedJob };

    expect(parseStreamKey(streamKey(name))).toEqual(name);
  });

  test.each(['acme', 'acme#not/a/job', 'ACME#job_1', 'acme#job_1#more', 'acme#refused#2026-11-23', ''])(
    'of a stream are never “%s”',
    (key) => {
      expect(parseStreamKey(key)).toBeUndefined();
    },
  );

  test('distinguish a day of refused requests from a stream', () => {
    expect(['acme#refused#2026-11-23', 'acme#job_1'].map(isRefusedDayKey)).toEqual([true, false]);
  });
});
