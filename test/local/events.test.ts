import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { describe, expect, test, vi } from 'vitest';
import { eventDoor, inputTransformer } from '../../infra/blueprint/bus-events.ts';
import { callSigned, createAccessKey } from '../../infra/local/aws/access-keys.ts';
import { bus, type LocalEventBridge, startEventBridge } from '../../infra/local/aws/events/event-bridge.ts';
import type { PolicyStatement } from '../../infra/local/aws/events/bus-policy.ts';
import { type LocalQueue, type QueueOptions, startQueue } from '../../infra/local/aws/events/queue.ts';
import { type BusEvent, fillTemplate, startSchedule } from '../../infra/local/aws/events/event-rules.ts';
import type { InvocationResult } from '../../infra/local/aws/lambda/container.ts';
import { closeAfterTest, temporaryFolder } from './arrange.ts';

describe('the local EventBridge', () => {
  const key = { ...createAccessKey(), principalArn: 'arn:aws:iam::111122223333:role/acme' };
  const stranger = { ...createAccessKey(), principalArn: 'arn:aws:iam::444455556666:role/other' };
  const policy: PolicyStatement[] = [
    {
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::111122223333:root' },
      Resource: bus.busArn,
      Condition: {
        StringEquals: { 'events:source': 'partner.acme', 'events:detail-type': [...eventDoor.detailTypes, 'Other'] },
      },
    },
  ];
  const delivered: unknown[] = [];
  const start = async (deliver = (input: string) => void delivered.push(JSON.parse(input))) => {
    delivered.length = 0;
    const { detailTypes } = eventDoor;
    const sender = { account: '111122223333', source: 'partner.acme', messageGroupId: 'acme' };
    const rules = [{ ...sender, detailTypes, inputTransformer: inputTransformer('acme') }];
    return closeAfterTest(await startEventBridge({ publishers: [key, stranger], policy, rules, deliver }));
  };
  const call = async ({ url }: LocalEventBridge, body: unknown, target = 'AWSEvents.PutEvents', by = key) => {
    const response = await callSigned(url, by, { service: 'events', target, body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const entry = { Source: 'partner.acme', DetailType: 'Job Registered', Detail: '{"a":"<id>"}' };

  test('answers for each entry, in order', async () => {
    const { status, body } = await call(await start(), { Entries: [entry, { ...entry, Detail: 'x' }, entry] });
    const id = expect.stringMatching(/^[0-9a-f-]{36}$/);
    expect(status).toBe(200);
    expect(body).toEqual({
      FailedEntryCount: 1,
      Entries: [
        { EventId: id },
        { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' },
        { EventId: id },
      ],
    });
    expect(delivered).toHaveLength(2);
  });

  test('delivers what the stack’s input transformer makes, with whole seconds and the partner of the rule', async () => {
    const { body } = await call(await start(), { Entries: [{ ...entry, Time: 1_763_900_163.987 }] });
    const [{ EventId: id }] = body['Entries'] as [{ EventId: string }];
    expect(delivered).toEqual([
      { partnerId: 'acme', id, time: '2025-11-23T12:16:03Z', detailType: 'Job Registered', detail: { a: '<id>' } },
    ]);
  });

  test('rejects the whole request for more than 10 entries, none, more than 1 MB, or another action', async () => {
    const local = await start();
    const half = { ...entry, Detail: JSON.stringify({ a: 'x'.repeat(512 * 1024) }) };
    for (const Entries of [Array.from({ length: 11 }, () => entry), [], [half, half]]) {
      expect(await call(local, { Entries })).toMatchObject({ status: 400, body: { __type: 'ValidationException' } });
    }
    expect(await call(local, {}, 'AWSEvents.PutRule')).toMatchObject({
      status: 400,
      body: { __type: 'UnknownOperationException', message: expect.stringContaining('PutRule') },
    });
    expect(delivered).toEqual([]);
  });

  test('refuses what the policy of the bus does not allow, entry by entry, with the codes of AWS', async () => {
    const local = await start();
    const entries = [{ ...entry, Source: 'partner.globex' }, { ...entry, DetailType: 'job registered' }, entry];

    const mine = await call(local, { Entries: entries });
    const others = await call(local, { Entries: [entry] }, 'AWSEvents.PutEvents', stranger);

    expect(mine.body).toMatchObject({
      FailedEntryCount: 2,
      Entries: [
        { ErrorCode: 'NotAuthorizedForSourceException' },
        { ErrorCode: 'NotAuthorizedForDetailTypeException' },
        { EventId: expect.any(String) },
      ],
    });
    expect(others.body).toMatchObject({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'AccessDeniedException' }] });
    expect(delivered).toHaveLength(1);
  });

  test('drops an event that matches no rule: another type, another bus', async () => {
    const local = await start();
    const strangers = [
      { ...entry, DetailType: 'Other' },
      { ...entry, EventBusName: 'other' },
    ];
    const arn = 'arn:aws:events:eu-west-1:000000000000:event-bus/default';
    const { body } = await call(local, { Entries: [...strangers, { ...entry, EventBusName: arn }] });
    expect(body).toMatchObject({ FailedEntryCount: 0 });
    expect(local.dropped()).toHaveLength(strangers.length);
    expect(delivered).toHaveLength(1);
  });

  test('does not accept an event that could not be delivered', async () => {
    const local = await start(() => {
      throw new Error('disk full');
    });
    expect((await call(local, { Entries: [entry] })).body).toMatchObject({
      FailedEntryCount: 1,
      Entries: [{ ErrorCode: 'InternalFailure' }],
    });
  });

  test('fills a template as documented: text with its quotes, inside quotes without them', () => {
    const event = { id: 'say "hi"', detail: { n: 1, list: [true] } } as unknown as BusEvent;
    const paths = { id: '$.id', detail: '$.detail', n: '$.detail.n' };
    const filled = fillTemplate('{"a":<id>,"b":"is <id>, \\"<n>\\"","c":<detail>,"d":"<other>"}', paths, event);
    expect(JSON.parse(filled)).toEqual({ a: 'say "hi"', b: 'is say "hi", "1"', c: event.detail, d: '<other>' });
    expect(() => fillTemplate('{"a":<none>}', { none: '$.none' }, event)).toThrow('$.none');
    expect(inputTransformer('acme').template.match(/<\w+>/g)).toHaveLength(4);
  });
});

describe('the local queue', () => {
  const answered = (payload: unknown): InvocationResult => ({ kind: 'answered', payload });
  const start = (invoke: QueueOptions['invoke'], more: Partial<QueueOptions> = {}): LocalQueue => {
    const defaults = { name: 'events', batchSize: 10, visibilityTimeoutMs: 30, maxReceives: 3 };
    return closeAfterTest(startQueue({ ...defaults, invoke, ...more }));
  };
  const emptied = (queue: LocalQueue) =>
    vi.waitFor(() => expect(queue.waiting()).toEqual([]), { timeout: 5_000, interval: 5 });

  test('hands out records as Lambda does, in batches', async () => {
    const events: SQSEvent[] = [];
    const queue = start(async (event) => {
      events.push(event);
      return answered({ batchItemFailures: [] });
    });
    for (let n = 0; n < 25; n += 1) queue.send(`body ${n}`);
    await emptied(queue);
    expect(events.map(({ Records }) => Records.length)).toEqual([10, 10, 5]);
    const millis = expect.stringMatching(/^\d{13}$/);
    expect(events[0]?.Records[0]).toEqual({
      messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      receiptHandle: expect.any(String),
      body: 'body 0',
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: millis,
        SenderId: expect.any(String),
        ApproximateFirstReceiveTimestamp: millis,
      },
      messageAttributes: {},
      md5OfBody: '2c2f1edb5aac06c6c201d1fe8916de7d',
      eventSource: 'aws:sqs',
      eventSourceARN: expect.stringMatching(/^arn:aws:sqs:eu-west-1:/),
      awsRegion: 'eu-west-1',
    });
  });

  test('lets senders take turns: the messages of one do not delay those of another', async () => {
    const order: string[] = [];
    const queue = start(
      async ({ Records }) => {
        order.push(...Records.map(({ body }) => body));
        return answered({ batchItemFailures: [] });
      },
      { batchSize: 1 },
    );
    for (let n = 0; n < 50; n += 1) queue.send('acme', 'acme');
    queue.send('globex', 'globex');
    await emptied(queue);
    expect(order).toHaveLength(51);
    expect(order.indexOf('globex')).toBeLessThanOrEqual(2);
  });

  test('as a FIFO queue works on one message of a group at a time, in order, also when that comes back', async () => {
    const order: string[] = [];
    const working = new Set<string>();
    const together: string[] = [];
    const queue = start(
      async ({ Records: [record] }) => {
        const body = record?.body ?? '';
        const group = body.slice(0, 1);
        if (working.has(group)) together.push(body);
        working.add(group);
        order.push(body);
        await new Promise((resolve) => setTimeout(resolve, 5));
        working.delete(group);
        const failed = body === 'a 1' && order.filter((each) => each === body).length === 1;
        return answered({ batchItemFailures: failed ? [{ itemIdentifier: record?.messageId }] : [] });
      },
      { batchSize: 1, batchesAtOnce: 4, isFifo: true },
    );
    for (const n of [1, 2, 3]) for (const group of ['a', 'b']) queue.send(`${group} ${n}`, group);
    await emptied(queue);

    expect(together).toEqual([]);
    expect(order.filter((body) => body.startsWith('a'))).toEqual(['a 1', 'a 1', 'a 2', 'a 3']);
    expect(order.filter((body) => body.startsWith('b'))).toEqual(['b 1', 'b 2', 'b 3']);
    expect(order.indexOf('b 3')).toBeLessThan(order.indexOf('a 2'));
  });

  test('hands out first what is of a sender with little in work: a slow one delays itself alone', async () => {
    const ends = new Map<string, () => void>();
    const queue = start(
      async ({ Records }) => {
        for (const { body } of Records) await new Promise<void>((resolve) => ends.set(body, resolve));
        return answered(null);
      },
      { batchSize: 1, batchesAtOnce: 2 },
    );
    const handedOut = (...bodies: string[]) =>
      vi.waitFor(() => expect([...ends.keys()]).toEqual(bodies), { timeout: 5_000, interval: 1 });
    for (const body of ['slow 1', 'slow 2', 'slow 3']) queue.send(body, 'slow');
    await handedOut('slow 1', 'slow 2');
    for (const body of ['other 1', 'other 2']) queue.send(body, 'other');

    ends.get('slow 1')?.();
    await handedOut('slow 1', 'slow 2', 'other 1');
    ends.get('other 1')?.();
    await handedOut('slow 1', 'slow 2', 'other 1', 'other 2');
    ends.get('slow 2')?.();
    await handedOut('slow 1', 'slow 2', 'other 1', 'other 2', 'slow 3');
    for (const end of ends.values()) end();
    await emptied(queue);
  });

  test('works on as many batches at once as it may', async () => {
    const under = { way: 0, most: 0 };
    const queue = start(
      async () => {
        under.most = Math.max(under.most, (under.way += 1));
        await sleep(10);
        under.way -= 1;
        return answered(null);
      },
      { batchSize: 1, batchesAtOnce: 3 },
    );
    for (let n = 0; n < 10; n += 1) queue.send(`body ${n}`);
    await emptied(queue);
    expect(under.most).toBe(3);
  });

  test('delivers only what was reported failed again, and at last moves it to the DLQ', async () => {
    const receives: string[] = [];
    const queue = start(async ({ Records }) => {
      const bad = Records.filter(({ body }) => body === 'bad');
      receives.push(...bad.map(({ attributes }) => attributes.ApproximateReceiveCount));
      return answered({ batchItemFailures: bad.map(({ messageId }) => ({ itemIdentifier: messageId })) });
    });
    queue.send('good');
    queue.send('bad');
    await vi.waitFor(() => expect(queue.waiting()).toEqual(['bad']), { interval: 1 });
    await emptied(queue);
    expect([receives, queue.deadLetters()]).toEqual([['1', '2', '3'], ['bad']]);
  });

  test.each<[string, InvocationResult, number]>([
    ['nothing at all', answered(null), 0],
    ['an empty object', answered({}), 0],
    ['no list', answered({ batchItemFailures: null }), 0],
    ['an empty identifier', answered({ batchItemFailures: [{ itemIdentifier: '' }] }), 2],
    ['an identifier that is null', answered({ batchItemFailures: [{ itemIdentifier: null }] }), 2],
    ['an unknown identifier', answered({ batchItemFailures: [{ itemIdentifier: 'x' }] }), 2],
    ['another key', answered({ batchItemFailures: [{ id: 'x' }] }), 2],
    ['a text', answered('done'), 2],
    ['an error', { kind: 'failed', errorType: 'Error', errorMessage: '' }, 2],
    ['a timeout', { kind: 'timed_out' }, 2],
  ])('treats %s as Lambda does', async (_, result, failed) => {
    const queue = start(async () => result, { maxReceives: 1, visibilityTimeoutMs: 1 });
    queue.send('a');
    queue.send('b');
    await emptied(queue);
    expect(queue.deadLetters()).toHaveLength(failed);
  });

  test('hands a message to one invocation at a time, however long the invocation takes', async () => {
    let calls = 0;
    const queue = start(
      async () => {
        calls += 1;
        await sleep(60);
        return answered(null);
      },
      { visibilityTimeoutMs: 5 },
    );
    queue.send('slow');
    await emptied(queue);
    expect(calls).toBe(1);
  });

  test('hides a message for its delay, over a restart too, and lets others pass', async () => {
    const statePath = join(temporaryFolder(), 'queue.json');
    const received: SQSRecord[] = [];
    const receive: QueueOptions['invoke'] = async ({ Records }) => {
      received.push(...Records);
      return answered(null);
    };
    const first = start(receive, { statePath });
    first.send('in an hour', 'acme', 3_600_000);
    first.send('soon', 'acme', 100);
    first.send('at once', 'acme');
    await vi.waitFor(() => expect(received.map(({ body }) => body)).toEqual(['at once']), { interval: 1 });
    expect(first.delayed()).toEqual(['in an hour', 'soon']);
    first.close();

    const second = start(receive, { statePath });
    await vi.waitFor(() => expect(second.waiting()).toEqual(['in an hour']), { interval: 5 });

    expect(second.delayed()).toEqual(['in an hour']);
    const [, { body, attributes } = { body: '', attributes: { SentTimestamp: '' } }] = received;
    expect(body).toBe('soon');
    expect(Date.now() - Number(attributes.SentTimestamp)).toBeGreaterThanOrEqual(100);
  });

  test('without a DLQ delivers a message until it is done', async () => {
    let deliveries = 0;
    const queue = start(
      async () => {
        deliveries += 1;
        return deliveries < 20 ? { kind: 'timed_out' } : answered(null);
      },
      { maxReceives: undefined, visibilityTimeoutMs: 1 },
    );
    queue.send('stubborn');
    await emptied(queue);
    expect([deliveries, queue.deadLetters()]).toEqual([20, []]);
  });

  test('moves the messages of the DLQ back as new ones', async () => {
    let works = false;
    const queue = start(async () => (works ? answered(null) : { kind: 'timed_out' }), { maxReceives: 1 });
    queue.send('a');
    await vi.waitFor(() => expect(queue.deadLetters()).toEqual(['a']), { interval: 5 });
    works = true;
    expect(queue.redrive()).toBe(1);
    await emptied(queue);
    expect(queue.deadLetters()).toEqual([]);
  });

  test('loses no message when its process is killed: waiting, under way, or in the DLQ', async () => {
    const statePath = join(temporaryFolder(), 'data', 'queue.json');
    const first = start(
      async ({ Records }) => (Records[0]?.body === 'dead' ? { kind: 'timed_out' } : new Promise(() => undefined)),
      {
        statePath,
        batchSize: 1,
        maxReceives: 1,
      },
    );
    first.send('dead');
    await vi.waitFor(() => expect(first.deadLetters()).toEqual(['dead']), { interval: 5 });
    for (const body of ['under way', 'under way too', 'waiting']) first.send(body);
    await sleep(10);
    first.close();
    const second = start(async () => answered(null), { statePath, maxReceives: 2 });
    expect([second.waiting(), second.deadLetters()]).toEqual([['under way', 'under way too', 'waiting'], ['dead']]);
    await emptied(second);
  });
});

describe('the local schedule', () => {
  test('runs at once, then at every interval, up to the number of runs at a time', async () => {
    const events: unknown[] = [];
    const ends: (() => void)[] = [];
    const schedule = startSchedule({
      everyMs: 10,
      atOnce: 2,
      name: 'every-10-ms',
      invoke: (event) => {
        events.push(event);
        return new Promise<void>((resolve) => ends.push(resolve));
      },
    });
    closeAfterTest(schedule);
    expect(events).toMatchObject([{ 'detail-type': 'Scheduled Event', source: 'aws.events', detail: {} }]);
    await sleep(80);
    expect(events).toHaveLength(2);
    ends[0]?.();
    await vi.waitFor(() => expect(events).toHaveLength(3), { interval: 5 });
  });
});
