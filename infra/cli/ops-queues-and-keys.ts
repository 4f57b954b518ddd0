import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { keyInSecret, keyRule } from '../../functions/adapters/plangrep/plangrep-key.ts';
import { CannotDo } from './command.ts';
import { opsCommand } from './ops-command.ts';
import { type DeadLetterQueue, deadLetterQueues, type Place } from './places.ts';
import { table } from './terminal.ts';

export const listDeadLetters = opsCommand({
  name: 'dlq list',
  summary: 'Counts the messages that wait for an operator, queue by queue.',
  notes: 'The counts are approximate, as SQS gives them. The local run has only the queue of events.',
  options: {},
  async run({ place, terminal }) {
    const queues: { queue: string; messages: number; what: string; url: string }[] = [];
    for (const queue of Object.keys(deadLetterQueues).filter(isQueue)) {
      const url = await place.queueUrl(queue);
      if (url === undefined) continue;
      const { messages } = await inspect(place, url);
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

export const redriveDeadLetters = opsCommand({
  name: 'dlq redrive',
  summary: 'Returns all the events that consume-events gave up on to its queue.',
  notes: `Fix the cause first: an event that fails again comes back here after five tries. Redelivery is safe: a job is never
cancelled twice.`,
  options: {},
  async run({ place, terminal }) {
    const url = await place.queueUrl('events');
    if (url === undefined) throw new CannotDo(2, `There is no dead-letter queue of events (${place.environment}).`);
    const { arn, messages } = await inspect(place, url);
    if (messages === 0) {
      terminal.show({ messages, started: false }, [`Nothing is in the dead-letter queue (${place.environment}).`]);
      return 1;
    }
    const about = `about ${messages} ${messages === 1 ? 'event' : 'events'}`;
    await terminal.confirm(`Return ${about} to consume-events (${place.environment})?`);
    await place.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn }));
    terminal.show({ messages, started: true }, [
      `Redrive started: ${about}. "npm run ops -- dlq list" shows what is left.`,
    ]);
    return 0;
  },
});

async function inspect({ sqs }: Place, url: string): Promise<{ readonly arn: string; readonly messages: number }> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: ['QueueArn', 'ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  const {
    QueueArn = '',
    ApproximateNumberOfMessages: visible,
    ApproximateNumberOfMessagesNotVisible: held,
  } = Attributes;
  // A message that another reader looks at is hidden for a while, but still there.
  return { arn: QueueArn, messages: Number(visible ?? 0) + Number(held ?? 0) };
}

export const putPlangrepKey = opsCommand({
  name: 'plangrep-key put',
  summary: "Puts the organization's Plangrep API key into Secrets Manager.",
  notes: `The key is read from stdin or typed without an echo, never from an argument, which a shell history would keep. It is
${keyRule}. The service uses it within 60 seconds; the key before
it stays as AWSPREVIOUS.`,
  options: {},
  async run({ place, terminal }) {
    await terminal.confirm(`Replace the Plangrep key (${place.environment})?`);
    const value = await terminal.readSecret('Plangrep API key (not shown): ');
    if (keyInSecret(value).kind === 'no_key') {
      throw new CannotDo(2, `The key must be ${keyRule}: nothing was done.`);
    }
    const SecretId = await place.secretId();
    const put = new PutSecretValueCommand({ SecretId, SecretString: value });
    const { VersionId } = await place.secretsManager.send(put).catch((error: unknown) => {
      // The message may quote the rejected value, and so the key: only the error's name is passed on.
      if (error instanceof Error && error.name === 'ValidationException') {
        throw new CannotDo(1, `Secrets Manager rejected the value (${place.where}): ValidationException.`);
      }
      throw error;
    });
    terminal.show({ secretId: SecretId, versionId: VersionId }, [
      `The key is in ${SecretId} (${place.environment}): the service uses it within 60 s.`,
    ]);
    return 0;
  },
});
