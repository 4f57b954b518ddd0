import { randomUUID } from 'node:crypto';
import type { SQSEvent } from 'aws-lambda';
import type { InvocationResult } from '../lambda/container.ts';
import { type Message, readMessages, writeMessages } from './kept-messages.ts';
import { failedOf, toRecord } from './sqs-event-source.ts';

export interface QueueOptions {
  /** Invokes the function that the queue is an event source of. */
  readonly invoke: (event: SQSEvent) => Promise<InvocationResult>;
  readonly region: string;
  readonly batchSize: number;
  /** A message that failed comes back this long after it was handed out. */
  readonly visibilityTimeoutMs: number;
  /** After as many receives a message that comes back goes to the DLQ. */
  readonly maxReceives: number;
  /** A JSON file that keeps the messages over restarts. @default in memory */
  readonly statePath?: string | undefined;
}

/** A queue with its DLQ, as an event source of a function. */
export interface LocalQueue {
  /** Accepted: it is kept (in `statePath`, if there is one) when this returns. @throws when it cannot be kept */
  send(body: string): void;
  /** Bodies that wait or are being worked on, oldest first. */
  waiting(): readonly string[];
  /** Bodies in the DLQ, oldest first. */
  deadLetters(): readonly string[];
  /** Moves everything in the DLQ back into the queue, as new messages. @returns how many */
  redrive(): number;
  /** Hands out nothing more. What is being worked on counts as not done. */
  close(): void;
}

/** Batches that are worked on at once. */
const BATCHES_AT_ONCE = 2;

const newMessage = (body: string): Message => {
  const now = Date.now();
  return { messageId: randomUUID(), body, sentAt: now, receives: 0, visibleAt: now };
};

/**
 * An SQS queue as Lambda's event source, on this machine: batches, partial batch answers, redelivery after the
 * visibility timeout, DLQ. At least once, in no sure order.
 *
 * A message is handed out to one invocation at a time however short the visibility timeout is: AWS lets none be shorter
 * than the function's own.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 * @throws when `statePath` is there but holds something else
 */
export const startQueue = (options: QueueOptions): LocalQueue => {
  const { invoke, region, batchSize, visibilityTimeoutMs, maxReceives, statePath } = options;
  let { queue, dlq } = readMessages(statePath);
  /** Messages that are being worked on. */
  const handedOut = new Set<Message>();
  let batches = 0;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  /** Kept first, in force then: what cannot be kept is as if it had never come. */
  const change = (next: { readonly queue?: readonly Message[]; readonly dlq?: readonly Message[] }): void => {
    const messages = { queue, dlq, ...next };
    writeMessages(statePath, messages);
    ({ queue, dlq } = messages);
  };

  const deliver = async (batch: readonly Message[]): Promise<void> => {
    // What could not be invoked at all comes back after its visibility timeout, as in life.
    const result = await invoke({ Records: batch.map((message) => toRecord(message, region)) }).catch(() => undefined);
    if (isClosed) return;
    const failed = failedOf(batch, result);
    change({ queue: queue.filter((message) => !batch.includes(message) || failed.has(message.messageId)) });
  };

  const handOut = (batch: readonly Message[], now: number): void => {
    for (const message of batch) {
      message.receives += 1;
      message.firstReceivedAt ??= now;
      message.visibleAt = now + visibilityTimeoutMs;
      handedOut.add(message);
    }
    change({});
    batches += 1;
    void deliver(batch).finally(() => {
      batches -= 1;
      for (const message of batch) handedOut.delete(message);
      pump();
    });
  };

  const pump = (): void => {
    clearTimeout(timer);
    if (isClosed) return;
    const now = Date.now();
    const idle = queue.filter((message) => !handedOut.has(message));
    const visible = idle.filter(({ visibleAt }) => visibleAt <= now);
    const spent = visible.filter(({ receives }) => receives >= maxReceives);
    if (spent.length > 0) {
      change({ queue: queue.filter((message) => !spent.includes(message)), dlq: [...dlq, ...spent] });
    }
    const ready = visible.filter((message) => !spent.includes(message));
    // What finds no room now goes out when a batch ends.
    for (let room = BATCHES_AT_ONCE - batches; room > 0 && ready.length > 0; room -= 1) {
      handOut(ready.splice(0, batchSize), now);
    }
    const next = Math.min(...idle.filter(({ visibleAt }) => visibleAt > now).map(({ visibleAt }) => visibleAt));
    if (Number.isFinite(next)) timer = setTimeout(pump, next - now);
  };
  const pumpSoon = (): void => void setImmediate(pump);
  pumpSoon();

  return {
    send(body) {
      change({ queue: [...queue, newMessage(body)] });
      pumpSoon();
    },
    waiting: () => queue.map(({ body }) => body),
    deadLetters: () => dlq.map(({ body }) => body),
    redrive() {
      const moved = dlq.map(({ body }) => newMessage(body));
      change({ queue: [...queue, ...moved], dlq: [] });
      pumpSoon();
      return moved.length;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
};
