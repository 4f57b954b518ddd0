import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type AskAws, createAskAws } from '../../infra/cli/preflight/ask-aws.ts';
import type { Finding } from '../../infra/cli/preflight/finding.ts';
import {
  exitCodeBeforeDeployment,
  exitCodeOf,
  type PreflightPorts,
  runPreflight,
  showReport,
} from '../../infra/cli/preflight/run-preflight.ts';
import { preflightPermissions } from '../../infra/blueprint/account/preflight-permissions.ts';
import { tryStoredKey } from '../../infra/cli/preflight/try-stored-key.ts';
import { checkEnvironment, type Environment } from '../../infra/blueprint/environment-schema.ts';
import { environments } from '../../infra/blueprint/environments.ts';
import { cacheUnusedCode } from '../../infra/build/load-function.ts';
import { startPlangrepSimulator } from '../../infra/local/plangrep/plangrep-simulator.ts';
import { keyVariables } from '../../infra/local/aws/access-keys.ts';
import {
  accountId,
  apiAccount,
  certificate,
  certificateArn,
  emptyAccount,
  healthyAccount,
  identityOf,
  lambdaSettings,
  named,
  quota,
  region,
  secret,
  stack,
  subscriptions,
  topics,
  zone,
} from '../support/recorded-accounts.ts';
import {
  type Answers,
  json,
  type Recorded,
  type RecordedAws,
  startRecordedAws,
  xml,
  xmlError,
} from '../support/recorded-aws.ts';
import { onlyLine, runCommand } from '../support/run-command.ts';

const { staging } = environments;
/** Staging of a company that replaced what the repository was published with. */
const adopted: Environment = {
  ...staging,
  account: accountId,
  alarmAddresses: { page: ['oncall@plangrep.com'], ticket: ['team@plangrep.com'] },
  partners: [{ partnerId: 'acme', principal: 'arn:aws:iam::310987654321:role/acme' }],
};
const settled: Environment = { ...adopted, concurrency: { ...staging.concurrency, account: 1_000 } };
const domain = { name: 'cancel.plangrep.com', certificateArn, hostedZone: { id: 'Z0123456789', name: 'plangrep.com' } };
const withDomain: Environment = { ...settled, domain };
const service = 'plangrep-cancellation-staging';
const now = Date.parse('2026-11-26T12:00:00Z');
const unbuilt = mkdtempSync(join(tmpdir(), 'preflight-'));
const bundles = join(unbuilt, 'arm64');

let aws: RecordedAws;
beforeAll(async () => {
  aws = await startRecordedAws();
  mkdirSync(join(bundles, 'register-job'), { recursive: true });
  writeFileSync(join(bundles, 'register-job', 'bundle-0a1b.js.arm64-13.6.233.17-node.53-gc.cache'), '');
});
afterAll(() => aws.close());

function askAws(): AskAws {
  return createAskAws({
    region,
    credentials: () => Promise.resolve(aws.accessKey),
    variables: { AWS_ENDPOINT_URL: aws.url },
    firstPauseMs: 1,
  });
}

async function look(environment: Environment, answers: Answers, ports: Partial<PreflightPorts> = {}) {
  aws.answer(answers);
  const ask = createAskAws({
    region,
    credentials: () => Promise.resolve(aws.accessKey),
    variables: { AWS_ENDPOINT_URL: aws.url },
    firstPauseMs: 1,
  });
  return runPreflight(environment, {
    ask,
    now,
    bundles,
    tryKey: () => Promise.resolve({ kind: 'accepted' }),
    ...ports,
  });
}

describe('a new account', () => {
  test('is shown with exactly what is missing, and how to get it', async () => {
    const report = await look(adopted, emptyAccount, { bundles: join(unbuilt, 'none') });

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
      'Lambda concurrency    advice       the account holds 10, and staging needs 368: nothing is reserved (request-cancellation 260, consume-events 2, consume-wake-ups 4, reconcile-cancellations 2), and events and wake-ups take at most 2 and 2 at once',
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
      expect(exitCodeOf(await look(environment, bootstrapped))).toBe(0);
    }
  });
});

describe('a healthy account', () => {
  test('needs nothing', async () => {
    const report = await look(withDomain, healthyAccount);

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
    const first = aws.calls.length;
    await look(withDomain, healthyAccount);
    const called = aws.calls.slice(first);
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

const { account: _pinned, ...unpinned } = settled;
const [page, ticket] = [`sns:ListSubscriptionsByTopic ${topics.page}`, `sns:ListSubscriptionsByTopic ${topics.ticket}`];
const raise = (quotaOf: string, code: string, value: number) =>
  `aws service-quotas request-service-quota-increase --service-code ${quotaOf} --quota-code ${code} --desired-value ${value} --region ${region}`;
const inFile = 'for staging in infra/blueprint/environments.ts';
const certificateCommand = `aws acm describe-certificate --certificate-arn ${certificateArn} --region ${region}`;
const newCertificate = `aws acm request-certificate --domain-name cancel.plangrep.com --validation-method DNS --region ${region}`;
const subscribe = (topic: string, address: string) =>
  `open the link in AWS's mail there; for a new mail: aws sns subscribe --topic-arn ${topic} --protocol email --notification-endpoint ${address} --region ${region}`;
const put = 'npm run ops -- plangrep-key put --environment staging';
const secretCommand = (what: string) =>
  `aws secretsmanager ${what} --secret-id plangrep-cancellation/staging/api-key --region ${region}`;

interface Defect {
  readonly environment?: Environment;
  readonly answers?: Answers;
  readonly ports?: Partial<PreflightPorts>;
  readonly finding: Finding;
}
/** Each is the only defect of the healthy account. */
const defects: Readonly<Record<string, Defect>> = {
  'an account that is not pinned': {
    environment: unpinned,
    finding: {
      check: 'account',
      state: 'fix',
      found: '210987654321; not pinned',
      fix: `account: '210987654321' ${inFile}, if that is the one`,
    },
  },
  'an old bootstrap': {
    answers: { 'ssm:GetParameter': json(200, { Parameter: { Value: '5' } }) },
    finding: {
      check: 'CDK bootstrap',
      state: 'fix',
      found: 'version 5: at least 6 is needed',
      fix: 'npx cdk bootstrap -c environment=staging',
    },
  },
  'a stack that failed while it was made': {
    answers: { [`cloudformation:DescribeStacks ${service}-service`]: stack('service', 'UPDATE_ROLLBACK_FAILED') },
    finding: {
      check: 'service stack',
      state: 'fix',
      found: 'UPDATE_ROLLBACK_FAILED',
      fix: `aws cloudformation continue-update-rollback --stack-name ${service}-service --region ${region}`,
    },
  },
  'a deployment under way': {
    answers: { [`cloudformation:DescribeStacks ${service}-service`]: stack('service', 'UPDATE_IN_PROGRESS') },
    finding: {
      check: 'service stack',
      state: 'fix',
      found: 'UPDATE_IN_PROGRESS',
      fix: 'wait until the deployment that is under way has ended',
    },
  },
  'a quota that another environment has used up': {
    answers: { 'lambda:GetAccountSettings': lambdaSettings(1_000, 300), ...nothingReserved() },
    finding: {
      check: 'Lambda concurrency',
      state: 'fix',
      found:
        'the account holds 1000, of which others reserve 700; staging sets 268 apart, and Lambda keeps 100: the stack would be rolled back',
      fix: `${raise('lambda', 'L-B99A9384', 1_068)}; until then concurrency.account: 300 ${inFile}`,
    },
  },
  'an account that holds less than the environment says': {
    environment: { ...settled, concurrency: { ...staging.concurrency, account: 200 } },
    answers: { 'lambda:GetAccountSettings': lambdaSettings(50, 50), ...nothingReserved() },
    finding: {
      check: 'Lambda concurrency',
      state: 'fix',
      found: 'concurrency.account says 200, and the account holds 50',
      fix: `concurrency.account: 50 ${inFile}`,
    },
  },
  'an account that holds more than the environment says': {
    environment: adopted,
    finding: {
      check: 'Lambda concurrency',
      state: 'advice',
      found:
        'the account holds 1000; while infra/blueprint/environments.ts does not say so, nothing is reserved (request-cancellation 260, consume-events 2, consume-wake-ups 4, reconcile-cancellations 2), and events and wake-ups take at most 2 and 2 at once',
      fix: `enter 1000 as concurrency.account ${inFile}`,
    },
  },
  'no room for a web ACL': {
    answers: {
      'wafv2:ListWebACLs': json(200, { WebACLs: named(12) }),
      'servicequotas:GetServiceQuota L-2EC3DE7B': quota('wafv2', 'L-2EC3DE7B', 12),
    },
    finding: { check: 'firewall', state: 'fix', found: '12 of 12 web ACLs', fix: raise('wafv2', 'L-2EC3DE7B', 22) },
  },
  'no room for a REST API': {
    answers: { 'apigateway:GET /restapis': json(200, { item: named(600) }) },
    finding: {
      check: 'REST APIs',
      state: 'fix',
      found: '600 of 600',
      fix: 'delete one, or use another account or region: AWS does not raise this quota',
    },
  },
  'no room for a usage plan': {
    answers: { 'apigateway:GET /usageplans': json(200, { item: named(299) }) },
    finding: {
      check: 'usage plans',
      state: 'fix',
      found: '299 of 300, 2 to come',
      fix: raise('apigateway', 'L-E8693075', 350),
    },
  },
  'a throttle above that of the account': {
    answers: { 'apigateway:GET /account': apiAccount({ throttleSettings: { burstLimit: 50, rateLimit: 20 } }) },
    finding: {
      check: 'API throttle',
      state: 'fix',
      found: 'the account takes 20 a second and 50 at once; the API 50 and 100',
      fix: raise('apigateway', 'L-8A5B8E43', 50),
    },
  },
  'a log role that is another stack’s': {
    answers: { 'apigateway:GET /account': apiAccount({ cloudwatchRoleArn: 'arn:aws:iam::210987654321:role/shared' }) },
    finding: {
      check: 'API log role',
      state: 'advice',
      found: 'shared is set for the account, and this deployment replaces it',
      fix: 'setsApiGatewayLogRole: false for staging keeps it',
    },
  },
  'no log role, which another stack was to set': {
    environment: { ...settled, setsApiGatewayLogRole: false },
    answers: { 'apigateway:GET /account': apiAccount() },
    finding: {
      check: 'API log role',
      state: 'fix',
      found: 'none: the deployment of the API fails',
      fix: `setsApiGatewayLogRole: true for staging, or set one: aws apigateway update-account --patch-operations op=replace,path=/cloudwatchRoleArn,value=ROLE_ARN --region ${region}`,
    },
  },
  'no room for a trail': {
    answers: { 'cloudtrail:DescribeTrails': json(200, { trailList: named(5) }) },
    finding: {
      check: 'CloudTrail trails',
      state: 'fix',
      found: '5 of 5 in the region',
      fix: 'delete one: aws cloudtrail describe-trails lists them, and AWS does not raise this quota',
    },
  },
  'no room for a log policy': {
    answers: {
      'logs:DescribeResourcePolicies': json(200, {
        resourcePolicies: named(10).map(({ name }) => ({ policyName: name })),
      }),
    },
    finding: {
      check: 'log policies',
      state: 'fix',
      found: '10 of 10',
      fix: 'delete one: aws logs describe-resource-policies lists them, and AWS does not raise this quota',
    },
  },
  'a certificate that waits for its records': {
    environment: withDomain,
    answers: { 'acm:DescribeCertificate': certificate({ Status: 'PENDING_VALIDATION' }) },
    finding: {
      check: 'certificate',
      state: 'fix',
      found: 'PENDING_VALIDATION',
      fix: `add the records that this shows: ${certificateCommand} --query Certificate.DomainValidationOptions`,
    },
  },
  'a certificate whose validation failed': {
    environment: withDomain,
    answers: { 'acm:DescribeCertificate': certificate({ Status: 'FAILED' }) },
    finding: {
      check: 'certificate',
      state: 'fix',
      found: 'FAILED',
      fix: `request a new one; this says why: ${certificateCommand}`,
    },
  },
  'a certificate for another name': {
    environment: withDomain,
    answers: { 'acm:DescribeCertificate': certificate({ SubjectAlternativeNames: ['*.api.plangrep.com'] }) },
    finding: {
      check: 'certificate',
      state: 'fix',
      found: 'is for plangrep.com, *.api.plangrep.com, not for cancel.plangrep.com',
      fix: newCertificate,
    },
  },
  'a certificate that is not renewed': {
    environment: withDomain,
    answers: { 'acm:DescribeCertificate': certificate({ NotAfter: now / 1000 + 10.5 * 86_400 }) },
    finding: {
      check: 'certificate',
      state: 'fix',
      isOfOperation: true,
      found: 'expires in 10 days',
      fix: `see why it was not renewed: ${certificateCommand} --query Certificate.RenewalSummary`,
    },
  },
  'a certificate that is not there': {
    environment: withDomain,
    answers: { 'acm:DescribeCertificate': json(400, { __type: 'ResourceNotFoundException', message: 'none' }) },
    finding: { check: 'certificate', state: 'fix', found: 'there is none with this ARN', fix: newCertificate },
  },
  'a zone of another name': {
    environment: withDomain,
    answers: { 'route53:GetHostedZone': zone('plangrep.net') },
    finding: {
      check: 'hosted zone',
      state: 'fix',
      found: 'Z0123456789 is plangrep.net, not plangrep.com',
      fix: 'domain.hostedZone: aws route53 list-hosted-zones shows those of the account',
    },
  },
  'a private zone': {
    environment: withDomain,
    answers: { 'route53:GetHostedZone': zone('plangrep.com', true) },
    finding: {
      check: 'hosted zone',
      state: 'fix',
      found: 'Z0123456789 is private: partners cannot look the name up',
      fix: 'domain.hostedZone: aws route53 list-hosted-zones shows those of the account',
    },
  },
  'a zone that is not there': {
    environment: withDomain,
    answers: {
      'route53:GetHostedZone': xmlError(404, 'NoSuchHostedZone', 'No hosted zone found with ID: Z0123456789'),
    },
    finding: {
      check: 'hosted zone',
      state: 'fix',
      found: 'there is no zone Z0123456789 in the account',
      fix: 'domain.hostedZone: aws route53 list-hosted-zones shows those of the account',
    },
  },
  'a trust store': {
    environment: {
      ...withDomain,
      domain: { ...domain, mutualTls: { bucketName: 'clients', key: 'ca.pem', version: 'v1' } },
    },
    finding: {
      check: 'trust store',
      state: 'not checked',
      found:
        'API Gateway reads s3://clients/ca.pem during the deployment, and warns of a certificate that it cannot use',
    },
  },
  'an address of a reserved domain': {
    environment: { ...settled, alarmAddresses: { ...settled.alarmAddresses, ticket: ['team@example.com'] } },
    finding: {
      check: 'alarm addresses',
      state: 'fix',
      found: 'must be addresses that someone reads, not of a reserved domain: team@example.com',
      fix: `alarmAddresses ${inFile}`,
    },
  },
  'a partner in an example account': {
    environment: { ...settled, partners: staging.partners },
    finding: {
      check: 'partners',
      state: 'fix',
      found: 'must not name a principal in an example account of AWS: acme',
      fix: `partners ${inFile}`,
    },
  },
  'logs that are kept too short': {
    environment: { ...settled, logRetentionDays: 7 },
    finding: {
      check: 'retention',
      state: 'advice',
      found: 'logs 7 days, tables can be restored for 7 days, retain when deleted',
      fix: `logRetentionDays from 30, pointInTimeRecoveryDays from 7, removalPolicy 'retain' ${inFile}`,
    },
  },
  'a page address that has not confirmed': {
    answers: { [page]: subscriptions(topics.page, { 'oncall@plangrep.com': 'PendingConfirmation' }) },
    finding: {
      check: 'page subscriptions',
      state: 'fix',
      isOfOperation: true,
      found: 'not confirmed, so without alarms: oncall@plangrep.com',
      fix: subscribe(topics.page, 'oncall@plangrep.com'),
    },
  },
  'a ticket address that unsubscribed': {
    answers: { [ticket]: subscriptions(topics.ticket, { 'other@plangrep.com': `${topics.ticket}:3` }) },
    finding: {
      check: 'ticket subscriptions',
      state: 'fix',
      isOfOperation: true,
      found: 'not confirmed, so without alarms: team@plangrep.com',
      fix: subscribe(topics.ticket, 'team@plangrep.com'),
    },
  },
  'a key that Plangrep refuses': {
    ports: { tryKey: () => Promise.resolve({ kind: 'refused' }) },
    finding: {
      check: "Plangrep's key",
      state: 'fix',
      isOfOperation: true,
      found: 'Plangrep answers 401: not a key, revoked or expired',
      fix: put,
    },
  },
  'a value that cannot be a key': {
    ports: { tryKey: () => Promise.resolve({ kind: 'malformed', rule: 'a key' }) },
    finding: { check: "Plangrep's key", state: 'fix', isOfOperation: true, found: 'must be a key', fix: put },
  },
  'bundles of another processor': {
    ports: { bundles: folderWith('bundle-0a1b.js.x64-13.6.233.17-node.53.cache') },
    finding: {
      check: 'code caches',
      state: 'advice',
      found: 'built here for x64, and the functions run on arm64: they would start slower',
      fix: 'deploy by the pipeline, which builds on arm64',
    },
  },
  'bundles without code caches': {
    ports: { bundles: folderWith('bundle-0a1b.js') },
    finding: {
      check: 'code caches',
      state: 'advice',
      found: 'there are none: the functions start slower',
      fix: 'npm run build',
    },
  },
};

describe('a healthy account but for', () => {
  test.each(Object.entries(defects))('%s', async (_, { environment = settled, answers = {}, ports = {}, finding }) => {
    const report = await look(environment, { ...healthyAccount, ...without(answers), ...answers }, ports);
    const others = report.findings.filter(({ state, check }) => state !== 'ok' && check !== finding.check);

    expect(report.findings.filter(({ check }) => check === finding.check)).toEqual([finding]);
    expect(others.filter(({ check }) => check !== 'code caches')).toEqual([]);
    expect(exitCodeOf(report)).toBe(finding.state === 'fix' ? 1 : 0);
    expect(exitCodeBeforeDeployment(report)).toBe(finding.state === 'fix' && !finding.isOfOperation ? 1 : 0);
  });

  test.each<[string, Recorded, Finding]>([
    [
      'has no value',
      secret({ VersionIdsToStages: undefined }),
      { check: 'secret', state: 'fix', isOfOperation: true, found: 'has no value yet', fix: put },
    ],
    [
      'is to be deleted',
      secret({ DeletedDate: 1795600000 }),
      {
        check: 'secret',
        state: 'fix',
        found: 'is to be deleted, and its name is taken until then',
        fix: secretCommand('restore-secret'),
      },
    ],
  ])('a secret that %s', async (_, described, finding) => {
    const { findings } = await look(settled, { ...healthyAccount, 'secretsmanager:DescribeSecret': described });

    expect(findings.filter(({ check }) => check === 'secret')).toEqual([finding]);
    expect(findings.filter(({ check }) => check === "Plangrep's key")).toEqual([
      { check: "Plangrep's key", state: 'later', found: 'after the first deployment' },
    ]);
  });

  test.each(['ROLLBACK_COMPLETE', 'CREATE_FAILED', 'DELETE_FAILED'])(
    'a first deployment that ended as %s',
    async (status) => {
      const failed = stack('service', status);
      const report = await look(adopted, {
        ...healthyAccount,
        [`cloudformation:DescribeStacks ${service}-service`]: failed,
      });

      expect(report.findings).toContainEqual({
        check: 'service stack',
        state: 'fix',
        found: status,
        fix: `aws cloudformation delete-stack --stack-name ${service}-service --region ${region}`,
      });
      expect(report.findings).toContainEqual({
        check: 'page subscriptions',
        state: 'later',
        found: 'after the first deployment',
      });
    },
  );

  test('a secret that a deleted stack left behind', async () => {
    const report = await look(adopted, { ...emptyAccount, 'secretsmanager:DescribeSecret': secret() });

    expect(report.findings).toContainEqual({
      check: 'secret',
      state: 'fix',
      found: 'was left by a stack that is deleted: the new stack cannot make it again',
      fix: `keep its value elsewhere, then ${secretCommand('delete-secret')} --force-delete-without-recovery`,
    });
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
    const { findings, mustFix } = await look(withDomain, {
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
    const { findings } = await look(settled, {
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
    const first = aws.calls.length;
    const busy = json(400, { __type: 'ThrottlingException', message: 'Rate exceeded' });
    const { findings } = await look(settled, { ...healthyAccount, 'ssm:GetParameter': busy });

    expect(findings.find(({ check }) => check === 'CDK bootstrap')).toEqual({
      check: 'CDK bootstrap',
      state: 'not checked',
      found: 'ThrottlingException: Rate exceeded',
    });
    expect(aws.calls.slice(first).filter((call) => call.startsWith('ssm:'))).toHaveLength(3);
  });

  test('is Plangrep’s key, without the right to read it', async () => {
    aws.answer(healthyAccount);
    const { findings } = await runPreflight(settled, { ask: askAws(), now, bundles });

    expect(findings.find(({ check }) => check === "Plangrep's key")).toEqual({
      check: "Plangrep's key",
      state: 'not checked',
      found: 'only an operator may read the key: npm run ops -- preflight',
    });
  });
});

describe('the stored key', () => {
  test.each<[string, string, Finding]>([
    ['is read and tried', 'pgk_live_simulated', { check: "Plangrep's key", state: 'ok', found: 'Plangrep accepts it' }],
    [
      'is refused when it is another',
      'pgk_live_revoked_1',
      {
        check: "Plangrep's key",
        state: 'fix',
        isOfOperation: true,
        found: 'Plangrep answers 401: not a key, revoked or expired',
        fix: put,
      },
    ],
  ])('%s, and shown nowhere', async (_, SecretString, finding) => {
    const simulator = await startPlangrepSimulator({ apiKey: 'pgk_live_simulated', now: () => Date.now() });
    onTestFinished(() => simulator.close());
    aws.answer({ 'secretsmanager:GetSecretValue': json(200, { SecretString, VersionStages: ['AWSCURRENT'] }) });
    const trial = await tryStoredKey(askAws(), { name: 'staging', plangrepBaseUrl: simulator.url });
    const report = await look(settled, healthyAccount, { tryKey: () => Promise.resolve(trial) });

    expect(report.findings.filter(({ check }) => check === "Plangrep's key")).toEqual([finding]);
    expect(JSON.stringify(report) + showReport(report).join('\n')).not.toContain(SecretString);
  });

  test.each<[string, Recorded, string]>([
    [
      'no right to read it',
      json(400, { __type: 'AccessDeniedException' }),
      'needs the permission secretsmanager:GetSecretValue',
    ],
    ['an error', json(400, { __type: 'DecryptionFailure', Message: 'pgk_live_simulated' }), 'DecryptionFailure'],
  ])('is not judged with %s', async (_, answer, why) => {
    aws.answer({ 'secretsmanager:GetSecretValue': answer });

    expect(await tryStoredKey(askAws(), settled)).toEqual({ kind: 'unknown', why });
  });
});

describe('the code caches of deployed functions', () => {
  const findLog = () => Promise.resolve({ kind: 'found', name: 'reconcilecancellationsLogs' } as const);
  const started = {
    timestamp: now - 60_000,
    message: JSON.stringify({ type: 'platform.initStart', record: { runtimeVersion: 'nodejs:24.v12' } }),
  };
  const unusedAt = (timestamp: number) => ({
    timestamp,
    message: JSON.stringify({
      level: 'WARN',
      message: { code: cacheUnusedCode, v8: '13.7.1-node.1', processor: 'arm64' },
    }),
  });
  const lines = (...events: readonly object[]) => json(200, { events, searchedLogStreams: [] });
  const lookAtLogs = async (starts: Recorded, unused: Recorded) => {
    const answers = {
      'logs:FilterLogEvents { $.type = "platform.initStart" }': starts,
      [`logs:FilterLogEvents { $.message.code = "${cacheUnusedCode}" }`]: unused,
    };
    const { findings } = await look(settled, { ...healthyAccount, ...answers }, { findLog });
    return findings.filter(({ check }) => check === 'code caches');
  };

  test('are used when no start since says otherwise', async () => {
    const ok = [{ check: 'code caches', state: 'ok', found: 'used by nodejs:24.v12' }];

    expect(await lookAtLogs(lines(started), lines())).toEqual(ok);
    // An older version's.
    expect(await lookAtLogs(lines(started), lines(unusedAt(now - 3_600_000)))).toEqual(ok);
  });

  test('are not used when the newest start says so, with the V8 that it has', async () => {
    expect(await lookAtLogs(lines(started), lines(unusedAt(now - 59_000)))).toEqual([
      {
        check: 'code caches',
        state: 'advice',
        found: 'not used: nodejs:24.v12 has V8 13.7.1-node.1 on arm64, and the caches are of another',
        fix: 'build with the Node that has this V8: docs/deploy.md',
      },
    ]);
  });

  test('are not judged without a start, or without the right to read the log', async () => {
    expect(await lookAtLogs(lines(), lines())).toMatchObject([{ found: 'no function has started in the last day' }]);
    expect(await lookAtLogs(json(400, { __type: 'AccessDeniedException' }), lines())).toMatchObject([
      { found: 'needs the permission logs:FilterLogEvents' },
    ]);
    const unknown = () => Promise.resolve({ kind: 'unknown', why: 'no log group' } as const);
    expect((await look(settled, healthyAccount, { findLog: unknown })).findings.at(-1)).toEqual({
      check: 'code caches',
      state: 'not checked',
      found: 'no log group',
    });
  });
});

test('another account is named, and nothing else is looked at', async () => {
  const first = aws.calls.length;
  const report = await look(settled, { ...healthyAccount, 'sts:GetCallerIdentity': identityOf('310987654321') });

  expect(report.findings).toEqual([
    {
      check: 'account',
      state: 'fix',
      found: 'the credentials are of 310987654321, and staging is in 210987654321: nothing else was checked',
      fix: 'use credentials of 210987654321; "aws sts get-caller-identity" shows whose you have',
    },
  ]);
  expect(aws.calls.slice(first)).toEqual(['sts:GetCallerIdentity']);
});

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
  const surroundings = () => ({ env: { ...keyVariables(aws.accessKey), AWS_ENDPOINT_URL: aws.url } });

  test.each(['ops', 'preflight'] as const)(
    '%s shows what staging as published lacks in a new account',
    async (name) => {
      aws.answer(emptyAccount);
      const args = ['--environment', 'staging', '--json'];
      const ended = await runCommand(name, name === 'ops' ? ['preflight', ...args] : args, surroundings());

      expect(ended).toMatchObject({ code: 1, stderr: '' });
      expect(JSON.parse(ended.stdout)).toMatchObject(committed);
    },
  );

  test('runs where no package is installed, as in the workflow', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'preflight-'));
    for (const folder of ['infra', 'functions']) {
      cpSync(new URL(`../../${folder}`, import.meta.url).pathname, join(elsewhere, folder), { recursive: true });
    }
    aws.answer(emptyAccount);
    const args = ['--environment', 'staging', '--json'];
    const ended = await runCommand('preflight', args, { ...surroundings(), root: elsewhere });

    expect(ended.stderr).toBe('');
    expect(JSON.parse(ended.stdout)).toMatchObject(committed);
  });

  test('prints a table, and each command once', async () => {
    aws.answer(emptyAccount);
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
    aws.answer({
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
    const env = { ...keyVariables(aws.accessKey), AWS_ENDPOINT_URL: closed.url };
    const ended = await runCommand(name, name === 'ops' ? ['preflight', ...args] : args, { env });

    expect(onlyLine(ended)).toBe('No answer from AWS (eu-central-1): ECONNREFUSED. Nothing was checked.');
    expect(ended.code).toBe(2);
  });

  test.each(['ops', 'preflight'] as const)(
    '%s says in one line that AWS does not know the credentials',
    async (name) => {
      const args = ['--environment', 'prod'];
      const key = { accessKeyId: aws.accessKey.accessKeyId, secretAccessKey: 'another' };
      const env = { ...keyVariables(key), AWS_ENDPOINT_URL: aws.url };
      const ended = await runCommand(name, name === 'ops' ? ['preflight', ...args] : args, { env });

      expect(onlyLine(ended)).toBe(
        'No valid AWS credentials (eu-central-1): InvalidSignatureException: The signature does not match. Nothing was checked.',
      );
      expect(ended.code).toBe(2);
    },
  );

  test('says in one line that there are no credentials', async () => {
    const env = { AWS_ENDPOINT_URL: aws.url };

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

/** No function has a reservation. */
function nothingReserved(): Answers {
  return Object.fromEntries(
    Object.keys(healthyAccount)
      .filter((call) => call.startsWith('lambda:GetFunctionConcurrency'))
      .map((call) => [call, json(200, {})]),
  );
}

/** Takes away the exact answer where a defect gives one for all. */
function without(answers: Answers): Answers {
  const general = Object.keys(answers).filter((call) => !call.includes(' '));
  return Object.fromEntries(
    Object.keys(healthyAccount).flatMap((call) => {
      const given = general.find((one) => call.startsWith(`${one} `));
      const answer = given === undefined ? undefined : answers[given];
      return answer === undefined ? [] : [[call, answer]];
    }),
  );
}

function folderWith(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'preflight-'));
  writeFileSync(join(folder, name), '');
  return folder;
}
