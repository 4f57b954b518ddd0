import type { IEventBus } from 'aws-cdk-lib/aws-events';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { outgoingEvents } from '../../blueprint/bus-events.ts';
import type { Environment } from '../../blueprint/environment-schema.ts';
import { ExactRole } from '../exact-role.ts';
import { addDeadLetterQueue } from './queues.ts';

export interface OutgoingEventsProps {
  readonly environment: Environment;
  readonly bus: IEventBus;
  /** Of the cancellation log. */
  readonly streamArn: string;
}

/**
 * Announces on the bus, from the log's stream, every closed cancellation and every event that was refused: at least once,
 * and only what is in the log. A pipe polls, filters and repeats by itself.
 */
export class OutgoingEvents extends Construct {
  /** Each message says where in the stream the records are that the bus did not take. */
  readonly undelivered: Queue;
  /** Of both pipes, and the only principal that may put these events. */
  readonly roleArn: string;

  constructor(scope: Construct, id: string, { environment, bus, streamArn }: OutgoingEventsProps) {
    super(scope, id);
    this.undelivered = addDeadLetterQueue(this, 'Undelivered');
    const { role } = new ExactRole(this, 'Permissions', {
      name: 'outgoing-events',
      environment: environment.name,
      assumedBy: new ServicePrincipal('pipes.amazonaws.com'),
      arns: {
        CancellationLogStream: streamArn,
        EventBus: bus.eventBusArn,
        OutgoingEventsUndelivered: this.undelivered.queueArn,
      },
    });
    this.roleArn = role.roleArn;
    for (const [name, event] of Object.entries(outgoingEvents)) {
      new CfnPipe(this, `${name}Pipe`, {
        description: `${event.detailType}, ${environment.name}`,
        roleArn: role.roleArn,
        source: streamArn,
        sourceParameters: {
          filterCriteria: { filters: [{ pattern: JSON.stringify(event.pattern) }] },
          dynamoDbStreamParameters: {
            // A new pipe announces the last day again, rather than leave an event out.
            startingPosition: 'TRIM_HORIZON',
            // The maximum of one PutEvents.
            batchSize: 10,
            onPartialBatchItemFailure: 'AUTOMATIC_BISECT',
            maximumRetryAttempts: 185,
            maximumRecordAgeInSeconds: 3_600,
            deadLetterConfig: { arn: this.undelivered.queueArn },
          },
        },
        target: bus.eventBusArn,
        targetParameters: {
          eventBridgeEventBusParameters: { source: event.source, detailType: event.detailType },
          inputTemplate: event.template,
        },
      });
    }
  }
}
