import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import {
  BROKEN_STREAM_DELAY_MS,
  delayAfterAttemptMs,
  isAbsenceCertain,
  LEASE_MS,
  LONGEST_RETRY_AFTER_MS,
  LONGEST_WAKE_UP_DELAY_MS,
  pollDelayMs,
  READ_FLOOR_MS,
} from '../../../functions/core/cancellation/pace.ts';

type Result = Parameters<typeof delayAfterAttemptMs>[0]['result'];

const [results, documentedFloorMs] = [
  ['accepted', 'refused', 'rate_limited', 'key_refused', 'not_sent', 'not_found', 'unknown'] as const,
  5_000,
];

/** Seconds, without jitter. */
function delayS(attempt: number, result: Result, hasRead = attempt > 1, retryAfterMs?: number): number {
  return delayAfterAttemptMs({ attempt, result, retryAfterMs }, hasRead, 0) / 1000;
}

describe('the pace', () => {
  test('polls after 5, 10, 15, 30, 60, 120 and then every 300 s', () => {
    const delays: number[] = [];
    for (let since = 0, polls = 0; polls < 8; polls++) {
      delays.push(pollDelayMs(since) / 1000);
      since += pollDelayMs(since);
    }

    expect(delays).toEqual([5, 10, 15, 30, 60, 120, 300, 300]);
    expect(delayS(3, 'accepted')).toBe(5);
  });

  test('keeps to the schedule when a poll comes a little late, as each one does, and skips what it missed', () => {
    expect([5_050, 15_100, 16_000, 30_200].map(pollDelayMs)).toEqual([10_000, 15_000, 15_000, 30_000]);
    expect([12_000, 25_000, 200_000].map(pollDelayMs)).toEqual([15_000, 30_000, 300_000]);
  });

  test('retries 1 s after a call that did nothing, 2 s after any other, and then at growing intervals', () => {
    expect([delayS(1, 'not_sent'), delayS(1, 'rate_limited'), delayS(1, 'unknown')]).toEqual([1, 1, 2]);
    expect([2, 3, 4, 5, 6, 7, 8, 1000].map((n) => delayS(n, 'unknown'))).toEqual([5, 10, 20, 30, 60, 120, 300, 300]);
  });

  test('retries up to a fifth later than the schedule, and never sooner', () => {
    expect(delayAfterAttemptMs({ attempt: 1, result: 'unknown' }, false, 0.999999)).toBeCloseTo(2_400);
  });

  test('goes by what Plangrep asks for, shorter or longer than the schedule', () => {
    expect([delayS(1, 'rate_limited', false, 900_000), delayS(1, 'unknown', false, 120_000)]).toEqual([900, 120]);
    expect([delayS(6, 'rate_limited', true, 7_000), delayS(1, 'unknown', false, 1_000)]).toEqual([7, 1]);
  });

  test('gives a person time to replace a rejected key', () => {
    expect([1, 2, 3, 4, 5, 6].map((n) => delayS(n, 'key_refused'))).toEqual([10, 20, 30, 60, 120, 300]);
  });

  test('never reads a job twice within the documented floor, and never looks away for longer than it says', () => {
    const anyAttempt = fc.record({
      attempt: fc.integer({ min: 1, max: 20 }),
      result: fc.constantFrom(...results),
      retryAfterMs: fc.option(fc.integer({ min: 1_000, max: LONGEST_RETRY_AFTER_MS }), { nil: undefined }),
    });
    const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(anyAttempt, anyRandom, fc.nat(), (attempt, random, sinceMs) => {
        const delays = [delayAfterAttemptMs(attempt, true, random), pollDelayMs(sinceMs)];
        expect(Math.min(...delays)).toBeGreaterThanOrEqual(documentedFloorMs);
        expect(Math.max(...delays)).toBeLessThanOrEqual(LONGEST_WAKE_UP_DELAY_MS);
      }),
    );

    expect(READ_FLOOR_MS).toBe(documentedFloorMs);
    expect(Math.max(BROKEN_STREAM_DELAY_MS, LONGEST_RETRY_AFTER_MS, LEASE_MS)).toBeLessThan(LONGEST_WAKE_UP_DELAY_MS);
    expect(LONGEST_WAKE_UP_DELAY_MS).toBe(18 * 60_000);
  });

  test.each([
    [2, 60 * 60_000, false],
    [3, 5 * 60_000 - 1, false],
    [3, 5 * 60_000, true],
  ])('takes %i reads over %i ms that found no job for its absence: %s', (reads, forMs, isCertain) => {
    expect(isAbsenceCertain(reads, forMs)).toBe(isCertain);
  });
});
