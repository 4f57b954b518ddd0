import { describe, expect, it } from 'vitest';
import { createThrottle } from '../../infra/local/aws/gateway/throttle.ts';

describe("The local gateway's throttle", () => {
  it('lets a burst through, then as many as the rate allows', () => {
    let now = 1_000_000;
    const takes = createThrottle(() => now);
    const limit = { ratePerSecond: 2, burst: 3 };
    const five = () => Array.from({ length: 5 }, () => takes(limit));

    expect(five()).toEqual([true, true, true, false, false]);
    now += 1_000;
    expect(five()).toEqual([true, true, false, false, false]);
    now += 60_000;
    expect(five()).toEqual([true, true, true, false, false]);
  });

  it('lets everything through without a limit, and begins anew with another one', () => {
    const takes = createThrottle(() => 0);
    const limit = { ratePerSecond: 0.1, burst: 1 };

    expect([takes(limit), takes(limit), takes(undefined), takes(limit), takes({ ...limit })]).toEqual([
      true,
      false,
      true,
      true,
      true,
    ]);
  });
});
