import { setTimeout as sleep } from 'node:timers/promises';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { WAKE_SHARDS } from '../../functions/core/cancellation/pace.ts';
import { givenService } from '../support/given-service.ts';
import type { TestRun } from '../support/local-run.ts';

const service = givenService();

async function cancelNewJob(fields?: Parameters<TestRun['addJob']>[2]) {
  const names = await service.newJob(fields);
  const { status } = await service.cancel({ externalId: names.externalId });
  return { ...names, status };
}
const shown = async (jobId: string) => (await service.show(jobId)).body;
const callsFor = (jobId: string) => ({
  cancel: service.run.simulator.requests.count('cancel', jobId),
  read: service.run.simulator.requests.count('read', jobId),
});

describe('the reconciler', () => {
  test('confirms what was still processing, by reading alone', async () => {
    const { jobId, status } = await cancelNewJob({ cancelTakes: 100 });
    await sleep(150);

    await service.reconcile();

    expect(status).toBe(202);
    expect(await shown(jobId)).toMatchObject({ outcome: 'cancelled', attempts: 1 });
    expect(callsFor(jobId)).toEqual({ cancel: 1, read: 1 });
    expect(await service.wakeUps()).toEqual([]);
  });

  test('closes as too_late when the job completed before its cancel took effect', async () => {
    const { jobId } = await cancelNewJob({ cancelTakes: 50, endsAs: 'completed' });
    await sleep(100);

    await service.reconcile();

    expect(await shown(jobId)).toMatchObject({ outcome: 'too_late', jobStatus: 'completed' });
  });

  test('confirms a cancel whose answer was lost, without a second cancel call', async () => {
    service.plangrepFails({ on: 'cancel', kind: 'reset', effect: 'applied', times: 1 });
    const { jobId, status } = await cancelNewJob();

    await service.reconcile();

    expect(status).toBe(202);
    expect(await shown(jobId)).toMatchObject({ outcome: 'cancelled', attempts: 2 });
    expect(callsFor(jobId).cancel).toBe(1);
  });

  test('completes a cancel when Plangrep works again', async () => {
    service.plangrepFails({ on: 'any', kind: 'status', status: 503 });
    const { jobId, status } = await cancelNewJob();

    await service.reconcile();
    service.run.simulator.faults.clear();
    await service.reconcile();

    expect(status).toBe(202);
    expect(await shown(jobId)).toMatchObject({ outcome: 'cancelled', attempts: 3 });
    expect(await service.wakeUps()).toEqual([]);
  });

  test('reads each job once when two reconcilers run at the same time', async () => {
    const cancelled = [];
    for (let n = 0; n < 10; n++) cancelled.push(await cancelNewJob({ cancelTakes: 1 }));
    await service.makeDue();

    await Promise.all([1, 2].map(() => service.run.lambda.invoke('reconcile-cancellations', {})));

    for (const { jobId } of cancelled) {
      expect(await shown(jobId)).toMatchObject({ outcome: 'cancelled' });
      expect(callsFor(jobId).read).toBe(1);
    }
    const records = await service.run.items('CancellationLog');
    const closed = records.filter(({ type }) => type === 'closed').map(({ pk }) => pk);
    expect(new Set(closed).size).toBe(closed.length);
  });

  test('removes the wake-ups of closed cancellations, and leaves their history as it is', async () => {
    const { jobId } = await cancelNewJob();
    const before = await shown(jobId);
    expect(await service.wakeUps()).toHaveLength(1);

    await service.reconcile();

    expect(await service.wakeUps()).toEqual([]);
    expect(await shown(jobId)).toEqual(before);
  });

  test('queries the index for keys alone, shard by shard', async () => {
    const { dynamodb, lambda } = service.run;
    const { Items = [] } = await dynamodb.client.send(
      new QueryCommand({
        TableName: dynamodb.tableNames.CancellationLog,
        IndexName: 'due-wake-ups',
        KeyConditionExpression: 'wakeShard = :shard',
        ExpressionAttributeValues: { ':shard': { S: '0' } },
      }),
    );
    dynamodb.resetCounts();

    await lambda.invoke('reconcile-cancellations', {});

    expect(dynamodb.counts()).toEqual({ Query: { CancellationLog: WAKE_SHARDS } });
    for (const item of Items)
      expect(Object.keys(item).toSorted((a, b) => a.localeCompare(b))).toEqual(['pk', 'sk', 'wakeAt', 'wakeShard']);
  });
});
