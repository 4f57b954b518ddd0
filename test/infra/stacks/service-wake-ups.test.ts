import { describe, expect, test } from 'vitest';
import { LEASE_MS } from '../../../functions/core/cancellation/pace.ts';
import { deployedConcurrency } from '../../../infra/blueprint/account/concurrency.ts';
import { environmentNames, environments } from '../../../infra/blueprint/environments.ts';
import { functions } from '../../../infra/blueprint/functions.ts';
import { wakeUpQueue } from '../../../infra/blueprint/wake-up-queue.ts';
import { ofType, oneOf, statementsOf, synthesized } from './synthesized.ts';

/** The longest delay of a message. */
const LONGEST_DELAY_SECONDS = 900;

describe.each(environmentNames)('the wake-up queue in %s', (name) => {
  const { service } = synthesized(name);
  const queue = oneOf(service, 'AWS::SQS::Queue', 'WakeUpsQueue');
  const arn = { 'Fn::GetAtt': [expect.stringMatching(/^WakeUpsQueue/), 'Arn'] };
  const functionOf = (fn: string) =>
    ofType(service, 'AWS::Lambda::Function').find(
      ([, { FunctionName }]) => FunctionName === `plangrep-cancellation-${name}-${fn}`,
    )?.[1];

  test('hides a message longer than its function and a claim may last, and keeps it longer than any delay', () => {
    const { VisibilityTimeout, MessageRetentionPeriod } = queue;

    expect(VisibilityTimeout).toBeGreaterThan(LEASE_MS / 1000);
    expect(VisibilityTimeout).toBeGreaterThan(functions['consume-wake-ups'].timeoutSeconds);
    expect(MessageRetentionPeriod).toBeGreaterThan(LONGEST_DELAY_SECONDS + Number(VisibilityTimeout));
    expect(MessageRetentionPeriod).toBe(wakeUpQueue.retentionMinutes * 60);
  });

  test('starts its function with batches, accepts single failures, and asks Plangrep about at most 50 jobs at once', () => {
    const { wakeUps } = deployedConcurrency(environments[name].concurrency);
    const delivery = oneOf(service, 'AWS::Lambda::EventSourceMapping', 'WakeUps');

    expect(JSON.stringify(delivery['FunctionName'])).toMatch(/consumewakeupsLive.*:live/);
    expect(delivery).toMatchObject({
      EventSourceArn: arn,
      BatchSize: wakeUpQueue.batchSize,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: wakeUps },
    });
    expect(wakeUps * wakeUpQueue.batchSize).toBeLessThanOrEqual(50);
  });

  test('lets a function start itself by the messages it sends, as the one that delivers callbacks, and no other', () => {
    const looping = ofType(service, 'AWS::Lambda::Function').filter(([, fn]) => fn['RecursiveLoop'] !== undefined);

    expect(looping.map(([, fn]) => fn)).toEqual([functionOf('consume-wake-ups'), functionOf('deliver-callbacks')]);
    expect(functionOf('consume-wake-ups')).toMatchObject({ RecursiveLoop: 'Allow' });
  });

  test('takes messages only from the functions that leave cancellations open', () => {
    const policy = Object.values(service).find(
      ({ Type, Properties }) =>
        Type === 'AWS::SQS::QueuePolicy' && JSON.stringify(Properties['Queues']).includes('"WakeUpsQueue'),
    );
    const roleOf = (fn: string) => ({
      'Fn::Join': ['', [expect.any(String), { Ref: 'AWS::AccountId' }, `:role/plangrep-cancellation-${name}-${fn}`]],
    });
    const senders = ['request-cancellation', 'consume-events', 'consume-wake-ups', 'reconcile-cancellations'];

    const aboutSending = policy === undefined ? [] : statementsOf(policy).filter(({ Action }) => Action !== 'sqs:*');

    expect(aboutSending).toEqual([
      {
        Sid: 'OnlyTheFunctions',
        Effect: 'Deny',
        Action: 'sqs:SendMessage',
        Principal: { AWS: '*' },
        Resource: arn,
        Condition: {
          Null: { 'aws:PrincipalArn': 'false' },
          ArnNotEquals: { 'aws:PrincipalArn': senders.map(roleOf) },
        },
      },
    ]);
  });
});
