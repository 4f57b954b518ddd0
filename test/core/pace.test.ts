import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import {
  BROKEN_STREAM_DELAY_MS,
  delayAfterAttemptMs,
  LEASE_MS,
  LONGEST_RETRY_AFTER_MS,
  LONGEST_WAKE_UP_DELAY_MS,
  pollDelayMs,
} from '../../functions/core/cancellation/pace.ts';

describe('the pace', () => {
  test('polls after 15, 20, 30, 60, 120 and then every 300 s', () => {
    const delays: number[] = [];
    for (let since = 0, polls = 0; polls < 8; polls++) {
      delays.push(pollDelayMs(since) / 1000);
      since += pollDelayMs(since);
    }

    expect(delays).toEqual([15, 20, 30, 60, 120, 300, 300, 300]);
  });

  test('does not poll faster after a late poll', () => {
    expect(pollDelayMs(36_000)).toBe(60_000);
  });

  test('retries at growing intervals, up to a fifth later than the schedule and never sooner', () => {
    const delay = (attempt: number, random: number, result: 'unknown' | 'not_sent' | 'refused' = 'unknown') =>
      delayAfterAttemptMs({ attempt, result }, undefined, random) / 1000;

    expect([1, 2, 3, 4, 5, 6, 7, 8, 1000].map((n) => delay(n, 0))).toEqual([10, 15, 20, 30, 60, 120, 300, 300, 300]);
    expect([delay(2, 0, 'not_sent'), delay(3, 0, 'refused')]).toEqual([15, 20]);
    expect(delay(1, 0.999999)).toBeCloseTo(12);
  });

  test('waits at least as long as a 429 asks, and as long as the schedule', () => {
    const delay = (ms?: number) => delayAfterAttemptMs({ attempt: 1, result: 'rate_limited' }, ms, 0);

    expect([delay(), delay(1_000), delay(900_000)]).toEqual([10_000, 10_000, 900_000]);
  });

  test('never looks away for longer than it says', () => {
    const results = ['accepted', 'refused', 'rate_limited', 'key_refused', 'not_sent', 'unknown'] as const;
    const anyAttempt = fc.record({ attempt: fc.integer({ min: 1, max: 20 }), result: fc.constantFrom(...results) });
    const anyWait = fc.option(fc.integer({ min: 0, max: LONGEST_RETRY_AFTER_MS }), { nil: undefined });
    const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(anyAttempt, anyWait, anyRandom, fc.nat(), (attempt, retryAfterMs, random, sinceMs) => {
        const delays = [delayAfterAttemptMs(attempt, retryAfterMs, random), pollDelayMs(sinceMs)];
        expect(Math.max(...delays)).toBeLessThanOrEqual(LONGEST_WAKE_UP_DELAY_MS);
      }),
    );

    expect(Math.max(BROKEN_STREAM_DELAY_MS, LONGEST_RETRY_AFTER_MS, LEASE_MS)).toBeLessThan(LONGEST_WAKE_UP_DELAY_MS);
    expect(LONGEST_WAKE_UP_DELAY_MS).toBe(18 * 60_000);
  });

  test('gives an operator time to fix a rejected key', () => {
    expect(delayAfterAttemptMs({ attempt: 1, result: 'key_refused' }, undefined, 0)).toBe(60_000);
  });

  test('polls an accepted cancel at Plangrep’s pace', () => {
    expect(delayAfterAttemptMs({ attempt: 3, result: 'accepted' }, undefined, 0)).toBe(15_000);
  });
});
