import { describe, expect, test } from 'vitest';
import { deployedConcurrency } from '../../../infra/blueprint/account/concurrency.ts';
import { eventDoor, inputTransformer } from '../../../infra/blueprint/bus-events.ts';
import { environmentNames, environments } from '../../../infra/blueprint/environments.ts';
import { functions } from '../../../infra/blueprint/functions.ts';
import { accountOf, type Sender, sourceOf } from '../../../infra/blueprint/senders.ts';
import { ofType, oneOf, statementsOf, synthesized } from './synthesized.ts';

describe.each(environmentNames)('in %s', (name) => {
  const { service } = synthesized(name);
  const partners: readonly Sender[] = environments[name].partners;

  describe('the event door', () => {
    const queue = oneOf(service, 'AWS::SQS::Queue', 'EventsDoorQueue');
    const rules = ofType(service, 'AWS::Events::Rule').filter(([id]) => id.startsWith('EventsDoor'));
    const arnOf = (prefix: string) => ({ 'Fn::GetAtt': [expect.stringMatching(new RegExp(`^${prefix}`)), 'Arn'] });

    test.each(partners)('takes events of $partnerId only from its own account and source', (sender) => {
      const { paths, template } = inputTransformer(sender.partnerId);
      const mine = rules.filter(([, { EventPattern }]) =>
        JSON.stringify(EventPattern).includes(`"${sourceOf(sender)}"`),
      );
      const account = accountOf(sender, 'own');

      expect(mine.map(([, rule]) => rule)).toMatchObject([
        {
          EventPattern: {
            account: [account === 'own' ? { Ref: 'AWS::AccountId' } : account],
            source: [sourceOf(sender)],
            'detail-type': [...eventDoor.detailTypes],
          },
          Targets: [
            {
              Arn: arnOf('EventsDoorQueue'),
              InputTransformer: { InputPathsMap: paths, InputTemplate: template },
              RetryPolicy: { MaximumEventAgeInSeconds: 3_600, MaximumRetryAttempts: 185 },
              DeadLetterConfig: { Arn: arnOf('EventsDoorUndelivered') },
              SqsParameters: { MessageGroupId: sender.partnerId },
            },
          ],
        },
      ]);
    });

    test('has one rule for each partner', () => {
      expect(rules).toHaveLength(partners.length);
    });

    test('tries each message so often, and hides it while it is worked on', () => {
      expect(queue).toMatchObject({
        VisibilityTimeout: eventDoor.visibilityTimeoutSeconds,
        RedrivePolicy: { deadLetterTargetArn: arnOf('EventsDoorDeadLetters'), maxReceiveCount: eventDoor.maxReceives },
      });
      expect(queue['VisibilityTimeout']).toBeGreaterThan(functions['consume-events'].timeoutSeconds);
    });

    test('hands out batches, and accepts single failures', () => {
      expect(oneOf(service, 'AWS::Lambda::EventSourceMapping', 'EventsDoor')).toMatchObject({
        EventSourceArn: arnOf('EventsDoorQueue'),
        BatchSize: eventDoor.batchSize,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: deployedConcurrency(environments[name].concurrency).events },
      });
    });

    /** The statements about sending of a queue's policy. */
    const sendingTo = (prefix: string) =>
      Object.values(service)
        .filter(
          ({ Type, Properties }) =>
            Type === 'AWS::SQS::QueuePolicy' && JSON.stringify(Properties['Queues']).includes(prefix),
        )
        .flatMap(statementsOf)
        .filter(({ Action }) => Action !== 'sqs:*');
    const ruleArns = rules.map(() => arnOf('EventsDoorRule'));
    const fromRules = (to: string) => ({
      Effect: 'Allow',
      Action: 'sqs:SendMessage',
      Principal: { Service: 'events.amazonaws.com' },
      Resource: arnOf(to),
      Condition: { ArnEquals: { 'aws:SourceArn': ruleArns } },
    });

    test('lets only its rules send, and the role that sends given-up events again', () => {
      expect(sendingTo('EventsDoorQueue')).toEqual([
        fromRules('EventsDoorQueue'),
        {
          Sid: 'OnlyTheRules',
          Effect: 'Deny',
          Action: 'sqs:SendMessage',
          Principal: { AWS: '*' },
          Resource: arnOf('EventsDoorQueue'),
          Condition: {
            ArnNotEquals: { 'aws:SourceArn': ruleArns, 'aws:PrincipalArn': [arnOf('EventsDoorRedriveRole')] },
          },
        },
      ]);
    });

    test('lets only its rules send what they could not deliver', () => {
      expect(sendingTo('EventsDoorUndelivered')).toEqual([
        fromRules('EventsDoorUndelivered'),
        {
          Sid: 'OnlyTheRules',
          Effect: 'Deny',
          Action: 'sqs:SendMessage',
          Principal: { AWS: '*' },
          Resource: arnOf('EventsDoorUndelivered'),
          Condition: { ArnNotEquals: { 'aws:SourceArn': ruleArns } },
        },
      ]);
    });

    test('lets only the function send to its dead-letter queue, and SQS itself', () => {
      const role = {
        'Fn::Join': [
          '',
          [expect.any(String), { Ref: 'AWS::AccountId' }, `:role/plangrep-cancellation-${name}-consume-events`],
        ],
      };

      expect(sendingTo('EventsDoorDeadLetters')).toEqual([
        {
          Sid: 'OnlyTheFunctions',
          Effect: 'Deny',
          Action: 'sqs:SendMessage',
          Principal: { AWS: '*' },
          Resource: arnOf('EventsDoorDeadLetters'),
          Condition: { Null: { 'aws:PrincipalArn': 'false' }, ArnNotEquals: { 'aws:PrincipalArn': [role] } },
        },
      ]);
    });

    test('can be sent to again only by an operator of this account', () => {
      const role = oneOf(service, 'AWS::IAM::Role', 'EventsDoorRedrive');

      expect(role).toMatchObject({
        RoleName: `plangrep-cancellation-${name}-redrive-events`,
        AssumeRolePolicyDocument: {
          Statement: [
            {
              Action: 'sts:AssumeRole',
              Effect: 'Allow',
              Principal: {
                AWS: { 'Fn::Join': ['', [expect.stringMatching(/^arn:/), { Ref: 'AWS::AccountId' }, ':root']] },
              },
            },
          ],
        },
      });
    });
  });

  describe('the outbound events', () => {
    const mapping = oneOf(service, 'AWS::Lambda::EventSourceMapping', 'OutgoingEvents');
    const undelivered = { 'Fn::GetAtt': [expect.stringMatching(/^OutgoingEventsUndelivered/), 'Arn'] };

    test('come only from what partners are called back about in the log, by the live version of the function', () => {
      const told = '{"eventName":["INSERT"],"dynamodb":{"NewImage":{"type":{"S":["closed","escalated","refused"]}}}}';

      expect(mapping).toMatchObject({
        EventSourceArn: { 'Fn::ImportValue': expect.stringContaining('CancellationLogStreamArn') },
        FilterCriteria: { Filters: [{ Pattern: told }] },
      });
      expect(JSON.stringify(mapping['FunctionName'])).toMatch(/announcecancellationsLive.*:live/);
    });

    test('begin with what the stream holds, are repeated from the first that failed on, and end in the queue', () => {
      expect(mapping).toMatchObject({
        StartingPosition: 'TRIM_HORIZON',
        BatchSize: 10,
        MaximumBatchingWindowInSeconds: 0,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        BisectBatchOnFunctionError: true,
        MaximumRetryAttempts: 185,
        MaximumRecordAgeInSeconds: 3_600,
        DestinationConfig: { OnFailure: { Destination: undelivered } },
      });
    });

    test('go to the bus that requests come in on', () => {
      expect(oneOf(service, 'AWS::Lambda::Function', 'announcecancellations')).toMatchObject({
        Environment: {
          Variables: {
            EVENTBRIDGE_URL: {
              'Fn::Join': ['', ['https://events.', { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }]],
            },
            EVENT_BUS_NAME: { Ref: expect.stringMatching(/^EventBus/) },
          },
        },
      });
    });
  });

  describe('every queue', () => {
    const queues = ofType(service, 'AWS::SQS::Queue');
    const deadLetters = queues
      .filter(([id, { RedrivePolicy }]) => RedrivePolicy === undefined && !id.startsWith('WakeUps'))
      .map(([id]) => id);
    const users = JSON.stringify(
      Object.values(service).filter(({ Type }) => !Type.startsWith('AWS::SQS::QueuePolicy')),
    );

    test('has a dead-letter queue, or is one; the wake-up queue needs none', () => {
      for (const id of deadLetters) {
        expect(users).toMatch(
          new RegExp(
            `("(deadLetterTargetArn|DeadLetterConfig|Destination)":(\\{"Arn":)?)\\{"Fn::GetAtt":\\["${id}","Arn"\\]`,
          ),
        );
      }
      expect(deadLetters.length).toBeLessThan(queues.length);
    });

    test('is encrypted, and reached only over TLS', () => {
      const insecure = Object.values(service).filter(
        (resource) =>
          resource.Type === 'AWS::SQS::QueuePolicy' &&
          statementsOf(resource).some(
            ({ Effect, Condition }) =>
              Effect === 'Deny' && JSON.stringify(Condition) === '{"Bool":{"aws:SecureTransport":"false"}}',
          ),
      );

      for (const [, queue] of queues) expect(queue).toMatchObject({ SqsManagedSseEnabled: true });
      expect(insecure).toHaveLength(queues.length);
    });
  });
});
