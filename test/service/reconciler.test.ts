import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WAKE_SHARDS } from '../../functions/adapters/dynamodb/cancellation-log.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';
import { makeDue, reconcileNow } from '../support/reconcile-now.ts';

let run: TestRun;
beforeAll(async () => {
  run = await startTestRun();
});
afterAll(() => run.close());
afterEach(() => run.simulator.faults.clear());

let jobs = 0;
const cancelNewJob = async (fields: Parameters<TestRun['addJob']>[2] = {}) => {
  const [externalId, jobId] = [`due order ${++jobs}`, `job_due_${jobs}`];
  await run.addJob(externalId, jobId, fields);
  const { status } = await run.call('acme', 'POST /v1/cancellations', { externalId });
  return { externalId, jobId, status };
};
const wakeUps = async () => (await run.items('CancellationLog')).filter((item) => item['wakeAt'] !== undefined);
const shown = async (jobId: string) => (await run.call('acme', `GET /v1/cancellations/${jobId}`)).body;

describe('the reconciler', () => {
  it('confirms what was still processing, by reading alone', async () => {
    const { jobId, status } = await cancelNewJob({ cancelTakes: 100 });
    expect(status).toBe(202);
    await new Promise((resolve) => setTimeout(resolve, 150));
    await reconcileNow(run);
    expect(await shown(jobId)).toMatchObject({ outcome: 'cancelled', attempts: 1 });
    expect([run.simulator.requests.count('cancel', jobId), run.simulator.requests.count('read', jobId)]).toEqual([
      1, 1,
    ]);
    expect(await wakeUps()).toEqual([]);
  });

  it('says too_late when the job completed before its cancel took effect', async () => {
    const { jobId } = await cancelNewJob({ cancelTakes: 50, endsAs: 'completed' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await reconcileNow(run);
    expect(await shown(jobId)).toMatchObject({ outcome: 'too_late', jobStatus: 'completed' });
  });

  it('confirms a cancel whose answer was lost, without a second cancel call', async () => {
    run.simulator.faults.add({ on: 'cancel', kind: 'reset', effect: 'applied', times: 1 });
    const { jobId, status } = await cancelNewJob();
    expect(status).toBe(202);
    await reconcileNow(run);
    expect(await shown(jobId)).toMatchObject({ outcome: 'cancelled', attempts: 2 });
    expect(run.simulator.requests.count('cancel', jobId)).toBe(1);
  });

  it('sees a cancel through when Plangrep comes back', async () => {
    run.simulator.faults.add({ on: 'any', kind: 'status', status: 503 });
    const { jobId, status } = await cancelNewJob();
    expect(status).toBe(202);
    // The run naps while the next attempt is due within its time, and looks around every 5 s at least.
    const running = reconcileNow(run);
    const secondEnded = expect.objectContaining({ type: 'attempt_ended', attempt: 2 });
    await vi.waitFor(async () => expect((await shown(jobId))['timeline']).toContainEqual(secondEnded), 10_000);
    run.simulator.faults.clear();
    await makeDue(run);
    await running;
    expect(await shown(jobId)).toMatchObject({ outcome: 'cancelled', attempts: 3 });
    expect(await wakeUps()).toEqual([]);
  });

  it('does no harm when two of it run at once', async () => {
    const cancelled = [];
    for (let n = 0; n < 10; n++) cancelled.push(await cancelNewJob({ cancelTakes: 1 }));
    await makeDue(run);
    await Promise.all([1, 2].map(() => run.lambda.invoke('reconcile-cancellations', {})));
    for (const { jobId } of cancelled) {
      expect(await shown(jobId)).toMatchObject({ outcome: 'cancelled' });
      expect(run.simulator.requests.count('read', jobId)).toBe(1);
    }
    const types = (await run.items('CancellationLog')).filter(({ type }) => type === 'closed').map(({ pk }) => pk);
    expect(new Set(types).size).toBe(types.length);
  });

  it('takes the wake-ups of closed cancellations away, and leaves their history as it is', async () => {
    const { jobId } = await cancelNewJob();
    const before = await shown(jobId);
    expect(await wakeUps()).toHaveLength(1);
    await reconcileNow(run);
    expect(await wakeUps()).toEqual([]);
    expect(await shown(jobId)).toEqual(before);
  });

  it('asks the index for keys alone, shard by shard', async () => {
    const { Items = [] } = await run.dynamodb.client.send(
      new QueryCommand({
        TableName: run.dynamodb.tableNames.CancellationLog,
        IndexName: 'due-wake-ups',
        KeyConditionExpression: 'wakeShard = :shard',
        ExpressionAttributeValues: { ':shard': { S: '0' } },
      }),
    );
    for (const item of Items)
      expect(Object.keys(item).toSorted((a, b) => a.localeCompare(b))).toEqual(['pk', 'sk', 'wakeAt', 'wakeShard']);
    run.dynamodb.resetCounts();
    await run.lambda.invoke('reconcile-cancellations', {});
    expect(run.dynamodb.counts()).toEqual({ Query: { CancellationLog: WAKE_SHARDS } });
  });
});
