import { once } from 'node:events';
import { Agent, createServer, type RequestListener } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createDynamoDbClient } from '../../functions/adapters/aws-clients.ts';
import { createDeadLetters } from '../../functions/adapters/sqs/dead-letters.ts';
import { createSendMessage, type SendMessage } from '../../functions/adapters/sqs/send-message.ts';
import { createAccessKey } from '../../infra/local/aws/access-keys.ts';
import {
  deadLetterName,
  localQueueUrl,
  type QueueEndpoint,
  startQueueEndpoint,
} from '../../infra/local/aws/events/queue-endpoint.ts';
import { type LocalQueue, startQueue } from '../../infra/local/aws/events/queue.ts';
import { listenOnLoopback, localRegion } from '../../infra/local/aws/loopback.ts';
import { startRawServer } from '../support/raw-server.ts';

const key = createAccessKey();
/** Of a role that may send to the queue `both` alone. */
const sender = createAccessKey();
const agent = new Agent({ keepAlive: true });
const client = new DynamoDBClient({ region: localRegion, credentials: key, requestHandler: { httpAgent: agent } });
const send = createSendMessage(client);
afterAll(() => client.destroy());

let endpoint: QueueEndpoint;
const queues = new Map<string, LocalQueue>();
const urlOf = (name: string): string => localQueueUrl(endpoint.url, name);
beforeAll(async () => {
  endpoint = await startQueueEndpoint(
    [
      { name: 'events', sentTo: 'by rules', hasDeadLetters: true },
      { name: 'open', sentTo: 'by callers', hasDeadLetters: false },
      { name: 'both', sentTo: 'by callers', hasDeadLetters: true },
      { name: 'unstarted', sentTo: 'by callers', hasDeadLetters: false },
    ],
    [key],
    [
      {
        accessKey: sender,
        mayCall: ({ action, queueName }) => action === 'sqs:SendMessage' && queueName === 'both',
      },
    ],
  );
  for (const name of ['events', 'open', 'both']) {
    // Nothing is handed out: what was sent stays to be looked at.
    const invoke = () => new Promise<never>(() => undefined);
    const queue = startQueue({ name, invoke, batchSize: 10, visibilityTimeoutMs: 1_000 });
    endpoint.serve(queue);
    queues.set(name, queue);
  }
});
afterAll(async () => {
  for (const queue of queues.values()) queue.close();
  await endpoint.close();
});

describe('a message', () => {
  test('arrives as it is, hidden for as long as it says', async () => {
    await send(urlOf('open'), { MessageBody: 'at once ✏️' });
    await send(urlOf('open'), { MessageBody: 'later', DelaySeconds: 900, MessageGroupId: 'acme' });

    expect(queues.get('open')?.waiting()).toEqual(['at once ✏️', 'later']);
    expect(queues.get('open')?.delayed()).toEqual(['later']);
  });

  test.each([
    ['a delay over 15 minutes', 'open', { MessageBody: 'x', DelaySeconds: 901 }],
    ['a negative delay', 'open', { MessageBody: 'x', DelaySeconds: -1 }],
    ['an empty body', 'open', { MessageBody: '' }],
    ['a queue that takes only what rules send', 'events', { MessageBody: 'x' }],
    ['a queue that does not exist', 'others', { MessageBody: 'x' }],
    ['the DLQ of a queue that has none', deadLetterName('open'), { MessageBody: 'x' }],
    ['a queue that has not started', 'unstarted', { MessageBody: 'x' }],
  ])('is refused with %s', async (_, name, message) => {
    await expect(send(urlOf(name), message)).rejects.toThrow(/AWS answered (400|403|500)/);
  });

  test('of a stranger is refused', async () => {
    const stranger = new DynamoDBClient({ region: localRegion, credentials: createAccessKey() });
    onTestFinished(() => stranger.destroy());

    await expect(createSendMessage(stranger)(urlOf('open'), { MessageBody: 'x' })).rejects.toThrow('answered 400');
  });
});

describe('a role', () => {
  test('sends to the queues that it names, and to no other', async () => {
    const role = new DynamoDBClient({ region: localRegion, credentials: sender });
    onTestFinished(() => role.destroy());
    const asRole = createSendMessage(role);

    await asRole(urlOf('both'), { MessageBody: 'x' });
    expect(queues.get('both')?.waiting()).toEqual(['x']);
    for (const other of ['open', deadLetterName('both')]) {
      await expect(asRole(urlOf(other), { MessageBody: 'x' })).rejects.toThrow('AWS answered 403');
    }
  });
});

describe('the dead-letter queue', () => {
  test('takes a message at once', async () => {
    await createDeadLetters(send, urlOf(deadLetterName('events')))('no event ✏️');

    expect(queues.get('events')?.deadLetters()).toEqual(['no event ✏️']);
    expect(queues.get('events')?.waiting()).toEqual([]);
  });

  test('is there too behind a queue that callers send to', async () => {
    await createDeadLetters(send, urlOf(deadLetterName('both')))('given up');

    expect(queues.get('both')?.deadLetters()).toEqual(['given up']);
  });

  test('is named when it does not take a message', async () => {
    await expect(createDeadLetters(send, urlOf('others'))('x')).rejects.toMatchObject({
      dependency: 'dead-letters',
      cause: { name: 'AwsAnswered400' },
    });
  });
});

describe('when SQS misbehaves', () => {
  /** What each request is answered, in order; the last one again and again. */
  const given = async (...answers: readonly RequestListener[]): Promise<{ url: string; requests: () => number }> => {
    let count = 0;
    const server = createServer((request, response) => {
      count += 1;
      (answers[count - 1] ?? answers.at(-1))?.(request, response);
    });
    const port = await listenOnLoopback(server);
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${port}/000000000000/open`, requests: () => count };
  };
  const answer =
    (status: number, headers = {}): RequestListener =>
    (_, response) =>
      response.writeHead(status, headers).end('{}');
  const hangUp: RequestListener = ({ socket }) => socket.destroy();

  test.each<[string, RequestListener]>([
    ['hung up', hangUp],
    ['answered 500', answer(500)],
    ['answered 429', answer(429)],
  ])('a second try is made after it %s, and no third', async (_, first) => {
    const recovering = await given(first, answer(200));
    const broken = await given(first);

    await send(recovering.url, { MessageBody: 'x' });
    await expect(send(broken.url, { MessageBody: 'x' })).rejects.toThrow();

    expect([recovering.requests(), broken.requests()]).toEqual([2, 2]);
  });

  test.each([403, 307, 400])('an answer %d is final, and no redirect is followed', async (status) => {
    const elsewhere = await given(answer(200));
    const refusing = await given(answer(status, { Location: elsewhere.url }));

    await expect(send(refusing.url, { MessageBody: 'x' })).rejects.toThrow(`AWS answered ${status}`);

    expect([refusing.requests(), elsewhere.requests()]).toEqual([1, 0]);
  });

  test('an answer that never comes ends the wait, for both tries together', async () => {
    const silent = await given(() => undefined);

    await expect(send(silent.url, { MessageBody: 'x' })).rejects.toThrow();

    expect(silent.requests()).toBe(1);
  });

  test('a body that never ends is not waited for', async () => {
    const endless = await given((_, response) => response.writeHead(200).write('{'));

    await send(endless.url, { MessageBody: 'x' });

    expect(endless.requests()).toBe(1);
  });

  test('a connection that was kept too long costs a try, not the message', async () => {
    const raw = await startRawServer((socket, count) => {
      let seen = 0;
      socket.on('data', (data) => {
        if (!data.toString().includes('MessageBody')) return;
        seen += 1;
        if (count === 1 && seen === 2) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
      });
    });
    onTestFinished(() => raw.close());
    const url = `http://127.0.0.1:${raw.port}/000000000000/open`;

    await send(url, { MessageBody: 'first' });
    await vi.waitFor(() => expect(agent.freeSockets[`127.0.0.1:${raw.port}:`]).toHaveLength(1), { interval: 1 });
    await send(url, { MessageBody: 'second' });

    expect(raw.received().match(/"second"/g)).toHaveLength(2);
    expect(raw.connections()).toBe(2);
  });

  test('nothing listens: an error, no crash', async () => {
    const server = createServer();
    const port = await listenOnLoopback(server);
    server.close();
    await once(server, 'close');

    await expect(send(`http://127.0.0.1:${port}/000000000000/open`, { MessageBody: 'x' })).rejects.toThrow(
      'ECONNREFUSED',
    );
  });
});

test('the client of the functions sends with the credentials of the environment', async () => {
  const before = { ...process.env };
  onTestFinished(() => {
    process.env = before;
  });
  process.env = { ...before, AWS_REGION: localRegion, AWS_ACCESS_KEY_ID: key.accessKeyId };
  process.env['AWS_SECRET_ACCESS_KEY'] = key.secretAccessKey;
  const ours = createDynamoDbClient();
  onTestFinished(() => ours.destroy());
  const sendAsFunction: SendMessage = createSendMessage(ours);

  await sendAsFunction(urlOf('open'), { MessageBody: 'from a function' });

  expect(queues.get('open')?.waiting()).toContain('from a function');
});
