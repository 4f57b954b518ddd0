import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import { localArn } from '../../infra/local/aws/loopback.ts';
import { givenOps } from '../support/given-ops.ts';
import { givenRunbook } from './given-runbook.ts';

const ops = givenOps();
const { service } = ops;
const follow = givenRunbook(ops, 'wake-ups');

const reconcileNow = () => service.run.lambda.invoke('reconcile-cancellations', {});
/** An open cancellation whose job ends as soon as Plangrep is asked again. */
const openOne = async (): Promise<string> => {
  const { externalId, jobId } = await service.newJob({ cancelTakes: 1 });
  await service.cancel({ externalId });
  return jobId;
};

describe('an operator who follows the runbook', () => {
  test('sees how late the wake-ups are, and that they are looked at again', async () => {
    const section = follow('Wake-ups overdue');
    const jobId = await openOne();
    const open = await section.type('npm run ops -- cancellations open --environment prod');
    await service.reconcile();

    const { stdout } = await section.first();
    await section.type(
      `aws events list-rules --query "Rules[?Description=='Wakes the reconciler'].[Name,State]" --output text`,
    );
    await section.type('aws events enable-rule --name <name>', { name: 'rule' });
    section.repaired();
    await reconcileNow();
    const [logs] = await section.over();

    expect(open.stdout).toContain(jobId);
    // Every wake-up was made due months ago.
    expect(Number(/ oldestDueMs=(\d+)/.exec(stdout)?.[1])).toBeGreaterThan(300_000);
    expect(logs?.stdout).toContain(' oldestDueMs=0');
  });

  test('finds a wake-up that is malformed, copies it and removes it', async () => {
    const section = follow('Wake-ups fail');
    const table = 'CancellationLog';
    const [pk, sk] = ['acme#job_1', 'event-1'];
    const fields = { pk, sk, wakeShard: '0', wakeAt: '2026-01-01T00:00:00.000Z' };
    await service.run.dynamodb.client.send(new PutItemCommand({ TableName: table, Item: toItem(fields) }));
    const prepare = 'npm run ops -- restore prepare --table CancellationLog --restored <table> --environment prod';
    await section.type(prepare, { table });
    await reconcileNow();

    const { stdout } = await section.first();
    const values = { table, pk, sk, tableArn: localArn('dynamodb', `table/${table}`), jobId: 'job_1' };
    const check = 'npm run ops -- restore check --table CancellationLog --environment prod';
    const ends = [
      await section.type(check),
      await section.type('npm run ops -- find <jobId> --environment prod', values),
    ];
    const key = `--key '{"pk":{"S":"<pk>"},"sk":{"S":"<sk>"}}'`;
    const copy = await section.type(`aws dynamodb get-item --table-name <table> ${key}`, values);
    await section.type(
      'AWS_PROFILE=restore-prod aws dynamodb delete-resource-policy --resource-arn <tableArn>',
      values,
    );
    const removed = await section.type(`aws dynamodb delete-item --table-name <table> ${key}`, values);
    const restored = await section.type(prepare, values);
    section.repaired();
    await reconcileNow();
    const [logs] = await section.over();

    expect(stdout).toContain(`key=${pk} ${sk}`);
    expect(stdout).toContain(' failed=1 ');
    expect(ends[0]).toMatchObject({ code: 0, stdout: `${table} is as ${table} is defined.\n` });
    expect(copy.stdout).toContain('"wakeShard"');
    expect([removed.code, restored.code]).toEqual([0, 0]);
    expect(logs?.stdout).toContain(' failed=0 ');
  });

  test('sees what the queue has lost, and that it loses nothing more', async () => {
    const section = follow('Wake-up queue loses messages');
    for (let n = 0; n < 3; n += 1) await openOne();
    await service.reconcile();

    const { stdout } = await section.first();
    const queues = await section.type('npm run ops -- queues --environment prod');
    await section.type('npm run ops -- logs FUNCTION_FAILED --environment prod');
    await section.type(
      'aws lambda list-event-source-mappings --function-name plangrep-cancellation-prod-consume-wake-ups:live --query "EventSourceMappings[].[UUID,State,StateTransitionReason]" --output text',
    );
    section.repaired();
    await reconcileNow();
    const [logs] = await section.over();

    expect(stdout).toContain(' lostByQueue=3 ');
    expect(queues.stdout).toMatch(/^to consume-wake-ups +\d/m);
    expect(logs?.stdout).toContain(' lostByQueue=0 ');
  });

  test('sees the run that failed, and that the next one came', async () => {
    const section = follow('Reconciler runs missed');
    await service.run.lambda.invoke('reconcile-cancellations', {}, { crashes: true });
    await reconcileNow();

    const { stdout } = await section.first();
    const [, requestId] = /platform\.report +requestId=(\S+)/.exec(stdout) ?? [];
    const lines = await section.type('npm run ops -- logs <requestId> --environment prod', { requestId });
    await section.type('aws sqs purge-queue --queue-url <url>', { url: 'https://sqs/runs' });
    section.repaired();
    await reconcileNow();
    const [logs] = await section.over();

    expect(lines.stdout).toContain('platform.report');
    expect(logs?.stdout).toMatch(/^1 line since/m);
  });
});
