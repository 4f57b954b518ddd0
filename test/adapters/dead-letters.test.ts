import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDeadLetters } from '../../functions/adapters/dead-letters.ts';
import { DependencyUnavailable } from '../../functions/core/report.ts';
import { createAccessKey } from '../../infra/local/aws/access-keys.ts';
import { localQueueUrl, type QueueEndpoint, startQueueEndpoint } from '../../infra/local/aws/events/queue-endpoint.ts';
import { type LocalQueue, startQueue } from '../../infra/local/aws/events/queue.ts';
import { localRegion } from '../../infra/local/aws/loopback.ts';

const key = createAccessKey();
let endpoint: QueueEndpoint;
let queue: LocalQueue;
let client: SQSClient;
beforeAll(async () => {
  const name = 'events';
  endpoint = await startQueueEndpoint(name, [key]);
  const invoke = () => Promise.reject(new Error('nothing is sent to the queue'));
  queue = startQueue({ name, invoke, batchSize: 10, visibilityTimeoutMs: 1_000, maxReceives: 6 });
  client = new SQSClient({ region: localRegion, credentials: key, endpoint: endpoint.url, maxAttempts: 1 });
});
afterAll(async () => {
  client.destroy();
  queue.close();
  await endpoint.close();
});

describe('the dead-letter queue', () => {
  test('takes a message as it is, once the queue has started', async () => {
    const setAside = createDeadLetters(client, endpoint.deadLettersUrl);

    await expect(setAside('too soon')).rejects.toThrow(DependencyUnavailable);
    endpoint.serve(queue);
    await setAside('no event ✏️');

    expect(queue.deadLetters()).toEqual(['no event ✏️']);
    expect(queue.waiting()).toEqual([]);
  });

  test.each([
    ['the queue itself, which takes only what rules send', 'events'],
    ['a queue that does not exist', 'others'],
  ])('is not %s', async (_, name) => {
    const send = createDeadLetters(client, localQueueUrl(endpoint.url, name));

    await expect(send('x')).rejects.toMatchObject({ dependency: 'dead-letters' });
  });
});
