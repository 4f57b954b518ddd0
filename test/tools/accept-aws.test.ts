import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteResourcePolicyCommand, DescribeTableCommand, PutResourcePolicyCommand } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { problemBody } from '../../functions/contract/problems.ts';
import { closedEvent } from '../../infra/blueprint/bus-events.ts';
import { environments } from '../../infra/blueprint/environments.ts';
import { frozenPolicy } from '../../infra/blueprint/table-settings.ts';
import { openDeployedBus, openLocalBus } from '../../infra/cli/accept/bus.ts';
import { allChecks } from '../../infra/cli/accept/checks/all-checks.ts';
import { createOwnPartners } from '../../infra/cli/accept/own-partners.ts';
import { runChecks, type Verdict } from '../../infra/cli/accept/run-checks.ts';
import { openLocalPlace } from '../../infra/cli/places/local-place.ts';
import type { Place } from '../../infra/cli/places/place.ts';
import type { AskAws } from '../../infra/cli/preflight/ask-aws.ts';
import { compareTable } from '../../infra/cli/restore/prepare-table.ts';
import { createAccessKey } from '../../infra/local/aws/access-keys.ts';
import { startAwsJsonEndpoint } from '../../infra/local/aws/aws-json-endpoint.ts';
import { givenService } from '../support/given-service.ts';
import { healthyAws, type Overrides } from '../support/healthy-aws.ts';
import { type Relayed, startMutatingFront } from '../support/mutating-front.ts';

const credentialsPath = join(mkdtempSync(join(tmpdir(), 'accept-aws-')), 'credentials.json');
const service = givenService({ credentialsPath });
const stack = 'plangrep-cancellation-dev-service';
const groups = [`${stack}-readcancellationsLogs1A2B3C4D-x`, `${stack}-PartnerApiAccessLogs1A2B3C4D-x`];

/** Of the deployed API the local run plays the part that answers; what AWS alone has is given. */
let place: Place;
let runs = 0;
beforeAll(() => {
  const local = openLocalPlace(credentialsPath);
  place = { ...local, logGroups: () => Promise.resolve(groups), queueUrl: () => local.queueUrl('events') };
});
afterAll(() => place.close());

async function judge(
  id: string,
  ask: AskAws = healthyAws(),
  {
    in: where = place,
    firewall = false,
    environment = environments.dev,
    limitMs = 20_000,
    url = service.run.baseUrl,
  } = {},
): Promise<Verdict> {
  const checks = allChecks.filter((check) => check.id === id).map((check) => ({ ...check, limitMs }));
  const partners = createOwnPartners(place, Date.now() + 1_000 * ++runs);
  const [verdict] = await runChecks(
    checks,
    {
      url: new URL(`${url}/`),
      operator: { place: where, partners, bus: openLocalBus(credentialsPath), aws: { environment, ask, firewall } },
      signal: new AbortController().signal,
    },
    { began: () => undefined, ended: () => undefined },
  );
  if (verdict === undefined) throw new Error(`there is no check ${id}`);
  return verdict;
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
    const { result, faults = [] } = await judge(id, healthyAws(overrides));

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
    expect(await judge('watching.quiet', healthyAws(ringing))).toMatchObject({ result: 'ok' });
  });

  test('the lines of a request are found by its id, or missed', async () => {
    /** The log's own lines of the request that the pattern names. */
    const written: Overrides = {
      'logs:FilterLogEvents': () => line({ message: { code: 'REQUEST_ANSWERED' } }),
    };
    const missed = { limitMs: 2_000 };

    expect(await judge('logs.request', healthyAws(written))).toMatchObject({ result: 'ok' });
    expect(await judge('logs.request', healthyAws(), missed)).toMatchObject({ result: 'failed' });
    // A line of another form than the access log's.
    expect(await judge('logs.access', healthyAws(written))).toMatchObject({ result: 'failed' });
    expect(
      await judge('logs.request', healthyAws(), { in: { ...place, logGroups: () => Promise.resolve([]) } }),
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
    const judged = (change: object) => judge('logs.access', healthyAws({ 'logs:FilterLogEvents': accessLine(change) }));

    expect(await judged({})).toMatchObject({ result: 'ok' });
    expect(await judged({ keyId: '-' })).toMatchObject({ result: 'failed' });
    expect(await judged({ functionRequestId: '-' })).toMatchObject({ result: 'failed' });
  });

  test('permissions.log passes where the table refuses, and fails where it does not', async () => {
    const ResourceArn = await arnOf('CancellationLog');
    expect(await judge('permissions.log')).toMatchObject({ result: 'failed' });
    const Policy = JSON.stringify(frozenPolicy);
    await place.dynamodb.send(new PutResourcePolicyCommand({ ResourceArn, Policy }));
    const refusing = await judge('permissions.log');
    await place.dynamodb.send(new DeleteResourcePolicyCommand({ ResourceArn }));

    expect(refusing).toMatchObject({ result: 'ok' });
  });

  test('permissions.tables compares each table with its definition', async () => {
    expect(await judge('permissions.tables')).toMatchObject({ result: 'failed' });
    for (const name of ['JobDirectory', 'CancellationLog', 'Partners'] as const) {
      for (const { apply } of (await compareTable(place, name, await place.table(name))).canChange) await apply();
    }
    expect(await judge('permissions.tables')).toMatchObject({ result: 'ok' });
    for (const name of ['CancellationLog'] as const) {
      await place.dynamodb.send(new DeleteResourcePolicyCommand({ ResourceArn: await arnOf(name) }));
    }
  });

  test('a permission that is missing is a reason to skip, and an error of AWS is a failure', async () => {
    const silent = { 'iam:SimulatePrincipalPolicy': () => ({ kind: 'silent', why: 'ECONNREFUSED' }) as const };

    expect(await judge('permissions.roles', healthyAws(denied('iam:SimulatePrincipalPolicy')))).toMatchObject({
      result: 'skipped',
      why: 'needs the permission iam:SimulatePrincipalPolicy',
    });
    expect(await judge('permissions.roles', healthyAws(silent))).toMatchObject({
      result: 'failed',
      faults: [{ seen: 'iam:SimulatePrincipalPolicy: ECONNREFUSED' }],
    });
  });

  test('outside a sandbox nothing is changed', async () => {
    const changing = allChecks.filter(({ changes }) => changes === true).map(({ id }) => id);
    const verdicts = await Promise.all(
      changing.map((id) => judge(id, healthyAws(), { environment: environments.prod })),
    );

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
    const [firewall, plan] = [
      await startMutatingFront(service.run.baseUrl, refusing('300')),
      await startMutatingFront(service.run.baseUrl, refusing('1')),
    ];
    const found = await judge('limits.firewall', healthyAws(), { firewall: true, url: firewall.url });
    const missed = await judge('limits.firewall', healthyAws(), { firewall: true, url: plan.url, limitMs: 2_000 });
    await Promise.all([firewall.close(), plan.close()]);

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

describe('Job Cancellation Closed', () => {
  /** What the pipe makes of a closing event: a value that the record lacks is empty, or as given. */
  const detailOf = (record: Readonly<Record<string, unknown>>, missing: string): string =>
    closedEvent.template.replaceAll(/<\$\.dynamodb\.NewImage\.(\w+)\.[SN]>/g, (_, name: string) =>
      typeof record[name] === 'string' || typeof record[name] === 'number' ? String(record[name]) : missing,
    );

  const toMessage = (Body: string) => ({ Body, MD5OfBody: createHash('md5').update(Body).digest('hex') });

  /** A queue behind a rule for the closed cancellations. */
  async function startListeningQueue(missing: string) {
    const accessKey = createAccessKey();
    const calls: string[] = [];
    let records: readonly Readonly<Record<string, unknown>>[] = [];
    const called = (name: string, answer: () => object) => () => {
      calls.push(name);
      return answer();
    };
    const endpoint = await startAwsJsonEndpoint({
      service: 'AmazonSQS',
      keys: [accessKey],
      actions: {
        CreateQueue: called('CreateQueue', () => ({ QueueUrl: 'http://127.0.0.1/1/accept' })),
        GetQueueAttributes: called('GetQueueAttributes', () => ({
          Attributes: { QueueArn: 'arn:aws:sqs:eu-central-1:111122223333:accept' },
        })),
        SetQueueAttributes: called('SetQueueAttributes', () => ({})),
        DeleteQueue: called('DeleteQueue', () => ({})),
        ReceiveMessage: called('ReceiveMessage', () => ({
          Messages: records.map((record) => toMessage(`{"detail":${detailOf(record, missing)}}`)),
        })),
      },
    });
    const sqs = new SQSClient({
      region: 'eu-central-1',
      endpoint: endpoint.url,
      credentials: accessKey,
      maxAttempts: 1,
    });
    const timer = setInterval(() => {
      void service.run.items('CancellationLog').then((all) => (records = all.filter(({ type }) => type === 'closed')));
    }, 50);
    const close = async (): Promise<void> => {
      clearInterval(timer);
      sqs.destroy();
      await endpoint.close();
    };
    return { sqs, calls, close };
  }

  test('is seen by a rule of the moment, which is removed again', async () => {
    const queue = await startListeningQueue('');
    const asked: string[] = [];
    const ask: AskAws = (service_, action, call) => {
      asked.push(action);
      return healthyAws()(service_, action, call);
    };
    const verdict = await judge('outgoing.closed', ask, { in: { ...place, sqs: queue.sqs } });
    await queue.close();

    expect(verdict).toMatchObject({ result: 'ok' });
    expect(asked).toEqual(['events:PutRule', 'events:PutTargets', 'events:RemoveTargets', 'events:DeleteRule']);
    expect(queue.calls.at(-1)).toBe('DeleteQueue');
  });

  test('is refused with a value in the place of one that is missing', async () => {
    const queue = await startListeningQueue('undefined');
    const verdict = await judge('outgoing.closed', healthyAws(), { in: { ...place, sqs: queue.sqs } });
    await queue.close();

    expect(verdict).toMatchObject({
      result: 'failed',
      faults: [{ seen: expect.stringContaining('"pageCount":"undefined"') }],
    });
  });
});

async function arnOf(TableName: string): Promise<string> {
  const { Table } = await place.dynamodb.send(new DescribeTableCommand({ TableName }));
  return Table?.TableArn ?? '';
}

/** What a function logged. */
function readMessage(text: string): Readonly<Record<string, unknown>> {
  const { message }: { readonly message: Readonly<Record<string, unknown>> } = JSON.parse(text);
  return message;
}
