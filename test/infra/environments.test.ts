import { join } from 'node:path';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { expect, test } from 'vitest';
import { missingBundles } from '../../infra/constructs/bundled-function.ts';
import { checkEnvironment, type Environment, logRetentionPeriods } from '../../infra/blueprint/environment-schema.ts';
import { environmentNames, environments } from '../../infra/blueprint/environments.ts';
import { functions } from '../../infra/blueprint/functions.ts';
import { selectEnvironment } from '../../infra/stacks/select-environment.ts';
import { root } from './stacks/synthesized.ts';

const { dev, prod, staging } = environments;
const principal = 'arn:aws:iam::111122223333:role/acme';
const other = 'arn:aws:iam::111122223333:role/other';
/** With every own setting. */
const adopted: Environment = {
  ...staging,
  account: '210987654321',
  alarmAddresses: { page: ['oncall@plangrep.com'], ticket: ['team@plangrep.com'] },
  partners: [{ partnerId: 'acme', principal: 'arn:aws:iam::310987654321:role/acme' }],
};
const certificate = (region: string, account = '210987654321') =>
  `arn:aws:acm:${region}:${account}:certificate/0a1b2c3d`;
const domain = { name: 'cancel.plangrep.com', certificateArn: certificate('eu-central-1') };
const plan = { ratePerSecond: 10, burst: 10, requestsPerDay: 1_000 };

test.each(environmentNames)('%s is valid', (name) => {
  expect(selectEnvironment(name)).toEqual({ kind: 'selected', environment: environments[name] });
});

test.each<{ environment: { name: string; [field: string]: unknown }; message: string }>([
  {
    environment: { ...prod, plangrepBaseUrl: 'http://plangrep.com' },
    message: 'prod: plangrepBaseUrl: must be an https origin without a path, such as https://plangrep.com',
  },
  {
    environment: { ...prod, plangrepBaseUrl: 'https://plangrep.com/api' },
    message: 'prod: plangrepBaseUrl: must be an https origin without a path, such as https://plangrep.com',
  },
  {
    environment: { ...staging, logRetentionDays: 31 },
    message: 'staging: logRetentionDays: must be a period that CloudWatch Logs knows',
  },
  {
    environment: { ...staging, retention: { events: 89, requests: 6, jobs: 29 } },
    message:
      'staging: retention.events: must be a whole number; retention.requests: must be a whole number; retention.jobs: must be a whole number',
  },
  {
    environment: { ...prod, retention: { events: 100, requests: 101, jobs: 71 } },
    message:
      'prod: retention.requests: must not be over retention.events: they stand beside them; retention.jobs: must be 30 days under retention.events, which begin that much sooner',
  },
  {
    environment: { ...staging, logRetentionDays: 9_999 },
    message: 'staging: logRetentionDays: must be a period that CloudWatch Logs knows',
  },
  {
    environment: { ...staging, region: 'Frankfurt' },
    message: 'staging: region: must be a region, such as eu-central-1',
  },
  {
    environment: { ...staging, partners: [{ partnerId: 'Acme', principal }] },
    message: 'staging: partners.0.partnerId: must be 1 to 40 characters of a-z, 0-9 and -',
  },
  {
    environment: { ...staging, partners: [{ partnerId: 'acme', principal, eventSource: 'aws.s3' }] },
    message: 'staging: partners.0.eventSource: must be an event source, not an AWS one',
  },
  {
    environment: {
      ...staging,
      partners: [
        { partnerId: 'acme', principal },
        { partnerId: 'b', principal: other, eventSource: 'partner.acme' },
      ],
    },
    message: 'staging: partners: must not bind two partners to one event source',
  },
  ...['acme', 'arn:aws:iam::111122223333:user/acme', 'arn:aws:iam::111122223333:role/*', '*', '11112222333'].map(
    (wrong) => ({
      environment: { ...staging, partners: [{ partnerId: 'acme', principal: wrong }] },
      message: 'staging: partners.0.principal: must be the ARN of a role, an account of 12 digits, or own-account',
    }),
  ),
  {
    environment: { ...staging, partners: [{ partnerId: 'acme', principal: 'own-account' }] },
    message: 'staging: partners: must not have the principal own-account outside dev',
  },
  {
    environment: { ...staging, partners: [{ partnerId: 'acme', principal, eventSource: 'plangrep-cancellation' }] },
    message: "staging: partners: must not give a partner the source of this service's own events",
  },
  {
    environment: {
      ...staging,
      partners: [
        { partnerId: 'acme', principal },
        { partnerId: 'acme', principal: other, eventSource: 'acme.other' },
      ],
    },
    message: 'staging: partners: must not name a partner twice',
  },
  // The same role, the same account, and an account beside one of its roles.
  ...[
    [principal, principal],
    ['111122223333', '111122223333'],
    [principal, '111122223333'],
  ].map(([one, two]) => ({
    environment: {
      ...staging,
      partners: [
        { partnerId: 'acme', principal: one },
        { partnerId: 'globex', principal: two },
      ],
    },
    message: 'staging: partners: must not let one principal send as two partners: name a role for each',
  })),
  {
    environment: {
      ...staging,
      concurrency: { events: 5, wakeUps: 2, callbacks: 2, reserved: { 'consume-events': 2 } },
    },
    message:
      'staging: concurrency.events: must not be over what is reserved for consume-events: the queue would be throttled',
  },
  {
    environment: {
      ...staging,
      concurrency: { events: 2, wakeUps: 3, callbacks: 2, reserved: { 'consume-wake-ups': 2 } },
    },
    message:
      'staging: concurrency.wakeUps: must not be over what is reserved for consume-wake-ups: the queue would be throttled',
  },
  {
    environment: {
      ...staging,
      concurrency: { events: 2, wakeUps: 2, callbacks: 3, reserved: { 'deliver-callbacks': 2 } },
    },
    message:
      'staging: concurrency.callbacks: must not be over what is reserved for deliver-callbacks: the queue would be throttled',
  },
  {
    environment: {
      ...staging,
      concurrency: { events: 2, wakeUps: 2, callbacks: 2, provisioned: { 'cancel-everything': 2 } },
    },
    message: 'staging: concurrency.provisioned: Unrecognized key: "cancel-everything"',
  },
  {
    environment: {
      ...staging,
      concurrency: { events: 2, wakeUps: 2, callbacks: 2, provisioned: { 'request-cancellation': 3 } },
    },
    message: 'staging: concurrency.provisioned: must fit into concurrency.account (10), which keeps 100 unreserved',
  },
  ...['12345678901', 'a23456789012'].map((account) => ({
    environment: { ...dev, account },
    message: 'dev: account: must be the 12 digits of an account',
  })),
  {
    environment: { ...dev, account: '123456789012' },
    message: "dev: account: must not be an example account of AWS's documentation",
  },
  {
    environment: { ...staging, account: '210987654321' },
    message:
      'staging: alarmAddresses: must be addresses that someone reads, not of a reserved domain: plangrep-cancellation-staging@example.com; partners: must not name a principal in an example account of AWS: acme',
  },
  {
    environment: { ...adopted, partners: [{ partnerId: 'acme', principal: '444455556666' }] },
    message: 'staging: partners: must not name a principal in an example account of AWS: acme',
  },
  ...['a@example.org', 'a@mail.example.net', 'a@plangrep.test', 'a@b.invalid', 'a@x.example'].map((address) => ({
    environment: { ...adopted, alarmAddresses: { page: ['oncall@plangrep.com'], ticket: [address] } },
    message: `staging: alarmAddresses: must be addresses that someone reads, not of a reserved domain: ${address}`,
  })),
  {
    environment: { ...adopted, domain: { ...domain, certificateArn: certificate('us-east-1') } },
    message: "staging: domain.certificateArn: must be in the environment's region, eu-central-1",
  },
  {
    environment: { ...adopted, domain: { ...domain, certificateArn: certificate('eu-central-1', '210987654322') } },
    message: "staging: domain.certificateArn: must be in the environment's account, 210987654321",
  },
  {
    environment: { ...adopted, domain: { ...domain, hostedZone: { id: 'Z1', name: 'grep.com' } } },
    message: 'staging: domain.hostedZone.name: must hold the name cancel.plangrep.com',
  },
  { environment: { ...prod, deletionProtection: false }, message: 'prod: deletionProtection: must be true in prod' },
  {
    environment: { ...prod, alarmAddresses: { page: [], ticket: [] } },
    message: 'prod: alarmAddresses.page: must name someone in prod; alarmAddresses.ticket: must name someone in prod',
  },
  { environment: { ...staging, sandbox: true }, message: 'staging: sandbox: must not be set outside dev' },
  { environment: { ...prod, sandbox: true }, message: 'prod: sandbox: must not be set outside dev' },
  {
    environment: { ...staging, plans: { bulk: plan } },
    message: 'staging: plans.standard: Invalid input: expected object, received undefined',
  },
  {
    environment: { ...staging, plans: { standard: plan, 'for acme': plan } },
    message: 'staging: plans.for acme: must have a name of 1 to 20 of a-z',
  },
  {
    environment: { ...staging, plans: { standard: { ...plan, ratePerSecond: 51 } } },
    message:
      'staging: plans.standard: must not be over the throttle of all partners; plans.standard: must not have more than what is reserved for request-cancellation, all of it waiting: 520; firewall: must be at least 2 times what the plan standard lets through in five minutes: 30620',
  },
  {
    environment: { ...staging, plans: { standard: { ...plan, burst: 101 } } },
    message: "staging: plans.standard: must not have a burst over that of all partners' throttle",
  },
  {
    environment: { ...staging, firewall: { perCredential: 20_000, perAddress: 6_019 } },
    message:
      'staging: firewall: must be at least 2 times what the plan standard lets through in five minutes: 6020; firewall: must be at least 2 times what the plan bulk lets through in five minutes: 15020',
  },
  { environment: { ...prod, firewal: {} }, message: 'prod: Unrecognized key: "firewal"' },
])('$message', ({ environment, message }) => {
  expect(checkEnvironment(environment)).toEqual({
    kind: 'invalid',
    message: `infra/blueprint/environments.ts, ${message}`,
  });
});

test('an environment with every own setting is valid, on its own domain too', () => {
  const withDomain: Environment = {
    ...adopted,
    domain: { ...domain, hostedZone: { id: 'Z1', name: 'plangrep.com' } },
  };

  expect(checkEnvironment(adopted)).toEqual({ kind: 'valid' });
  expect(checkEnvironment(withDomain)).toEqual({ kind: 'valid' });
  // Names that only look like reserved ones.
  const alarmAddresses = { page: ['a@contest.com', 'a@example.community'], ticket: ['example.com@plangrep.com'] };
  const similar: Environment = { ...adopted, alarmAddresses };
  expect(checkEnvironment(similar)).toEqual({ kind: 'valid' });
});

test('two partners may have two roles of one account', () => {
  const partners = [
    { partnerId: 'acme', principal },
    { partnerId: 'globex', principal: other },
  ];
  const withTwo: Environment = { ...staging, partners };

  expect(checkEnvironment(withTwo)).toEqual({ kind: 'valid' });
});

test('as many partners are valid as one bus policy has room for', () => {
  const withPartners = (count: number): Environment => ({
    ...staging,
    partners: Array.from({ length: count }, (_, n) => ({
      partnerId: `partner-${n}`,
      principal: `arn:aws:iam::111122223333:role/partner-${n}`,
    })),
  });

  expect(checkEnvironment(withPartners(10))).toEqual({ kind: 'valid' });
  expect(checkEnvironment(withPartners(20))).toMatchObject({
    message: expect.stringMatching(/partners: must fit into a bus policy of 10240 bytes, not \d+/),
  });
});

test('every wrong field is named at once', () => {
  const environment = { ...prod, region: 'x', removalPolicy: 'keep' };

  expect(checkEnvironment(environment)).toMatchObject({
    message: expect.stringMatching(/^infra\/blueprint\/environments\.ts, prod: region: .*; removalPolicy: /),
  });
});

test('the functions that are not built are listed', () => {
  expect(missingBundles(join(root, 'test'))).toEqual(Object.keys(functions));
  expect(missingBundles()).toEqual([]);
});

test('every retention period that CloudWatch Logs knows can be chosen', () => {
  const known = Object.values(RetentionDays).filter((days) => typeof days === 'number');

  expect(logRetentionPeriods).toEqual(
    known.filter((days) => days !== RetentionDays.INFINITE).toSorted((a, b) => a - b),
  );
});
