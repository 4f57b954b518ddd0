import { describe, expect, test } from 'vitest';
import { environmentNames, environments } from '../../../infra/blueprint/environments.ts';
import { roleNameOf } from '../../../infra/blueprint/roles.ts';
import { listOf, oneOf, statementsOf, synthesized } from './synthesized.ts';

const watched = environmentNames.filter((name) => environments[name].auditWatch);

test('every environment but dev is watched', () => {
  expect(watched).toEqual(['staging', 'prod']);
});

describe.each(watched)('in %s', (name) => {
  const { service } = synthesized(name);

  test('CloudTrail records only writes to the log by anyone but the service', () => {
    const session = (role: string) => ({
      'Fn::Join': ['', ['arn:aws:sts::', { Ref: 'AWS::AccountId' }, `:assumed-role/${role}/`]],
    });
    const onTheLog = [
      { Field: 'eventCategory', Equals: ['Data'] },
      { Field: 'resources.type', Equals: ['AWS::DynamoDB::Table'] },
      { Field: 'resources.ARN', Equals: [{ 'Fn::ImportValue': expect.stringContaining('CancellationLogArn') }] },
      { Field: 'readOnly', Equals: ['false'] },
    ];
    const writers = ['request-cancellation', 'consume-events', 'consume-wake-ups', 'reconcile-cancellations'] as const;
    const movers = writers.filter((role) => role !== 'consume-events');

    expect(oneOf(service, 'AWS::CloudTrail::Trail')).toMatchObject({
      IsLogging: true,
      EnableLogFileValidation: true,
      AdvancedEventSelectors: [
        {
          FieldSelectors: [
            ...onTheLog,
            { Field: 'userIdentity.arn', NotStartsWith: writers.map((role) => session(roleNameOf(name, role))) },
          ],
        },
        {
          FieldSelectors: [
            ...onTheLog,
            { Field: 'eventName', NotEquals: ['PutItem'] },
            { Field: 'userIdentity.arn', NotStartsWith: movers.map((role) => session(roleNameOf(name, role))) },
          ],
        },
      ],
    });
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
