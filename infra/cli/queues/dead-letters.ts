import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { readEvent } from '../../../functions/doors/eventbridge/read-event.ts';
import { CannotDo } from '../command.ts';
import { environmentOption, opsCommand } from '../ops-command.ts';
import { type DeadLetterQueue, deadLetterQueues, type Place } from '../places/place.ts';
import { printable, table } from '../terminal.ts';
import { inspectQueue } from './list-queues.ts';

export const listDeadLetters = opsCommand({
  name: 'dlq list',
  summary: 'Counts the messages that wait for an operator, queue by queue.',
  notes: 'The counts are approximate, as SQS gives them. The local run has only the queues of events and of callbacks.',
  options: {},
  async run({ place, terminal }) {
    const queues: { queue: string; messages: number; what: string; url: string }[] = [];
    for (const queue of Object.keys(deadLetterQueues).filter(isQueue)) {
      const url = await place.queueUrl(queue);
      if (url === undefined) continue;
      const { waiting, inWork } = await inspectQueue(place, url);
      // A message that another reader looks at is hidden for a while, but still there.
      const messages = waiting + inWork;
      queues.push({ queue, messages, what: deadLetterQueues[queue].what, url });
    }
    const rows = queues.map(({ queue, messages, what }) => {
      const shown = String(messages);
      return [queue, messages > 0 ? { text: shown, style: 'red' as const } : shown, what];
    });
    terminal.show(queues, table(['QUEUE', 'MESSAGES', 'WHAT THEY ARE'], rows));
    return queues.some(({ messages }) => messages > 0) ? 0 : 1;
  },
});

function isQueue(name: string): name is DeadLetterQueue {
  return Object.hasOwn(deadLetterQueues, name);
}

async function urlOfEvents(place: Place): Promise<string> {
  const url = await place.queueUrl('events');
  if (url !== undefined) return url;
  throw new CannotDo(2, `There is no dead-letter queue of events (${place.environment}).`);
}

/** Of the dead-letter queue. */
const SHOWN = 100;
/** An event that is shown is hidden from other readers for so long, or until the command ends. */
const HIDDEN_SECONDS = 60;
/** SQS hands out or changes at most so many messages in one call. */
const AT_ONCE = 10;

export const showDeadLetters = opsCommand({
  name: 'dlq show',
  summary: 'Shows the events in the dead-letter queue: whose each is, and what is wrong with a malformed one.',
  notes: `At most ${SHOWN}, and no value that a partner sent. The queue stays as it is. For an event that is not malformed, the log of
consume-events says why it was given up: search for its id.`,
  options: {},
  async run({ place, terminal }) {
    const url = await urlOfEvents(place);
    const messages = await lookAtMessages(place.sqs, url);
    const events = messages.map(toDeadLetter).toSorted((a, b) => (a.sentAt < b.sentAt ? -1 : 1));
    const rows = events.map(({ messageId, sentAt, partnerId, eventId, malformed }) => {
      const wrong = malformed === undefined ? 'not malformed: refused, or failed' : inWords(malformed);
      return [sentAt, partnerId ?? '?', printable(eventId ?? `message ${messageId}`), wrong];
    });
    const isCut = messages.length >= SHOWN;
    const cut = isCut ? [`There are more: these are ${messages.length} of them.`] : [];
    const none = [`Nothing is in the dead-letter queue (${place.environment}).`];
    const why = `Why one was given up: npm run ops -- logs EVENT --since 1d${environmentOption(place)}`;
    const lines = [...table(['SENT', 'PARTNER', 'EVENT', 'WHAT IS WRONG'], rows), ...cut, why];
    terminal.show({ events, complete: !isCut }, events.length === 0 ? none : lines);
    return events.length === 0 ? 1 : 0;
  },
});

export const dropDeadLetter = opsCommand({
  name: 'dlq drop',
  summary: 'Deletes one event from the dead-letter queue, for good.',
  notes: `For one that can never succeed: a malformed one that its partner has sent again. Looks through at most ${SHOWN} messages.
In AWS this needs the role plangrep-cancellation-<environment>-redrive-events (docs/runbook.md).`,
  argument: { hint: 'EVENT', what: "the event's id, or the message's, as dlq show has it" },
  options: {},
  async run({ place, terminal, argument }) {
    const url = await urlOfEvents(place);
    let dropped: DeadLetter | undefined;
    await lookAtMessages(place.sqs, url, async (messages) => {
      const wanted = messages.find((one) => [one.MessageId, toDeadLetter(one).eventId].includes(argument));
      if (wanted === undefined) return;
      const found = toDeadLetter(wanted);
      await terminal.confirm(`Delete the event ${argument} of ${found.partnerId ?? '?'} (${place.environment})?`);
      await place.sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: wanted.ReceiptHandle }));
      dropped = found;
    });
    if (dropped === undefined) throw new CannotDo(1, `The dead-letter queue shows no such event: see "dlq show".`);
    terminal.show(dropped, [`The event of ${dropped.partnerId ?? '?'} is deleted (${place.environment}).`]);
    return 0;
  },
});

/**
 * Receives until the queue has no more to show, then makes everything visible again.
 * @param act what happens to the messages before that
 */
async function lookAtMessages(
  sqs: SQSClient,
  url: string,
  act: (messages: readonly Message[]) => Promise<void> = () => Promise.resolve(),
): Promise<readonly Message[]> {
  const found = new Map<string | undefined, Message>();
  const receive = {
    QueueUrl: url,
    MaxNumberOfMessages: AT_ONCE,
    VisibilityTimeout: HIDDEN_SECONDS,
    WaitTimeSeconds: 1,
  };
  try {
    while (found.size < SHOWN) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ ...receive, MessageSystemAttributeNames: ['SentTimestamp'] }),
      );
      if (Messages.length === 0) break;
      for (const message of Messages) found.set(message.MessageId, message);
    }
    await act([...found.values()]);
  } finally {
    const receipts = [...found.values()].map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    for (let from = 0; from < receipts.length; from += AT_ONCE) {
      const Entries = receipts.slice(from, from + AT_ONCE).map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
      await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }));
    }
  }
  return [...found.values()];
}

interface DeadLetter {
  readonly messageId: string | undefined;
  readonly sentAt: string;
  readonly partnerId: string | undefined;
  readonly eventId: string | undefined;
  readonly malformed?: { readonly path: string; readonly what: string };
}

function toDeadLetter({ MessageId: messageId, Body = '', Attributes }: Message): DeadLetter {
  const sentAt = new Date(Number(Attributes?.SentTimestamp ?? 0)).toISOString();
  const read = readEvent(Body);
  if (read.kind === 'event') return { messageId, sentAt, partnerId: read.event.partnerId, eventId: read.event.id };
  const { partnerId, eventId, path, what } = read;
  return { messageId, sentAt, partnerId, eventId, malformed: { path, what } };
}

function inWords({ path, what }: { readonly path: string; readonly what: string }): string {
  return `${path === '' ? 'the message' : path} ${what}`;
}
