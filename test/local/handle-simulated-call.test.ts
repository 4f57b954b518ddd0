import type { LambdaFunctionURLEvent } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { createApiKeyCheck, handleSimulatedCall } from '../../functions/simulator/handle-simulated-call.ts';
import { sandboxRecord } from '../../functions/simulator/sandbox-jobs.ts';

describe('a simulated call', () => {
  const NOW = Date.parse('2026-11-02T09:00:00.000Z');
  const cancel = {
    rawPath: '/api/open/v1/jobs/job_sandbox_late/cancel',
    headers: {},
    requestContext: { http: { method: 'POST' } },
  } as LambdaFunctionURLEvent;

  const open = (isAuthorized: boolean) => {
    const log: string[] = [];
    const handle = handleSimulatedCall({
      records: {
        find: (jobId) => {
          log.push(`find ${jobId}`);
          return sandboxRecord(jobId, NOW);
        },
        ofProject: () => [],
        keep: ({ job }) => void log.push(`keep ${job.status}`),
      },
      isAuthorized: async () => isAuthorized,
      clock: { now: () => NOW, sleep: async (ms) => void log.push(`sleep ${ms}`) },
    });
    return { log, handle };
  };

  test('takes effect at once, although its answer waits', async () => {
    const { log, handle } = open(true);

    const answer = await handle(cancel);

    expect(answer).toMatchObject({ statusCode: 200 });
    expect(log).toEqual(['find job_sandbox_late', 'keep cancelled', 'sleep 6000']);
  });

  test('reads nothing without a valid key', async () => {
    const { log, handle } = open(false);

    const answer = await handle(cancel);

    expect(answer).toMatchObject({ statusCode: 401 });
    expect(log).toEqual([]);
  });
});

describe('the check of the API key', () => {
  /** A secret whose stored value is read only when it is fetched again. */
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

  test("accepts the secret's key only as a bearer credential", async () => {
    const { check } = open('pgk_right');

    expect(await check('Bearer pgk_right')).toBe(true);
    for (const wrong of [undefined, '', 'Bearer ', 'pgk_right', 'Basic pgk_right', 'Bearer pgk_right ', 'Bearer x']) {
      expect(await check(wrong), String(wrong)).toBe(false);
    }
  });

  test('accepts a key that was just stored', async () => {
    const { check, put } = open('pgk_old');
    put('pgk_new');

    expect(await check('Bearer pgk_new')).toBe(true);
    expect(await check('Bearer pgk_old')).toBe(false);
  });

  test('looks for a newer key once in 5 s, however many wrong keys arrive', async () => {
    const { check, fetches, pass } = open('pgk_right');

    for (let n = 0; n < 50; n += 1) await check('Bearer guess');
    expect(fetches()).toBe(1);

    pass(5_000);
    await check('Bearer guess');
    expect(fetches()).toBe(2);
  });

  test('fetches nothing for a request without a key', async () => {
    const { check, fetches } = open('pgk_right');

    await check(undefined);

    expect(fetches()).toBe(0);
  });
});
