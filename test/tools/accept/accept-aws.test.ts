import { DeleteResourcePolicyCommand, DescribeTableCommand, PutResourcePolicyCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { problemBody } from '../../../functions/contract/problems.ts';
import { environments } from '../../../infra/blueprint/environments.ts';
import { frozenPolicy } from '../../../infra/blueprint/access/table-policies.ts';
import { openDeployedBus } from '../../../infra/cli/accept/bus.ts';
import { allChecks } from '../../../infra/cli/accept/checks/all-checks.ts';
import type { Verdict } from '../../../infra/cli/accept/run-checks.ts';
import { compareTable } from '../../../infra/cli/restore/prepare-table.ts';
import { keyVariables } from '../../../infra/local/aws/access-keys.ts';
import { givenAccept, type JudgeOptions } from './given-accept.ts';
import { healthyAws, type Overrides } from './healthy-aws.ts';
import type { Relayed } from './mutating-front.ts';
import { startRecordedAws, xml } from '../preflight/recorded-aws.ts';
import { onlyLine, runCommand } from '../../support/run-command.ts';

const accept = givenAccept();
const { service } = accept;
const stack = 'plangrep-cancellation-dev-service';
const groups = [`${stack}-readcancellationsLogs1A2B3C4D-x`, `${stack}-PartnerApiAccessLogs1A2B3C4D-x`];

/** Of the deployed API the local run plays the part that answers; what AWS alone has is given. */
function judge(id: string, overrides: Overrides = {}, options: JudgeOptions = {}): Promise<Verdict> {
  const local = accept.place();
  const place = { ...local, logGroups: () => Promise.resolve(groups), queueUrl: () => local.queueUrl('events') };
  return accept.judge(id, { ask: healthyAws(overrides), place, limitMs: 20_000, ...options });
}

const line = (message: object): string => JSON.stringify({ events: [{ message: JSON.stringify(message) }] });
const denied = (action: string): Overrides => ({ [action]: () => ({ kind: 'denied', action }) });

describe('What only AWS has', () => {
  test.each([
    'functions.configuration',
    'functions.concurrency',
    'functions.code-caches',
    'permissions.roles',
    'watching.alarms',
    'watching.quiet',
    'watching.dashboard',
    'watching.dead-letters',
    'logs.retention',
  ])('%s passes where everything is as defined', async (id) => {
    expect(await judge(id)).toMatchObject({ result: 'ok' });
  });

  test.each<[string, string, Overrides]>([
    [
      'functions.configuration',
      'another Node',
      { 'lambda:GetFunctionConfiguration': (text) => text.replace('24', '22') },
    ],
    [
      'functions.configuration',
      'a variable more',
      {
        'lambda:GetFunctionConfiguration': (text) =>
          text.replace(/(?<="Variables":\{)(?="?)/, '"DEBUG":"1"').replace('"1""', '"1","'),
      },
    ],
    [
      'functions.concurrency',
      'a reservation',
      { 'lambda:GetFunctionConcurrency': () => '{"ReservedConcurrentExecutions":1}' },
    ],
    ['functions.code-caches', 'a start without caches', { 'logs:FilterLogEvents': () => line({}) }],
    [
      'permissions.roles',
      'a role that may do more',
      { 'iam:SimulatePrincipalPolicy': (text) => text.replace('implicitDeny', 'allowed') },
    ],
    [
      'permissions.roles',
      'a role that may do nothing',
      { 'iam:SimulatePrincipalPolicy': (text) => text.replaceAll('>allowed<', '>explicitDeny<') },
    ],
    [
      'watching.alarms',
      'an alarm that is missing',
      { 'cloudwatch:DescribeAlarms': (text) => text.replace(/<member>.*?<\/member>/, '') },
    ],
    [
      'watching.quiet',
      'an alarm that rings',
      { 'cloudwatch:DescribeAlarms': (text) => text.replace('>OK<', '>ALARM<') },
    ],
    ['watching.dashboard', 'no dashboard', { 'cloudwatch:ListDashboards': () => '' }],
    ['logs.retention', 'lines that are kept for ever', { 'logs:DescribeLogGroups': () => '{"logGroups":[{}]}' }],
  ])('%s finds %s', async (id, _what, overrides) => {
    const { result, faults = [] } = await judge(id, overrides);

    expect(result).toBe('failed');
    expect(faults.map(({ expected }) => expected)).not.toContain('a result');
  });

  test('watching.dead-letters finds a message', async () => {
    service.run.queue.sendToDeadLetters('{}');
    const verdict = await judge('watching.dead-letters');
    service.run.queue.deleteDeadLetter(service.run.queue.receiveDeadLetters(1, 0)[0]?.messageId ?? '');

    expect(verdict).toMatchObject({
      result: 'failed',
      faults: [{ seen: expect.stringContaining('1 in undelivered') }],
    });
  });

  test('watching.quiet leaves out what a run causes itself', async () => {
    const ringing: Overrides = {
      'cloudwatch:DescribeAlarms': (text) => text.replace(/(Events are malformed<.*?>)OK</, '$1ALARM<'),
    };
    expect(await judge('watching.quiet', ringing)).toMatchObject({ result: 'ok' });
  });

  test('the lines of a request are found by its id, or missed', async () => {
    /** The log's own lines of the request that the pattern names. */
    const written: Overrides = {
      'logs:FilterLogEvents': () => line({ message: { code: 'REQUEST_ANSWERED' } }),
    };
    const missed = { limitMs: 2_000 };

    expect(await judge('logs.request', written)).toMatchObject({ result: 'ok' });
    expect(await judge('logs.request', {}, missed)).toMatchObject({ result: 'failed' });
    // A line of another form than the access log's.
    expect(await judge('logs.access', written)).toMatchObject({ result: 'failed' });
    expect(
      await judge('logs.request', {}, { place: { ...accept.place(), logGroups: () => Promise.resolve([]) } }),
    ).toMatchObject({
      faults: [{ seen: 'no log group of read-cancellations' }],
    });
  });

  test('the access log has the status, partner and key of the request', async () => {
    /** The newest request's, as API Gateway would write it beside the function's own line. */
    const accessLine = (change: object) => (): string => {
      const lines = service.run.logs.filter((text) => text.includes('REQUEST_ANSWERED'));
      const { partnerId, keyId, status } = readMessage(lines.at(-1) ?? '');
      return line({ status: String(status), partnerId, keyId, functionRequestId: '0'.repeat(36), ...change });
    };
    const judged = (change: object) => judge('logs.access', { 'logs:FilterLogEvents': accessLine(change) });

    expect(await judged({})).toMatchObject({ result: 'ok' });
    expect(await judged({ keyId: '-' })).toMatchObject({ result: 'failed' });
    expect(await judged({ functionRequestId: '-' })).toMatchObject({ result: 'failed' });
  });

  test('permissions.writes passes where each table refuses, and fails where one does not', async () => {
    const arns = await Promise.all(['CancellationLog', 'JobDirectory', 'Partners'].map(arnOf));
    const { dynamodb } = accept.place();
    const Policy = JSON.stringify(frozenPolicy('dev', { partition: 'aws', account: '1', region: 'r' }));
    const verdicts = [];
    for (const ResourceArn of arns) {
      verdicts.push(await judge('permissions.writes'));
      await dynamodb.send(new PutResourcePolicyCommand({ ResourceArn, Policy }));
    }
    verdicts.push(await judge('permissions.writes'));
    for (const ResourceArn of arns) await dynamodb.send(new DeleteResourcePolicyCommand({ ResourceArn }));

    expect(verdicts.map(({ result }) => result)).toEqual(['failed', 'failed', 'failed', 'ok']);
    expect(verdicts[2]?.faults?.map(({ seen }) => seen)).toEqual([
      expect.stringMatching(/^Partners PutItem: /),
      expect.stringMatching(/^Partners UpdateItem: /),
      expect.stringMatching(/^Partners DeleteItem: /),
    ]);
  });

  test('permissions.tables compares each table with its definition', async () => {
    expect(await judge('permissions.tables')).toMatchObject({ result: 'failed' });
    for (const name of ['JobDirectory', 'CancellationLog', 'Partners'] as const) {
      for (const { apply } of (await compareTable(accept.place(), name, name)).canChange) await apply();
    }
    expect(await judge('permissions.tables')).toMatchObject({ result: 'ok' });
    for (const name of ['CancellationLog'] as const) {
      await accept.place().dynamodb.send(new DeleteResourcePolicyCommand({ ResourceArn: await arnOf(name) }));
    }
  });

  test('a permission that is missing is a reason to skip, and an error of AWS is a failure', async () => {
    const silent = { 'iam:SimulatePrincipalPolicy': () => ({ kind: 'silent', why: 'ECONNREFUSED' }) as const };

    expect(await judge('permissions.roles', denied('iam:SimulatePrincipalPolicy'))).toMatchObject({
      result: 'skipped',
      why: 'needs the permission iam:SimulatePrincipalPolicy',
    });
    expect(await judge('permissions.roles', silent)).toMatchObject({
      result: 'failed',
      faults: [{ seen: 'iam:SimulatePrincipalPolicy: ECONNREFUSED' }],
    });
  });

  test('outside a sandbox nothing is changed', async () => {
    const changing = allChecks.filter(({ changes }) => changes === true).map(({ id }) => id);
    const verdicts = await Promise.all(changing.map((id) => judge(id, {}, { environment: environments.prod })));

    expect(changing.length).toBeGreaterThan(30);
    expect(new Set(verdicts.map(({ why }) => why))).toEqual(new Set(['only in a sandbox, which prod is not']));
    expect(JSON.stringify(await service.run.items('CancellationLog'))).not.toContain('accept-');
  });

  test('the firewall is left alone, unless it is asked for', async () => {
    expect(await judge('limits.firewall')).toMatchObject({
      result: 'skipped',
      why: expect.stringContaining('--firewall'),
    });
  });

  test('the firewall is found by its answer, and missed where only a plan answers', async () => {
    let requests = 0;
    const refusing = (seconds: string) => ({
      answer: (relayed: Relayed): Relayed => {
        const headers = { ...relayed.headers, 'retry-after': seconds };
        const problem = problemBody('too_many_requests', String(relayed.headers['x-amzn-requestid']), 'Slow down.');
        const body = Buffer.from(JSON.stringify(problem));
        return ++requests < 100 ? relayed : { status: 429, headers, body };
      },
    });
    const asked = { firewall: true, limitMs: 3_000 };
    const found = await judge('limits.firewall', {}, { ...asked, otherwise: refusing('300') });
    const missed = await judge('limits.firewall', {}, { ...asked, otherwise: refusing('1') });

    expect(found).toMatchObject({ result: 'ok' });
    expect(missed).toMatchObject({ result: 'failed', faults: [{ seen: 'no result' }] });
  });

  test('the bus of an environment is asked for its first partner, and what it refuses is refused', async () => {
    const entry = { Source: 'partner.acme', DetailType: 'Job Registered', Detail: '{}' };
    const answers: Overrides = { 'events:PutEvents': () => '{"FailedEntryCount":0,"Entries":[{"EventId":"e-1"}]}' };
    const refuses: Overrides = {
      'events:PutEvents': () => '{"FailedEntryCount":1,"Entries":[{"ErrorCode":"NotAuthorizedForSourceException"}]}',
    };
    const put = (overrides: Overrides) => openDeployedBus(healthyAws(overrides), environments.dev).put(entry);

    expect(await put(answers)).toEqual({ kind: 'taken', eventId: 'e-1' });
    expect(await put(refuses)).toEqual({ kind: 'refused', why: 'NotAuthorizedForSourceException' });
    expect(await put(denied('events:PutEvents'))).toEqual({ kind: 'refused', why: 'AccessDeniedException' });
  });
});

test('a credential of dev goes only to the address that the API of dev has', async () => {
  const aws = await startRecordedAws();
  const resource = (type: string, logicalId: string, id: string): string =>
    `<member><ResourceType>${type}</ResourceType><LogicalResourceId>${logicalId}</LogicalResourceId><PhysicalResourceId>${id}</PhysicalResourceId></member>`;
  const listed = resource('AWS::ApiGateway::RestApi', 'PartnerApiApi1A2B3C4D', 'abc123');
  aws.answer({
    'cloudformation:ListStackResources': xml(
      `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>${listed}</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`,
    ),
  });
  const env = { AWS_ENDPOINT_URL: aws.url, ...keyVariables(aws.accessKey) };
  const ended = await runCommand('accept', ['--url', 'https://api.example.com', '--environment', 'dev'], { env });
  await aws.close();

  expect(ended.code).toBe(2);
  expect(onlyLine(ended)).toBe(
    'The address is not the API of dev, which answers at abc123.execute-api.eu-central-1.amazonaws.com.',
  );
  expect(aws.calls).toEqual([`cloudformation:ListStackResources ${stack}`]);
});

async function arnOf(TableName: string): Promise<string> {
  const { Table } = await accept.place().dynamodb.send(new DescribeTableCommand({ TableName }));
  return Table?.TableArn ?? '';
}

/** What a function logged. */
function readMessage(text: string): Readonly<Record<string, unknown>> {
  const { message }: { readonly message: Readonly<Record<string, unknown>> } = JSON.parse(text);
  return message;
}
