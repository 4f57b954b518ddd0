import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { logReaders } from '../../blueprint/streams/log-readers.ts';
import type { BundledFunction } from '../bundled-function.ts';
import { addDeadLetterQueue } from './queues.ts';
import { StreamTrigger } from './stream-trigger.ts';

/**
 * Announces on the bus, from the log's stream, every closed cancellation and every event that was refused: at least once,
 * and only what is in the log.
 */
export class OutgoingEvents extends Construct {
  /** Each message says where in the stream the records are that the bus did not take. */
  readonly undelivered: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.undelivered = addDeadLetterQueue(this, 'Undelivered');
  }

  /** @param streamArn of the cancellation log */
  announceBy(handler: BundledFunction, streamArn: string): void {
    new StreamTrigger(this, 'Log', { reader: logReaders.announce, streamArn, handler, undelivered: this.undelivered });
  }
}
