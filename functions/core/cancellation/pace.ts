import type { AttemptEndedBody } from './events.ts';

/** How long a claim holds: longer than the timeout of every function that makes an attempt. */
export const LEASE_MS = 45_000;

/** A cancellation that is open for this long is escalated, so that an operator looks at it. */
export const ESCALATE_AFTER_MS = 15 * 60_000;

/** Plangrep recommends 10 to 30 s between the first reads of a job. After the last delay, {@link LONGEST_DELAY_MS}. */
const POLL_DELAYS_MS = [15_000, 20_000, 30_000, 60_000, 120_000, 300_000] as const;

/** The first retry comes early, because pages are billed meanwhile, but no read of a job follows another within 10 s. */
const RETRY_DELAYS_MS = [10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000] as const;

/** Plangrep rejected the key that Secrets Manager serves. Only an operator can fix that: wait at least a minute. */
const KEY_REFUSED_DELAY_MS = 60_000;

const LONGEST_DELAY_MS = 300_000;

/** The longest `Retry-After` of Plangrep that counts. */
export const LONGEST_RETRY_AFTER_MS = 15 * 60_000;

/** Only an operator can repair a broken stream. Looking at it again this much later keeps the alarm active. */
export const BROKEN_STREAM_DELAY_MS = 15 * 60_000;

/** No wake-up is ever set further ahead than this: one that is was not set by this service. */
export const LONGEST_WAKE_UP_DELAY_MS = withJitter(
  Math.max(LONGEST_RETRY_AFTER_MS, BROKEN_STREAM_DELAY_MS, LONGEST_DELAY_MS, LEASE_MS),
  1,
);

/** Milliseconds to the next poll of a job whose cancel was accepted so long ago: 15, 20, 30, 60 … 300 s. */
export function pollDelayMs(sinceAcceptedMs: number): number {
  let pollAtMs = 0;
  for (const delayMs of POLL_DELAYS_MS) {
    if (sinceAcceptedMs <= pollAtMs) return delayMs;
    pollAtMs += delayMs;
  }
  return LONGEST_DELAY_MS;
}

/**
 * Milliseconds from the end of an attempt to the next look at it.
 * @param retryAfterMs the wait that a 429 asked for, already clamped
 * @param random from 0 up to 1
 */
export function delayAfterAttemptMs(
  { attempt, result }: Pick<AttemptEndedBody, 'attempt' | 'result'>,
  retryAfterMs: number | undefined,
  random: number,
): number {
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
}

/** Adds up to a fifth, so that cancellations that failed together do not return together. */
function withJitter(delayMs: number, random: number): number {
  return Math.round(delayMs * (1 + 0.2 * random));
}
