import { randomUUID } from 'node:crypto';
import { groupOf } from '../../core/callbacks/callback-message.ts';
import type { CallbackQueue } from '../../core/callbacks/ports.ts';
import { DependencyUnavailable } from '../../core/report.ts';
import type { SendMessage } from './send-message.ts';

/**
 * The callbacks queue: FIFO, so that a group has one message at work at a time.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
 */
export function createCallbackQueue(send: SendMessage, queueUrl: string): CallbackQueue {
  return {
    async send(message) {
      try {
        await send(queueUrl, {
          MessageBody: JSON.stringify(message),
          MessageGroupId: groupOf(message),
          // Two messages with the same text are two: a job can escalate and close within the five minutes that SQS compares.
          MessageDeduplicationId: randomUUID(),
        });
      } catch (error) {
        throw new DependencyUnavailable('callbacks', error);
      }
    },
  };
}
