import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { sealSchedule } from '../../blueprint/functions.ts';
import { logReaders } from '../../blueprint/streams/log-readers.ts';
import type { BundledFunction } from '../bundled-function.ts';
import { addDeadLetterQueue } from '../events/queues.ts';
import { StreamTrigger } from '../events/stream-trigger.ts';

/** Puts every change of the log into the archive, and seals it by schedule. */
export class Archiving extends Construct {
  /** Each message says where in the stream the records are that the archive did not take: a gap. */
  readonly undelivered: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.undelivered = addDeadLetterQueue(this, 'Undelivered');
  }

  /** @param streamArn of the cancellation log */
  archiveBy(handler: BundledFunction, streamArn: string): void {
    new StreamTrigger(this, 'Log', { reader: logReaders.archive, streamArn, handler, undelivered: this.undelivered });
  }

  /**
   * What a run does not seal, the next one seals.
   * @param missed gets the runs that did not start
   */
  sealBy({ alias }: BundledFunction, missed: Queue): void {
    new Rule(this, 'Rule', {
      description: 'Seals the archive',
      schedule: Schedule.rate(Duration.minutes(sealSchedule.everyMinutes)),
      targets: [
        new LambdaFunction(alias, { deadLetterQueue: missed, maxEventAge: Duration.hours(1), retryAttempts: 2 }),
      ],
    });
  }
}
