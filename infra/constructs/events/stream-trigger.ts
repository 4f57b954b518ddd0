import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { StreamReader } from '../../blueprint/streams/log-readers.ts';
import type { BundledFunction } from '../bundled-function.ts';

export interface StreamTriggerProps {
  readonly reader: StreamReader;
  readonly streamArn: string;
  /** The reader's function: its role must allow to read the stream and to send to the queue. */
  readonly handler: BundledFunction;
  /** Gets where in the stream the records are that the function could not handle to the end. */
  readonly undelivered: Queue;
}

/** Starts a function on the records of a table's stream: in order for each key, at least once. */
export class StreamTrigger extends Construct {
  constructor(scope: Construct, id: string, { reader, streamArn, handler, undelivered }: StreamTriggerProps) {
    super(scope, id);
    const { patterns, batchSize, windowSeconds = 0, reportsFailures, retries } = reader;
    new EventSourceMapping(this, 'Mapping', {
      target: handler.alias,
      eventSourceArn: streamArn,
      // A new one reads the last day again, rather than leave a record out.
      startingPosition: StartingPosition.TRIM_HORIZON,
      filters: patterns.map((pattern) => ({ pattern: JSON.stringify(pattern) })),
      batchSize,
      maxBatchingWindow: Duration.seconds(windowSeconds),
      reportBatchItemFailures: reportsFailures,
      // One record that fails does not take the others of its batch with it.
      bisectBatchOnError: true,
      retryAttempts: retries.attempts,
      maxRecordAge: Duration.seconds(retries.maxAgeSeconds),
      onFailure: new SqsDlq(undelivered),
    });
  }
}
