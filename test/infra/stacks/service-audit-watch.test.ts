import { describe, expect, test } from 'vitest';
import { environmentNames, environments } from '../../../infra/blueprint/environments.ts';
import { bucketCalls, keyCalls, settingsCalls, trailCalls } from '../../../infra/blueprint/access/watched-calls.ts';
import { type RoleName, roleNameOf } from '../../../infra/blueprint/access/roles.ts';
import { byRole, countRecord, resolve, type TrailRecord } from './trail-records.ts';
import { listOf, ofType, oneOf, statementsOf, synthesized } from './synthesized.ts';

const watched = environmentNames.filter((name) => environments[name].auditWatch);

test('every environment but dev is watched', () => {
  expect(watched).toEqual(['staging', 'prod']);
});

describe.each(watched)('in %s', (name) => {
  const { service } = synthesized(name);

  const session = (role: string) => ({
    'Fn::Join': ['', ['arn:aws:sts::', { Ref: 'AWS::AccountId' }, `:assumed-role/${role}/`]],
  });
  const writesTo = (table: string) => [
    { Field: 'eventCategory', Equals: ['Data'] },
    { Field: 'resources.type', Equals: ['AWS::DynamoDB::Table'] },
    { Field: 'resources.ARN', Equals: [{ 'Fn::ImportValue': expect.stringContaining(`${table}Arn`) }] },
    { Field: 'readOnly', Equals: ['false'] },
  ];
  const by = (roles: readonly RoleName[]) => ({
    Field: 'userIdentity.arn',
    NotStartsWith: roles.map((role) => session(roleNameOf(name, role))),
  });

  test("CloudTrail records no write of a function's, every other write, and changes of settings", () => {
    const writers = [
      'request-cancellation',
      'consume-events',
      'consume-wake-ups',
      'reconcile-cancellations',
      'deliver-callbacks',
    ] as const;
    const movers = writers.filter((role) => role !== 'consume-events');

    expect(oneOf(service, 'AWS::CloudTrail::Trail')).toMatchObject({
      IsLogging: true,
      EnableLogFileValidation: true,
      AdvancedEventSelectors: [
        { FieldSelectors: [...writesTo('CancellationLog'), by(writers)] },
        {
          FieldSelectors: [...writesTo('CancellationLog'), { Field: 'eventName', NotEquals: ['PutItem'] }, by(movers)],
        },
        {
          // An erasure's deletes have the externalId in their keys, which the trail would keep.
          FieldSelectors: [
            ...writesTo('JobDirectory'),
            by(['request-cancellation', 'register-job', 'consume-events', 'erase-texts']),
          ],
        },
        { FieldSelectors: writesTo('Partners') },
        {
          FieldSelectors: [
            { Field: 'eventCategory', Equals: ['Management'] },
            { Field: 'readOnly', Equals: ['false'] },
          ],
        },
      ],
    });
  });

  test('the trail’s files end when its log lines do', () => {
    const { logRetentionDays } = environments[name];

    expect(oneOf(service, 'AWS::S3::Bucket')).toMatchObject({
      LifecycleConfiguration: {
        Rules: [
          { Status: 'Enabled', ExpirationInDays: logRetentionDays, NoncurrentVersionExpiration: { NoncurrentDays: 1 } },
        ],
      },
    });
  });

  /** How often a record counts, by the metrics of the trail. */
  const counted = (record: TrailRecord) => countRecord(service, record);
  const tableArn = (table: string) => `arn:${table}`;
  const tableName = (table: string) => `plangrep-cancellation-${name}-stateful-${table}-1ABCDEFGHIJKL`;
  const write = (table: string, role: string | undefined, eventName = 'PutItem'): TrailRecord => ({
    eventCategory: 'Data',
    eventSource: 'dynamodb.amazonaws.com',
    eventName,
    resources: [{ ARN: tableArn(table) }],
    ...byRole(role),
  });
  const own = (role: RoleName) => roleNameOf(name, role);

  test.each<[string, string | undefined, Readonly<Record<string, number>>]>([
    ['CancellationLog', 'admin', { CancellationLogAltered: 1 }],
    ['CancellationLog', undefined, { CancellationLogAltered: 1 }],
    ['CancellationLog', own('manage-partners'), { CancellationLogAltered: 1 }],
    ['CancellationLog', own('erase-texts'), {}],
    ['Partners', 'admin', { RegistersAltered: 1 }],
    ['Partners', undefined, { RegistersAltered: 1 }],
    ['Partners', own('request-cancellation'), { RegistersAltered: 1 }],
    ['Partners', own('release-jobs'), { RegistersAltered: 1 }],
    ['Partners', own('manage-partners'), {}],
    ['Partners', own('manage-callbacks'), {}],
    ['Partners', own('deliver-callbacks'), {}],
    ['JobDirectory', own('deliver-callbacks'), { RegistersAltered: 1 }],
    ['JobDirectory', 'admin', { RegistersAltered: 1 }],
    ['JobDirectory', own('manage-partners'), { RegistersAltered: 1 }],
    ['JobDirectory', own('release-jobs'), {}],
    ['JobDirectory', own('erase-texts'), {}],
  ])('a write to %s by %s counts as %j', (table, role, counts) => {
    expect(counted(write(table, role))).toEqual(counts);
  });

  test('a batch over several tables counts for each of them', () => {
    const batch = write('CancellationLog', 'admin', 'BatchWriteItem');
    const resources = ['Partners', 'CancellationLog', 'JobDirectory'].map((table) => ({ ARN: tableArn(table) }));

    expect(counted({ ...batch, resources })).toEqual({ CancellationLogAltered: 1, RegistersAltered: 2 });
  });

  describe('a change of settings', () => {
    const deployment = `cdk-hnb659fds-cfn-exec-role-111122223333-${environments[name].region}`;
    const change = (eventName: string, requestParameters: object, role: string | undefined): TrailRecord => ({
      eventCategory: 'Management',
      eventSource: 'dynamodb.amazonaws.com',
      eventName,
      requestParameters,
      ...byRole(role),
    });
    const inUse = tableName('Partners');

    test.each(settingsCalls)('counts once, by name and by ARN, unless a deployment makes it: %s', (call) => {
      for (const requestParameters of [{ tableName: inUse }, { resourceArn: `arn:aws:dynamodb:x:1:table/${inUse}` }]) {
        for (const role of ['admin', undefined, own('restore-tables')]) {
          expect(counted(change(call, requestParameters, role))).toEqual({ SettingsChanged: 1 });
        }
        expect(counted(change(call, requestParameters, deployment))).toEqual({});
      }
    });

    test("is not a backup, a change of another table, or one of another environment's", () => {
      expect(counted(change('CreateBackup', { tableName: inUse }, 'backup'))).toEqual({});
      expect(counted(change('UpdateTable', { tableName: 'another' }, 'admin'))).toEqual({});
    });

    test.each(trailCalls)('is also one of the trail itself: %s', (call) => {
      const record = { ...change(call, { name: `plangrep-cancellation-${name}` }, 'admin') };
      const ofTrail = { ...record, eventSource: 'cloudtrail.amazonaws.com' };

      expect(counted(ofTrail)).toEqual({ SettingsChanged: 1 });
      expect(counted({ ...ofTrail, ...byRole(deployment) })).toEqual({});
    });
  });

  test.each(bucketCalls)("a change of the trail's bucket, or of the archive's, counts: %s", (eventName) => {
    const [bucket = ''] = ofType(service, 'AWS::S3::Bucket').map(([id]) => id);
    const record = (bucketName: string): TrailRecord => ({
      eventCategory: 'Management',
      eventSource: 's3.amazonaws.com',
      eventName,
      requestParameters: { bucketName },
      ...byRole('admin'),
    });

    expect(counted(record(`<${bucket}>`))).toEqual({ SettingsChanged: 1 });
    expect(counted(record(tableName('ArchiveBucket')))).toEqual({ SettingsChanged: 1 });
    expect(counted(record('another'))).toEqual({});
  });

  test.each(keyCalls)('a change of the key that signs the digests counts: %s', (eventName) => {
    const record = (key: string, role: string): TrailRecord => ({
      eventCategory: 'Management',
      eventSource: 'kms.amazonaws.com',
      eventName,
      resources: [{ ARN: `arn:${key}` }],
      ...byRole(role),
    });

    expect(counted(record('SealKey1', 'admin'))).toEqual({ SettingsChanged: 1 });
    expect(counted(record('another', 'admin'))).toEqual({});
    expect(
      counted(record('SealKey1', `cdk-hnb659fds-cfn-exec-role-111122223333-${environments[name].region}`)),
    ).toEqual({});
  });

  test('no pattern is longer than CloudWatch Logs takes', () => {
    for (const [, { FilterPattern }] of ofType(service, 'AWS::Logs::MetricFilter')) {
      expect(resolve(FilterPattern).length).toBeLessThanOrEqual(1_024);
    }
  });

  test('the evidence is retained, and only CloudTrail writes it', () => {
    const bucket = Object.values(service).find(({ Type }) => Type === 'AWS::S3::Bucket');
    const policy = Object.values(service).find(({ Type }) => Type === 'AWS::S3::BucketPolicy');
    const allowed = policy === undefined ? [] : statementsOf(policy).filter(({ Effect }) => Effect === 'Allow');

    expect(bucket).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: {
        VersioningConfiguration: { Status: 'Enabled' },
        PublicAccessBlockConfiguration: { BlockPublicPolicy: true },
      },
    });
    for (const statement of allowed)
      expect(statement).toMatchObject({ Principal: { Service: 'cloudtrail.amazonaws.com' } });
    expect(allowed.flatMap(({ Action }) => listOf(Action))).toEqual(['s3:GetBucketAcl', 's3:PutObject']);
  });
});
