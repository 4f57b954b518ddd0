import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { preflightPermissions } from '../../../infra/blueprint/account/preflight-permissions.ts';
import { checkEnvironment } from '../../../infra/blueprint/environment-schema.ts';
import { environments } from '../../../infra/blueprint/environments.ts';
import { exitCodeOf, showReport } from '../../../infra/cli/preflight/run-preflight.ts';
import { adopted, givenPreflight, settled, withDomain } from './given-preflight.ts';
import { accountId, emptyAccount, healthyAccount, identityOf, named, region } from './recorded-accounts.ts';
import { json, xmlError } from './recorded-aws.ts';

const given = givenPreflight();

describe('a new account', () => {
  test('is shown with exactly what is missing, and how to get it', async () => {
    const report = await given.look(adopted, emptyAccount, { bundles: join(tmpdir(), 'not-built') });

    expect(showReport(report).map(stripVTControlCharacters)).toEqual([
      'staging, eu-central-1',
      '',
      'CHECK                 STATE        FOUND',
      'account               ok           210987654321',
      'alarm addresses       ok           oncall@plangrep.com, team@plangrep.com',
      'partners              ok           acme',
      'retention             ok           logs 30 days, tables can be restored for 7 days, retain when deleted',
      'stateful stack        later        not there yet',
      'service stack         later        not there yet',
      'CDK bootstrap         fix          not in eu-central-1',
      'Lambda concurrency    advice       the account holds 10, and staging needs 374: nothing is reserved (request-cancellation 260, consume-events 2, consume-wake-ups 4, deliver-callbacks 6, reconcile-cancellations 2), and events, wake-ups and callbacks take at most 2, 2 and 2 at once',
      'firewall              ok           0 of 100 web ACLs',
      'REST APIs             ok           0 of 600',
      'usage plans           ok           0 of 300, 2 to come',
      'API throttle          ok           the account takes 10000 a second and 5000 at once; the API 50 and 100',
      'API log role          ok           none yet: this deployment sets it',
      "service-linked role   later        AWS makes AWSServiceRoleForAPIGateway with the first API, if the CDK's execution role may iam:CreateServiceLinkedRole",
      'CloudTrail trails     ok           0 of 5 in the region',
      'log policies          ok           0 of 10',
      'page subscriptions    later        after the first deployment',
      'ticket subscriptions  later        after the first deployment',
      'secret                later        after the first deployment',
      "Plangrep's key        later        after the first deployment",
      'code caches           not checked  nothing is built here',
      '',
      'CDK bootstrap (fix):',
      '  npx cdk bootstrap -c environment=staging',
      '',
      'Lambda concurrency (advice):',
      '  aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000 --region eu-central-1; then enter what AWS grants as concurrency.account for staging in infra/blueprint/environments.ts',
      '',
      'service-linked role (later):',
      '  aws iam create-service-linked-role --aws-service-name ops.apigateway.amazonaws.com',
      '',
      'secret (later):',
      '  npm run ops -- plangrep-key put --environment staging',
      '',
      '1 must be fixed.',
    ]);
    expect(exitCodeOf(report)).toBe(1);
  });

  test('lets staging and prod be deployed, once it is bootstrapped, with what they reserve by default', async () => {
    const bootstrapped = { ...emptyAccount, 'ssm:GetParameter': healthyAccount['ssm:GetParameter'] ?? json(500, {}) };
    for (const environment of [adopted, { ...adopted, concurrency: environments.prod.concurrency }]) {
      expect(exitCodeOf(await given.look(environment, bootstrapped))).toBe(0);
    }
  });
});

describe('a healthy account', () => {
  test('needs nothing', async () => {
    const report = await given.look(withDomain, healthyAccount);

    expect(checkEnvironment(withDomain)).toEqual({ kind: 'valid' });
    expect(report.findings.filter(({ state }) => state !== 'ok')).toEqual([
      {
        check: 'code caches',
        state: 'not checked',
        found:
          'built here for V8 13.6.233.17-node.53 on arm64; which V8 Lambda has shows when a function has started there',
      },
    ]);
    expect(exitCodeOf(report)).toBe(0);
  });

  test('is asked with exactly the permissions that the workflow has', async () => {
    const first = given.aws().calls.length;
    await given.look(withDomain, healthyAccount);
    const called = given.aws().calls.slice(first);
    const permissions = preflightPermissions({ environment: 'staging', region, account: accountId });

    // Who asks may be asked without a permission.
    const actions = called
      .map((call) => call.replace(/ .*/, ''))
      .filter((action) => action !== 'sts:GetCallerIdentity');
    expect([...new Set(actions)].toSorted()).toEqual(permissions.flatMap((one) => one.actions).toSorted());
    const paths = called.flatMap((call) => /^apigateway:GET (.*)$/.exec(call)?.[1] ?? []);
    expect(paths.map((path) => `arn:aws:apigateway:${region}::${path}`).toSorted()).toEqual(
      permissions.find((one) => one.actions.includes('apigateway:GET'))?.resources.toSorted(),
    );
  });
});

describe('what cannot be read', () => {
  test('is not checked for want of a permission, which is named, and nothing else', async () => {
    const denied = json(400, { __type: 'AccessDeniedException', Message: 'User is not authorized' });
    const deniedXml = xmlError(403, 'AccessDenied', 'User is not authorized to perform');
    const answers = Object.fromEntries(
      Object.keys(healthyAccount).map((call) => [
        call,
        /^(cloudformation|iam|sns|route53)/.test(call) ? deniedXml : denied,
      ]),
    );
    const { findings, mustFix } = await given.look(withDomain, {
      ...answers,
      'sts:GetCallerIdentity': identityOf(accountId),
      'apigateway:GET': json(
        403,
        { message: 'User is not authorized' },
        { 'x-amzn-ErrorType': 'AccessDeniedException' },
      ),
    });

    const missing = findings.flatMap(({ state, found }) => (state === 'not checked' ? [found] : []));
    expect(missing.filter((found) => !found.startsWith('built'))).toEqual([
      'needs the permission cloudformation:DescribeStacks',
      'needs the permission cloudformation:DescribeStacks',
      'needs the permission ssm:GetParameter',
      'needs the permission lambda:GetAccountSettings',
      'needs the permission wafv2:ListWebACLs',
      'needs the permission apigateway:GET',
      'needs the permission apigateway:GET',
      'needs the permission apigateway:GET',
      'needs the permission apigateway:GET',
      'needs the permission iam:GetRole',
      'needs the permission cloudtrail:DescribeTrails',
      'needs the permission logs:DescribeResourcePolicies',
      'needs the permission acm:DescribeCertificate',
      'needs the permission route53:GetHostedZone',
      'needs the permission secretsmanager:DescribeSecret',
      'needs the permission secretsmanager:DescribeSecret',
    ]);
    expect(mustFix).toBe(0);
  });

  test('of a quota counts as AWS’s default', async () => {
    const denied = json(400, { __type: 'AccessDeniedException' });
    const { findings } = await given.look(settled, {
      ...healthyAccount,
      'servicequotas:GetServiceQuota L-2EC3DE7B': denied,
      'wafv2:ListWebACLs': json(200, { WebACLs: named(100) }),
    });

    expect(findings.find(({ check }) => check === 'firewall')).toMatchObject({
      state: 'fix',
      found: '100 of 100 web ACLs',
    });
  });

  test('is asked again when AWS is busy, and left when it stays so', async () => {
    const first = given.aws().calls.length;
    const busy = json(400, { __type: 'ThrottlingException', message: 'Rate exceeded' });
    const { findings } = await given.look(settled, { ...healthyAccount, 'ssm:GetParameter': busy });

    expect(findings.find(({ check }) => check === 'CDK bootstrap')).toEqual({
      check: 'CDK bootstrap',
      state: 'not checked',
      found: 'ThrottlingException: Rate exceeded',
    });
    expect(
      given
        .aws()
        .calls.slice(first)
        .filter((call) => call.startsWith('ssm:')),
    ).toHaveLength(3);
  });

  test('is Plangrep’s key, without the right to read it', async () => {
    const { findings } = await given.look(settled, healthyAccount, { tryKey: undefined });

    expect(findings.find(({ check }) => check === "Plangrep's key")).toEqual({
      check: "Plangrep's key",
      state: 'not checked',
      found: 'only an operator may read the key: npm run ops -- preflight',
    });
  });
});

test('a region that is not enabled looks like a wrong key, and may be meant', async () => {
  const refused = xmlError(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.');

  await expect(given.look(settled, { 'sts:GetCallerIdentity': refused })).rejects.toThrow(
    'No valid AWS credentials (eu-central-1): InvalidClientTokenId: The security token included in the request is invalid. The region may also not be enabled in the account. Nothing was checked.',
  );
});

test('another account is named, and nothing else is looked at', async () => {
  const first = given.aws().calls.length;
  const report = await given.look(settled, { ...healthyAccount, 'sts:GetCallerIdentity': identityOf('310987654321') });

  expect(report.findings).toEqual([
    {
      check: 'account',
      state: 'fix',
      found: 'the credentials are of 310987654321, and staging is in 210987654321: nothing else was checked',
      fix: 'use credentials of 210987654321; "aws sts get-caller-identity" shows whose you have',
    },
  ]);
  expect(given.aws().calls.slice(first)).toEqual(['sts:GetCallerIdentity']);
});
