import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod/mini';
import type { InvocationResult } from '../lambda/container.ts';

export interface QueueOptions {
  /** Invokes the function that the queue is an event source of. */
  readonly invoke: (event: SQSEvent) => Promise<InvocationResult>;
  readonly region: string;
  readonly batchSize: number;
  readonly visibilityTimeoutMs: number;
  /** After as many receives a message that comes back goes to the DLQ. */
  readonly maxReceives: number;
  /** A JSON file that keeps the messages over restarts. @default in memory */
  readonly statePath?: string | undefined;
}

/** A queue with its DLQ, as an event source of a function. */
export interface LocalQueue {
  /** Accepted: it is kept (in `statePath`, if there is one) when this returns. */
  send(body: string): void;
  /** Bodies that wait or are being worked on, oldest first. */
  waiting(): readonly string[];
  /** Bodies in the DLQ, oldest first. */
  deadLetters(): readonly string[];
  /** Moves everything in the DLQ back into the queue. @returns how many */
  redrive(): number;
  /** Hands out nothing more. What is being worked on counts as not done. */
  close(): void;
}

const messageSchema = z.object({
  messageId: z.string(),
  body: z.string(),
  sentAt: z.number(),
  firstReceivedAt: z.optional(z.number()),
  receives: z.number(),
  /** Milliseconds since 1970: handed out to nobody before. */
  visibleAt: z.number(),
});
type Message = z.infer<typeof messageSchema>;
const stateSchema = z.object({ queue: z.array(messageSchema), dlq: z.array(messageSchema) });

/** Batches that are worked on at once. */
const IN_FLIGHT = 2;

const batchAnswerSchema = z.object({
  batchItemFailures: z.nullish(z.array(z.object({ itemIdentifier: z.string() }))),
});

/**
 * What a batch's end means for its messages: those that were reported failed, or all of them when the function failed
 * or named a message that was not in the batch.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
const failedOf = (batch: readonly Message[], result: InvocationResult): ReadonlySet<string> => {
  const all = new Set(batch.map(({ messageId }) => messageId));
  if (result.kind !== 'answered') return all;
  if (result.payload === null || result.payload === undefined) return new Set();
  const { success, data } = batchAnswerSchema.safeParse(result.payload);
  if (!success) return all;
  const named = (data.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
  return named.every((id) => all.has(id)) ? new Set(named) : all;
};

/**
 * An SQS queue as Lambda's event source, on this machine: batches, partial batch answers, redelivery after the
 * visibility timeout, DLQ. At least once, in no sure order.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 */
export const startQueue = (options: QueueOptions): LocalQueue => {
  const { invoke, region, batchSize, visibilityTimeoutMs, maxReceives, statePath } = options;
  const kept = statePath !== undefined && existsSync(statePath) ? readFileSync(statePath, 'utf8') : undefined;
  const state = kept === undefined ? { queue: [], dlq: [] } : stateSchema.parse(JSON.parse(kept));
  let { queue, dlq }: { queue: Message[]; dlq: Message[] } = state;
  const inFlight = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const keep = (): void => {
    if (statePath !== undefined && !isClosed) writeFileSync(statePath, JSON.stringify({ queue, dlq }));
  };

  const toRecord = ({ messageId, body, sentAt, firstReceivedAt, receives }: Message): SQSRecord => ({
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
  });

  const deliver = async (batch: readonly Message[]): Promise<void> => {
    const result = await invoke({ Records: batch.map(toRecord) });
    const failed = failedOf(batch, result);
    queue = queue.filter((message) => !batch.includes(message) || failed.has(message.messageId));
    keep();
  };

  const pump = (): void => {
    clearTimeout(timer);
    if (isClosed) return;
    const now = Date.now();
    const spent = queue.filter(({ visibleAt, receives }) => visibleAt <= now && receives >= maxReceives);
    if (spent.length > 0) {
      dlq = [...dlq, ...spent];
      queue = queue.filter((message) => !spent.includes(message));
      keep();
    }
    const batch =
      inFlight.size < IN_FLIGHT ? queue.filter(({ visibleAt }) => visibleAt <= now).slice(0, batchSize) : [];
    if (batch.length > 0) {
      for (const message of batch) {
        message.receives += 1;
        message.firstReceivedAt ??= now;
        message.visibleAt = now + visibilityTimeoutMs;
      }
      keep();
      // What failed to be invoked at all comes back after its visibility timeout, as in life.
      const delivery = deliver(batch).catch(() => undefined);
      inFlight.add(delivery);
      void delivery.finally(() => inFlight.delete(delivery)).then(pump);
    }
    const next = Math.min(...queue.map(({ visibleAt }) => visibleAt));
    if (Number.isFinite(next)) timer = setTimeout(pump, Math.max(10, next - Date.now()));
  };
  pump();

  return {
    send(body) {
      const now = Date.now();
      queue.push({ messageId: randomUUID(), body, sentAt: now, receives: 0, visibleAt: now });
      keep();
      setImmediate(pump);
    },
    waiting: () => queue.map(({ body }) => body),
    deadLetters: () => dlq.map(({ body }) => body),
    redrive() {
      const moved = dlq.map((message) => ({ ...message, receives: 0, visibleAt: Date.now() }));
      queue = [...queue, ...moved];
      dlq = [];
      keep();
      setImmediate(pump);
      return moved.length;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
};
