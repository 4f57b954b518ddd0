import { Duration } from 'aws-cdk-lib';
import { CfnRule, type IEventBus } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Environment } from '../../blueprint/environments.ts';
import { eventDoor, eventSourceOf, inputTransformer } from '../../blueprint/event-door.ts';
import { addDeadLetterQueue, addQueue } from './queues.ts';

export interface EventsDoorProps {
  readonly environment: Environment;
  /** Where partners' events arrive. */
  readonly bus: IEventBus;
}

/** Longer would be of no use: a cancel that is an hour late has been paid for. */
const deliveryPolicy = { maximumEventAgeInSeconds: 3_600, maximumRetryAttempts: 185 };

/** The events door: a rule for each partner, bound to the partner's event source, and the queue behind them. */
export class EventsDoor extends Construct {
  readonly queue: Queue;
  /** Messages that the function gave up on. */
  readonly deadLetters: Queue;
  /** Events that EventBridge could not put into the queue. */
  readonly undelivered: Queue;

  constructor(scope: Construct, id: string, { environment, bus }: EventsDoorProps) {
    super(scope, id);
    this.deadLetters = addDeadLetterQueue(this, 'DeadLetters');
    this.undelivered = addDeadLetterQueue(this, 'Undelivered');
    this.queue = addQueue(this, 'Queue', {
      visibilityTimeout: Duration.seconds(eventDoor.visibilityTimeoutSeconds),
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: eventDoor.maxReceives },
    });
    const rules = environment.partners.map(({ partnerId, eventSource = eventSourceOf(partnerId) }) =>
      this.addRule(bus, partnerId, eventSource),
    );
    if (rules.length === 0) return;
    for (const queue of [this.queue, this.undelivered]) {
      queue.addToResourcePolicy(
        new PolicyStatement({
          principals: [new ServicePrincipal('events.amazonaws.com')],
          actions: ['sqs:SendMessage'],
          resources: [queue.queueArn],
          conditions: { ArnEquals: { 'aws:SourceArn': rules.map(({ attrArn }) => attrArn) } },
        }),
      );
    }
  }

  /** Lets the function work on what arrives, each message for itself. */
  deliverTo(handler: IFunction, maxConcurrency: number): void {
    new EventSourceMapping(this, 'Delivery', {
      target: handler,
      eventSourceArn: this.queue.queueArn,
      batchSize: eventDoor.batchSize,
      reportBatchItemFailures: true,
      maxConcurrency,
    });
  }

  /** By L1, since the L2 target builds its own input transformer, and this one is defined once for the local run too. */
  private addRule(bus: IEventBus, partnerId: string, eventSource: string): CfnRule {
    const { paths, template } = inputTransformer(partnerId);
    return new CfnRule(this, `Rule-${partnerId}`, {
      description: `Events of ${eventSource}, as ${partnerId}`,
      eventBusName: bus.eventBusName,
      eventPattern: { source: [eventSource], 'detail-type': eventDoor.detailTypes },
      targets: [
        {
          id: 'Queue',
          arn: this.queue.queueArn,
          inputTransformer: { inputPathsMap: paths, inputTemplate: template },
          retryPolicy: deliveryPolicy,
          deadLetterConfig: { arn: this.undelivered.queueArn },
        },
      ],
    });
  }
}
