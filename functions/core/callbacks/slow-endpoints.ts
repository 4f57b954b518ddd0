import type { Clock } from '../ports.ts';

/** A call that fails after so long has held one of the partner's few turns. */
const SLOW_MS = 2_000;
/** So many of them in a row, and the endpoint is left alone. */
const IN_A_ROW = 2;
const LEFT_ALONE_MS = 30_000;

/** Remembers which endpoints are slow, within one process. */
export interface SlowEndpoints {
  /** Whether it is not to be called now. */
  isSlow(url: string): boolean;
  /** @param tookMs how long the call took */
  note(url: string, isDelivered: boolean, tookMs: number): void;
}

/**
 * A dead endpoint must not hold its partner's turns, and invocations with them: after two slow failures in a row it is not
 * called for 30 s, and what is due meanwhile waits for its next attempt.
 */
export function createSlowEndpoints({ now }: Pick<Clock, 'now'>): SlowEndpoints {
  const endpoints = new Map<string, { failures: number; untilMs: number }>();
  return {
    isSlow: (url) => now() < (endpoints.get(url)?.untilMs ?? 0),
    note(url, isDelivered, tookMs) {
      if (isDelivered || tookMs < SLOW_MS) {
        endpoints.delete(url);
        return;
      }
      const failures = (endpoints.get(url)?.failures ?? 0) + 1;
      endpoints.set(url, { failures, untilMs: failures < IN_A_ROW ? 0 : now() + LEFT_ALONE_MS });
    },
  };
}
