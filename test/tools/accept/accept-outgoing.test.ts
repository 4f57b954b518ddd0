import { createHash } from 'node:crypto';
import { SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import type { AskAws } from '../../../infra/cli/preflight/ask-aws.ts';
import { createAccessKey } from '../../../infra/local/aws/access-keys.ts';
import { startAwsJsonEndpoint } from '../../../infra/local/aws/aws-json-endpoint.ts';
import { givenAccept } from './given-accept.ts';
import { healthyAws } from './healthy-aws.ts';

const accept = givenAccept();

describe('Job Cancellation Closed', () => {
  /** What is announced of a closing event: a value that the record lacks is empty, or as given. */
  const detailOf = (record: Readonly<Record<string, unknown>>, missing: string): string => {
    const { partnerId, jobId, outcome, jobStatus, pageCount = missing, begunBy } = record;
    return JSON.stringify({ partnerId, jobId, outcome, jobStatus, pageCount: String(pageCount), requestId: begunBy });
  };

  const toMessage = (Body: string) => ({ Body, MD5OfBody: createHash('md5').update(Body).digest('hex') });

  /** A queue behind a rule for the closed cancellations. */
  async function startListeningQueue(missing: string) {
    const accessKey = createAccessKey();
    const calls: string[] = [];
    let records: readonly Readonly<Record<string, unknown>>[] = [];
    const called = (name: string, answer: () => object) => () => {
      calls.push(name);
      return answer();
    };
    const endpoint = await startAwsJsonEndpoint({
      service: 'AmazonSQS',
      keys: [accessKey],
      actions: {
        CreateQueue: called('CreateQueue', () => ({ QueueUrl: 'http://127.0.0.1/1/accept' })),
        GetQueueAttributes: called('GetQueueAttributes', () => ({
          Attributes: { QueueArn: 'arn:aws:sqs:eu-central-1:111122223333:accept' },
        })),
        SetQueueAttributes: called('SetQueueAttributes', () => ({})),
        DeleteQueue: called('DeleteQueue', () => ({})),
        ReceiveMessage: called('ReceiveMessage', () => ({
          Messages: records.map((record) => toMessage(`{"detail":${detailOf(record, missing)}}`)),
        })),
      },
    });
    const sqs = new SQSClient({
      region: 'eu-central-1',
      endpoint: endpoint.url,
      credentials: accessKey,
      maxAttempts: 1,
    });
    const timer = setInterval(() => {
      void accept.service.run
        .items('CancellationLog')
        .then((all) => (records = all.filter(({ type }) => type === 'closed')));
    }, 50);
    const close = async (): Promise<void> => {
      clearInterval(timer);
      sqs.destroy();
      await endpoint.close();
    };
    return { sqs, calls, close };
  }

  test('is seen by a rule of the moment, which is removed again', async () => {
    const queue = await startListeningQueue('');
    const asked: string[] = [];
    const ask: AskAws = (service_, action, call) => {
      asked.push(action);
      return healthyAws()(service_, action, call);
    };
    const verdict = await accept.judge('outgoing.closed', { ask, place: { ...accept.place(), sqs: queue.sqs } });
    await queue.close();

    expect(verdict).toMatchObject({ result: 'ok' });
    expect(asked).toEqual(['events:PutRule', 'events:PutTargets', 'events:RemoveTargets', 'events:DeleteRule']);
    expect(queue.calls.at(-1)).toBe('DeleteQueue');
  });

  test('is refused with a value in the place of one that is missing', async () => {
    const queue = await startListeningQueue('undefined');
    const verdict = await accept.judge('outgoing.closed', {
      ask: healthyAws(),
      place: { ...accept.place(), sqs: queue.sqs },
    });
    await queue.close();

    expect(verdict).toMatchObject({
      result: 'failed',
      faults: [{ seen: expect.stringContaining('"pageCount":"undefined"') }],
    });
  });
});
