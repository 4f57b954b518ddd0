import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createTokenBucket } from '../../infra/local/aws/gateway/token-bucket.ts';
import { createUsagePlans, type LocalUsagePlans } from '../../infra/local/aws/gateway/usage-plans.ts';

/** A minute before midnight, UTC. */
const evening = Date.parse('2026-11-26T23:59:00.000Z');
let now = evening;

describe('a token bucket', () => {
  test('lets a burst through, then as many requests as the rate allows, and says how long the next one waits', () => {
    const bucket = createTokenBucket(() => now);
    const limit = { ratePerSecond: 2, burst: 3 };
    const five = () => Array.from({ length: 5 }, () => bucket.take(limit));

    expect(five()).toEqual([0, 0, 0, 500, 500]);
    now += 500;
    expect(five()).toEqual([0, 500, 500, 500, 500]);
    now += 200;
    expect(bucket.take(limit)).toBe(300);
    now += 60_000;
    expect(five()).toEqual([0, 0, 0, 500, 500]);
  });

  test('lets everything through without a limit, and starts again with another one', () => {
    const bucket = createTokenBucket(() => 0);
    const limit = { ratePerSecond: 0.1, burst: 1 };

    const all = [limit, limit, undefined, limit, { ...limit }].map((throttle) => bucket.take(throttle));

    expect(all).toEqual([0, 10_000, 0, 0, 0]);
  });
});

describe('the usage plans of the local gateway', () => {
  const plans = {
    standard: { ratePerSecond: 2, burst: 2, requestsPerDay: 5 },
    bulk: { ratePerSecond: 100, burst: 100, requestsPerDay: 50 },
  };
  let usage: LocalUsagePlans;

  const add = (name: string, plan?: string): string => {
    const key = usage.addKey({ name, value: `value of ${name}` });
    usage.assign(key?.id ?? '', plan);
    return key?.id ?? '';
  };
  const send = (name: string, requests: number) =>
    Array.from({ length: requests }, () => usage.admit(`value of ${name}`));
  const admitted = (name: string, requests: number) =>
    send(name, requests).filter(({ kind }) => kind === 'admitted').length;

  beforeEach(() => {
    now = evening;
    usage = createUsagePlans(plans, () => now);
  });

  test("take each request from its key's own share", () => {
    add('acme', 'standard');
    add('globex', 'standard');

    expect(admitted('acme', 10)).toBe(2);
    expect(admitted('globex', 2)).toBe(2);
  });

  test('say when the next request passes, and then it does', () => {
    add('acme', 'standard');

    expect(send('acme', 3).at(-1)).toEqual({ kind: 'throttled', retryAfterSeconds: 1 });
    now += 1_000;
    expect(admitted('acme', 1)).toBe(1);
  });

  test('count what passed in a day, and begin anew at midnight', () => {
    const id = add('acme', 'standard');
    for (let second = 0; second < 5; second += 1) {
      admitted('acme', 1);
      now += 1_000;
    }

    expect(usage.usedToday(id)).toBe(5);
    expect(usage.admit('value of acme')).toEqual({ kind: 'quota_exceeded', retryAfterSeconds: 55 });
    now += 54_999;
    expect(usage.admit('value of acme').kind).toBe('quota_exceeded');
    now += 1;
    expect(usage.admit('value of acme').kind).toBe('admitted');
    expect(usage.usedToday(id)).toBe(1);
  });

  test('do not count what the rate refused', () => {
    const id = add('acme', 'standard');
    send('acme', 100);

    expect(usage.usedToday(id)).toBe(2);
  });

  test.each([
    ['no key at all', undefined],
    ['a key that is not known', 'value of nobody'],
    ['a key in no plan', 'value of idle'],
    ['a key in a plan that there is no more', 'value of late'],
  ])('refuse %s', (_, value) => {
    add('idle');
    add('late', 'gone');

    expect(usage.admit(value)).toEqual({ kind: 'no_plan' });
  });

  test('give a key the limits of its new plan at once', () => {
    const id = add('acme', 'standard');
    send('acme', 3);

    usage.assign(id, 'bulk');

    expect(admitted('acme', 48)).toBe(48);
    expect(usage.admit('value of acme').kind).toBe('quota_exceeded');
  });

  test('have one key for a value, and forget a key that was removed', () => {
    const id = add('acme', 'standard');

    expect(usage.addKey({ name: 'other', value: 'value of acme' })).toBeUndefined();
    expect([usage.removeKey(id), usage.removeKey(id)]).toEqual([true, false]);
    expect(usage.admit('value of acme')).toEqual({ kind: 'no_plan' });
    usage.assign(id, 'bulk');
    expect(usage.keys()).toEqual([]);
  });

  test('keep the keys over a restart', () => {
    const statePath = join(mkdtempSync(join(tmpdir(), 'usage-plans-')), 'api-keys.json');
    usage = createUsagePlans(plans, () => now, statePath);
    const id = add('acme', 'bulk');

    usage = createUsagePlans(plans, () => now, statePath);

    expect(usage.keys()).toEqual([{ id, name: 'acme', value: 'value of acme', plan: 'bulk' }]);
    expect(admitted('acme', 3)).toBe(3);
  });
});
