import { test } from 'vitest';
import { adopted, type Defect, givenPreflight, inFile, service, settled, nothingReserved } from './given-preflight.ts';
import { apiAccount, lambdaSettings, named, quota, region, stack } from './recorded-accounts.ts';
import { json } from './recorded-aws.ts';

const given = givenPreflight();
const { account: _pinned, ...unpinned } = settled;
const raise = (quotaOf: string, code: string, value: number) =>
  `aws service-quotas request-service-quota-increase --service-code ${quotaOf} --quota-code ${code} --desired-value ${value} --region ${region}`;

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
        'the account holds 1000, of which others reserve 700; staging sets 274 apart, and Lambda keeps 100: the stack would be rolled back',
      fix: `${raise('lambda', 'L-B99A9384', 1_074)}; until then concurrency.account: 300 ${inFile}`,
    },
  },
  'an account that holds less than the environment says': {
    environment: { ...settled, concurrency: { ...settled.concurrency, account: 200 } },
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
        'the account holds 1000; while infra/blueprint/environments.ts does not say so, nothing is reserved (request-cancellation 260, consume-events 2, consume-wake-ups 4, deliver-callbacks 6, reconcile-cancellations 2), and events, wake-ups and callbacks take at most 2, 2 and 2 at once',
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
};

test.each(Object.entries(defects))('a healthy account but for %s', (_, defect) => given.expectOnly(defect));
