import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createAwsCall } from '../call-aws.ts';

export interface Message {
  readonly MessageBody: string;
  /** From 0 to 900: the queue hides the message for so long. */
  readonly DelaySeconds?: number;
  /** The sender that a fair queue counts the message for; of a FIFO queue, what the message shares its turn with. */
  readonly MessageGroupId?: string;
  /** Of a FIFO queue, which takes one of two with the same id within five minutes. */
  readonly MessageDeduplicationId?: string;
}

/** Resolves when the queue has the message, and rejects when that is not certain. */
export type SendMessage = (queueUrl: string, message: Message) => Promise<void>;

/**
 * Sends messages to SQS queues: a second copy of a message does no harm.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export function createSendMessage(client: Pick<DynamoDBClient, 'config'>): SendMessage {
  const call = createAwsCall(client, ['sqs', 'AmazonSQS.SendMessage', '1.0']);
  return async (queueUrl, message) => {
    (await call(queueUrl, { QueueUrl: queueUrl, ...message })).resume();
  };
}
