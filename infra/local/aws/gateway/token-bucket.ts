export interface Throttle {
  readonly ratePerSecond: number;
  /** How many requests may come at once above that. */
  readonly burst: number;
}

/**
 * A bucket of `burst` tokens that fills at `ratePerSecond`, as API Gateway's throttles have one. Another throttle starts
 * with a full bucket.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
 */
export interface TokenBucket {
  /**
   * @param throttle undefined: everything passes, and the bucket is full again afterwards
   * @returns 0 when one more request may pass, else in how many milliseconds one may
   */
  take(throttle: Throttle | undefined): number;
}

/** @param now milliseconds since 1970 */
export function createTokenBucket(now: () => number): TokenBucket {
  let held: Throttle | undefined;
  let tokens = 0;
  let filledAtMs = 0;
  return {
    take(throttle) {
      if (throttle === undefined) {
        held = undefined;
        return 0;
      }
      // A clock that was put back has not emptied the bucket.
      const passedSeconds = throttle === held ? Math.max(0, now() - filledAtMs) / 1000 : Number.POSITIVE_INFINITY;
      tokens = Math.min(throttle.burst, tokens + passedSeconds * throttle.ratePerSecond);
      [held, filledAtMs] = [throttle, now()];
      if (tokens < 1) return Math.ceil(((1 - tokens) / throttle.ratePerSecond) * 1000);
      tokens -= 1;
      return 0;
    },
  };
}
