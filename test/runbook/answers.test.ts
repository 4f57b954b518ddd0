import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import { givenOps } from '../support/given-ops.ts';
import { givenRunbook } from './given-runbook.ts';

const ops = givenOps();
const { service } = ops;
const follow = givenRunbook(ops, 'answers');

const cancelAnother = async () => service.cancel({ externalId: (await service.newJob()).externalId });
const tablesFail = (isDown: boolean): void => {
  service.run.faults.current = isDown ? { kind: 'tables_down' } : undefined;
};
/** What the table says of the newest line. */
const requestIdIn = (stdout: string): string => [...stdout.matchAll(/ requestId=(\S+)/g)].at(-1)?.[1] ?? 'none';

describe('an operator who follows the runbook', () => {
  // The first test, because the functions open their connections when they start.
  test('finds the table behind a dependency that is unavailable', async () => {
    const section = follow('A dependency is unavailable');
    await cancelAnother();
    const { externalId } = await service.newJob();
    tablesFail(true);
    await service.cancel({ externalId });

    const { stdout } = await section.first();
    tablesFail(false);
    const check = await section.type('npm run ops -- restore check --table CancellationLog --environment prod');
    const put = await section.type(
      'npm run ops -- plangrep-key put --environment prod',
      {},
      'pgk_live_canary4f1cdeadbeef',
    );
    section.repaired();
    const again = await service.cancel({ externalId });
    const [logs] = await section.over();

    expect(stdout).toMatch(/ dependency=(job-directory|partners) /);
    expect(check.stdout).toContain('CancellationLog');
    expect(put.code).toBe(0);
    expect(again.status).toBe(200);
    expect(logs).toMatchObject({ code: 1, stdout: expect.stringMatching(/^No line with DEPENDENCY_UNAVAILABLE/) });
  });

  test('goes from a 5xx to what caused it', async () => {
    const section = follow('Answers are 5xx');
    const { externalId, jobId } = await service.newJob();
    const { client } = service.run.dynamodb;
    const malformed = { pk: `acme#job#${externalId}`, sk: `${jobId}_malformed` };
    await client.send(
      new PutItemCommand({ TableName: 'JobDirectory', Item: toItem({ ...malformed, registeredAt: 'once' }) }),
    );
    const { headers } = await service.cancel({ externalId });

    const { stdout } = await section.first();
    const requestId = requestIdIn(stdout);
    const lines = await section.type('npm run ops -- logs <requestId> --environment prod', { requestId });
    await client.send(new DeleteItemCommand({ TableName: 'JobDirectory', Key: toItem(malformed) }));
    section.repaired();
    const again = await service.cancel({ externalId });
    const [logs] = await section.over();

    expect(again.status).toBe(200);
    expect(requestId).toBe(headers.get('x-request-id'));
    expect(lines.stdout).toContain(' RECORD_UNREADABLE ');
    expect(logs).toMatchObject({ code: 1, stdout: expect.stringMatching(/^No line with 5xx/) });
  });

  test('sees the invocation that crashed', async () => {
    const section = follow('Functions fail');
    await service.run.lambda.invoke('read-cancellations', {}, { crashes: true });

    const { stdout } = await section.first();
    const requestId = requestIdIn(stdout);
    const lines = await section.type('npm run ops -- logs <requestId> --environment prod', { requestId });
    section.repaired();
    await service.show((await service.newJob()).jobId);
    const [logs] = await section.over();

    expect(lines.stdout).toContain(requestId);
    expect(logs).toMatchObject({ code: 1, stdout: expect.stringMatching(/^No line with FUNCTION_FAILED/) });
  });

  test('sees a bug with its version and its stack', async () => {
    const section = follow('Unexpected errors');
    const requestId = 'request-that-meets-a-bug';
    // A gateway never calls the function like this: without a partner.
    await service.run.lambda.invoke('request-cancellation', { requestContext: { requestId, authorizer: {} } });

    const { stdout } = await section.first();
    const found = await section.type('npm run ops -- find <requestId> --environment prod', { requestId });
    const lines = await section.type('npm run ops -- logs <requestId> --since 1d --environment prod', { requestId });
    section.repaired();
    await cancelAnother();
    const [logs] = await section.over();

    expect(stdout).toMatch(/UNEXPECTED_ERROR +requestId=request-that-meets-a-bug .*error=\$?ZodError.*stack=/);
    expect(found.stdout).toContain('No table has anything under this id');
    expect(lines.stdout).toMatch(/REQUEST_ANSWERED .* status=500 /);
    expect(logs).toMatchObject({ code: 1, stdout: expect.stringMatching(/^No line with UNEXPECTED_ERROR/) });
  });

  test('sees that Plangrep is what makes answers slow', async () => {
    const section = follow('Answers are slow');
    const { externalId } = await service.newJob();
    service.plangrepFails({ on: 'any', kind: 'late', delayMs: 5_500 });
    await service.cancel({ externalId });
    service.run.simulator.faults.clear();

    const { stdout } = await section.first();
    const requestId = requestIdIn(stdout);
    const lines = await section.type('npm run ops -- logs <requestId> --environment prod', { requestId });
    section.repaired();
    await cancelAnother();
    const [logs] = await section.over();

    const tookMs = (text = ''): number => Number(/ tookMs=(\d+)$/m.exec(text)?.[1]);
    expect(tookMs(lines.stdout)).toBeGreaterThan(4_900);
    expect(lines.stdout).toMatch(/CANCELLATION_PENDING .*result=unknown/);
    expect(tookMs(logs?.stdout)).toBeLessThan(4_900);
  });

  test('slows a partner down at once that uses up functions or tables', async () => {
    const [functions, tables] = [follow('Functions are throttled'), follow('Tables are throttled')];
    await cancelAnother();

    const first = [await functions.first(), await tables.first()];
    const smaller = 'npm run ops -- partner set --partner <partner> --plan small --environment prod';
    const set = [await functions.type(smaller, { partner: 'acme' }), await tables.type(smaller, { partner: 'acme' })];
    await tables.type('npm run ops -- restore check --table CancellationLog --environment prod');
    const insights = await tables.type('aws dynamodb describe-contributor-insights --table-name <table>', {
      table: 'CancellationLog',
    });
    await tables.type(
      'aws cloudwatch get-insight-rule-report --rule-name <rule> --start-time <from> --end-time <to> --period 300 --max-contributor-count 10',
      { rule: 'rule', from: '2026-11-26T03:00:00Z', to: '2026-11-26T04:00:00Z' },
    );
    const statuses: number[] = [];
    for (let n = 0; n < 7; n += 1) statuses.push((await service.show('job_none')).status);
    const over = [...(await functions.over()), ...(await tables.over())];

    for (const { stdout } of first) expect(stdout).toMatch(/by partner: acme \d/);
    expect(set.map(({ code }) => code)).toEqual([0, 0]);
    expect(insights.code).toBe(0);
    expect(statuses).toContain(429);
    expect(over.map(({ stderr }) => stderr)).toEqual(['checked', 'checked']);
  });
});
