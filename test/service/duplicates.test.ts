import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestRun, type TestRun } from '../support/local-run.ts';

let run: TestRun;
beforeAll(async () => {
  run = await startTestRun();
});
afterAll(() => run.close());

const job = 'job_01hy3m8qtn2e5r7k9p0w4x1def';
const cancel = (externalId: string) => run.call('acme', 'POST /v1/cancellations', { externalId });

describe('1,000 identical requests at once', () => {
  it('make one cancel call, one cancellation, and 1,000 answers that name it', async () => {
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => cancel('order-7890')));

    expect(new Set(answers.map(({ status }) => status)).difference(new Set([200, 202])).size).toBe(0);
    expect(new Set(answers.map(({ body }) => body['jobId']))).toEqual(new Set([job]));
    expect(run.simulator.requests.count('cancel')).toBe(1);
    const types = (await run.items('CancellationLog')).map(({ type }) => type);
    const count = (wanted: string) => types.filter((type) => type === wanted).length;
    expect([types.length, count('requested'), count('closed'), count('joined')]).toEqual([1_001, 1, 1, 999]);
  }, 120_000);
});
