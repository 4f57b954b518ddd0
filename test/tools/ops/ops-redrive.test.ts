import { SQSClient } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { CannotDo } from '../../../infra/cli/command.ts';
import { redriveDeadLetters } from '../../../infra/cli/queues/redrive-dead-letters.ts';
import type { Place } from '../../../infra/cli/places/place.ts';
import { createProgress } from '../../../infra/cli/terminal.ts';
import { placeWith } from '../../support/place-with.ts';

/** `dlq redrive` in prod, where SQS reports this about the move. */
async function redrive(...reports: readonly object[]) {
  const sqs = new SQSClient({ region: 'eu-central-1' });
  const sent: string[] = [];
  const left = [...reports];
  const answerOf = (name: string): object => {
    sent.push(name);
    if (name === 'ListMessageMoveTasksCommand') return { Results: [left.length > 1 ? left.shift() : left[0]] };
    return { Attributes: { QueueArn: 'arn', ApproximateNumberOfMessages: '2' } };
  };
  // The middleware answers where the SDK would ask.
  sqs.middlewareStack.add(
    (_next, { commandName = '' }) =>
      async () => ({ response: {}, output: { $metadata: {}, ...answerOf(commandName) } }),
    { step: 'initialize' },
  );
  const queueUrl: Place['queueUrl'] = (queue) => Promise.resolve(`https://sqs/${queue}`);
  const place = placeWith({ environment: 'prod', where: 'eu-central-1', region: 'eu-central-1', sqs, queueUrl });
  const shown: string[] = [];
  const terminal = {
    json: false,
    show: (_document: unknown, lines: readonly string[]) => void shown.push(...lines),
    confirm: () => Promise.resolve(),
    progress: createProgress({ write: () => true }),
    readSecret: () => Promise.resolve(''),
  };
  const values = { environment: 'prod', region: undefined, json: false, yes: true, queue: undefined };
  const ended = redriveDeadLetters.run({ place, terminal, values, argument: '', now: 0 });
  return { ended, sent, shown };
}

test('a move that SQS completes is reported as started', async () => {
  const { ended, sent, shown } = await redrive({ Status: 'RUNNING' }, { Status: 'COMPLETED' });

  expect(await ended).toBe(0);
  expect(sent.filter((name) => name === 'ListMessageMoveTasksCommand')).toHaveLength(2);
  expect(shown).toEqual([expect.stringContaining('about 2 events')]);
});

test('a move that the queue refuses is reported as failed, with the role that may do it', async () => {
  const { ended } = await redrive({ Status: 'FAILED', FailureReason: 'AccessDenied' });

  await expect(ended).rejects.toThrow(CannotDo);
  await expect(ended).rejects.toThrow(/AccessDenied.*plangrep-cancellation-prod-redrive-events/);
});
