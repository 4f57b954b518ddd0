import { GetQueueAttributesCommand, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { CannotDo } from './cannot-do.ts';
import type { Command } from './command.ts';
import { type DeadLetterQueue, deadLetterQueues, type Place } from './place.ts';
import { paint, table } from './terminal.ts';

const count = (text: string | undefined): number => Number(text ?? 0);

const inspect = async ({ sqs }: Place, url: string): Promise<{ readonly arn: string; readonly messages: number }> => {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: ['QueueArn', 'ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  const { QueueArn = '', ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible } = Attributes;
  // Somebody who looks at a message hides it from others for a while: it is there all the same.
  return { arn: QueueArn, messages: count(ApproximateNumberOfMessages) + count(ApproximateNumberOfMessagesNotVisible) };
};

const isQueue = (name: string): name is DeadLetterQueue => Object.hasOwn(deadLetterQueues, name);

export const listDeadLetters: Command = {
  name: 'dlq list',
  summary: 'Says how many messages wait for a person, queue by queue.',
  notes: 'About as many: SQS counts that way. The local run has the first queue alone.',
  async run({ place, terminal }) {
    const queues: { queue: string; messages: number; what: string; url: string }[] = [];
    for (const queue of Object.keys(deadLetterQueues).filter(isQueue)) {
      const url = await place.queueUrl(queue);
      if (url === undefined) continue;
      const { messages } = await inspect(place, url);
      queues.push({ queue, messages, what: deadLetterQueues[queue], url });
    }
    const rows = queues.map(({ queue, messages, what }) => [queue, String(messages), what]);
    const colour = (row: number, column: number, padded: string): string =>
      column === 1 && (queues[row]?.messages ?? 0) > 0 ? paint('red', padded) : padded;
    terminal.show(queues, table(['QUEUE', 'MESSAGES', 'WHAT THEY ARE'], rows, colour));
    return queues.some(({ messages }) => messages > 0) ? 0 : 1;
  },
};

export const redriveDeadLetters: Command = {
  name: 'dlq redrive',
  summary: 'Gives the events that consume-events gave up on back to it, all of them.',
  notes: `Mend the cause first: what fails again comes back after five tries. Giving an event back twice is safe: a job is
never cancelled twice.`,
  async run({ place, terminal }) {
    const url = await place.queueUrl('events');
    if (url === undefined) throw new CannotDo(2, `There is no dead-letter queue of events (${place.environment}).`);
    const { arn, messages } = await inspect(place, url);
    if (messages === 0) {
      terminal.show({ messages, started: false }, [`Nothing is in the dead-letter queue (${place.environment}).`]);
      return 1;
    }
    const about = `about ${messages} ${messages === 1 ? 'event' : 'events'}`;
    await terminal.confirm(`Give ${about} back to consume-events (${place.environment})?`);
    await place.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn }));
    terminal.show({ messages, started: true }, [
      `On their way back: ${about}. "npm run ops -- dlq list" shows what is left.`,
    ]);
    return 0;
  },
};
