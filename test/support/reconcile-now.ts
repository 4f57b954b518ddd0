import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { TestRun } from './local-run.ts';

/** Runs the reconciler, with every wake-up due by now: the schedule is not history. */
export const reconcileNow = async (run: TestRun): Promise<void> => {
  for (const { pk, sk, wakeAt } of await run.items('CancellationLog')) {
    if (wakeAt === undefined) continue;
    await run.dynamodb.client.send(
      new UpdateItemCommand({
        TableName: run.dynamodb.tableNames.CancellationLog,
        Key: { pk: { S: String(pk) }, sk: { S: String(sk) } },
        UpdateExpression: 'SET wakeAt = :due',
        ExpressionAttributeValues: { ':due': { S: '2026-01-01T00:00:00.000Z' } },
      }),
    );
  }
  await run.lambda.invoke('reconcile-cancellations', {});
};
