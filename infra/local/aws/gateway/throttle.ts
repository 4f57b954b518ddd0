/** Requests a second, and how many at once above that. */
export interface Limit {
  readonly ratePerSecond: number;
  readonly burst: number;
}

/**
 * A stage's throttle: a bucket of `burst` tokens that fills at `ratePerSecond`; another limit begins with a full one.
 * @param now milliseconds since 1970
 * @returns whether one more request may pass
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
 */
export const createThrottle = (now: () => number): ((limit: Limit | undefined) => boolean) => {
  let held: Limit | undefined;
  let tokens = 0;
  let filledAt = 0;
  return (limit) => {
    if (limit === undefined) {
      held = undefined;
      return true;
    }
    const passed = limit === held ? (now() - filledAt) / 1000 : Number.POSITIVE_INFINITY;
    tokens = Math.min(limit.burst, tokens + passed * limit.ratePerSecond);
    [held, filledAt] = [limit, now()];
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
};
