import { randomUUID } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test, vi } from 'vitest';
import { closedEvent, refusedEvent } from '../../infra/blueprint/bus-events.ts';
import { createAccessKey } from '../../infra/local/aws/access-keys.ts';
import { startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { bus, startEventBridge } from '../../infra/local/aws/events/event-bridge.ts';
import { matchesPattern } from '../../infra/local/aws/events/event-pattern.ts';
import type { BusEvent } from '../../infra/local/aws/events/event-rules.ts';
import { fillPipeTemplate, startPipe } from '../../infra/local/aws/events/pipes.ts';
import { createTableFeatures } from '../../infra/local/aws/tables/table-features.ts';
import { closeAfterTest } from './arrange.ts';

describe('an event pattern', () => {
  const event = { eventName: 'INSERT', dynamodb: { NewImage: { type: { S: 'closed' }, n: { N: '1' } } } };

  test.each([
    [closedEvent.pattern, true],
    [refusedEvent.pattern, false],
    [{ eventName: ['MODIFY', 'INSERT'] }, true],
    [{ eventName: ['MODIFY'] }, false],
    [{ dynamodb: { NewImage: { missing: { S: ['closed'] } } } }, false],
    [{ dynamodb: { NewImage: { n: { N: ['1'] } } } }, true],
    [{ dynamodb: { NewImage: { n: { N: [1] } } } }, false],
    [{}, true],
  ])('%j matches: %s', (pattern, is) => {
    expect(matchesPattern(pattern, event)).toBe(is);
  });

  test('with a filter that is not played is rejected, and does not match everything', () => {
    const pattern = { eventName: [{ prefix: 'IN' }] };

    expect(() => Reflect.apply(matchesPattern, undefined, [pattern, event])).toThrow('does not know the pattern');
  });
});

describe('a pipe’s template', () => {
  const record = { a: { S: 'x "quoted" \\ <$.b> é' }, n: { N: '12' }, list: [1, 'two'] };

  test.each([
    ['{"a":"<$.a.S>","n":"<$.n.N>"}', { a: 'x "quoted" \\ <$.b> é', n: '12' }],
    ['{"missing":"<$.b.S>","deep":"<$.a.S.x>","a":"1"}', { missing: '', deep: '', a: '1' }],
    ['{"bare":<$.a>,"list":<$.list>}', { bare: record.a, list: record.list }],
    ['{"text":"\\"<$.n.N>\\" of <$.list>"}', { text: '"12" of [1,"two"]' }],
  ])('%s is filled', (template, filled) => {
    expect(JSON.parse(fillPipeTemplate(template, record))).toEqual(filled);
  });
});

describe('a pipe', () => {
  const pipeKey = createAccessKey();
  const pipe = {
    name: 'P',
    pattern: { dynamodb: { NewImage: { type: { S: ['closed'] } } } },
    source: 'service',
    detailType: 'Closed',
    template: '{"pk":"<$.dynamodb.NewImage.pk.S>","eventId":"<$.eventID>"}',
  };
  const start = async () => {
    const tables = { Log: { partitionKey: 'pk', stream: 'NEW_IMAGE' } } as const;
    const dynamodb = closeAfterTest(await startLocalDynamoDb({ tables, front: createTableFeatures }));
    const seen: BusEvent[] = [];
    const refusals = { left: 0 };
    const take = (event: BusEvent): void => {
      refusals.left -= 1;
      if (refusals.left >= 0) throw new Error('The target is away');
      seen.push(event);
    };
    const eventBridge = closeAfterTest(
      await startEventBridge({
        publishers: [{ ...pipeKey, principalArn: `arn:aws:iam::${bus.account}:role/pipe` }],
        policy: [],
        rules: [],
        listeners: [{ source: 'service', detailTypes: ['Closed'], take }],
        deliver: () => undefined,
      }),
    );
    closeAfterTest(
      startPipe(pipe, {
        streams: dynamodb.streams,
        table: 'Log',
        bus: { url: eventBridge.url, accessKey: pipeKey },
        retryMs: 5,
      }),
    );
    const put = (pk: string, type: string) =>
      dynamodb.client.send(
        new PutItemCommand({ TableName: 'Log', Item: { pk: { S: pk }, type: { S: type }, once: { S: 'x' } } }),
      );
    return { put, seen, eventBridge, refusals };
  };
  const details = (events: readonly BusEvent[]) => events.map(({ detail }) => detail);

  test('announces what its pattern matches, in the order of the writes, and a repeated write once', async () => {
    const { put, seen, eventBridge } = await start();
    const names = Array.from({ length: 25 }, () => randomUUID());

    for (const name of names) {
      await put(name, 'closed');
      await put(`${name} other`, 'requested');
      await put(name, 'closed');
    }

    await vi.waitFor(() => expect(seen).toHaveLength(names.length));
    expect(details(seen)).toMatchObject(names.map((pk) => ({ pk, eventId: expect.stringMatching(/^[0-9a-f]{32}$/) })));
    expect(seen[0]).toMatchObject({ source: 'service', 'detail-type': 'Closed', account: bus.account });
    expect(eventBridge.requests['PutEvents']).toBe(names.length);
    expect(eventBridge.dropped()).toEqual([]);
  });

  test('repeats an event until the bus takes it, and the next ones wait', async () => {
    const { put, seen, refusals } = await start();
    refusals.left = 3;

    await put('1', 'closed');
    await put('2', 'closed');

    await vi.waitFor(() => expect(details(seen)).toMatchObject([{ pk: '1' }, { pk: '2' }]));
  });
});
