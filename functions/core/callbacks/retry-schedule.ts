/**
 * From one attempt to the next, in milliseconds: the schedule that Standard Webhooks recommends. After the last the callback
 * is kept for a replay. @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
const DELAYS_MS = [
  5_000,
  5 * 60_000,
  30 * 60_000,
  ...[2, 5, 10, 14, 20, 24].map((hours) => hours * 3_600_000),
] as const;

/** The longest `Retry-After` of an endpoint that counts. */
const LONGEST_RETRY_AFTER_MS = 86_400_000;

/** No attempt is ever due later than this after the one before. */
export const LONGEST_CALLBACK_DELAY_MS = 1.2 * LONGEST_RETRY_AFTER_MS;

/**
 * Milliseconds from an attempt that failed to the next one, with up to a fifth more, so that callbacks that failed together
 * do not return together.
 * @param attempt 1 for the first
 * @param retryAfterMs what the endpoint asked for: it counts when it is longer
 * @param random from 0 up to 1
 * @returns undefined after the last attempt
 */
export function delayToNextMs(attempt: number, retryAfterMs: number | undefined, random: number): number | undefined {
  const delayMs = DELAYS_MS[attempt - 1];
  if (delayMs === undefined) return undefined;
  const askedMs = Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS);
  return Math.round(Math.max(delayMs, askedMs) * (1 + 0.2 * random));
}
