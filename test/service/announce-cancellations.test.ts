import { createServer, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { CallbackMessage } from '../../functions/core/callbacks/callback-message.ts';
import { DependencyUnavailable } from '../../functions/core/report.ts';
import { createEventBus } from '../../functions/adapters/eventbridge/event-bus.ts';
import { announceRecords } from '../../functions/doors/stream/announce-records.ts';
import { closedEvent, refusedEvent } from '../../infra/blueprint/bus-events.ts';
import { busStatements } from '../../infra/blueprint/bus-policy.ts';
import { createAccessKey } from '../../infra/local/aws/access-keys.ts';
import { bus, startEventBridge } from '../../infra/local/aws/events/event-bridge.ts';
import type { BusEvent } from '../../infra/local/aws/events/event-rules.ts';
import { listenOnLoopback, localRegion } from '../../infra/local/aws/loopback.ts';
import { streamRecord } from '../proof/crash/invocations.ts';

type Item = Readonly<Record<string, unknown>>;

const [key, stranger] = [createAccessKey(), createAccessKey()];
const announcerRoleArn = `arn:aws:iam::${bus.account}:role/announcer`;
const taken: BusEvent[] = [];
/** jobIds of events that the bus does not take. */
const away = new Set<unknown>();
const eventBridge = await startEventBridge({
  publishers: [
    { ...key, principalArn: announcerRoleArn },
    { ...stranger, principalArn: `arn:aws:iam::${bus.account}:role/stranger` },
  ],
  policy: busStatements([], { busArn: bus.busArn, accountId: bus.account, partition: 'aws', announcerRoleArn }),
  rules: [],
  listeners: [
    {
      source: closedEvent.source,
      detailTypes: [closedEvent.detailType, refusedEvent.detailType],
      take: (event) => {
        if (away.has(Object(event.detail)['jobId'])) throw new Error('away');
        taken.push(event);
      },
    },
  ],
  deliver: () => undefined,
});
afterAll(() => eventBridge.close());
beforeEach(() => {
  taken.length = 0;
  away.clear();
});

const closed = (jobId: string): Item => ({
  pk: `acme#${jobId}`,
  sk: 'event#000002',
  type: 'closed',
  partnerId: 'acme',
  jobId,
  outcome: 'cancelled',
  pageCount: 204,
  at: '2026-11-26T03:04:05.123Z',
  begunBy: 'request',
  eventId: `event-${jobId}`,
  ignored: new Set(['x']),
});
const refused = (jobId: string): Item => ({
  pk: 'acme#refused#2026-11-26',
  sk: 'refused#1',
  type: 'refused',
  door: 'events',
  partnerId: 'acme',
  jobId,
  requestId: 'request',
  why: 'job_not_found',
  at: '2026-11-26T03:04:05.123Z',
});

/** As Lambda reads the event. */
const asJson = (Records: readonly unknown[]) => JSON.parse(JSON.stringify({ Records }));

/** @param lost jobIds whose message the callbacks queue does not take */
function given({ url = eventBridge.url, credentials = key, lost = new Set<unknown>() } = {}) {
  const sent: CallbackMessage[] = [];
  const client = new DynamoDBClient({ region: localRegion, credentials });
  const lines: (readonly [string, unknown])[] = [];
  const handle = announceRecords({
    bus: createEventBus(client, { url, bus: 'default' }),
    callbacks: {
      send: async (message) => {
        if ('jobId' in message && lost.has(message.jobId))
          throw new DependencyUnavailable('callbacks', new Error('away'));
        sent.push(message);
      },
    },
    report: (code, fields) => void lines.push([code, fields]),
  });
  const announce = (...items: readonly Item[]) =>
    handle(asJson(items.map((item, index) => streamRecord(item, index + 1))));
  return { announce, handle, lines, sent };
}
const failedFrom = (nth: number) => ({
  batchItemFailures: [{ itemIdentifier: streamRecord({}, nth).dynamodb.SequenceNumber }],
});
const jobs = () => taken.map(({ detail }) => Object(detail)['jobId']);

describe('what the log’s stream shows', () => {
  test('goes to the bus in order, as one call', async () => {
    const { announce, lines } = given();
    const before = eventBridge.requests['PutEvents'] ?? 0;

    expect(await announce(closed('job_1'), refused('job_2'), closed('job_3'))).toEqual({ batchItemFailures: [] });

    expect(taken).toMatchObject([
      { source: 'plangrep-cancellation', 'detail-type': closedEvent.detailType, detail: { jobId: 'job_1' } },
      { 'detail-type': refusedEvent.detailType, detail: { jobId: 'job_2', eventId: streamRecord({}, 2).eventID } },
      { 'detail-type': closedEvent.detailType, detail: { jobId: 'job_3', pageCount: '204' } },
    ]);
    expect(eventBridge.requests['PutEvents']).toBe(before + 1);
    expect(lines).toEqual([]);
  });

  test('is repeated from the first event on that the bus does not take, and reported with its ids', async () => {
    const { announce, lines } = given();
    away.add('job_2').add('job_4');

    expect(await announce(...['job_1', 'job_2', 'job_3', 'job_4'].map(closed))).toEqual(failedFrom(2));

    expect(jobs()).toEqual(['job_1', 'job_3']);
    expect(lines).toEqual([
      [
        'DEPENDENCY_UNAVAILABLE',
        { partnerId: 'acme', jobId: 'job_2', dependency: 'event-bus', cause: 'InternalFailure' },
      ],
    ]);
  });

  test('goes to the callbacks queue too, whatever the bus does', async () => {
    const { announce, sent } = given();
    away.add('job_1');

    await announce(closed('job_1'), refused('job_2'), { ...refused('job_3'), door: 'https' });
    await announce({ ...closed('job_4'), type: 'escalated' });

    const refusal = { partnerId: 'acme', refused: { at: '2026-11-26T03:04:05.123Z', requestId: 'request' } };
    expect(sent).toEqual([
      { partnerId: 'acme', jobId: 'job_1' },
      refusal,
      refusal,
      { partnerId: 'acme', jobId: 'job_4' },
    ]);
    expect(jobs()).toEqual(['job_2']);
  });

  test('is repeated from the first record on that the callbacks queue or the bus does not take', async () => {
    const { announce, lines } = given({ lost: new Set(['job_2']) });
    away.add('job_3');

    expect(await announce(...['job_1', 'job_2', 'job_3'].map(closed))).toEqual(failedFrom(2));

    expect(lines).toEqual([
      ['DEPENDENCY_UNAVAILABLE', { partnerId: 'acme', jobId: 'job_2', dependency: 'callbacks', cause: 'Error' }],
    ]);
  });

  test('does not pass the bus’s policy under another role', async () => {
    const { announce, lines } = given({ credentials: stranger });

    expect(await announce(closed('job_1'))).toEqual(failedFrom(1));
    expect(lines).toMatchObject([['DEPENDENCY_UNAVAILABLE', { cause: 'NotAuthorizedForSourceException' }]]);
  });

  test('that this service did not write is reported by its key and left out: the next ones go', async () => {
    const { announce, handle, lines } = given();

    expect(await announce(closed('job_1'), { ...closed('job_2'), outcome: 'lost' }, closed('job_3'))).toEqual({
      batchItemFailures: [],
    });
    const { eventID: _, ...nameless } = streamRecord(closed('job_4'), 4);
    const { dynamodb, ...bare } = streamRecord({});
    const keyless = { ...bare, dynamodb: { SequenceNumber: dynamodb.SequenceNumber } };
    expect(await handle(asJson([nameless, keyless]))).toEqual({ batchItemFailures: [] });

    expect(jobs()).toEqual(['job_1', 'job_3']);
    expect(lines).toEqual(
      ['acme#job_2 event#000002', 'acme#job_4 event#000002', `sequence number ${dynamodb.SequenceNumber}`].map(
        (name) => ['RECORD_UNREADABLE', { dependency: 'cancellation-log', key: name }],
      ),
    );
  });

  test('makes no call when there is nothing to announce', async () => {
    const { handle } = given({ url: 'http://127.0.0.1:9' });

    expect(await handle({ Records: [] })).toEqual({ batchItemFailures: [] });
  });
});

describe('a bus that does not answer as it should', () => {
  async function answering(status: number, body: string) {
    const asked: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      asked.push(request);
      json(request).then(
        () => response.writeHead(status).end(body),
        () => undefined,
      );
    });
    const port = await listenOnLoopback(server);
    return { url: `http://127.0.0.1:${port}`, asked, close: () => server.closeAllConnections() ?? server.close() };
  }

  test.each([
    ['refuses the call', 403, '{}', 'AwsAnswered403', 1],
    ['is down', 503, '', 'AwsAnswered503', 2],
    ['answers no JSON', 200, 'OK', 'SyntaxError', 1],
    ['answers without the events', 200, '{}', '$ZodError', 1],
    ['names fewer events than were put', 200, '{"Entries":[{"EventId":"1"}]}', 'NoAnswer', 1],
  ])('and %s', async (_, status, body, cause, calls) => {
    const { url, asked, close } = await answering(status, body);
    const { announce, lines } = given({ url });

    const answer = await announce(closed('job_1'), closed('job_2'));
    close();

    expect(answer).toEqual(failedFrom(cause === 'NoAnswer' ? 2 : 1));
    expect(lines).toMatchObject([['DEPENDENCY_UNAVAILABLE', { dependency: 'event-bus', cause }]]);
    expect(asked).toHaveLength(calls);
  });

  test('is given up when it stops in the middle of its answer', { timeout: 10_000 }, async () => {
    const server = createServer((_, response) => void response.writeHead(200).write('{"Entries":['));
    const port = await listenOnLoopback(server);
    const { announce, lines } = given({ url: `http://127.0.0.1:${port}` });
    const began = Date.now();

    expect(await announce(closed('job_1'))).toEqual(failedFrom(1));
    server.closeAllConnections();
    server.close();

    expect(Date.now() - began).toBeLessThan(3_000);
    expect(lines).toMatchObject([['DEPENDENCY_UNAVAILABLE', { cause: 'Error' }]]);
  });
});
