import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import type { AccessKey } from '../access-keys.ts';
import { type AwsJsonEndpoint, parseInput, ServiceError, startAwsJsonEndpoint } from '../aws-json-endpoint.ts';
import { localAccount, localArn } from '../loopback.ts';
import type { DeadLetter, LocalQueue } from './queue.ts';

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
const movesInput = z.object({ SourceArn: z.string(), MaxResults: z.optional(z.int()) });
const sendInput = z.object({ QueueUrl: z.string(), MessageBody: z.string().check(z.minLength(1)) });
const receiveInput = z.object({
  QueueUrl: z.string(),
  MaxNumberOfMessages: z.optional(z.int().check(z.minimum(1), z.maximum(10))),
  VisibilityTimeout: z.optional(z.int().check(z.minimum(0), z.maximum(43_200))),
});
const visibilityInput = z.object({
  QueueUrl: z.string(),
  Entries: z
    .array(z.object({ Id: z.string(), ReceiptHandle: z.string(), VisibilityTimeout: z.optional(z.int()) }))
    .check(z.minLength(1), z.maxLength(10)),
});

export interface QueueEndpoint extends AwsJsonEndpoint {
  /** The URL of the DLQ. */
  readonly deadLettersUrl: string;
  /** From now on calls reach this queue and its DLQ. */
  serve(queue: LocalQueue): void;
}

/**
 * SQS on 127.0.0.1 for a queue and its DLQ, as far as functions and operators use it. A move has ended when it is answered.
 * The endpoint starts before the queue, since functions are told its URL and the queue invokes functions.
 * @param name the queue's
 * @param keys those that may call
 */
export async function startQueueEndpoint(name: string, keys: readonly AccessKey[]): Promise<QueueEndpoint> {
  const dlq = deadLetterName(name);
  let served: LocalQueue | undefined;
  /** The newest first. */
  const moves: object[] = [];
  const queue = (): LocalQueue => {
    if (served === undefined) throw new ServiceError('InternalFailure', 'The queue has not started yet.', 500);
    return served;
  };
  const kindOf = (url: string): 'queue' | 'dlq' => {
    if (url.endsWith(`/${name}`)) return 'queue';
    if (url.endsWith(`/${dlq}`)) return 'dlq';
    throw new ServiceError('com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist.');
  };
  const requireDlq = (url: string): void => {
    if (kindOf(url) === 'dlq') return;
    throw new ServiceError(
      'AccessDeniedException',
      'Only rules may send to this queue, and only its function reads it.',
      403,
    );
  };
  const actions: Record<string, (input: unknown) => object> = {
    GetQueueAttributes(input) {
      const { QueueUrl, AttributeNames = [] } = parseInput(attributesInput, input);
      const bodies = kindOf(QueueUrl) === 'queue' ? queue().waiting() : queue().deadLetters();
      const attributes = {
        QueueArn: localArn('sqs', QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1)),
        ApproximateNumberOfMessages: String(bodies.length),
        ApproximateNumberOfMessagesNotVisible: '0',
        ApproximateNumberOfMessagesDelayed: '0',
      };
      const wanted = Object.entries(attributes).filter(([attribute]) =>
        AttributeNames.some((asked) => asked === 'All' || asked === attribute),
      );
      return { Attributes: Object.fromEntries(wanted) };
    },
    SendMessage(input) {
      const { QueueUrl, MessageBody } = parseInput(sendInput, input);
      requireDlq(QueueUrl);
      return { MessageId: queue().sendToDeadLetters(MessageBody), MD5OfMessageBody: md5(MessageBody) };
    },
    ReceiveMessage(input) {
      const { QueueUrl, MaxNumberOfMessages = 1, VisibilityTimeout = 30 } = parseInput(receiveInput, input);
      requireDlq(QueueUrl);
      const found = queue().receiveDeadLetters(MaxNumberOfMessages, VisibilityTimeout * 1000);
      return { Messages: found.map(toMessage) };
    },
    ChangeMessageVisibilityBatch(input) {
      const { QueueUrl, Entries } = parseInput(visibilityInput, input);
      requireDlq(QueueUrl);
      const results = Entries.map(({ Id, ReceiptHandle, VisibilityTimeout = 0 }) => ({
        Id,
        isThere: queue().hideDeadLetter(ReceiptHandle, VisibilityTimeout * 1000),
      }));
      const failed = { SenderFault: true, Code: 'ReceiptHandleIsInvalid' };
      return {
        Successful: results.filter(({ isThere }) => isThere).map(({ Id }) => ({ Id })),
        Failed: results.filter(({ isThere }) => !isThere).map(({ Id }) => ({ Id, ...failed })),
      };
    },
    StartMessageMoveTask(input) {
      const { SourceArn, DestinationArn = localArn('sqs', name) } = parseInput(moveInput, input);
      if (SourceArn !== localArn('sqs', dlq) || DestinationArn !== localArn('sqs', name)) {
        throw new ServiceError(
          'com.amazonaws.sqs#ResourceNotFoundException',
          'Messages move only from the dead-letter queue back to the queue.',
        );
      }
      const moved = queue().redrive();
      moves.unshift({ SourceArn, DestinationArn, Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: moved });
      return { TaskHandle: Buffer.from(SourceArn).toString('base64') };
    },
    ListMessageMoveTasks(input) {
      const { MaxResults = 1 } = parseInput(movesInput, input);
      return { Results: moves.slice(0, MaxResults) };
    },
  };
  const endpoint = await startAwsJsonEndpoint({ service: 'AmazonSQS', keys, actions });
  return {
    ...endpoint,
    deadLettersUrl: localQueueUrl(endpoint.url, dlq),
    serve(started) {
      served = started;
    },
  };
}

/** A receipt is the message's id: a message of the DLQ is never deleted here. */
function toMessage({ messageId, body, sentAt }: DeadLetter): object {
  return {
    MessageId: messageId,
    ReceiptHandle: messageId,
    Body: body,
    MD5OfBody: md5(body),
    Attributes: { SentTimestamp: String(sentAt) },
  };
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
