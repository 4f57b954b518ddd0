import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as z from 'zod/mini';
import { runLogsQuery } from '../../../infra/cli/logs/cloudwatch-logs.ts';
import { logsQueryFor } from '../../../infra/cli/logs/logs-query.ts';
import { toRow, toShown } from '../../../infra/cli/logs/present-line.ts';
import { searchedBy } from '../../../infra/cli/logs/searched.ts';
import { createProgress } from '../../../infra/cli/terminal.ts';
import { createAccessKey, findSigner } from '../../../infra/local/aws/access-keys.ts';
import { type Listening, serveOnLoopback } from '../../../infra/local/aws/loopback.ts';
import { givenOps } from '../../support/given-ops.ts';
import { onlyLine } from '../../support/run-command.ts';

describe('in the local run', () => {
  const ops = givenOps();
  const shownSchema = z.object({
    lines: z.array(
      z.object({ from: z.string(), code: z.optional(z.string()), fields: z.record(z.string(), z.unknown()) }),
    ),
    complete: z.boolean(),
  });
  const logs = async (line: string) => shownSchema.parse(JSON.parse((await ops.run(`logs --json ${line}`)).stdout));

  test('shows the lines with a code, an id or a status, with who wrote them', async () => {
    const { externalId, jobId } = await ops.service.newJob();
    const { headers } = await ops.service.cancel({ externalId });
    await ops.service.cancel({ externalId: 'unknown' });
    const requestId = headers.get('x-request-id') ?? '';

    const [byCode, byId, byStatus, several] = await Promise.all([
      logs('CANCELLATION_CLOSED'),
      logs(requestId),
      logs('4xx'),
      logs(`CANCELLATION_CLOSED,404 --limit 1`),
    ]);

    expect(byCode).toMatchObject({
      complete: true,
      lines: [{ from: 'request-cancellation', code: 'CANCELLATION_CLOSED', fields: { jobId, requestId } }],
    });
    expect(byId.lines.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['CANCELLATION_CLOSED', 'REQUEST_ANSWERED']),
    );
    expect(byStatus.lines).toMatchObject([
      { code: 'REQUEST_ANSWERED', fields: { status: 404 } },
      { from: 'access log', fields: { status: 404 } },
    ]);
    expect(several).toMatchObject({ complete: false, lines: [{ fields: { status: 404 } }] });
  });

  test('shows a request that reached no function, by its id', async () => {
    const answer = await fetch(`${ops.service.run.baseUrl}/v1/cancellations?externalId=secret`);
    const requestId = answer.headers.get('x-amzn-requestid') ?? '';

    const { lines } = await logs(requestId);

    expect(answer.status).toBe(401);
    expect(lines).toMatchObject([
      { from: 'access log', fields: { requestId, httpMethod: 'GET', path: '/v1/cancellations', status: 401 } },
    ]);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  test('is aligned, and counts by partner', async () => {
    const { stdout, code } = await ops.run('logs REQUEST_ANSWERED --since 5m');

    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d{4}-\S+Z {2}request-cancellation {2}INFO {2}REQUEST_ANSWERED {2}.*partnerId=acme /m);
    expect(stdout).toMatch(/^2 lines in the last 5m; by partner: acme 2$/m);
  });

  test('says that there is none, and that a word is not a code', async () => {
    const [none, misspelt, silent] = await Promise.all([
      ops.run('logs STREAM_BROKEN'),
      ops.run('logs STREAM_BROKN'),
      ops.run('logs CANCELLATION_CLOSED --since 0s'),
    ]);

    expect(none).toMatchObject({ code: 1, stdout: 'No line with STREAM_BROKEN in the last 1h (local).\n' });
    expect(misspelt.stdout).toContain('STREAM_BROKN is not a code of this service');
    expect(silent.code).toBe(1);
    expect(onlyLine(await ops.run('logs x --since yesterday'))).toMatch(/^--since must be/);
    expect(onlyLine(await ops.run('logs'))).toMatch(/^"logs" needs CODE/);
  });

  test('shows an invocation that crashed, as Lambda reports it', async () => {
    await vi.waitFor(async () =>
      expect(await ops.service.run.lambda.invoke('read-documentation', {}, { crashes: true })).toMatchObject({
        errorType: 'Runtime.ExitError',
      }),
    );

    const { lines } = await logs('FUNCTION_FAILED');

    expect(lines).toMatchObject([
      {
        from: 'read-documentation',
        code: 'platform.report',
        fields: { status: 'error', errorType: 'Runtime.ExitError' },
      },
    ]);
  });

  test('find names the command that shows the lines', async () => {
    const { externalId } = await ops.service.newJob();
    const { headers } = await ops.service.cancel({ externalId });

    const { stdout } = await ops.run(`find ${headers.get('x-request-id')}`);
    const [, command = ''] = /^Its log lines: npm run ops -- (.*)$/m.exec(stdout) ?? [];

    expect((await ops.run(command)).stdout).toContain('CANCELLATION_CLOSED');
  });
});

describe('in AWS', () => {
  const key = createAccessKey();
  const asked: { action: string; body: Record<string, unknown>; signer: string }[] = [];
  let answers: object[] = [];
  let server: Listening;
  beforeAll(async () => {
    server = await serveOnLoopback(
      createServer((request, response) => {
        void text(request).then(async (body) => {
          const { method = '', url = '', headers } = request;
          const signer = await findSigner([key], { method, url, headers, body: Buffer.from(body) });
          const action = String(headers['x-amz-target']).replace('Logs_20140328.', '');
          asked.push({ action, body: JSON.parse(body), signer: signer.kind });
          const answer = action === 'StartQuery' ? { queryId: 'q-1' } : (answers.shift() ?? {});
          response.writeHead('__type' in answer ? 400 : 200).end(JSON.stringify(answer));
        });
      }),
    );
  });
  afterAll(() => server.close());
  const run = async (patienceMs = 10_000) => {
    asked.length = 0;
    const place = { logGroups: async () => ['stack-requestcancellationLogs1A2B3C4D-x', 'stack-ApiAccessLogs'] };
    const to = { words: ['JOB_ABSENT', 'r"1'], fromMs: 1_000, toMs: 2_000, limit: 5, keeps: 'newest' } as const;
    const shown: string[] = [];
    const progress = createProgress({ isTTY: true, write: (what: string) => shown.push(what) });
    const access = { endpoint: server.url, region: 'eu-central-1', credentials: key };
    const lines = await runLogsQuery(access, await logsQueryFor(place, to), { progress, pauseMs: 1, patienceMs });
    return { lines, shown };
  };

  test('starts a query over the log groups, waits for it, and shows the lines', async () => {
    const line =
      '{"timestamp":"2026-11-26T13:05:01.123Z","level":"WARN","message":{"code":"JOB_ABSENT","partnerId":"acme"}}';
    const row = [
      { field: '@timestamp', value: '2026-11-26 13:05:01.123' },
      { field: '@log', value: '111122223333:stack-requestcancellationLogs1A2B3C4D-x' },
      { field: '@message', value: line },
      { field: '@ptr', value: 'p' },
    ];
    answers = [
      { status: 'Scheduled' },
      { status: 'Running', results: [], statistics: { recordsScanned: 1234 } },
      { status: 'Complete', results: [row] },
    ];

    const { lines, shown } = await run();

    expect(asked.map(({ action, signer }) => [action, signer])).toEqual([
      ['StartQuery', 'known'],
      ...Array.from({ length: 3 }, () => ['GetQueryResults', 'known']),
    ]);
    expect(asked[0]?.body).toEqual({
      logGroupNames: ['stack-requestcancellationLogs1A2B3C4D-x', 'stack-ApiAccessLogs'],
      startTime: 1,
      endTime: 2,
      queryString:
        'fields @timestamp, @log, message.code, @message | filter message.code = "JOB_ABSENT" or @message like "r\\"1" | sort @timestamp desc | limit 5',
    });
    expect(shown.join('')).toContain('CloudWatch Logs: scheduled');
    expect(lines.map((one) => toRow(toShown(one)))).toEqual([
      ['2026-11-26T13:05:01.123Z', 'request-cancellation', 'WARN', 'JOB_ABSENT', 'partnerId=acme'],
    ]);
  });

  test('says in one line that the query failed, is not allowed or takes too long, and stops it then', async () => {
    answers = [{ status: 'Failed' }];
    await expect(run()).rejects.toThrow(/ended as Failed/);
    answers = [{ __type: 'AccessDeniedException', message: 'not authorized to perform: logs:GetQueryResults' }];
    await expect(run()).rejects.toMatchObject({ name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } });
    answers = Array.from({ length: 500 }, () => ({ status: 'Running' }));
    await expect(run(5)).rejects.toThrow(/was stopped/);
    expect(asked.at(-1)).toMatchObject({ action: 'StopQuery', body: { queryId: 'q-1' } });
  });

  test.each([
    ['5xx', String.raw`(status like /^5\d\d$/ or message.status like /^5\d\d$/)`],
    [
      'FUNCTION_FAILED',
      '(type in ["platform.report", "platform.initReport"] and record.status in ["error", "failure", "timeout"])',
    ],
    ['TABLE_WRITTEN', 'eventCategory = "Data" and eventSource = "dynamodb.amazonaws.com"'],
    [
      'SETTINGS_CHANGED',
      'eventCategory = "Management" and eventName in ["UpdateTable","UpdateTimeToLive","UpdateContinuousBackups","UpdateContributorInsights","DeleteTable","PutResourcePolicy","DeleteResourcePolicy","EnableKinesisStreamingDestination","TagResource","UntagResource","StopLogging","DeleteTrail","UpdateTrail","PutEventSelectors","DeleteBucket","DeleteBucketPolicy","PutBucketPolicy","PutBucketLifecycle","PutBucketObjectLockConfiguration","PutBucketVersioning","PutBucketPublicAccessBlock","ScheduleKeyDeletion","DisableKey","PutKeyPolicy","CreateGrant","UpdateAlias","DeleteAlias"]',
    ],
  ])('looks for %s with %s', (word, filter) => {
    expect(searchedBy(word).filter).toBe(filter);
  });

  test('shows who altered a table, or what it is, and what API Gateway answered by itself', () => {
    const trail = {
      eventCategory: 'Data',
      eventSource: 'dynamodb.amazonaws.com',
      eventName: 'DeleteItem',
      userIdentity: { arn: 'arn:aws:sts::111122223333:assumed-role/admin/someone' },
      sourceIPAddress: '192.0.2.1',
      errorCode: 'AccessDenied',
      requestParameters: { tableName: 'log', key: { pk: 'acme#job_1', sk: 'event#000001' } },
    };
    const access = { requestId: 'r', status: '504', gatewayResponse: 'INTEGRATION_TIMEOUT', partnerId: 'acme' };
    const shown = (log: string, fields: object) =>
      toRow(toShown({ at: 't', log: `1:stack-${log}`, line: JSON.stringify(fields) }));

    const policy = {
      ...trail,
      eventCategory: 'Management',
      eventName: 'DeleteResourcePolicy',
      errorCode: undefined,
      requestParameters: { resourceArn: 'arn:aws:dynamodb:eu-central-1:111122223333:table/log' },
    };

    expect(searchedBy('TABLE_WRITTEN').fits('', trail)).toBe(true);
    expect(searchedBy('TABLE_WRITTEN').fits('', policy)).toBe(false);
    expect(searchedBy('SETTINGS_CHANGED').fits('', trail)).toBe(false);
    expect(searchedBy('SETTINGS_CHANGED').fits('', policy)).toBe(true);
    expect(searchedBy('SETTINGS_CHANGED').fits('', { ...policy, eventName: 'CreateBackup' })).toBe(false);
    expect(shown('WatchingAuditWatchEvents1', policy)[4]).toBe(
      'about=arn:aws:dynamodb:eu-central-1:111122223333:table/log who=arn:aws:sts::111122223333:assumed-role/admin/someone sourceIPAddress=192.0.2.1',
    );
    expect(shown('WatchingAuditWatchEvents1', trail)).toEqual([
      't',
      'trail',
      '',
      'DeleteItem',
      'about=log who=arn:aws:sts::111122223333:assumed-role/admin/someone sourceIPAddress=192.0.2.1 errorCode=AccessDenied key={"pk":"acme#job_1","sk":"event#000001"}',
    ]);
    expect(searchedBy('504').fits('', access)).toBe(true);
    expect(shown('ApiAccessLogs1', access)[4]).toBe(
      'requestId=r status=504 gatewayResponse=INTEGRATION_TIMEOUT partnerId=acme',
    );
  });
});
