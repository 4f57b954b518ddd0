import type { AttemptEndedBody } from './events.ts';

/** How long a claim holds: longer than the timeout of every function that makes an attempt. */
export const LEASE_MS = 45_000;

/** A cancellation that is open for this long is escalated, so that an operator looks at it. */
export const ESCALATE_AFTER_MS = 15 * 60_000;

/** Reads of one job are never closer (Plangrep's documentation, Polling and webhooks). */
export const READ_FLOOR_MS = 5_000;

/** From one poll to the next, the first counted from the accepted cancel. After the last, {@link LONGEST_DELAY_MS}. */
const POLL_DELAYS_MS = [READ_FLOOR_MS, 10_000, 15_000, 30_000, 60_000, 120_000] as const;

/** The first retry, because pages are billed meanwhile: after a call that provably did nothing, and after any other. */
const FIRST_RETRY_MS = { nothingDone: 1_000, unknown: 2_000 } as const;

/** The retries after it, which read the job. After the last, {@link LONGEST_DELAY_MS}. */
const RETRY_DELAYS_MS = [READ_FLOOR_MS, 10_000, 20_000, 30_000, 60_000, 120_000] as const;

/** Plangrep rejected the key that Secrets Manager serves: a person has to replace it. After the last, {@link LONGEST_DELAY_MS}. */
const KEY_REFUSED_DELAYS_MS = [10_000, 20_000, 30_000, 60_000, 120_000] as const;

const LONGEST_DELAY_MS = 300_000;

/** The longest `Retry-After` of Plangrep that counts. */
export const LONGEST_RETRY_AFTER_MS = 15 * 60_000;

/** So often the schedule looks for what the wake-up queue has lost. */
export const SCHEDULE_EVERY_MS = 60_000;

/** A message of the wake-up queue gets so long: what is due for longer, the queue has lost. */
export const LATE_MS = 5_000;

/** Only an operator can repair a broken stream. Looking at it again this much later keeps the alarm active. */
export const BROKEN_STREAM_DELAY_MS = 15 * 60_000;

/**
 * The number of partitions of the wake-up index. Each takes 1,000 new cancellations a second, and costs the reconciler
 * one query per run.
 */
export const WAKE_SHARDS = 4;

/** No wake-up is ever set further ahead than this: one that is was not set by this service. */
export const LONGEST_WAKE_UP_DELAY_MS = withJitter(
  Math.max(LONGEST_RETRY_AFTER_MS, BROKEN_STREAM_DELAY_MS, LONGEST_DELAY_MS, LEASE_MS),
  1,
);

/** Plangrep has no such job only if it says so in this many reads in a row, over this long. */
const ABSENT = { reads: 3, forMs: 5 * 60_000 } as const;

/** A job that cannot be read for so long after it expired, or was last seen alive, is not asked about any more. */
export const EXPIRED_FOR_MS = 60 * 60_000;

/** @param reads in a row that did not find the job, the newest included @param forMs milliseconds between the first and the newest */
export function isAbsenceCertain(reads: number, forMs: number): boolean {
  return reads >= ABSENT.reads && forMs >= ABSENT.forMs;
}

/** Milliseconds to the next poll of a job whose cancel was accepted so long ago: 5, then 10, 15, 30 … 300 s more. */
export function pollDelayMs(sinceAcceptedMs: number): number {
  let pollAtMs = 0;
  for (const delayMs of POLL_DELAYS_MS) {
    // Every poll comes a little after its time: it is the step whose first half it is in.
    if (sinceAcceptedMs < pollAtMs + delayMs / 2) return delayMs;
    pollAtMs += delayMs;
  }
  return LONGEST_DELAY_MS;
}

/**
 * Milliseconds from the end of an attempt to the next look at it: what Plangrep asked for, or else as early as is sensible.
 * @param hasRead whether the attempt read the job, as the next one will
 * @param random from 0 up to 1
 */
export function delayAfterAttemptMs(
  { attempt, result, retryAfterMs }: Pick<AttemptEndedBody, 'attempt' | 'result' | 'retryAfterMs'>,
  hasRead: boolean,
  random: number,
): number {
  if (result === 'accepted') return pollDelayMs(0);
  const wantedMs = retryAfterMs ?? retryDelayMs(attempt, result);
  return withJitter(hasRead ? Math.max(wantedMs, READ_FLOOR_MS) : wantedMs, random);
}

function retryDelayMs(attempt: number, result: Exclude<AttemptEndedBody['result'], 'accepted'>): number {
  if (result === 'key_refused') return KEY_REFUSED_DELAYS_MS[attempt - 1] ?? LONGEST_DELAY_MS;
  if (attempt > 1) return RETRY_DELAYS_MS[attempt - 2] ?? LONGEST_DELAY_MS;
  return result === 'unknown' ? FIRST_RETRY_MS.unknown : FIRST_RETRY_MS.nothingDone;
}

/** Adds up to a fifth, so that cancellations that failed together do not return together. */
function withJitter(delayMs: number, random: number): number {
  return Math.round(delayMs * (1 + 0.2 * random));
}
