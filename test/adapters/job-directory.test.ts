import { daysAfter } from '../../functions/core/retention.ts';
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPagedDirectory } from '../../functions/adapters/dynamodb/job-directory.ts';
import { createPartners, createReadPartnerKey } from '../../functions/adapters/dynamodb/partners.ts';
import { type ExternalId, partnerIdSchema, type PartnerId, projectIdSchema } from '../../functions/core/identifiers.ts';
import type { NewRefusal } from '../../functions/core/cancellation/events.ts';
import type { Refusals } from '../../functions/core/refusals.ts';
import type { DirectoryEntry, JobDirectory, JobPages, VerifiedEntry } from '../../functions/core/job-directory.ts';
import { type LocalDynamoDb, startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { MemoryDirectory } from '../support/memory-ports.ts';
import { acme, documentedProject, externalId, globex, jobId, retention } from '../support/names.ts';
import { type TableName, tables } from '../../infra/blueprint/tables.ts';
import { committed } from '../support/committed.ts';

const older: VerifiedEntry = {
  jobId: jobId('job_older'),
  registeredAt: '2026-11-23T11:00:00.000Z',
  verifiedAt: '2026-11-23T11:00:01.000Z',
};
const newer: VerifiedEntry = {
  jobId: jobId('job_newer'),
  registeredAt: '2026-11-23T12:00:00.000Z',
  projectId: documentedProject,
  verifiedAt: '2026-11-23T12:00:01.000Z',
};

let dynamodb: LocalDynamoDb<TableName>;
beforeAll(async () => {
  dynamodb = await startLocalDynamoDb({ tables });
});
afterAll(() => dynamodb.close());

const put = async (item: Record<string, string>) => {
  const Item = Object.fromEntries(Object.entries(item).map(([name, value]) => [name, { S: value }]));
  await dynamodb.client.send(new PutItemCommand({ TableName: dynamodb.tableNames.JobDirectory, Item }));
};

const kinds: Record<'on DynamoDB' | 'in memory', () => JobDirectory & JobPages & Refusals> = {
  'on DynamoDB': () => createPagedDirectory(dynamodb.client, dynamodb.tableNames.JobDirectory),
  'in memory': () => new MemoryDirectory(),
};

describe.each(['on DynamoDB', 'in memory'] as const)('the job directory %s', (kind) => {
  let directory: JobDirectory & JobPages & Refusals;
  let partner: PartnerId;
  let n = 0;
  const claim = (name: ExternalId, entry: VerifiedEntry) => directory.claim(partner, name, entry);
  /** No test meets another's jobs. */
  const fresh = (entry: VerifiedEntry): VerifiedEntry => ({ ...entry, jobId: jobId(`${entry.jobId}-${n}`) });
  beforeEach(() => {
    directory = kinds[kind]();
    partner = partnerIdSchema.parse(`partner-${++n}`);
  });

  test('finds the jobs of an externalId, newest first', async () => {
    const name = externalId('order-1');
    const [first, second] = [fresh(older), fresh(newer)];
    await claim(name, first);
    await claim(name, second);

    expect((await directory.find(partner, name)).items).toEqual([second, first]);
  });

  test('finds the jobs of an externalId in pages, the highest jobId first', async () => {
    const name = externalId('order-1');
    const entries = ['a', 'B', 'c', '_', '1'].map((id) => fresh({ ...older, jobId: jobId(id) }));
    for (const entry of entries) await claim(name, entry);
    await claim(externalId('order-2'), fresh(newer));
    const [a, b, c, underscore, one] = entries;
    const page = (limit: number, after?: DirectoryEntry) =>
      directory.findPage(partner, name, { limit, after: after?.jobId });

    expect(await page(2)).toEqual({ items: [c, a], unreadable: [], next: a?.jobId });
    expect(await page(2, a)).toEqual({ items: [underscore, b], unreadable: [], next: b?.jobId });
    expect(await page(2, b)).toEqual({ items: [one], unreadable: [], next: undefined });
    expect(await page(5)).toEqual({ items: [c, a, underscore, b, one], unreadable: [], next: undefined });
    expect(await page(2, one)).toEqual({ items: [], unreadable: [], next: undefined });
    expect(await directory.findPage(acme, name, { limit: 2 })).toEqual({ items: [], unreadable: [], next: undefined });
  });

  test('finds nothing for another partner or another spelling', async () => {
    const entry = fresh(older);
    await claim(externalId('Ångström #1'), entry);

    expect((await directory.find(acme, externalId('Ångström #1'))).items).toEqual([]);
    expect((await directory.find(partner, externalId('Ångström #1'.normalize('NFD')))).items).toEqual([]);
    expect((await directory.find(partner, externalId('Ångström #1'))).items).toEqual([entry]);
  });

  test('claims a job once: the first time and the first project stay', async () => {
    const name = externalId('order-1');
    const entry = fresh(newer);

    expect(await claim(name, entry)).toEqual({ kind: 'claimed', entry });
    const other = { projectId: projectIdSchema.parse('proj_another'), registeredAt: '2027-01-01T00:00:00.000Z' };
    const again = await claim(name, { ...entry, ...other });

    expect(again).toEqual({ kind: 'claimed', entry });
    expect((await directory.find(partner, name)).items).toEqual([entry]);
  });

  test('keeps a job with the partner and the externalId that claimed it first', async () => {
    const entry = fresh(newer);
    await claim(externalId('order-1'), entry);

    const taken = { kind: 'taken', owner: { partnerId: partner, externalId: 'order-1' } };
    expect(await claim(externalId('order-2'), entry)).toMatchObject(taken);
    expect(await directory.claim(globex, externalId('order-1'), entry)).toMatchObject(taken);
    expect(await directory.readOwner(entry.jobId)).toMatchObject(taken.owner);
    expect((await directory.find(globex, externalId('order-1'))).items).toEqual([]);
    expect((await directory.find(partner, externalId('order-2'))).items).toEqual([]);
  });

  test('gives a job to exactly one of many partners that claim it at once', async () => {
    const entry = fresh(newer);
    const partners = Array.from({ length: 20 }, (_, index) => partnerIdSchema.parse(`many-${n}-${index}`));
    const registered = await Promise.all(partners.map((id) => directory.claim(id, externalId('x'), entry)));

    expect(registered.filter(({ kind: end }) => end === 'claimed')).toHaveLength(1);
  });

  test('remembers what a job read showed, of a job that is registered', async () => {
    const name = externalId('order-1');
    const entry = fresh(newer);
    const failed = { terminalStatus: 'failed', expiresAt: '2099-01-01T00:00:00.000Z' };
    const absence = { absentAt: '2026-11-23T12:30:00.000Z', absentSince: '2026-11-23T12:20:00.000Z' };
    await claim(name, entry);
    await directory.remember(partner, name, entry.jobId, failed);
    await directory.remember(partner, name, entry.jobId, absence);
    await directory.remember(partner, name, fresh(older).jobId, failed);

    expect((await directory.find(partner, name)).items).toEqual([{ ...entry, ...failed, ...absence }]);

    await directory.remember(partner, name, entry.jobId, { absentAt: undefined, absentSince: undefined });
    expect((await directory.find(partner, name)).items).toEqual([{ ...entry, ...failed }]);
  });

  describe('an entry whose job has ended', () => {
    const name = externalId('order-1');
    const ended = (): VerifiedEntry => ({
      ...fresh(newer),
      jobExpiresAt: '2026-11-30T00:00:00.000Z',
      expiresAt: '2026-12-30T00:00:00.000Z',
    });

    test('has a date, which a later look does not move', async () => {
      const entry = ended();

      expect(await claim(name, entry)).toEqual({ kind: 'claimed', entry });
      await directory.remember(partner, name, entry.jobId, {
        terminalStatus: 'completed',
        expiresAt: '2099-01-01T00:00:00.000Z',
      });

      expect((await directory.find(partner, name)).items).toEqual([{ ...entry, terminalStatus: 'completed' }]);
    });

    test('gives way once it has expired, and only then', async () => {
      const entry = ended();
      await claim(name, entry);
      const anew = (verifiedAt: string): VerifiedEntry => ({
        ...entry,
        verifiedAt,
        expiresAt: '2027-01-20T00:00:00.000Z',
      });
      await claim(name, anew('2026-12-29T23:59:59.000Z'));

      expect((await directory.find(partner, name)).items).toEqual([entry]);

      await claim(name, anew('2026-12-30T00:00:01.000Z'));

      // The owner is as it was: the times are the first claim's.
      expect((await directory.find(partner, name)).items).toEqual([
        { ...entry, expiresAt: '2027-01-20T00:00:00.000Z' },
      ]);
    });

    test('never outlives its owner', async () => {
      const entry = ended();
      await claim(name, entry);
      const late = { ...entry, verifiedAt: '2027-01-15T00:00:00.000Z', expiresAt: '2027-02-15T00:00:00.000Z' };

      expect(await claim(name, late)).toEqual({
        kind: 'claimed',
        entry: { ...entry, expiresAt: '2027-01-29T00:00:00.000Z' },
      });
    });

    test('comes back with a new owner when both have expired, and are not deleted yet', async () => {
      const entry = ended();
      await claim(name, entry);
      const anew = { ...entry, verifiedAt: '2027-02-01T00:00:00.000Z', expiresAt: '2027-03-01T00:00:00.000Z' };

      expect(await claim(name, anew)).toEqual({ kind: 'claimed', entry: anew });
      expect((await directory.find(partner, name)).items).toEqual([anew]);
    });

    test('leaves the job with its owner until that is deleted, however late another comes', async () => {
      const entry = ended();
      await claim(name, entry);
      const late = { ...entry, verifiedAt: '2030-01-01T00:00:00.000Z', expiresAt: '2030-02-01T00:00:00.000Z' };

      expect(await directory.claim(globex, name, late)).toMatchObject({ kind: 'taken' });
      expect(await claim(externalId('order-2'), late)).toMatchObject({ kind: 'taken' });
      expect(await directory.readOwner(entry.jobId)).toMatchObject({ partnerId: partner });
    });
  });

  describe('a registration that is not verified', () => {
    const name = externalId('order-1');
    const unverified = (): DirectoryEntry => {
      const { verifiedAt: _, ...entry } = fresh(newer);
      return { ...entry, expiresAt: '2026-11-30T12:00:00.000Z' };
    };

    test('is kept, claims nothing, and is replaced by its repeat', async () => {
      const entry = unverified();
      await directory.keepUnverified(partner, name, entry);
      const again = { ...entry, expiresAt: '2026-12-01T12:00:00.000Z' };
      await directory.keepUnverified(partner, name, again);

      expect((await directory.find(partner, name)).items).toEqual([again]);
      expect(await directory.readOwner(entry.jobId)).toBeUndefined();
      expect(await directory.claim(globex, externalId('theirs'), fresh(newer))).toMatchObject({ kind: 'claimed' });
    });

    test('gives way to a verified one, and never replaces it', async () => {
      const entry = unverified();
      await directory.keepUnverified(partner, name, entry);
      await claim(name, fresh(newer));
      await directory.keepUnverified(partner, name, entry);

      expect((await directory.find(partner, name)).items).toEqual([fresh(newer)]);
    });
  });

  describe('refused requests', () => {
    const name = externalId('order-1');
    const refused = (at: string, more: Partial<NewRefusal> = {}): NewRefusal => ({
      type: 'refused',
      ...committed({ externalId: name, reason: 'kept in the log alone' }),
      partnerId: partner,
      at,
      deleteAfter: daysAfter(at, retention.requests),
      why: 'job_not_found',
      door: 'events',
      requestId: `request of ${at}`,
      ...more,
    });
    const [first, second, third] = ['2026-11-23T12:00:00.000Z', '2026-11-23T12:00:00.001Z', '2026-11-24T00:00:00.000Z'];

    test('are found by partner and externalId, the newest first, since a time', async () => {
      await directory.keepRefusal(refused(first));
      await directory.keepRefusal(refused(third, { jobId: newer.jobId, why: 'unresolved' }));
      await directory.keepRefusal(refused(second));
      await directory.keepRefusal(refused(third, { externalId: externalId('order-2') }));
      const { at, why, door, requestId } = refused(second);
      const newest = { at: third, why: 'unresolved', door, requestId: `request of ${third}`, jobId: newer.jobId };

      expect(await directory.findRefusals(partner, name, { since: second, limit: 9 })).toEqual({
        items: [newest, { at, why, door, requestId }],
        unreadable: [],
      });
      expect((await directory.findRefusals(partner, name, { since: first, limit: 1 })).items).toEqual([newest]);
      expect((await directory.findRefusals(globex, name, { since: '2026', limit: 9 })).items).toEqual([]);
      expect((await directory.find(partner, name)).items).toEqual([]);
    });
  });

  const unbound = { fingerprint: 'f', firstSeenAt: '2026-11-23T12:00:00.000Z' };
  const bound = { ...unbound, jobId: newer.jobId };

  test('binds a request key once: the first binding stays', async () => {
    expect(await directory.readBinding(partner, 'key')).toBeUndefined();
    expect(await directory.bind(partner, 'key', bound)).toEqual(bound);
    expect(await directory.bind(partner, 'key', { ...bound, jobId: older.jobId })).toEqual(bound);
    expect(await directory.bind(partner, 'key', { ...unbound, fingerprint: 'other' })).toEqual(bound);
    expect(await directory.readBinding(partner, 'key')).toEqual(bound);
  });

  test('adds a job later only for the same request', async () => {
    await directory.bind(partner, 'key', unbound);

    expect(await directory.bind(partner, 'key', { ...bound, fingerprint: 'other' })).toEqual(unbound);
    expect(await directory.bind(partner, 'key', bound)).toEqual(bound);
  });

  test('keeps the time of the first request when a repeat reaches no job either', async () => {
    await directory.bind(partner, 'key', unbound);

    expect(await directory.bind(partner, 'key', { ...unbound, firstSeenAt: '2027-01-01T00:00:00.000Z' })).toEqual(
      unbound,
    );
  });

  test('binds a key to exactly one of many concurrent requests', async () => {
    const jobIds = Array.from({ length: 20 }, (_, index) => jobId(`job_${index}`));
    const standing = await Promise.all(jobIds.map((id) => directory.bind(partner, 'key', { ...unbound, jobId: id })));

    expect(new Set(standing.map((binding) => binding.jobId)).size).toBe(1);
  });

  test('keeps request keys and externalIds apart, whatever they contain', async () => {
    await directory.bind(partner, 'key', bound);
    const hash = createHash('sha256').update('key').digest('hex');
    for (const name of [hash, `request#${hash}`, 'key', '#request#']) {
      expect((await directory.find(partner, externalId(name))).items).toEqual([]);
    }

    expect(await directory.readBinding(globex, 'key')).toBeUndefined();
  });
});

describe('on DynamoDB', () => {
  const halfOwner = { pk: 'job#job_half', sk: 'owner', partnerId: 'acme', externalId: 'half' };
  const half: VerifiedEntry = { ...newer, jobId: jobId('job_half') };

  test('names a malformed refusal without what a partner wrote, and shows the others', async () => {
    await put({ pk: 'acme#refused#secret name', sk: '2026-11-23T12:00:00.000Z#secret', why: 'no such reason' });
    const directory = createPagedDirectory(dynamodb.client, dynamodb.tableNames.JobDirectory);
    const found = await directory.findRefusals(acme, externalId('secret name'), { since: '2026', limit: 9 });

    expect(found).toEqual({
      items: [],
      unreadable: [expect.stringMatching(/^acme#refused#sha256:\w{64} sha256:\w{64}$/)],
    });
  });

  test('keeps an owner 30 days longer than its entry, and for good where Plangrep shows no expiry', async () => {
    const directory = createPagedDirectory(dynamodb.client, dynamodb.tableNames.JobDirectory);
    const ended = { ...newer, terminalStatus: 'completed', expiresAt: '2026-12-30T00:00:00.000Z' };
    const dateOf = async (id: string): Promise<unknown> => {
      const Key = { pk: { S: `job#${id}` }, sk: { S: 'owner' } };
      const command = new GetItemCommand({ TableName: dynamodb.tableNames.JobDirectory, Key });
      return (await dynamodb.client.send(command)).Item?.['expiresAt'];
    };
    await directory.claim(acme, externalId('dated'), {
      ...ended,
      jobId: jobId('job_dated'),
      jobExpiresAt: '2026-11-30T00:00:00.000Z',
    });
    await directory.claim(acme, externalId('dated'), { ...ended, jobId: jobId('job_undated') });

    expect(await dateOf('job_dated')).toEqual({ N: String(Date.parse('2027-01-29T00:00:00.000Z') / 1000) });
    expect(await dateOf('job_undated')).toBeUndefined();
  });

  test('gives an owner from before registrations were verified no right', async () => {
    await put({ ...halfOwner, registeredAt: older.registeredAt });
    const directory = createPagedDirectory(dynamodb.client, dynamodb.tableNames.JobDirectory);

    expect(await directory.readOwner(half.jobId)).toBeUndefined();
    expect(await directory.claim(globex, externalId('theirs'), half)).toMatchObject({ kind: 'claimed' });
  });

  test('completes a claim that stopped between its two writes, with its first time', async () => {
    const { registeredAt, verifiedAt } = older;
    await put({ ...halfOwner, registeredAt, verifiedAt });
    const directory = createPagedDirectory(dynamodb.client, dynamodb.tableNames.JobDirectory);
    await directory.claim(acme, externalId('half'), half);

    expect((await directory.find(acme, externalId('half'))).items).toEqual([
      { jobId: half.jobId, registeredAt, verifiedAt },
    ]);
  });

  test('reads what a partner’s record says, and keeps it for 60 s', async () => {
    let now = 0;
    const { client, tableNames } = dynamodb;
    const partners = createPartners(client, tableNames.Partners, { now: () => now });
    const write = (projects: unknown) =>
      client.send(
        new PutItemCommand({ TableName: tableNames.Partners, Item: marshall({ pk: 'partner#acme', projects }) }),
      );

    expect(await partners.accessOf(globex)).toEqual({ kind: 'projects', projects: [] });

    await write(['proj_1']);

    expect(await partners.accessOf(acme)).toEqual({ kind: 'projects', projects: ['proj_1'] });

    await write('any');
    now = 59_999;

    expect(await partners.accessOf(acme)).toEqual({ kind: 'projects', projects: ['proj_1'] });

    now = 60_000;

    expect(await partners.accessOf(acme)).toEqual({ kind: 'any' });
  });

  test('stores a request key only as a hash, and lets a binding expire after 30 days', async () => {
    const directory = createPagedDirectory(dynamodb.client, dynamodb.tableNames.JobDirectory);
    await directory.bind(acme, 'a-secret-looking-key', { fingerprint: 'f', firstSeenAt: '2026-11-23T12:00:00.000Z' });
    const pk = `acme#request#${createHash('sha256').update('a-secret-looking-key').digest('hex')}`;
    const command = new GetItemCommand({
      TableName: dynamodb.tableNames.JobDirectory,
      Key: { pk: { S: pk }, sk: { S: 'binding' } },
    });
    const { Item } = await dynamodb.client.send(command);

    expect(Item?.['expiresAt']).toEqual({ N: String(Date.parse('2026-12-23T12:00:00.000Z') / 1000) });
    expect(JSON.stringify(Item)).not.toContain('a-secret-looking-key');
  });

  test('reads a partner’s key, and nothing for an unknown keyId', async () => {
    const readPartnerKey = createReadPartnerKey(dynamodb.client, dynamodb.tableNames.Partners);
    const secretHash = 'a'.repeat(64);
    await dynamodb.client.send(
      new PutItemCommand({
        TableName: dynamodb.tableNames.Partners,
        Item: {
          pk: { S: 'key#abc' },
          partnerId: { S: 'acme' },
          secretHash: { S: secretHash },
          scopes: { SS: ['cancellations:read'] },
          createdAt: { S: older.registeredAt },
        },
      }),
    );

    expect(await readPartnerKey('abc')).toEqual({ partnerId: 'acme', secretHash, scopes: ['cancellations:read'] });
    expect(await readPartnerKey('abd')).toBeUndefined();
  });

  test('finds a key that was issued a moment ago: API Gateway would remember that it was denied', async () => {
    const [name, { client, tableNames }] = ['lagging-reads', dynamodb];
    const issued = { partnerId: 'acme', secretHash: 'b'.repeat(64), scopes: new Set(['jobs:write']) };
    await client.send(
      new PutItemCommand({ TableName: tableNames.Partners, Item: marshall({ pk: 'key#new', ...issued }) }),
    );
    // The client is shared, so what this adds is removed again. A replica does not have the key yet.
    client.middlewareStack.add(
      (next) => async (args) =>
        'ConsistentRead' in args.input && args.input.ConsistentRead === true
          ? next(args)
          : { output: { $metadata: {} }, response: {} },
      { step: 'initialize', name },
    );

    const found = await createReadPartnerKey(client, tableNames.Partners)('new');
    client.middlewareStack.remove(name);

    expect(found).toMatchObject({ partnerId: 'acme' });
  });
});
