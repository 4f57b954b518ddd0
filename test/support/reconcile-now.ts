import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { InvocationResult } from '../../infra/local/aws/lambda/container.ts';
import type { TestRun } from './local-run.ts';

/** What would be due later is due now: the schedule is not history. */
export const makeDue = async (run: TestRun): Promise<void> => {
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
};

/** Runs the reconciler, with every wake-up due by now. A run that finds nothing due within its time ends at once. */
export const reconcileNow = async (run: TestRun): Promise<InvocationResult> => {
  await makeDue(run);
  return run.lambda.invoke('reconcile-cancellations', {});
};
