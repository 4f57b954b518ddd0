import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping, type IFunction } from 'aws-cdk-lib/aws-lambda';
import { DeduplicationScope, FifoThroughputLimit, type Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { callbackSenders } from '../../blueprint/access/roles.ts';
import { callbackQueue } from '../../blueprint/callbacks.ts';
import { addDeadLetterQueue, addQueue, onlyFromRoles } from './queues.ts';

/** High throughput: no limit for all groups together. @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/high-throughput-fifo.html */
const fifo = {
  fifo: true,
  deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
  fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
} as const;

export interface CallbacksProps {
  readonly environment: string;
}

/** The callbacks' queue, from the function that follows the log to the one that delivers, which also sends there what is due again. */
export class Callbacks extends Construct {
  readonly queue: Queue;
  /** Messages that the function gave up. */
  readonly givenUp: Queue;

  constructor(scope: Construct, id: string, { environment }: CallbacksProps) {
    super(scope, id);
    this.givenUp = addDeadLetterQueue(this, 'DeadLetters', fifo);
    // A group has one message at work: a partner whose endpoint is slow holds its own turns, and no other partner's.
    this.queue = addQueue(this, 'Queue', {
      ...fifo,
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
