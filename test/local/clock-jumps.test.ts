import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startQueue } from '../../infra/local/aws/events/queue.ts';
import { createTokenAuthorizer } from '../../infra/local/aws/gateway/token-authorizer.ts';
import { createTokenBucket } from '../../infra/local/aws/gateway/token-bucket.ts';

const DAY_MS = 86_400_000;

describe('When the clock is put back by a day', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('a message that waits is handed out at most 15 minutes later, and one that is hidden for weeks costs nothing', async () => {
    const received: string[] = [];
    const queue = startQueue({
      name: 'clock-jumps',
      invoke: async ({ Records }) => {
        received.push(...Records.map(({ body }) => body));
        return { kind: 'answered', payload: null };
      },
      batchSize: 10,
      visibilityTimeoutMs: 60_000,
    });
    queue.send('due in 5 s', undefined, 5_000);
    await vi.advanceTimersByTimeAsync(1_000);

    vi.setSystemTime(Date.now() - 40 * DAY_MS); // More than a timer can wait for: it would ring at once, again and again.
    await vi.advanceTimersByTimeAsync(60_000);
    expect(received).toEqual([]);
    // One, and those that an earlier test file of this worker still sets: not one for each time that it rang.
    expect(vi.getTimerCount()).toBeLessThan(5);
    await vi.advanceTimersByTimeAsync(15 * 60_000);

    expect(received).toEqual(['due in 5 s']);
    queue.close();
  });

  test('a partner that has sent nothing may send', () => {
    const bucket = createTokenBucket(Date.now);
    const throttle = { ratePerSecond: 1, burst: 2 };
    expect(bucket.take(throttle)).toBe(0);

    vi.setSystemTime(Date.now() - DAY_MS);

    expect(bucket.take(throttle)).toBe(0);
    expect(bucket.take(throttle)).toBe(1_000);
  });

  test('the authorizer’s answer is not kept for a day', async () => {
    let asked = 0;
    const statement = { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' };
    const payload = { principalId: 'acme', policyDocument: { Statement: [statement] } };
    const authorize = createTokenAuthorizer(
      { function: 'authorize', identityValidationExpression: '.*', cacheSeconds: 60 },
      async () => {
        asked += 1;
        return { kind: 'answered', payload };
      },
      Date.now,
    );
    await authorize('token', 'arn');
    await authorize('token', 'arn');
    expect(asked).toBe(1);

    vi.setSystemTime(Date.now() - DAY_MS);
    const { kind } = await authorize('token', 'arn');

    expect({ kind, asked }).toEqual({ kind: 'allowed', asked: 2 });
  });
});
