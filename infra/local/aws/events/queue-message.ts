import { createHash, randomUUID } from 'node:crypto';
import type { SQSRecord } from 'aws-lambda';
import * as z from 'zod/mini';
import { localArn, localRegion } from '../loopback.ts';

/** A message as a queue keeps it. */
export const messageSchema = z.object({
  messageId: z.string(),
  body: z.string(),
  /** Its `MessageGroupId`. */
  group: z.optional(z.string()),
  /** Milliseconds since 1970, as all times here. */
  sentAt: z.number(),
  firstReceivedAt: z.optional(z.number()),
  receives: z.number(),
  /** Not handed out before. */
  visibleAt: z.number(),
});
export type Message = z.infer<typeof messageSchema>;

export function newMessage(body: string, group?: string, delayMs = 0): Message {
  const now = Date.now();
  return { messageId: randomUUID(), body, group, sentAt: now, receives: 0, visibleAt: now + delayMs };
}

/** A message as Lambda hands it to a function, with the attributes of one that EventBridge sent. */
export function toRecord(message: Message, queueName: string): SQSRecord {
  const { messageId, body, group, sentAt, firstReceivedAt, receives } = message;
  return {
    messageId,
    receiptHandle: randomUUID(),
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: String(sentAt),
      SenderId: 'events.amazonaws.com',
      ApproximateFirstReceiveTimestamp: String(firstReceivedAt ?? sentAt),
      ...(group !== undefined && { MessageGroupId: group }),
    },
    messageAttributes: {},
    md5OfBody: createHash('md5').update(body).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: localArn('sqs', queueName),
    awsRegion: localRegion,
  };
}
