import { Aws, Duration } from 'aws-cdk-lib';
import { CfnRule, type IEventBus } from 'aws-cdk-lib/aws-events';
import { AccountPrincipal, AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { eventDoor, inputTransformer } from '../../blueprint/bus-events.ts';
import type { Environment } from '../../blueprint/environment-schema.ts';
import { accountOf, type Sender, sourceOf } from '../../blueprint/senders.ts';
import { ExactRole } from '../exact-role.ts';
import { addDeadLetterQueue, addQueue, onlyFromRoles } from './queues.ts';

export interface EventDoorProps {
  readonly environment: Environment;
  /** Where partners' events arrive. */
  readonly bus: IEventBus;
}

/** Not longer: an hour late, a cancel saves nothing any more. */
const deliveryPolicy = { maximumEventAgeInSeconds: 3_600, maximumRetryAttempts: 185 };

/**
 * A rule for each partner, bound to the partner's account and event source, and the queue behind the rules.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
 */
export class EventDoor extends Construct {
  readonly queue: Queue;
  /** Events that the function gave up. */
  readonly givenUp: Queue;
  /** Events that EventBridge could not put into the queue. */
  readonly undelivered: Queue;

  constructor(scope: Construct, id: string, { environment, bus }: EventDoorProps) {
    super(scope, id);
    this.givenUp = addDeadLetterQueue(this, 'DeadLetters');
    this.undelivered = addDeadLetterQueue(this, 'Undelivered');
    this.queue = addQueue(this, 'Queue', {
      visibilityTimeout: Duration.seconds(eventDoor.visibilityTimeoutSeconds),
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: this.givenUp, maxReceiveCount: eventDoor.maxReceives },
    });
    const rules = environment.partners.map((sender) => this.addRule(bus, sender).attrArn);
    const redrive = new ExactRole(this, 'Redrive', {
      name: 'redrive-events',
      environment: environment.name,
      // Which of the account's operators may take the role, their own permissions say.
      assumedBy: new AccountPrincipal(Aws.ACCOUNT_ID),
      arns: {
        EventsGivenUp: this.givenUp.queueArn,
        EventsQueue: this.queue.queueArn,
        ServiceStack: Aws.STACK_ID,
      },
    });
    onlyFromRules(this.queue, rules, [redrive.role.roleArn]);
    onlyFromRules(this.undelivered, rules);
    // What is in the dead-letter queue can be sent again, so it is guarded alike.
    onlyFromRoles(this.givenUp, environment.name, [eventDoor.function]);
  }

  /** Starts the function on what arrives; it reports each failed message separately. */
  deliverTo(handler: IFunction, maxConcurrency: number): void {
    new EventSourceMapping(this, 'Delivery', {
      target: handler,
      eventSourceArn: this.queue.queueArn,
      batchSize: eventDoor.batchSize,
      reportBatchItemFailures: true,
      maxConcurrency,
    });
  }

  /** L1, since the L2 target builds its own input transformer; this one is defined once, for the local run too. */
  private addRule(bus: IEventBus, sender: Sender): CfnRule {
    const { partnerId } = sender;
    const { paths, template } = inputTransformer(partnerId);
    return new CfnRule(this, `Rule-${partnerId}`, {
      description: `Events of ${sourceOf(sender)}, as ${partnerId}`,
      eventBusName: bus.eventBusName,
      eventPattern: {
        account: [accountOf(sender, Aws.ACCOUNT_ID)],
        source: [sourceOf(sender)],
        'detail-type': eventDoor.detailTypes,
      },
      targets: [
        {
          id: 'Queue',
          arn: this.queue.queueArn,
          inputTransformer: { inputPathsMap: paths, inputTemplate: template },
          retryPolicy: deliveryPolicy,
          deadLetterConfig: { arn: this.undelivered.queueArn },
          // A fair queue: the events of a partner that sends many do not delay another partner's.
          // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
          sqsParameters: { messageGroupId: partnerId },
        },
      ],
    });
  }
}

/**
 * The message says which partner an event is of, so a message from elsewhere could name any. No other caller may send one, an
 * administrator's role included. A caller that is not a service has no `aws:SourceArn`, and a service no
 * `aws:PrincipalArn`: what is absent counts as not equal.
 * @param rules the ARNs of those that may
 * @param roles the ARNs of roles that may too
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
function onlyFromRules(queue: Queue, rules: readonly string[], roles: readonly string[] = []): void {
  const send = { actions: ['sqs:SendMessage'], resources: [queue.queueArn] };
  if (rules.length > 0) {
    queue.addToResourcePolicy(
      new PolicyStatement({
        ...send,
        principals: [new ServicePrincipal('events.amazonaws.com')],
        conditions: { ArnEquals: { 'aws:SourceArn': rules } },
      }),
    );
  }
  const except = {
    ...(rules.length > 0 && { 'aws:SourceArn': rules }),
    ...(roles.length > 0 && { 'aws:PrincipalArn': roles }),
  };
  queue.addToResourcePolicy(
    new PolicyStatement({
      ...send,
      sid: 'OnlyTheRules',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      ...(Object.keys(except).length > 0 && { conditions: { ArnNotEquals: except } }),
    }),
  );
}
