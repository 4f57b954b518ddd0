import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cacheUnusedCode } from '../../../infra/build/load-function.ts';
import { type Finding } from '../../../infra/cli/preflight/finding.ts';
import { givenPreflight } from './given-preflight.ts';
import { accountId, emptyAccount, healthyAccount } from './recorded-accounts.ts';
import { json, startRecordedAws, xml } from './recorded-aws.ts';
import { onlyLine, runCommand } from '../../support/run-command.ts';
import { keyVariables } from '../../../infra/local/aws/access-keys.ts';

const given = givenPreflight();

describe('as a command', () => {
  const committed = {
    mustFix: 4,
    account: accountId,
    findings: expect.arrayContaining([
      expect.objectContaining({ check: 'account', state: 'fix' }),
      expect.objectContaining({ check: 'alarm addresses', state: 'fix' }),
      expect.objectContaining({ check: 'partners', state: 'fix' }),
      expect.objectContaining({ check: 'CDK bootstrap', state: 'fix' }),
    ]),
  };
  const surroundings = () => ({ env: { ...keyVariables(given.aws().accessKey), AWS_ENDPOINT_URL: given.aws().url } });

  test.each(['ops', 'preflight'] as const)(
    '%s shows what staging as published lacks in a new account',
    async (name) => {
      given.aws().answer(emptyAccount);
      const args = ['--environment', 'staging', '--json'];
      const ended = await runCommand(name, name === 'ops' ? ['preflight', ...args] : args, surroundings());

      expect(ended).toMatchObject({ code: 1, stderr: '' });
      expect(JSON.parse(ended.stdout)).toMatchObject(committed);
    },
  );

  test('runs where no package is installed, as in the workflow', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'preflight-'));
    for (const folder of ['infra', 'functions']) {
      cpSync(new URL(`../../../${folder}`, import.meta.url).pathname, join(elsewhere, folder), { recursive: true });
    }
    given.aws().answer(emptyAccount);
    const args = ['--environment', 'staging', '--json'];
    const ended = await runCommand('preflight', args, { ...surroundings(), root: elsewhere });

    expect(ended.stderr).toBe('');
    expect(JSON.parse(ended.stdout)).toMatchObject(committed);
  });

  test('prints a table, and each command once', async () => {
    given.aws().answer(emptyAccount);
    const { stdout, code } = await runCommand('preflight', ['--environment', 'dev'], surroundings());

    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^dev, eu-central-1\n\nCHECK +STATE +FOUND\naccount +ok +210987654321; not pinned, as dev may be\n/,
    );
    expect(stdout.match(/npx cdk bootstrap -c environment=dev/g)).toHaveLength(1);
    expect(stdout).toMatch(/\n1 must be fixed\.\n$/);
  });

  test('looks at all of a deployed environment, its logs too', async () => {
    const group = 'plangrep-cancellation-dev-service-reconcilecancellationsLogs0A1B2C3D-x1y2z3';
    const asDev = (text: string) =>
      text.replaceAll('cancellation-staging', 'cancellation-dev').replaceAll('/staging/', '/dev/');
    const answers = Object.entries(healthyAccount).map(([call, recorded]) => [
      asDev(call),
      { ...recorded, body: asDev(recorded.body) },
    ]);
    const start = {
      timestamp: 1,
      message: '{"type":"platform.initStart","record":{"runtimeVersion":"nodejs:24.v12"}}',
    };
    given.aws().answer({
      ...Object.fromEntries(answers),
      // https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html
      'cloudformation:ListStackResources':
        xml(`<ListStackResourcesResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
        <ListStackResourcesResult><StackResourceSummaries><member>
          <ResourceType>AWS::Logs::LogGroup</ResourceType><LogicalResourceId>reconcilecancellationsLogs0A1B2C3D</LogicalResourceId>
          <PhysicalResourceId>${group}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus>
          <LastUpdatedTimestamp>2026-11-20T10:00:00Z</LastUpdatedTimestamp>
        </member></StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`),
      'logs:FilterLogEvents { $.type = "platform.initStart" }': json(200, { events: [start] }),
      [`logs:FilterLogEvents { $.message.code = "${cacheUnusedCode}" }`]: json(200, { events: [] }),
    });
    const ended = await runCommand('ops', ['preflight', '--environment', 'dev', '--json'], surroundings());
    const { findings }: { findings: readonly Finding[] } = JSON.parse(ended.stdout);

    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([
      { check: 'alarm addresses', state: 'advice', found: 'nothing arrives at plangrep-cancellation-dev@example.com' },
    ]);
    expect(findings).toContainEqual({ check: 'code caches', state: 'ok', found: 'used by nodejs:24.v12' });
  });

  test.each(['ops', 'preflight'] as const)('%s says in one line that AWS cannot be reached', async (name) => {
    const closed = await startRecordedAws();
    await closed.close();
    const args = ['--environment', 'prod'];
    const env = { ...keyVariables(given.aws().accessKey), AWS_ENDPOINT_URL: closed.url };
    const ended = await runCommand(name, name === 'ops' ? ['preflight', ...args] : args, { env });

    expect(onlyLine(ended)).toBe('No answer from AWS (eu-central-1): ECONNREFUSED. Nothing was checked.');
    expect(ended.code).toBe(2);
  });

  test.each(['ops', 'preflight'] as const)(
    '%s says in one line that AWS does not know the credentials',
    async (name) => {
      const args = ['--environment', 'prod'];
      const key = { accessKeyId: given.aws().accessKey.accessKeyId, secretAccessKey: 'another' };
      const env = { ...keyVariables(key), AWS_ENDPOINT_URL: given.aws().url };
      const ended = await runCommand(name, name === 'ops' ? ['preflight', ...args] : args, { env });

      expect(onlyLine(ended)).toBe(
        'No valid AWS credentials (eu-central-1): InvalidSignatureException: The signature does not match. Nothing was checked.',
      );
      expect(ended.code).toBe(2);
    },
  );

  test('says in one line that there are no credentials', async () => {
    const env = { AWS_ENDPOINT_URL: given.aws().url };

    expect(onlyLine(await runCommand('preflight', ['--environment', 'prod'], { env }))).toBe(
      'There are no AWS credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    );
    expect(onlyLine(await runCommand('ops', ['preflight', '--environment', 'prod'], { env }))).toMatch(
      /^No valid AWS credentials \(eu-central-1\): /,
    );
  });

  test('asks for an environment: the local run needs no account', async () => {
    expect(onlyLine(await runCommand('ops', ['preflight']))).toBe(
      '"preflight" needs --environment NAME. See "npm run ops -- preflight --help".',
    );
    expect(onlyLine(await runCommand('preflight', ['--environment', 'local']))).toBe(
      '--environment must be one of dev, staging, prod.',
    );
  });
});
