import { Duration } from 'aws-cdk-lib';
import { CfnRule, type IEventBus } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { eventDoor, eventSourceOf, inputTransformer } from '../../blueprint/bus-events.ts';
import type { Environment } from '../../blueprint/environment-schema.ts';
import { addDeadLetterQueue, addQueue } from './queues.ts';

export interface EventDoorProps {
  readonly environment: Environment;
  /** Where partners' events arrive. */
  readonly bus: IEventBus;
}

/** Not longer: an hour late, a cancel saves nothing any more. */
const deliveryPolicy = { maximumEventAgeInSeconds: 3_600, maximumRetryAttempts: 185 };

/** A rule for each partner, bound to the partner's event source, and the queue behind the rules. */
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
