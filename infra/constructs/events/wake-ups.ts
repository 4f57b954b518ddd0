import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping, type IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { wakeUpSenders } from '../../blueprint/access/roles.ts';
import { wakeUpQueue } from '../../blueprint/wake-up-queue.ts';
import { addQueue, onlyFromRoles } from './queues.ts';

export interface WakeUpsProps {
  readonly environment: string;
}

/** The wake-up queue, from the functions that leave cancellations open to the one that looks at them again. */
export class WakeUps extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, { environment }: WakeUpsProps) {
    super(scope, id);
    this.queue = addQueue(this, 'Queue', {
      visibilityTimeout: Duration.seconds(wakeUpQueue.visibilityTimeoutSeconds),
      retentionPeriod: Duration.minutes(wakeUpQueue.retentionMinutes),
    });
    onlyFromRoles(this.queue, environment, wakeUpSenders);
  }

  /** Starts the function on what arrives; it reports each failed message separately. */
  deliverTo(handler: IFunction, maxConcurrency: number): void {
    new EventSourceMapping(this, 'Delivery', {
      target: handler,
      eventSourceArn: this.queue.queueArn,
      batchSize: wakeUpQueue.batchSize,
      reportBatchItemFailures: true,
      maxConcurrency,
    });
  }
}
