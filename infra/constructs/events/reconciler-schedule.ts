import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { reconcilerSchedule } from '../../blueprint/functions.ts';
import { addDeadLetterQueue } from './queues.ts';

/** Starts the reconciler. A missed run is not repeated: the next one finds the same wake-ups due. */
export class ReconcilerSchedule extends Construct {
  /** Runs that did not start, or failed. */
  readonly missed: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.missed = addDeadLetterQueue(this, 'Missed');
  }

  start(reconciler: Alias): void {
    const every = Duration.minutes(reconcilerSchedule.everyMinutes);
    reconciler.configureAsyncInvoke({
      maxEventAge: every,
      retryAttempts: 0,
      onFailure: new SqsDestination(this.missed),
    });
    new Rule(this, 'Rule', {
      description: 'Wakes the reconciler',
      schedule: Schedule.rate(every),
      targets: [new LambdaFunction(reconciler, { deadLetterQueue: this.missed, maxEventAge: every, retryAttempts: 1 })],
    });
  }
}
