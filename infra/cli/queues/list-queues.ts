import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { opsCommand } from '../ops-command.ts';
import { type Place, type QueueName, queues } from '../places/place.ts';
import { table } from '../terminal.ts';

/** In the order in which they are shown: those that functions work on, then those that wait for an operator. */
const shownQueues = [
  'waiting',
  'wakeUps',
  'toDeliver',
  'events',
  'undelivered',
  'outgoing',
  'callbacks',
  'records',
  'runs',
  'alarms',
] as const satisfies readonly QueueName[];
const shownNames: Partial<Record<QueueName, string>> = {
  waiting: 'to consume-events',
  wakeUps: 'to consume-wake-ups',
  toDeliver: 'to deliver-callbacks',
};

export const listQueues = opsCommand({
  name: 'queues',
  summary: 'Counts the messages in every queue: those that functions work on, and those that wait for an operator.',
  notes: 'The counts are approximate, as SQS gives them.',
  options: {},
  async run({ place, terminal }) {
    const found = await Promise.all(
      shownQueues.map(async (queue) => {
        const url = await place.queueUrl(queue);
        if (url === undefined) return [];
        const { waiting, inWork, later } = await inspectQueue(place, url);
        return [{ queue: shownNames[queue] ?? `dlq ${queue}`, waiting, inWork, later, what: queues[queue].what, url }];
      }),
    );
    const shown = found.flat();
    const rows = shown.map(({ queue, waiting, inWork, later, what }) => [
      queue,
      ...[waiting, inWork, later].map(String),
      what,
    ]);
    terminal.show(shown, table(['QUEUE', 'WAITING', 'IN WORK', 'LATER', 'WHAT THEY ARE'], rows));
    return 0;
  },
});

export interface QueueState {
  readonly arn: string;
  readonly waiting: number;
  /** Received, and not deleted yet. */
  readonly inWork: number;
  /** Hidden by a delay. */
  readonly later: number;
}

/** How many messages a queue has. */
export async function inspectQueue({ sqs }: Place, url: string): Promise<QueueState> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        'QueueArn',
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ],
    }),
  );
  return {
    arn: Attributes.QueueArn ?? '',
    waiting: Number(Attributes.ApproximateNumberOfMessages ?? 0),
    inWork: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
    later: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
  };
}
