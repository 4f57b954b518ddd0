import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { DependencyUnavailable } from '../core/report.ts';

/**
 * Puts messages into a dead-letter queue at once. SQS itself moves a message there only after its last receive.
 * @returns a function that resolves when the queue has the message @throws DependencyUnavailable
 */
export function createDeadLetters(client: SQSClient, queueUrl: string): (body: string) => Promise<void> {
  return async (body) => {
    try {
      await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
    } catch (error) {
      throw new DependencyUnavailable('dead-letters', error);
    }
  };
}
