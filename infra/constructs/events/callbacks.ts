import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping, type IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { callbackSenders } from '../../blueprint/access/roles.ts';
import { callbackQueue } from '../../blueprint/callbacks.ts';
import { addDeadLetterQueue, addQueue, onlyFromRoles } from './queues.ts';

export interface CallbacksProps {
  readonly environment: string;
}

/** The callbacks' queue, from the function that follows the log to the one that delivers, which also sends the next attempts. */
export class Callbacks extends Construct {
  readonly queue: Queue;
  /** Messages that the function gave up. */
  readonly givenUp: Queue;

  constructor(scope: Construct, id: string, { environment }: CallbacksProps) {
    super(scope, id);
    this.givenUp = addDeadLetterQueue(this, 'DeadLetters');
    // Fair: its messages have groups, so those of a partner whose endpoint is slow do not delay another partner's.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
    this.queue = addQueue(this, 'Queue', {
      visibilityTimeout: Duration.seconds(callbackQueue.visibilityTimeoutSeconds),
      retentionPeriod: Duration.days(callbackQueue.retentionDays),
      deadLetterQueue: { queue: this.givenUp, maxReceiveCount: callbackQueue.maxReceives },
    });
    onlyFromRoles(this.queue, environment, callbackSenders);
    // What is in the dead-letter queue can be sent again, so it is guarded alike: SQS alone puts something there.
    onlyFromRoles(this.givenUp, environment, []);
  }

  /** Starts the function on what arrives; it reports each failed message separately. */
  deliverTo(handler: IFunction, maxConcurrency: number): void {
    new EventSourceMapping(this, 'Delivery', {
      target: handler,
      eventSourceArn: this.queue.queueArn,
      batchSize: callbackQueue.batchSize,
      reportBatchItemFailures: true,
      maxConcurrency,
    });
  }
}
