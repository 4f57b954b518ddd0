import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import type { AccessKey } from '../access-keys.ts';
import {
  type AwsJsonEndpoint,
  type Caller,
  parseInput,
  ServiceError,
  startAwsJsonEndpoint,
} from '../aws-json-endpoint.ts';
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

/** By which every action names its queue. */
const namingInput = z.object({ QueueUrl: z.optional(z.string()), SourceArn: z.optional(z.string()) });
const attributesInput = z.object({ QueueUrl: z.string(), AttributeNames: z.optional(z.array(z.string())) });
const moveInput = z.object({ SourceArn: z.string(), DestinationArn: z.optional(z.string()) });
const movesInput = z.object({ SourceArn: z.string(), MaxResults: z.optional(z.int()) });
const sendInput = z.object({
  QueueUrl: z.string(),
  MessageBody: z.string().check(z.minLength(1)),
  DelaySeconds: z.optional(z.int().check(z.minimum(0), z.maximum(900))),
  MessageGroupId: z.optional(z.string().check(z.minLength(1), z.maxLength(128))),
  MessageDeduplicationId: z.optional(z.string().check(z.minLength(1), z.maxLength(128))),
});
const receiveInput = z.object({
  QueueUrl: z.string(),
  MaxNumberOfMessages: z.optional(z.int().check(z.minimum(1), z.maximum(10))),
  VisibilityTimeout: z.optional(z.int().check(z.minimum(0), z.maximum(43_200))),
});
const deleteInput = z.object({ QueueUrl: z.string(), ReceiptHandle: z.string() });
const visibilityInput = z.object({
  QueueUrl: z.string(),
  Entries: z
    .array(z.object({ Id: z.string(), ReceiptHandle: z.string(), VisibilityTimeout: z.optional(z.int()) }))
    .check(z.minLength(1), z.maxLength(10)),
});

export interface QueueDefinition {
  readonly name: string;
  /** `by rules`: callers send only to its DLQ, and look at that. */
  readonly sentTo: 'by rules' | 'by callers';
  readonly hasDeadLetters: boolean;
}

/** A caller that may do what its role says. */
export interface QueueCaller {
  readonly accessKey: AccessKey;
  /** @param action `sqs:SendMessage` @param queueName of the queue, or of its DLQ */
  readonly mayCall: (call: { readonly action: string; readonly queueName: string }) => boolean;
}

export interface QueueEndpoint extends AwsJsonEndpoint {
  /** From now on calls reach this queue, and its DLQ if it has one. */
  serve(queue: LocalQueue): void;
}

/** The queue that a call names, or its DLQ. */
interface Target extends QueueDefinition {
  readonly part: 'queue' | 'dlq';
  readonly queue: LocalQueue;
}

/**
 * SQS on 127.0.0.1 for queues and their DLQs, as far as functions and operators use it. A move has ended when it is
 * answered. The endpoint starts before the queues, since functions are told its URL and queues invoke functions.
 * @param keys whose holders may call everything
 */
export async function startQueueEndpoint(
  definitions: readonly QueueDefinition[],
  keys: readonly AccessKey[],
  callers: readonly QueueCaller[] = [],
): Promise<QueueEndpoint> {
  const served = new Map<string, LocalQueue>();
  /** The newest first. */
  const moves: Readonly<Record<'SourceArn' | 'DestinationArn' | 'Status', string>>[] = [];

  const find = (urlOrArn: string): Target => {
    for (const definition of definitions) {
      const { name, hasDeadLetters } = definition;
      const dlq = hasDeadLetters ? deadLetterName(name) : undefined;
      const named = queueNameIn(urlOrArn);
      if (named !== name && named !== dlq) continue;
      const queue = served.get(name);
      if (queue === undefined) throw new ServiceError('InternalFailure', 'The queue has not started yet.', 500);
      return { ...definition, part: named === name ? 'queue' : 'dlq', queue };
    }
    throw new ServiceError('com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist.');
  };
  const findDlq = (url: string): LocalQueue => {
    const { part, queue } = find(url);
    if (part === 'dlq') return queue;
    throw new ServiceError('AccessDeniedException', 'Only its function reads this queue.', 403);
  };
  const actions: Record<string, (input: unknown) => object> = {
    GetQueueAttributes(input) {
      const { QueueUrl, AttributeNames = [] } = parseInput(attributesInput, input);
      const { part, queue } = find(QueueUrl);
      const delayed = part === 'queue' ? queue.delayed().length : 0;
      const bodies = part === 'queue' ? queue.waiting() : queue.deadLetters();
      const attributes = {
        QueueArn: localArn('sqs', QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1)),
        ApproximateNumberOfMessages: String(bodies.length - delayed),
        ApproximateNumberOfMessagesNotVisible: '0',
        ApproximateNumberOfMessagesDelayed: String(delayed),
      };
      const wanted = Object.entries(attributes).filter(([attribute]) =>
        AttributeNames.some((asked) => asked === 'All' || asked === attribute),
      );
      return { Attributes: Object.fromEntries(wanted) };
    },
    SendMessage(input) {
      const { QueueUrl, MessageBody, DelaySeconds = 0, MessageGroupId } = parseInput(sendInput, input);
      const { part, sentTo, queue } = find(QueueUrl);
      if (part === 'queue' && sentTo === 'by rules') {
        throw new ServiceError('AccessDeniedException', 'Only rules may send to this queue.', 403);
      }
      const MessageId =
        part === 'dlq'
          ? queue.sendToDeadLetters(MessageBody)
          : queue.send(MessageBody, MessageGroupId, DelaySeconds * 1000);
      return { MessageId, MD5OfMessageBody: md5(MessageBody) };
    },
    ReceiveMessage(input) {
      const { QueueUrl, MaxNumberOfMessages = 1, VisibilityTimeout = 30 } = parseInput(receiveInput, input);
      const found = findDlq(QueueUrl).receiveDeadLetters(MaxNumberOfMessages, VisibilityTimeout * 1000);
      return { Messages: found.map(toMessage) };
    },
    DeleteMessage(input) {
      const { QueueUrl, ReceiptHandle } = parseInput(deleteInput, input);
      // As SQS: a message that is gone already is no error.
      findDlq(QueueUrl).deleteDeadLetter(ReceiptHandle);
      return {};
    },
    ChangeMessageVisibilityBatch(input) {
      const { QueueUrl, Entries } = parseInput(visibilityInput, input);
      const queue = findDlq(QueueUrl);
      const results = Entries.map(({ Id, ReceiptHandle, VisibilityTimeout = 0 }) => ({
        Id,
        isThere: queue.hideDeadLetter(ReceiptHandle, VisibilityTimeout * 1000),
      }));
      const failed = { SenderFault: true, Code: 'ReceiptHandleIsInvalid' };
      return {
        Successful: results.filter(({ isThere }) => isThere).map(({ Id }) => ({ Id })),
        Failed: results.filter(({ isThere }) => !isThere).map(({ Id }) => ({ Id, ...failed })),
      };
    },
    StartMessageMoveTask(input) {
      const { SourceArn, DestinationArn: wanted } = parseInput(moveInput, input);
      const { part, name, queue } = find(SourceArn);
      const DestinationArn = localArn('sqs', name);
      if (part !== 'dlq' || (wanted ?? DestinationArn) !== DestinationArn) {
        throw new ServiceError(
          'com.amazonaws.sqs#ResourceNotFoundException',
          'Messages move only from the dead-letter queue back to the queue.',
        );
      }
      const moved = queue.redrive();
      const done = { SourceArn, DestinationArn, Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: moved };
      moves.unshift(done);
      return { TaskHandle: Buffer.from(SourceArn).toString('base64') };
    },
    ListMessageMoveTasks(input) {
      const { SourceArn, MaxResults = 1 } = parseInput(movesInput, input);
      return { Results: moves.filter((move) => move.SourceArn === SourceArn).slice(0, MaxResults) };
    },
  };
  const allowed = Object.entries(actions).map(([name, act]) => {
    const action = `sqs:${name}`;
    return [
      name,
      (input: unknown, { accessKeyId }: Caller) => {
        const caller = callers.find(({ accessKey }) => accessKey.accessKeyId === accessKeyId);
        const { QueueUrl, SourceArn = '' } = parseInput(namingInput, input);
        const queueName = queueNameIn(QueueUrl ?? SourceArn);
        if (caller?.mayCall({ action, queueName }) !== false) return act(input);
        throw new ServiceError('AccessDeniedException', `The role does not allow ${action} on ${queueName}.`, 403);
      },
    ] as const;
  });
  const endpoint = await startAwsJsonEndpoint({
    service: 'AmazonSQS',
    keys: [...keys, ...callers.map(({ accessKey }) => accessKey)],
    actions: Object.fromEntries(allowed),
  });
  return {
    ...endpoint,
    serve(queue) {
      served.set(queue.name, queue);
    },
  };
}

function queueNameIn(urlOrArn: string): string {
  return urlOrArn.slice(urlOrArn.search(/[^/:]*$/));
}

/** A receipt is the message's id: its reader may delete a message that was handed out to another one since. */
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
