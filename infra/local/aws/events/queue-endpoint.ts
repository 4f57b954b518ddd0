import * as z from 'zod/mini';
import { type AwsJsonEndpoint, parseInput, ServiceError, startAwsJsonEndpoint } from '../aws-json-endpoint.ts';
import type { LocalQueue } from './queue.ts';

const account = '000000000000';
/** As the stack's: the events queue and what it gave up on. */
export const localQueueNames = { events: 'cancellation-events', deadLetters: 'cancellation-events-dlq' } as const;

/** A queue's URL at this endpoint: SQS knows queues by URL. */
export const localQueueUrl = (endpoint: string, queue: keyof typeof localQueueNames): string =>
  `${endpoint}/${account}/${localQueueNames[queue]}`;

const attributesInput = z.object({ QueueUrl: z.string(), AttributeNames: z.optional(z.array(z.string())) });
const moveInput = z.object({ SourceArn: z.string(), DestinationArn: z.optional(z.string()) });

const arnOf = (region: string, name: string): string => `arn:aws:sqs:${region}:${account}:${name}`;

/**
 * SQS's `GetQueueAttributes` and `StartMessageMoveTask` (AWS JSON 1.0) on 127.0.0.1 for the local queue and its DLQ,
 * close enough for the SDK and the AWS CLI. A move is over when its answer comes.
 */
export const startQueueEndpoint = ({
  queue,
  region,
}: {
  readonly queue: LocalQueue;
  readonly region: string;
}): Promise<AwsJsonEndpoint> => {
  const actions: Record<string, (input: unknown) => object> = {
    GetQueueAttributes(input) {
      const { QueueUrl, AttributeNames = [] } = parseInput(attributesInput, input);
      const name = Object.values(localQueueNames).find((known) => QueueUrl.endsWith(`/${known}`));
      if (name === undefined) {
        throw new ServiceError('com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist.');
      }
      const bodies = name === localQueueNames.events ? queue.waiting() : queue.deadLetters();
      const attributes = {
        QueueArn: arnOf(region, name),
        ApproximateNumberOfMessages: String(bodies.length),
        ApproximateNumberOfMessagesNotVisible: '0',
        ApproximateNumberOfMessagesDelayed: '0',
      };
      const isAsked = ([attribute]: [string, string]) =>
        AttributeNames.includes('All') || AttributeNames.includes(attribute);
      return { Attributes: Object.fromEntries(Object.entries(attributes).filter(isAsked)) };
    },
    StartMessageMoveTask(input) {
      const { SourceArn, DestinationArn } = parseInput(moveInput, input);
      const isBack = DestinationArn === undefined || DestinationArn === arnOf(region, localQueueNames.events);
      if (SourceArn !== arnOf(region, localQueueNames.deadLetters) || !isBack) {
        throw new ServiceError(
          'com.amazonaws.sqs#ResourceNotFoundException',
          'Messages move from the dead-letter queue back to the queue alone.',
        );
      }
      queue.redrive();
      return { TaskHandle: Buffer.from(SourceArn).toString('base64') };
    },
  };
  return startAwsJsonEndpoint({ service: 'AmazonSQS', actions });
};
