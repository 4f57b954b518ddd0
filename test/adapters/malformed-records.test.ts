import { createHash } from 'node:crypto';
import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createReadableLog } from '../../functions/adapters/dynamodb/cancellation-log.ts';
import { WAKE_SHARDS } from '../../functions/core/cancellation/pace.ts';
import { createPagedDirectory } from '../../functions/adapters/dynamodb/job-directory.ts';
import { createPartners, createReadPartnerKey } from '../../functions/adapters/dynamodb/partners.ts';
import { toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import { sealEvent } from '../../functions/core/cancellation/chain.ts';
import { BrokenStream } from '../../functions/core/cancellation/state.ts';
import { eventKey, streamKey } from '../../functions/core/cancellation/stream-key.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import { RecordUnreadable } from '../../functions/core/report.ts';
import { reconcileDue } from '../../functions/core/use-cases/reconcile-due.ts';
import { type TableName, tables } from '../../infra/blueprint/tables.ts';
import { type LocalDynamoDb, startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { createMemoryPorts } from '../support/memory-ports.ts';
import { acme, documentedJob, externalId, jobId, order7890, retention } from '../support/names.ts';
import { committed } from '../support/committed.ts';

let dynamodb: LocalDynamoDb<TableName>;
beforeAll(async () => {
  dynamodb = await startLocalDynamoDb({ tables });
});
afterAll(() => dynamodb.close());

const put = async (table: TableName, fields: Record<string, unknown>): Promise<void> => {
  await dynamodb.client.send(new PutItemCommand({ TableName: dynamodb.tableNames[table], Item: toItem(fields) }));
};
const log = () => createReadableLog(dynamodb.client, dynamodb.tableNames.CancellationLog);
const directory = () => createPagedDirectory(dynamodb.client, dynamodb.tableNames.JobDirectory);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** The caller is done with nothing. */
const isDone = () => false;
const registeredAt = '2026-11-23T12:00:00.000Z';

describe('the index of wake-ups', () => {
  /** Of what is in the index. */
  const keys: { pk: string; sk: string }[] = [];
  const emptyIndex = async (): Promise<void> => {
    const update = { TableName: dynamodb.tableNames.CancellationLog, UpdateExpression: 'REMOVE wakeShard, wakeAt' };
    for (const key of keys.splice(0)) {
      await dynamodb.client.send(new UpdateItemCommand({ ...update, Key: toItem(key) }));
    }
  };
  afterEach(emptyIndex);
  let items = 0;
  const putWakeUp = async (fields: { pk: string; sk: string; wakeShard: string; wakeAt: string }) => {
    keys.push({ pk: fields.pk, sk: fields.sk });
    await put('CancellationLog', fields);
  };
  /** A cancellation whose last attempt ended: due at this time. */
  const putGood = async (wakeShard: string, wakeAt: string): Promise<string> => {
    const name = { partnerId: acme, jobId: jobId(`job_good_${++items}`) };
    const asked = committed({ door: 'https', requestId: 'r', externalId: order7890 } as const);
    const claim = { attempt: 1, claimedBy: 'me', leaseUntil: registeredAt };
    const at = { eventId: `e-${items}`, at: registeredAt, keptDays: retention.events };
    const event = sealEvent(name, undefined, { type: 'requested', ...asked, ...claim }, at);
    const key = { pk: streamKey(name), sk: eventKey(1) };
    keys.push(key);
    await put('CancellationLog', { ...key, ...event, wakeShard, wakeAt });
    return name.jobId;
  };
  const malformed = {
    'that is not a stream': () => ({ pk: `ACME/${++items}`, sk: eventKey(1) }),
    'of a day of refused requests': () => ({ pk: `acme#refused#2026-11-23`, sk: `${registeredAt}#${++items}` }),
    'that is no event': () => ({ pk: `acme#job_${++items}`, sk: `joined#${registeredAt}#r` }),
    'of a jobId that would leave its path': () => ({ pk: `acme#../cancel${++items}`, sk: eventKey(1) }),
    'with a number in another spelling': () => ({ pk: `acme#job_${++items}`, sk: 'event#1' }),
  };

  test.each(Object.entries(malformed))('leaves out and names an item %s', async (_, make) => {
    const { pk, sk } = make();
    await putWakeUp({ pk, sk, wakeShard: '0', wakeAt: registeredAt });
    const good = await putGood('0', registeredAt);

    expect(await log().wakeUps(0, 50, isDone)).toEqual({
      items: [{ partnerId: acme, jobId: good, seq: 1, wakeAt: registeredAt }],
      unreadable: [`${pk} ${sk}`],
      isCut: false,
    });
  });

  test('leaves out and names a time that is none, whether it sorts first or last', async () => {
    for (const wakeAt of ['0', 'soon', '2026-11-23T12:00:00Z']) {
      await putWakeUp({ pk: `acme#job_${++items}`, sk: eventKey(1), wakeShard: '1', wakeAt });
    }
    const good = await putGood('1', registeredAt);
    const { items: found, unreadable } = await log().wakeUps(1, 50, isDone);

    expect(found).toMatchObject([{ jobId: good }]);
    expect(unreadable).toHaveLength(3);
  });

  test('has a bound for what it reads at once, and says so', async () => {
    for (let n = 0; n < 41; n += 1) await putWakeUp({ pk: `x${n}`, sk: 'x', wakeShard: '2', wakeAt: registeredAt });
    await putGood('2', '2026-11-23T12:30:00.000Z');
    const { items: found, unreadable, isCut } = await log().wakeUps(2, 1, isDone);

    expect([found.length, unreadable.length, isCut]).toEqual([0, 40, true]);
    expect((await log().wakeUps(2, 2, isDone)).items).toHaveLength(1);
  });

  /** A run of the reconciler at 13:00 over the real index: what it looked at, and what it reported. */
  const reconcile = async () => {
    const ports = createMemoryPorts();
    ports.clock.advance(60 * 60_000);
    const looked = new Set<string>();
    const read: Pick<ReturnType<typeof log>, 'read'> = {
      read: async (_, id) => {
        looked.add(id);
        return { events: [] };
      },
    };
    const summary = await reconcileDue({ ...ports, log: { ...log(), ...read } }, ports.clock.now() + 35_000);
    const unreadable = ports.reported.filter(({ code }) => code === 'RECORD_UNREADABLE');
    return { looked, summary, unreadable: unreadable.map(({ fields }) => fields?.['key']) };
  };

  test('with 200 malformed items at its head hides none of the good ones', async () => {
    for (let n = 0; n < 200; n += 1) {
      await putWakeUp({ pk: `poison-${n}`, sk: 'x', wakeShard: '3', wakeAt: '2026-11-23T12:00:00.000Z' });
    }
    const good = [];
    for (let n = 0; n < 5; n += 1) good.push(await putGood('3', '2026-11-23T12:10:00.000Z'));
    const { looked, summary, unreadable } = await reconcile();

    expect([...looked].toSorted()).toEqual(good.toSorted());
    expect(summary).toEqual({ looked: 5, lostByQueue: 0, failed: 200, oldestDueMs: 50 * 60_000 });
    expect(new Set(unreadable).size).toBe(200);
  });

  test('for any mix of malformed and good wake-ups every good one that is due is looked at', async () => {
    const kinds = Object.values(malformed);
    const anyItem = fc.record({
      shard: fc.integer({ min: 0, max: WAKE_SHARDS - 1 }).map(String),
      minute: fc.integer({ min: 0, max: 90 }),
      kind: fc.oneof(fc.constant('good' as const), fc.integer({ min: 0, max: kinds.length - 1 })),
    });
    const property = fc.asyncProperty(fc.array(anyItem, { maxLength: 150 }), async (mix) => {
      const due: string[] = [];
      let poison = 0;
      for (const { shard, minute, kind } of mix) {
        const wakeAt = toTimestamp(Date.parse(registeredAt) + minute * 60_000);
        if (kind === 'good') {
          const id = await putGood(shard, wakeAt);
          if (minute < 60) due.push(id);
        } else {
          const key = kinds[kind]?.() ?? { pk: 'x', sk: 'x' };
          await putWakeUp({ ...key, wakeShard: shard, wakeAt });
          poison += 1;
        }
      }
      const { looked, summary } = await reconcile();
      await emptyIndex();

      expect([...looked].toSorted()).toEqual(due.toSorted());
      expect(summary.failed).toBe(poison);
    });
    await fc.assert(property, { numRuns: 15 });
  });
});

test('a malformed joined record is counted, left out and named', async () => {
  const pk = 'acme#job_joined';
  const request = { door: 'https', requestId: 'r', externalId: order7890 } as const;
  const asked = { partnerId: 'acme', jobId: 'job_joined', ...committed(request) };
  await put('CancellationLog', {
    pk,
    sk: 'joined#1',
    type: 'joined',
    deleteAfter: 4_000_000_000,
    ...asked,
    at: registeredAt,
  });
  await put('CancellationLog', { pk, sk: 'joined#2', type: 'joined', ...asked, at: 'yesterday' });

  expect(await log().readJoined(acme, jobId('job_joined'), { shown: 9, counted: 9 })).toMatchObject({
    items: [{ at: registeredAt }],
    unreadable: [`${pk} joined#2`],
    count: 2,
  });
});

describe('the job directory', () => {
  const name = externalId('Jane Doe’s order');
  const pk = `acme#job#${name}`;

  test('leaves out a malformed entry, and names it without the externalId', async () => {
    await put('JobDirectory', { pk, sk: 'job_good', registeredAt });
    await put('JobDirectory', { pk, sk: 'job_bad', registeredAt: 'yesterday' });
    await put('JobDirectory', { pk, sk: 'job_worse', registeredAt, terminalStatus: 7 });
    await put('JobDirectory', { pk, sk: '../cancel', registeredAt });

    expect(await directory().find(acme, name)).toEqual({
      items: [{ jobId: 'job_good', registeredAt }],
      unreadable: [`sha256:${sha256('../cancel')}`, 'job_bad', 'job_worse'].map(
        (id) => `acme#job#sha256:${sha256(name)} ${id}`,
      ),
    });
  });

  test('leaves it out of a page too, and the next page begins after it', async () => {
    const { items, unreadable, next } = await directory().findPage(acme, name, { limit: 2 });

    expect({ items, next }).toEqual({ items: [{ jobId: 'job_good', registeredAt }], next: 'job_good' });
    expect(unreadable).toEqual([`acme#job#sha256:${sha256(name)} job_worse`]);
    expect(await directory().findPage(acme, name, { limit: 1, after: 'job_good' })).toMatchObject({ next: 'job_bad' });
    expect(await directory().findPage(acme, name, { limit: 2, after: 'job_bad' })).toEqual({
      items: [],
      unreadable: [`acme#job#sha256:${sha256(name)} sha256:${sha256('../cancel')}`],
      next: undefined,
    });
  });

  test.each([1e15, -1, 'soon'])('leaves out an entry that expires at no time: %s', async (expiresAt) => {
    const other = externalId(`expires ${expiresAt}`);
    await put('JobDirectory', { pk: `acme#job#${other}`, sk: 'job_1', registeredAt, expiresAt });

    expect(await directory().find(acme, other)).toMatchObject({ items: [], unreadable: [expect.any(String)] });
  });

  test('throws for a request’s binding that is malformed: what it was bound to must not be guessed', async () => {
    const key = `acme#request#${sha256('a-key')}`;
    await put('JobDirectory', { pk: key, sk: 'binding', fingerprint: 'f', firstSeenAt: registeredAt, jobId: '../x' });
    const unreadable = { dependency: 'job-directory', key: `${key} binding` };

    await expect(directory().readBinding(acme, 'a-key')).rejects.toMatchObject(unreadable);
    await expect(
      directory().bind(acme, 'a-key', { fingerprint: 'f', firstSeenAt: registeredAt }),
    ).rejects.toMatchObject(unreadable);
  });

  test('throws for a malformed owner: whose job it is must not be guessed', async () => {
    const entry = { jobId: jobId('job_owned'), registeredAt, verifiedAt: registeredAt };
    await put('JobDirectory', { pk: 'job#job_owned', sk: 'owner', partnerId: 'ACME', verifiedAt: registeredAt });

    const unreadable = { key: 'job#job_owned owner' };
    await expect(directory().claim(acme, name, entry)).rejects.toMatchObject(unreadable);
    await expect(directory().readOwner(entry.jobId)).rejects.toMatchObject(unreadable);
  });
});

describe('the partners', () => {
  test('throw for a malformed record of one partner, and answer for the others', async () => {
    const partners = createPartners(dynamodb.client, dynamodb.tableNames.Partners, { now: () => 0 });
    await put('Partners', { pk: 'partner#acme', projects: 'all of them' });

    await expect(partners.accessOf(acme)).rejects.toMatchObject({ key: 'partner#acme' });
  });

  test('throw for a malformed key: it lets no one in', async () => {
    const readPartnerKey = createReadPartnerKey(dynamodb.client, dynamodb.tableNames.Partners);
    await put('Partners', { pk: 'key#k', partnerId: 'acme', secretHash: 'short', scopes: new Set(['jobs:write']) });

    await expect(readPartnerKey('k')).rejects.toBeInstanceOf(RecordUnreadable);
  });
});

test('a number that JavaScript cannot hold makes one event malformed, not the reader fail', async () => {
  const pk = streamKey({ partnerId: acme, jobId: documentedJob });
  const Item = { ...toItem({ pk, sk: eventKey(1), type: 'requested' }), seq: { N: '99999999999999999999' } };
  await dynamodb.client.send(new PutItemCommand({ TableName: dynamodb.tableNames.CancellationLog, Item }));

  await expect(log().read(acme, documentedJob)).rejects.toThrow(BrokenStream);
});
