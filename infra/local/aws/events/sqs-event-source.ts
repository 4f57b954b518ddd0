import { createHash, randomUUID } from 'node:crypto';
import type { SQSRecord } from 'aws-lambda';
import * as z from 'zod/mini';
import type { InvocationResult } from '../lambda/container.ts';
import type { Message } from './kept-messages.ts';

const batchAnswerSchema = z.object({
  batchItemFailures: z.nullish(z.array(z.object({ itemIdentifier: z.string() }))),
});

/**
 * What a batch's end means for its messages: the ids of those that were reported failed, or of all when the function
 * failed, timed out, was never invoked, answered something else, or named a message that was not in the batch.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export const failedOf = (batch: readonly Message[], result: InvocationResult | undefined): ReadonlySet<string> => {
  const all = new Set(batch.map(({ messageId }) => messageId));
  if (result?.kind !== 'answered') return all;
  if (result.payload === null || result.payload === undefined) return new Set();
  const { success, data } = batchAnswerSchema.safeParse(result.payload);
  if (!success) return all;
  const named = (data.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
  return named.every((id) => all.has(id)) ? new Set(named) : all;
};

/** A message as Lambda hands it to a function, with the attributes of one that EventBridge sent. */
export const toRecord = (message: Message, region: string): SQSRecord => {
  const { messageId, body, sentAt, firstReceivedAt, receives } = message;
  return {
    messageId,
    receiptHandle: randomUUID(),
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: String(sentAt),
      SenderId: 'events.amazonaws.com',
      ApproximateFirstReceiveTimestamp: String(firstReceivedAt ?? sentAt),
    },
    messageAttributes: {},
    md5OfBody: createHash('md5').update(body).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:${region}:000000000000:cancellation-events`,
    awsRegion: region,
  };
};
