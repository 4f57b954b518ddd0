import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { addDeadLetterQueue } from './queues.ts';

export interface MinuteScheduleProps {
  readonly description: string;
  readonly everyMinutes: number;
}

/** Starts functions that look for what is due. A missed run is not repeated: the next one finds the same work. */
export class MinuteSchedules extends Construct {
  /** Runs that did not start, or failed. */
  readonly missed: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.missed = addDeadLetterQueue(this, 'Missed');
  }

  /** @param id of the rule */
  start(id: string, alias: Alias, { description, everyMinutes }: MinuteScheduleProps): void {
    const every = Duration.minutes(everyMinutes);
    alias.configureAsyncInvoke({ maxEventAge: every, retryAttempts: 0, onFailure: new SqsDestination(this.missed) });
    new Rule(this, id, {
      description,
      schedule: Schedule.rate(every),
      targets: [new LambdaFunction(alias, { deadLetterQueue: this.missed, maxEventAge: every, retryAttempts: 1 })],
    });
  }
}
