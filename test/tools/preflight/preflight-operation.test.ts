import { describe, expect, test } from 'vitest';
import { type Finding } from '../../../infra/cli/preflight/finding.ts';
import {
  adopted,
  type Defect,
  folderWith,
  givenPreflight,
  inFile,
  putKey,
  service,
  settled,
} from './given-preflight.ts';
import { region, secret, stack, subscriptions, topics, emptyAccount, healthyAccount } from './recorded-accounts.ts';
import { type Recorded } from './recorded-aws.ts';
import { environments } from '../../../infra/blueprint/environments.ts';

const given = givenPreflight();
const [page, ticket] = [`sns:ListSubscriptionsByTopic ${topics.page}`, `sns:ListSubscriptionsByTopic ${topics.ticket}`];
const subscribe = (topic: string, address: string) =>
  `open the link in AWS's mail there; for a new mail: aws sns subscribe --topic-arn ${topic} --protocol email --notification-endpoint ${address} --region ${region}`;
const secretCommand = (what: string) =>
  `aws secretsmanager ${what} --secret-id plangrep-cancellation/staging/api-key --region ${region}`;

/** Each is the only defect of the healthy account. */
const defects: Readonly<Record<string, Defect>> = {
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
    environment: { ...settled, partners: environments.staging.partners },
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
      fix: putKey,
    },
  },
  'a value that cannot be a key': {
    ports: { tryKey: () => Promise.resolve({ kind: 'malformed', rule: 'a key' }) },
    finding: { check: "Plangrep's key", state: 'fix', isOfOperation: true, found: 'must be a key', fix: putKey },
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

test.each(Object.entries(defects))('a healthy account but for %s', (_, defect) => given.expectOnly(defect));

describe('a healthy account but for', () => {
  test.each<[string, Recorded, Finding]>([
    [
      'has no value',
      secret({ VersionIdsToStages: undefined }),
      { check: 'secret', state: 'fix', isOfOperation: true, found: 'has no value yet', fix: putKey },
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
    const { findings } = await given.look(settled, { ...healthyAccount, 'secretsmanager:DescribeSecret': described });

    expect(findings.filter(({ check }) => check === 'secret')).toEqual([finding]);
    expect(findings.filter(({ check }) => check === "Plangrep's key")).toEqual([
      { check: "Plangrep's key", state: 'later', found: 'after the first deployment' },
    ]);
  });

  test.each(['ROLLBACK_COMPLETE', 'CREATE_FAILED', 'DELETE_FAILED'])(
    'a first deployment that ended as %s',
    async (status) => {
      const failed = stack('service', status);
      const report = await given.look(adopted, {
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
    const report = await given.look(adopted, { ...emptyAccount, 'secretsmanager:DescribeSecret': secret() });

    expect(report.findings).toContainEqual({
      check: 'secret',
      state: 'fix',
      found: 'was left by a stack that is deleted: the new stack cannot make it again',
      fix: `keep its value elsewhere, then ${secretCommand('delete-secret')} --force-delete-without-recovery`,
    });
  });
});
