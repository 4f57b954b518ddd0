import type { Context, SQSRecord } from 'aws-lambda';
import { beforeEach, describe, expect, test } from 'vitest';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { handleEvents } from '../../../functions/doors/eventbridge/handle-events.ts';
import { broken, createMemoryPorts, type MemoryPorts } from '../../support/memory-ports.ts';
import { acme, documentedJob, documentedProject, externalId, globex, jobId, order7890 } from '../../support/names.ts';

const MAX_RECEIVES = 5;
const time = '2026-11-23T12:00:00Z';

let ports: MemoryPorts;
let deadLetters: string[];
let setAside: (body: string) => Promise<void>;
let messages = 0;
beforeEach(async () => {
  deadLetters = [];
  setAside = async (body) => void deadLetters.push(body);
  ports = createMemoryPorts();
  ports.access.set(acme, { kind: 'any' });
  const [registeredAt, verifiedAt] = [toTimestamp(0), toTimestamp(0)];
  await ports.directory.claim(acme, order7890, { jobId: documentedJob, registeredAt, verifiedAt });
});

const message = (body: unknown, receives = 1): SQSRecord => ({
  messageId: `message-${++messages}`,
  receiptHandle: 'r',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  attributes: {
    ApproximateReceiveCount: String(receives),
    SentTimestamp: String(ports.clock.now() + 999),
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
  const { batchItemFailures } = await handleEvents(ports, { maxReceives: MAX_RECEIVES, setAside })(
    { Records },
    context,
  );
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

  test('has nothing in an optional field that is null', async () => {
    expect(await consume(message(cancelRequested({ externalId: order7890, jobId: null, reason: null })))).toEqual([]);
    const [first] = (await ports.log.read(acme, documentedJob)).events;

    expect(first).toMatchObject({ type: 'requested' });
    expect(first).not.toHaveProperty('reason', null);
    expect(deadLetters).toEqual([]);
  });

  test('is done and not repeated while Plangrep is slow', async () => {
    ports.plangrep.onCancel = () => ({ kind: 'unknown', why: 'timeout' });

    expect(await consume(message(cancelRequested()))).toEqual([]);
    expect(await typesOf()).toEqual(['requested', 'attempt_ended']);
  });

  test('belongs to the rule’s partner, whatever the detail says', async () => {
    const claims = message(cancelRequested({ externalId: order7890, partnerId: 'acme' }, { partnerId: 'globex' }));

    expect(await consume(claims)).toEqual([]);
    expect(deadLetters).toEqual([claims.body]);
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
    expect(ports.plangrep.calls).toEqual(['read job_1', 'cancel job_1']);
  });
});

describe('a registration that comes as an event', () => {
  test('is not from later than the queue took it, whatever its sender’s clock shows', async () => {
    await consume(message(registered({ jobId: 'job_1', externalId: 'order-1' }, { time: '2026-11-23T15:00:00Z' })));
    const [job] = (await ports.directory.find(acme, externalId('order-1'))).items;

    expect(job).toMatchObject({ jobId: 'job_1', registeredAt: '2026-11-23T12:00:00.999Z' });
  });

  /** Plangrep shows when it was created: 11:00. */
  const isShown = () => {
    ports.plangrep.onRead = (id) => {
      const job = { id, status: 'processing', projectId: documentedProject, createdAt: '2026-11-23T11:00:00.000Z' };
      return { kind: 'job', job };
    };
  };

  test('counts from when the queue took it, if Plangrep does not show when the job was created', async () => {
    await consume(message(registered({ jobId: 'job_1', externalId: 'order-1' }, { time: '2026-11-23T11:59:00Z' })));
    const [job] = (await ports.directory.find(acme, externalId('order-1'))).items;

    expect(job).toMatchObject({ registeredAt: '2026-11-23T12:00:00.999Z' });
  });

  test('counts from the event’s own time', async () => {
    isShown();
    await consume(message(registered({ jobId: 'job_1', externalId: order7890, projectId: 'proj_1' })));
    const [job] = (await ports.directory.find(acme, order7890)).items;

    expect(job).toMatchObject({
      jobId: 'job_1',
      registeredAt: '2026-11-23T12:00:00.000Z',
      projectId: documentedProject,
    });
  });

  test('counts from its time, in whatever form of ISO 8601 it comes', async () => {
    const at = { time: '20261123T130000,5+01' };
    isShown();
    await consume(message(registered({ jobId: 'job_1', externalId: order7890, projectId: null }, at)));

    const [job] = (await ports.directory.find(acme, order7890)).items;
    expect(job).toMatchObject({ jobId: 'job_1', registeredAt: '2026-11-23T12:00:00.500Z' });
  });

  test('of another partner’s job goes to the DLQ', async () => {
    const taken = message(registered({ jobId: documentedJob, externalId: 'mine' }, { partnerId: globex }));

    expect(await consume(taken)).toEqual([taken.messageId]);
  });
});

describe('a malformed event', () => {
  const acmes = { partnerId: 'acme', requestId: 'event-1' };
  const canary = 'canary-value';

  test.each([
    ['no JSON', { path: '', what: 'is not JSON' }],
    // As a rule passes on an event that lacks a field which its template names.
    ['{"partnerId":"acme","id":"event-1","time":,"detail":{"a":"canary-value"}}', { ...acmes, what: 'is not JSON' }],
    ['{"partnerId":"acme","id":,"time":"canary-value"}', { partnerId: 'acme', path: '', what: 'is not JSON' }],
    ['{"detail":"canary-value","partnerId":"globex", }', { partnerId: undefined, requestId: undefined }],
    ['{"partnerId":"acme\\u0000","id":"event-1" }}', { partnerId: undefined, requestId: undefined }],
    ['null', { path: '' }],
    ['[]', { path: '' }],
    [JSON.stringify({ ...cancelRequested(), partnerId: 'ACME' }), { requestId: 'event-1', path: 'partnerId' }],
    [JSON.stringify({ ...cancelRequested(), id: '' }), { partnerId: 'acme', path: 'id' }],
    [JSON.stringify({ ...cancelRequested(), time: canary }), { ...acmes, path: 'time' }],
    [JSON.stringify({ ...cancelRequested(), time: '9999-12-31T23:59:59-01:00' }), { ...acmes, path: 'time' }],
    [JSON.stringify({ ...cancelRequested(), detailType: canary }), { ...acmes, path: 'detailType' }],
    [JSON.stringify({ ...cancelRequested(), [canary]: 1 }), { ...acmes, path: '' }],
    [
      JSON.stringify(cancelRequested({ externalId: order7890, [canary]: canary })),
      { ...acmes, path: 'detail', what: 'has a field that is not known' },
    ],
    [
      JSON.stringify(cancelRequested({ externalId: [canary] })),
      { ...acmes, path: 'detail.externalId', what: 'must be a string' },
    ],
    [
      JSON.stringify(cancelRequested({ externalId: `${canary}\n` })),
      { ...acmes, path: 'detail.externalId', what: 'must not contain control characters' },
    ],
    [JSON.stringify(registered({ externalId: canary })), { ...acmes, path: 'detail.jobId', what: 'is required' }],
    [JSON.stringify(registered({ externalId: 'x', jobId: `../${canary}` })), { ...acmes, path: 'detail.jobId' }],
  ])('goes to the DLQ at once, is reported by its field alone, and stops no other: %.60s', async (body, fields) => {
    const bad = message(body);

    expect(await consume(bad, message(cancelRequested()))).toEqual([]);
    expect(deadLetters).toEqual([body]);
    expect(await typesOf()).toEqual(['requested', 'closed']);
    const [line, ...more] = ports.reported.filter(({ code }) => code === 'EVENT_MALFORMED');
    expect(line?.fields).toMatchObject({ messageId: bad.messageId, ...fields });
    expect(more).toEqual([]);
    expect(JSON.stringify(ports.reported)).not.toContain(canary);
  });

  test('comes again when the DLQ does not take it, so that it is not lost', async () => {
    setAside = () => Promise.reject(broken('dead-letters'));
    const bad = message('no JSON');

    expect(await consume(bad)).toEqual([bad.messageId]);
    expect(ports.reported.map(({ code }) => code)).toEqual(['EVENT_MALFORMED', 'DEPENDENCY_UNAVAILABLE']);
  });
});

describe('a batch', () => {
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
    expect(ports.reported.map(({ code }) => code)).not.toContain('EVENT_FAILED');
  });

  test('reports an event that is given up although its partner did nothing wrong', async () => {
    ports.directory.unreadable.push('acme#job#sha256:0 job_bad');
    await consume(message(cancelRequested(), MAX_RECEIVES));
    ports.directory.before = () => {
      throw broken('job-directory');
    };
    await consume(message(registered({ jobId: 'job_1', externalId: 'x' }, { id: 'event-2' }), MAX_RECEIVES));
    const failed = ports.reported.filter(({ code }) => code === 'EVENT_FAILED');

    expect(failed.map(({ fields }) => fields)).toMatchObject([
      { partnerId: 'acme', requestId: 'event-1' },
      { partnerId: 'acme', requestId: 'event-2' },
    ]);
  });

  test('does not report as failed an externalId of more jobs than an event may read', async () => {
    const registeredAt = toTimestamp(0);
    for (let n = 0; n < 20; n += 1) {
      const entry = { jobId: jobId(`job_${n}`), registeredAt };
      await ports.directory.keepUnverified(acme, externalId('many'), entry);
    }
    ports.plangrep.onRead = () => ({ kind: 'not_found' });
    await consume(message(cancelRequested({ externalId: 'many' }), MAX_RECEIVES));

    expect(ports.reported.map(({ code }) => code)).toEqual(['REQUEST_REFUSED', 'EVENT_REFUSED']);
    expect(ports.log.refused).toMatchObject([{ why: 'unresolved' }]);
  });

  test('reports a registration that is given up while Plangrep cannot say whether there is room for it', async () => {
    for (let n = 0; n < 20; n += 1) await consume(message(registered({ jobId: `job_${n}`, externalId: 'full' })));
    ports.plangrep.onRead = () => ({ kind: 'unknown', why: 'timeout' });
    const event = registered({ jobId: 'job_20', externalId: 'full' }, { id: 'event-20' });
    const codesOf = async (receives: number) => {
      ports.reported.length = 0;
      await consume(message(event, receives));
      return ports.reported.map(({ code }) => code);
    };

    expect(await codesOf(MAX_RECEIVES - 1)).not.toContain('EVENT_FAILED');
    expect(await codesOf(MAX_RECEIVES)).toContain('EVENT_FAILED');
  });

  test('does not report as failed what the partner can resolve alone', async () => {
    await consume(message(cancelRequested({ externalId: 'order-1' }), MAX_RECEIVES));

    expect(ports.reported.map(({ code }) => code)).toEqual(['REQUEST_REFUSED', 'EVENT_REFUSED']);
  });
});
