import * as z from 'zod/mini';
import type { AccessKey } from '../access-keys.ts';
import { type AwsJsonEndpoint, parseInput, ServiceError, startAwsJsonEndpoint } from '../aws-json-endpoint.ts';
import { localAccount, localArn } from '../loopback.ts';
import type { LocalQueue } from './queue.ts';

/** The name of a queue's DLQ. */
export function deadLetterName(queueName: string): string {
  return `${queueName}-dlq`;
}

/** A queue's URL at an endpoint. SQS identifies queues by URL. */
export function localQueueUrl(endpoint: string, queueName: string): string {
  return `${endpoint}/${localAccount}/${queueName}`;
}

const attributesInput = z.object({ QueueUrl: z.string(), AttributeNames: z.optional(z.array(z.string())) });
const moveInput = z.object({ SourceArn: z.string(), DestinationArn: z.optional(z.string()) });

/**
 * SQS's `GetQueueAttributes` and `StartMessageMoveTask` on 127.0.0.1 for a queue and its DLQ. A move has ended when it is
 * answered.
 * @param keys those that may call
 */
export function startQueueEndpoint(queue: LocalQueue, keys: readonly AccessKey[]): Promise<AwsJsonEndpoint> {
  const dlq = deadLetterName(queue.name);
  const bodiesOf = (url: string): readonly string[] => {
    if (url.endsWith(`/${queue.name}`)) return queue.waiting();
    if (url.endsWith(`/${dlq}`)) return queue.deadLetters();
    throw new ServiceError('com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist.');
  };
  const actions: Record<string, (input: unknown) => object> = {
    GetQueueAttributes(input) {
      const { QueueUrl, AttributeNames = [] } = parseInput(attributesInput, input);
      const attributes = {
        QueueArn: localArn('sqs', QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1)),
        ApproximateNumberOfMessages: String(bodiesOf(QueueUrl).length),
        ApproximateNumberOfMessagesNotVisible: '0',
        ApproximateNumberOfMessagesDelayed: '0',
      };
      const wanted = Object.entries(attributes).filter(([name]) =>
        AttributeNames.some((asked) => asked === 'All' || asked === name),
      );
      return { Attributes: Object.fromEntries(wanted) };
    },
    StartMessageMoveTask(input) {
      const { SourceArn, DestinationArn = localArn('sqs', queue.name) } = parseInput(moveInput, input);
      if (SourceArn !== localArn('sqs', dlq) || DestinationArn !== localArn('sqs', queue.name)) {
        throw new ServiceError(
          'com.amazonaws.sqs#ResourceNotFoundException',
          'Messages move only from the dead-letter queue back to the queue.',
        );
      }
      queue.redrive();
      return { TaskHandle: Buffer.from(SourceArn).toString('base64') };
    },
  };
  return startAwsJsonEndpoint({ service: 'AmazonSQS', keys, actions });
}
