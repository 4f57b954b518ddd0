import { describe, expect, it } from 'vitest';
import { createApiKeyCheck } from '../../functions/simulator/check-api-key.ts';

/** A secret that is read when it is asked for anew, as it is then. */
const open = (first: string) => {
  let [kept, stored, fetches, now] = [first, first, 0, 0];
  const check = createApiKeyCheck(
    {
      get: async () => kept,
      refetch: async () => {
        fetches += 1;
        kept = stored;
        return kept;
      },
    },
    { now: () => now },
  );
  return {
    check,
    fetches: () => fetches,
    put: (key: string) => {
      stored = key;
    },
    pass: (ms: number) => {
      now += ms;
    },
  };
};

describe('The simulator', () => {
  it("takes the secret's key as a bearer's alone", async () => {
    const { check } = open('pgk_right');
    expect(await check('Bearer pgk_right')).toBe(true);
    for (const wrong of [undefined, '', 'Bearer ', 'pgk_right', 'Basic pgk_right', 'Bearer pgk_right ', 'Bearer x']) {
      expect(await check(wrong), String(wrong)).toBe(false);
    }
  });

  it('takes a key that has just been put into the secret', async () => {
    const { check, put } = open('pgk_old');
    put('pgk_new');
    expect(await check('Bearer pgk_new')).toBe(true);
    expect(await check('Bearer pgk_old')).toBe(false);
  });

  it('looks for a newer key once in 5 s, however many wrong ones come', async () => {
    const { check, fetches, pass } = open('pgk_right');
    for (let n = 0; n < 50; n += 1) await check('Bearer guess');
    expect(fetches()).toBe(1);
    pass(5_000);
    await check('Bearer guess');
    expect(fetches()).toBe(2);
  });

  it('asks nobody about a request without a key', async () => {
    const { check, fetches } = open('pgk_right');
    await check(undefined);
    expect(fetches()).toBe(0);
  });
});
