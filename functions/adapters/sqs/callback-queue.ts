import { randomUUID } from 'node:crypto';
import { type CallbackMessage, groupOf } from '../../core/callbacks/callback-message.ts';
import type { CallbackQueue } from '../../core/callbacks/ports.ts';
import { DependencyUnavailable } from '../../core/report.ts';
import type { Message, SendMessage } from './send-message.ts';

/** A message as the FIFO queue takes it. */
export function toQueueMessage(message: CallbackMessage): Message {
  return {
    MessageBody: JSON.stringify(message),
    MessageGroupId: groupOf(message),
    // Two messages with the same text are two: a job can escalate and close within the five minutes that SQS compares.
    MessageDeduplicationId: randomUUID(),
  };
}

/**
 * The callbacks queue: FIFO, so that a group has one message at work at a time.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
 */
export function createCallbackQueue(send: SendMessage, queueUrl: string): CallbackQueue {
  return {
    async send(message) {
      try {
        await send(queueUrl, toQueueMessage(message));
      } catch (error) {
        throw new DependencyUnavailable('callbacks', error);
      }
    },
  };
}
