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

describe('a cancel on a warm function', () => {
  it('makes three DynamoDB requests, none to Secrets Manager, one to Plangrep', async () => {
    await run.addJob('warm-up', 'job_warm_up');
    await cancel('warm-up');
    await run.addJob('warm', 'job_warm');
    run.dynamodb.resetCounts();
    run.simulator.requests.clear();
    const secretsBefore = { ...run.secretsManager.requests };

    expect((await cancel('warm')).status).toBe(200);

    expect(run.dynamodb.counts()).toEqual({ Query: { JobDirectory: 1 }, PutItem: { CancellationLog: 2 } });
    expect({ ...run.secretsManager.requests }).toEqual(secretsBefore);
    expect(run.simulator.requests.all().map(({ kind }) => kind)).toEqual(['cancel']);
  });
});
