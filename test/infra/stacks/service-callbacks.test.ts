import { describe, expect, test } from 'vitest';
import { deployedConcurrency } from '../../../infra/blueprint/account/concurrency.ts';
import { callbackQueue, callbackSchedule } from '../../../infra/blueprint/callbacks.ts';
import { environmentNames, environments } from '../../../infra/blueprint/environments.ts';
import { functions } from '../../../infra/blueprint/functions.ts';
import { ofType, oneOf, statementsOf, synthesized } from './synthesized.ts';

const DAY_SECONDS = 86_400;

describe.each(environmentNames)("the callbacks' queue in %s", (name) => {
  const { service } = synthesized(name);
  const arnOf = (prefix: string) => ({ 'Fn::GetAtt': [expect.stringMatching(new RegExp(`^${prefix}`)), 'Arn'] });
  const queue = oneOf(service, 'AWS::SQS::Queue', 'CallbacksQueue');

  test('keeps a message as long as SQS can, and gives it up only after several tries', () => {
    expect(queue).toMatchObject({
      MessageRetentionPeriod: 14 * DAY_SECONDS,
      RedrivePolicy: { deadLetterTargetArn: arnOf('CallbacksDeadLetters'), maxReceiveCount: callbackQueue.maxReceives },
    });
    // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    expect(callbackQueue.maxReceives).toBeGreaterThanOrEqual(5);
    expect(queue['VisibilityTimeout']).toBe(6 * functions['deliver-callbacks'].timeoutSeconds);
    // A group has one message at work; the limit of messages a second is each group's.
    expect(queue).toMatchObject({ FifoQueue: true, FifoThroughputLimit: 'perMessageGroupId' });
  });

  test('starts its function with batches, accepts single failures, and leaves concurrency to the others', () => {
    const { callbacks, reserved } = deployedConcurrency({ ...environments[name].concurrency, account: 10_000 });
    const delivery = oneOf(service, 'AWS::Lambda::EventSourceMapping', 'Callbacks');

    expect(JSON.stringify(delivery['FunctionName'])).toMatch(/delivercallbacksLive.*:live/);
    expect(delivery).toMatchObject({
      EventSourceArn: arnOf('CallbacksQueue'),
      BatchSize: callbackQueue.batchSize,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: deployedConcurrency(environments[name].concurrency).callbacks },
    });
    // The schedule's run has a place when the queue has taken all that it may.
    expect(reserved['deliver-callbacks'] ?? Number.POSITIVE_INFINITY).toBeGreaterThan(callbacks);
  });

  test('is also started by a schedule, whose missed runs are kept', () => {
    const rule = oneOf(service, 'AWS::Events::Rule', 'ScheduleCallbacksRule');

    expect(callbackSchedule.function).toBe('deliver-callbacks');
    expect(rule).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      Targets: [{ DeadLetterConfig: { Arn: arnOf('ScheduleMissed') } }],
    });
    expect(JSON.stringify(rule['Targets'])).toMatch(/delivercallbacksLive/);
  });

  test('is reached by the function that follows the log, by the one that delivers, and by operators', () => {
    const policies = Object.values(service).filter(({ Type }) => Type === 'AWS::SQS::QueuePolicy');
    const sendingTo = (prefix: string) =>
      policies
        .filter(({ Properties }) => JSON.stringify(Properties['Queues']).includes(`"${prefix}`))
        .flatMap(statementsOf)
        .filter(({ Action }) => Action !== 'sqs:*');
    const roleOf = (role: string) => ({
      'Fn::Join': ['', [expect.any(String), { Ref: 'AWS::AccountId' }, `:role/plangrep-cancellation-${name}-${role}`]],
    });
    const onlyFrom = (roles: readonly string[]) => ({
      Null: { 'aws:PrincipalArn': 'false' },
      ...(roles.length > 0 && { ArnNotEquals: { 'aws:PrincipalArn': roles.map(roleOf) } }),
    });

    for (const [prefix, roles] of [
      ['CallbacksQueue', ['announce-cancellations', 'deliver-callbacks', 'manage-callbacks']],
      ['CallbacksDeadLetters', []],
    ] as const) {
      expect(sendingTo(prefix)).toEqual([
        {
          Sid: 'OnlyTheFunctions',
          Effect: 'Deny',
          Action: 'sqs:SendMessage',
          Principal: { AWS: '*' },
          Resource: arnOf(prefix),
          Condition: onlyFrom(roles),
        },
      ]);
    }
  });

  test('its function knows the secret by its ARN, and no other function does', () => {
    const knowing = ofType(service, 'AWS::Lambda::Function').filter(([, fn]) =>
      JSON.stringify(fn['Environment'] ?? {}).includes('CallbackSecret'),
    );

    expect(knowing.map(([, { FunctionName }]) => FunctionName)).toEqual([
      `plangrep-cancellation-${name}-deliver-callbacks`,
    ]);
  });
});
