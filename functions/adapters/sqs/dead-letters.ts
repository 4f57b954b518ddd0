import { DependencyUnavailable } from '../../core/report.ts';
import type { SendMessage } from './send-message.ts';

/**
 * Puts messages into a dead-letter queue at once. SQS itself moves a message there only after its last receive.
 * @returns a function that resolves when the queue has the message @throws DependencyUnavailable
 */
export function createDeadLetters(send: SendMessage, queueUrl: string): (body: string) => Promise<void> {
  return async (body) => {
    try {
      await send(queueUrl, { MessageBody: body });
    } catch (error) {
      throw new DependencyUnavailable('dead-letters', error);
    }
  };
}
