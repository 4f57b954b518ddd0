import type { AttemptEndedBody } from './events.ts';

/** How long a claim holds: longer than any function that holds one may run (the longest has a timeout below it). */
export const LEASE_MS = 45_000;

/** A cancellation that is open for this long is escalated: a person should know. */
export const ESCALATE_AFTER_MS = 15 * 60_000;

/** Plangrep's recommended pace starts at 10 to 30 s between reads of a job; the last figure repeats. */
const POLL_DELAYS_MS = [15_000, 20_000, 30_000, 60_000, 120_000, 300_000] as const;

/** The first retry comes early, since every second is billed pages, yet no read of a job follows another within 10 s. */
const RETRY_DELAYS_MS = [10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000] as const;

/** A key that Secrets Manager holds and Plangrep refuses is mended by a person, not by haste. */
const KEY_REFUSED_DELAY_MS = 60_000;

const LONGEST_DELAY_MS = 300_000;

/** Up to a fifth more, never less: spreads what failed together. */
const withJitter = (delayMs: number, random: number): number => Math.round(delayMs * (1 + 0.2 * random));

/** Milliseconds until an accepted cancel is next polled, from how long ago it was accepted: 15, 20, 30, 60 … 300 s. */
export const pollDelayMs = (sinceAcceptedMs: number): number => {
  let at = 0;
  for (const delay of POLL_DELAYS_MS) {
    if (sinceAcceptedMs <= at) return delay;
    at += delay;
  }
  return LONGEST_DELAY_MS;
};

/**
 * Milliseconds from the end of an attempt to the next look at it.
 * @param retryAfterMs what a 429 asked for, already clamped
 * @param random from 0 up to 1
 */
export const delayAfterAttemptMs = (
  { attempt, result }: Pick<AttemptEndedBody, 'attempt' | 'result'>,
  retryAfterMs: number | undefined,
  random: number,
): number => {
  const scheduled = RETRY_DELAYS_MS[attempt - 1] ?? LONGEST_DELAY_MS;
  switch (result) {
    case 'accepted':
      return pollDelayMs(0);
    case 'rate_limited':
      return withJitter(Math.max(retryAfterMs ?? 0, scheduled), random);
    case 'key_refused':
      return withJitter(Math.max(KEY_REFUSED_DELAY_MS, scheduled), random);
    case 'not_sent':
    case 'refused':
    case 'unknown':
      return withJitter(scheduled, random);
  }
};
