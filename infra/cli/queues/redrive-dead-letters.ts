import { setTimeout as sleep } from 'node:timers/promises';
import { ListMessageMoveTasksCommand, type SQSClient, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import type { OperatorRole } from '../../blueprint/access/operator-roles.ts';
import { CannotDo } from '../command.ts';
import { opsCommand } from '../ops-command.ts';
import type { DeadLetterQueue, Place, QueueName } from '../places/place.ts';
import { inspectQueue } from './list-queues.ts';

/** The dead-letter queues whose messages can be worked on again: by whom, and what they are. */
const redrivable = {
  events: { to: 'waiting', worker: 'consume-events', role: 'redrive-events', one: 'event', many: 'events' },
  callbacks: {
    to: 'toDeliver',
    worker: 'deliver-callbacks',
    role: 'manage-callbacks',
    one: 'message',
    many: 'messages',
  },
} as const satisfies Partial<
  Record<DeadLetterQueue, { to: QueueName; worker: string; role: OperatorRole; one: string; many: string }>
>;

export const redriveDeadLetters = opsCommand({
  name: 'dlq redrive',
  summary: 'Returns all the events that consume-events gave up on to its queue, or the messages of deliver-callbacks.',
  notes: `Fix the cause first: an event that fails again comes back here after six tries, a malformed one at once. Redelivery is safe: a job is never
cancelled twice, and a callback that was delivered is not sent again. In AWS this needs the role plangrep-cancellation-<environment>-redrive-events, for
callbacks plangrep-cancellation-<environment>-manage-callbacks (docs/runbook.md).`,
  options: { queue: { hint: 'callbacks', what: 'events or callbacks, as dlq list has it (default events)' } },
  async run({ place, terminal, values }) {
    const queue = readQueue(values.queue ?? 'events');
    const { to, worker, role, one, many } = redrivable[queue];
    const { arn, waiting, inWork } = await inspectQueue(place, await urlOf(place, queue));
    const messages = waiting + inWork;
    if (messages === 0) {
      terminal.show({ messages, started: false }, [`Nothing is in the dead-letter queue (${place.environment}).`]);
      return 1;
    }
    const about = `about ${messages} ${messages === 1 ? one : many}`;
    await terminal.confirm(`Return ${about} to ${worker} (${place.environment})?`);
    // Named, because SQS knows no source of a message that was sent to the dead-letter queue directly.
    const { arn: DestinationArn } = await inspectQueue(place, await urlOf(place, to));
    await place.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn, DestinationArn }));
    const failure = await failureOfMove(place.sqs, arn);
    if (failure !== undefined) {
      const name = `plangrep-cancellation-${place.environment}-${role}`;
      throw new CannotDo(1, `SQS moved no ${one} (${failure}): only the role ${name} may send to that queue.`);
    }
    terminal.show({ messages, started: true }, [
      `Redrive started: ${about}. "npm run ops -- dlq list" shows what is left.`,
    ]);
    return 0;
  },
});

function readQueue(value: string): keyof typeof redrivable {
  if (value === 'events' || value === 'callbacks') return value;
  throw new CannotDo(2, `--queue must be events or callbacks, not ${JSON.stringify(value)}.`);
}

async function urlOf(place: Place, queue: QueueName): Promise<string> {
  const url = await place.queueUrl(queue);
  if (url !== undefined) return url;
  throw new CannotDo(2, `There is no queue ${queue} (${place.environment}).`);
}

/** @returns why a move failed, which SQS finds out after it has started; undefined while it goes well */
async function failureOfMove(sqs: SQSClient, SourceArn: string): Promise<string | undefined> {
  for (let looks = 0; looks < 5; looks += 1) {
    const { Results: [task] = [] } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 1 }));
    if (task?.Status === 'FAILED') return task.FailureReason ?? 'no reason given';
    if (task?.Status === 'COMPLETED') return undefined;
    await sleep(1_000);
  }
  return undefined;
}
