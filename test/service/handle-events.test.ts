import type { Context, SQSRecord } from 'aws-lambda';
import { beforeEach, describe, expect, test } from 'vitest';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import { handleEvents } from '../../functions/doors/eventbridge/handle-events.ts';
import { broken, createMemoryPorts, type MemoryPorts } from '../support/memory-ports.ts';
import { acme, documentedJob, globex, order7890 } from '../support/names.ts';

const MAX_RECEIVES = 5;
const time = '2026-11-23T12:00:00Z';

let ports: MemoryPorts;
let messages = 0;
beforeEach(async () => {
  ports = createMemoryPorts();
  await ports.directory.register(acme, order7890, { jobId: documentedJob, registeredAt: toTimestamp(0) });
});

const message = (body: unknown, receives = 1): SQSRecord => ({
  messageId: `message-${++messages}`,
  receiptHandle: 'r',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  attributes: {
    ApproximateReceiveCount: String(receives),
    SentTimestamp: '0',
    SenderId: 's',
    ApproximateFirstReceiveTimestamp: '0',
  },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: '',
  awsRegion: '',
});
const cancelRequested = (detail: object = { externalId: order7890 }, more: object = {}) => ({
  partnerId: 'acme',
  id: 'event-1',
  time,
  detailType: 'Job Cancellation Requested',
  detail,
  ...more,
});
const registered = (detail: object, more: object = {}) => ({
  ...cancelRequested(detail),
  detailType: 'Job Registered',
  ...more,
});
const context = { getRemainingTimeInMillis: () => 30_000 } as Context;
const consume = async (...Records: SQSRecord[]) => {
  const { batchItemFailures } = await handleEvents(ports, MAX_RECEIVES)({ Records }, context);
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
};
const typesOf = async () => (await ports.log.read(acme, documentedJob)).events.map(({ type }) => type);

describe('a cancel that comes as an event', () => {
  test('cancels as the HTTPS door does, with the event’s id as its key', async () => {
    expect(await consume(message(cancelRequested()))).toEqual([]);
    expect(await typesOf()).toEqual(['requested', 'closed']);
    expect([...ports.directory.bindings.keys()]).toEqual(['acme#event-id:event-1']);
    expect((await ports.log.read(acme, documentedJob)).events[0]).toMatchObject({
      door: 'events',
      requestId: 'event-1',
    });
  });

  test('is done and not repeated while Plangrep is slow', async () => {
    ports.plangrep.onCancel = () => ({ kind: 'unknown', why: 'timeout' });

    expect(await consume(message(cancelRequested()))).toEqual([]);
    expect(await typesOf()).toEqual(['requested', 'attempt_ended']);
  });

  test('belongs to the rule’s partner, whatever the detail says', async () => {
    const claims = message(cancelRequested({ externalId: order7890, partnerId: 'acme' }, { partnerId: 'globex' }));

    expect(await consume(claims)).toEqual([claims.messageId]);
    const other = message(cancelRequested({ externalId: order7890 }, { partnerId: 'globex' }));

    expect(await consume(other)).toEqual([other.messageId]);
    expect(ports.plangrep.calls).toEqual([]);
  });

  test('is repeated while it reaches no job, and recorded as refused only at the last try', async () => {
    const unknown = cancelRequested({ externalId: 'order-1' });
    const first = message(unknown, 1);

    expect(await consume(first)).toEqual([first.messageId]);
    expect(ports.log.refused).toEqual([]);
    const last = message(unknown, MAX_RECEIVES);

    expect(await consume(last)).toEqual([last.messageId]);
    expect(ports.log.refused).toMatchObject([{ why: 'job_not_found', door: 'events', requestId: 'event-1' }]);
  });

  test('that arrives before its job’s registration reaches the job afterwards', async () => {
    const early = cancelRequested({ externalId: 'order-1' }, { id: 'event-2', time: '2026-11-23T12:00:01Z' });
    await consume(message(early, 1));
    await consume(message(registered({ jobId: 'job_1', externalId: 'order-1' })));

    expect(await consume(message(early, 2))).toEqual([]);
    expect(ports.plangrep.calls).toEqual(['cancel job_1']);
  });
});

describe('a registration that comes as an event', () => {
  test('counts from the event’s own time', async () => {
    await consume(message(registered({ jobId: 'job_1', externalId: order7890, projectId: 'proj_1' })));
    const [job] = (await ports.directory.find(acme, order7890)).items;

    expect(job).toMatchObject({ jobId: 'job_1', registeredAt: '2026-11-23T12:00:00.000Z', projectId: 'proj_1' });
  });

  test('of another partner’s job goes to the DLQ', async () => {
    const taken = message(registered({ jobId: documentedJob, externalId: 'mine' }, { partnerId: globex }));

    expect(await consume(taken)).toEqual([taken.messageId]);
  });
});

describe('a batch', () => {
  test.each([
    'no JSON',
    'null',
    '[]',
    JSON.stringify({ ...cancelRequested(), partnerId: 'ACME' }),
    JSON.stringify({ ...cancelRequested(), time: 'yesterday' }),
    JSON.stringify({ ...cancelRequested(), detailType: 'Something Else' }),
    JSON.stringify(cancelRequested({ externalId: order7890, force: true })),
    JSON.stringify(cancelRequested({ externalId: '' })),
    JSON.stringify(cancelRequested({ externalId: 'commande-\ufffd' })),
    JSON.stringify(cancelRequested({ externalId: order7890, jobId: 'job_\ufffd' })),
    JSON.stringify(cancelRequested({ externalId: order7890, reason: 'd\ufffdj\ufffd vu' })),
    ...['event-\ufffd', 'event-\ud83d', 'é', '', '~'.repeat(129)].map((id) =>
      JSON.stringify(cancelRequested(undefined, { id })),
    ),
    JSON.stringify(registered({ jobId: 'job_1', externalId: 'commande-\ufffd' })),
    JSON.stringify(registered({ jobId: 'job_1', externalId: 'x', projectId: 'proj_\ufffd' })),
    `\ufeff${JSON.stringify(cancelRequested())}`,
    JSON.stringify(registered({ externalId: order7890 })),
  ])('fails only for its malformed message: %.60s', async (poison) => {
    const bad = message(poison);

    expect(await consume(bad, message(cancelRequested()))).toEqual([bad.messageId]);
    expect(await typesOf()).toEqual(['requested', 'closed']);
    expect(ports.reported.map(({ code }) => code)).toContain('EVENT_MALFORMED');
  });

  test('fails only for the message that met a broken table or a bug', async () => {
    ports.log.beforeWrite = (record) => {
      if (record.partnerId === acme) throw broken('cancellation-log');
    };
    const failed = message(cancelRequested());

    expect(await consume(failed, message(registered({ jobId: 'job_1', externalId: 'x' })))).toEqual([failed.messageId]);
    expect(ports.reported.map(({ code }) => code)).toContain('DEPENDENCY_UNAVAILABLE');
    ports.log.beforeWrite = () => {
      throw new TypeError('a bug');
    };
    const again = message(cancelRequested({ externalId: order7890 }, { id: 'event-9' }));

    expect(await consume(again)).toEqual([again.messageId]);
    expect(ports.reported.map(({ code }) => code)).toContain('UNEXPECTED_ERROR');
  });
});
