import type { SQSEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import type { InvocationResult } from '../lambda/container.ts';
import { stateFile } from '../store/state-file.ts';
import { failedOf } from './failed-items.ts';
import { firstOfGroups, inFairOrder } from './fair-order.ts';
import { type Message, messageSchema, newMessage, toRecord } from './queue-message.ts';

export interface QueueOptions {
  readonly name: string;
  /** Invokes the function that the queue is an event source of. */
  readonly invoke: (event: SQSEvent) => Promise<InvocationResult>;
  readonly batchSize: number;
  /** How many batches are worked on at the same time: the event source's maximum concurrency. @default 2 */
  readonly batchesAtOnce?: number | undefined;
  /** FIFO: of a group, the next message is handed out once the one before it is done. @default a standard queue */
  readonly isFifo?: boolean;
  /** A message that failed returns this long after it was handed out. */
  readonly visibilityTimeoutMs: number;
  /** After this many receives a message that returns goes to the DLQ. @default - it returns until it is done */
  readonly maxReceives?: number | undefined;
  /** A JSON file that keeps the messages over restarts. @default in memory */
  readonly statePath?: string | undefined;
}

/** A queue with its DLQ, as an event source of a function. */
export interface LocalQueue {
  readonly name: string;
  /**
   * The message is accepted, and saved in `statePath`, when this returns. @throws when it cannot be saved
   * @param group whose messages are one sender's. @default - a separate sender
   * @param delayMs for which it is hidden. @default 0
   * @returns the message's id
   */
  send(body: string, group?: string, delayMs?: number): string;
  /** Bodies that wait or are being worked on, oldest first. */
  waiting(): readonly string[];
  /** Those of them that are still hidden by their delay. */
  delayed(): readonly string[];
  /** Bodies in the DLQ, oldest first. */
  deadLetters(): readonly string[];
  /** Puts a message into the DLQ, as its sender. @returns the message's id @throws when it cannot be saved */
  sendToDeadLetters(body: string): string;
  /** Hands out messages of the DLQ, oldest first, and hides them for so long from the next call. */
  receiveDeadLetters(limit: number, hiddenMs: number): readonly DeadLetter[];
  /** Hides a message of the DLQ from now on for so long. @returns whether it is there */
  hideDeadLetter(messageId: string, hiddenMs: number): boolean;
  /** Takes a message out of the DLQ. @returns whether it was there */
  deleteDeadLetter(messageId: string): boolean;
  /** Moves all messages of the DLQ back to the queue, as new messages. @returns how many */
  redrive(): number;
  /** Hands out no more messages. Those that are being worked on count as not done. */
  close(): void;
}

export interface DeadLetter {
  readonly messageId: string;
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
}

/** Oldest first. */
const messagesSchema = z.object({ queue: z.array(messageSchema), dlq: z.array(messageSchema) });
type Messages = z.infer<typeof messagesSchema>;

/** A message's longest delay, as in SQS. One that is hidden for longer shows that the clock was put back. */
const LONGEST_DELAY_MS = 900_000;
/** The clock is looked at so often: a timer follows another one. */
const LOOK_EVERY_MS = 60_000;

/**
 * An SQS queue as Lambda's event source: delays, batches, partial batch answers, redelivery after the visibility timeout,
 * DLQ. It delivers at least once. A standard queue promises no order, and is fair to groups; a FIFO queue works on one message of
 * a group at a time: see `fair-order.ts`.
 *
 * Only one invocation at a time has a message, however short the visibility timeout is: in AWS it cannot be shorter than
 * the function's timeout.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 * @throws when the file at `statePath` has other content
 */
export function startQueue(options: QueueOptions): LocalQueue {
  const { name, invoke, batchSize, batchesAtOnce = 2, visibilityTimeoutMs } = options;
  const { maxReceives = Number.POSITIVE_INFINITY, isFifo = false } = options;
  const file = stateFile(options.statePath, messagesSchema);
  let { queue, dlq } = file.read() ?? { queue: [], dlq: [] };
  /** Messages that are being worked on. */
  const handedOut = new Set<Message>();
  let batches = 0;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  /** Saves first: a change that cannot be saved does not happen. */
  const change = (next: Partial<Messages>): void => {
    const messages = { queue, dlq, ...next };
    file.write(messages);
    ({ queue, dlq } = messages);
  };

  const deliver = async (batch: readonly Message[]): Promise<void> => {
    // A batch that could not be invoked at all returns after its visibility timeout, as in AWS.
    const result = await invoke({ Records: batch.map((message) => toRecord(message, name)) }).catch(() => undefined);
    if (isClosed) return;
    const failed = failedOf(
      batch.map(({ messageId }) => messageId),
      result,
    );
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
    const last = now + Math.max(visibilityTimeoutMs, LONGEST_DELAY_MS);
    for (const message of queue) message.visibleAt = Math.min(message.visibleAt, last);
    const idle = queue.filter((message) => !handedOut.has(message));
    const visible = idle.filter(({ visibleAt }) => visibleAt <= now);
    const exhausted = visible.filter(({ receives }) => receives >= maxReceives);
    if (exhausted.length > 0) {
      change({ queue: queue.filter((message) => !exhausted.includes(message)), dlq: [...dlq, ...exhausted] });
    }
    const left = visible.filter((message) => !exhausted.includes(message));
    const ready = isFifo ? firstOfGroups(left, queue, handedOut) : inFairOrder(left, handedOut);
    // A message without room now is handed out when a batch ends.
    for (let room = batchesAtOnce - batches; room > 0 && ready.length > 0; room -= 1) {
      handOut(ready.splice(0, batchSize), now);
    }
    const next = Math.min(...idle.filter(({ visibleAt }) => visibleAt > now).map(({ visibleAt }) => visibleAt));
    if (Number.isFinite(next)) timer = setTimeout(pump, Math.min(next - now, LOOK_EVERY_MS));
  };
  const add = (messages: readonly Message[], next: Partial<Messages> = {}): void => {
    change({ queue: [...queue, ...messages], ...next });
    setImmediate(pump);
  };
  setImmediate(pump);

  return {
    name,
    send(body, group, delayMs) {
      const message = newMessage(body, group, delayMs);
      add([message]);
      return message.messageId;
    },
    waiting: () => queue.map(({ body }) => body),
    delayed() {
      const now = Date.now();
      return queue.filter(({ receives, visibleAt }) => receives === 0 && visibleAt > now).map(({ body }) => body);
    },
    deadLetters: () => dlq.map(({ body }) => body),
    sendToDeadLetters(body) {
      const message = newMessage(body);
      change({ dlq: [...dlq, message] });
      return message.messageId;
    },
    receiveDeadLetters(limit, hiddenMs) {
      const now = Date.now();
      const found = dlq.filter(({ visibleAt }) => visibleAt <= now).slice(0, limit);
      for (const message of found) message.visibleAt = now + hiddenMs;
      return found;
    },
    hideDeadLetter(messageId, hiddenMs) {
      const message = dlq.find((one) => one.messageId === messageId);
      if (message !== undefined) message.visibleAt = Date.now() + hiddenMs;
      return message !== undefined;
    },
    deleteDeadLetter(messageId) {
      const left = dlq.filter((message) => message.messageId !== messageId);
      const isThere = left.length < dlq.length;
      if (isThere) change({ dlq: left });
      return isThere;
    },
    redrive() {
      const moved = dlq.map(({ body, group }) => newMessage(body, group));
      add(moved, { dlq: [] });
      return moved.length;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
