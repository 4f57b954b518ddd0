import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createJobDirectory } from '../../functions/adapters/dynamodb/job-directory.ts';
import { createReadPartnerKey } from '../../functions/adapters/dynamodb/partners.ts';
import { type ExternalId, partnerIdSchema, type PartnerId, projectIdSchema } from '../../functions/core/identifiers.ts';
import type { DirectoryEntry, JobDirectory } from '../../functions/core/ports.ts';
import { type LocalDynamoDb, startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { MemoryDirectory } from '../support/memory-ports.ts';
import { acme, documentedProject, externalId, globex, jobId } from '../support/names.ts';
import { type TableName, tables } from '../../infra/blueprint/tables.ts';

const older: DirectoryEntry = { jobId: jobId('job_older'), registeredAt: '2026-11-23T11:00:00.000Z' };
const newer: DirectoryEntry = {
  jobId: jobId('job_newer'),
  registeredAt: '2026-11-23T12:00:00.000Z',
  projectId: documentedProject,
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

const kinds: Record<'on DynamoDB' | 'in memory', () => JobDirectory> = {
  'on DynamoDB': () => createJobDirectory(dynamodb.client, dynamodb.tableNames.JobDirectory),
  'in memory': () => new MemoryDirectory(),
};

describe.each(['on DynamoDB', 'in memory'] as const)('the job directory %s', (kind) => {
  let directory: JobDirectory;
  let partner: PartnerId;
  let n = 0;
  const register = (name: ExternalId, entry: DirectoryEntry) => directory.register(partner, name, entry);
  /** No test meets another's jobs. */
  const fresh = (entry: DirectoryEntry): DirectoryEntry => ({ ...entry, jobId: jobId(`${entry.jobId}-${n}`) });
  beforeEach(() => {
    directory = kinds[kind]();
    partner = partnerIdSchema.parse(`partner-${++n}`);
  });

  test('finds the jobs of an externalId, newest first', async () => {
    const name = externalId('order-1');
    const [first, second] = [fresh(older), fresh(newer)];
    await register(name, first);
    await register(name, second);

    expect((await directory.find(partner, name)).items).toEqual([second, first]);
  });

  test('finds the jobs of an externalId in pages, the highest jobId first', async () => {
    const name = externalId('order-1');
    const entries = ['a', 'B', 'c', '_', '1'].map((id) => fresh({ ...older, jobId: jobId(id) }));
    for (const entry of entries) await register(name, entry);
    await register(externalId('order-2'), fresh(newer));
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
    await register(externalId('Ångström #1'), entry);

    expect((await directory.find(acme, externalId('Ångström #1'))).items).toEqual([]);
    expect((await directory.find(partner, externalId('Ångström #1'.normalize('NFD')))).items).toEqual([]);
    expect((await directory.find(partner, externalId('Ångström #1'))).items).toEqual([entry]);
  });

  test('registers a job once: the first time and the first project stay', async () => {
    const name = externalId('order-1');
    const entry = fresh(newer);

    expect(await register(name, entry)).toEqual({ kind: 'registered', entry });
    const other = { projectId: projectIdSchema.parse('proj_another'), registeredAt: '2027-01-01T00:00:00.000Z' };
    const again = await register(name, { ...entry, ...other });

    expect(again).toEqual({ kind: 'registered', entry });
    expect((await directory.find(partner, name)).items).toEqual([entry]);
  });

  test('keeps a job with the partner and the externalId that registered it first', async () => {
    const entry = fresh(newer);
    await register(externalId('order-1'), entry);

    expect(await register(externalId('order-2'), entry)).toEqual({ kind: 'taken' });
    expect(await directory.register(globex, externalId('order-1'), entry)).toEqual({ kind: 'taken' });
    expect((await directory.find(globex, externalId('order-1'))).items).toEqual([]);
    expect((await directory.find(partner, externalId('order-2'))).items).toEqual([]);
  });

  test('gives a job to exactly one of many partners that register it at once', async () => {
    const entry = fresh(newer);
    const partners = Array.from({ length: 20 }, (_, index) => partnerIdSchema.parse(`many-${n}-${index}`));
    const registered = await Promise.all(partners.map((id) => directory.register(id, externalId('x'), entry)));

    expect(registered.filter(({ kind: end }) => end === 'registered')).toHaveLength(1);
  });

  test('remembers that a job has ended', async () => {
    const name = externalId('order-1');
    const entry = fresh(newer);
    await register(name, entry);
    await directory.rememberTerminal(partner, name, entry.jobId, 'failed');

    expect((await directory.find(partner, name)).items).toEqual([{ ...entry, terminalStatus: 'failed' }]);
  });

  test('remembers nothing about a job that is not registered', async () => {
    await directory.rememberTerminal(partner, externalId('order-1'), newer.jobId, 'failed');

    expect((await directory.find(partner, externalId('order-1'))).items).toEqual([]);
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
  test('completes a registration that stopped between its two writes, with its first time', async () => {
    const entry = { jobId: jobId('job_half'), registeredAt: newer.registeredAt };
    await put({
      pk: 'job#job_half',
      sk: 'owner',
      partnerId: 'acme',
      externalId: 'half',
      registeredAt: older.registeredAt,
    });
    const directory = createJobDirectory(dynamodb.client, dynamodb.tableNames.JobDirectory);
    await directory.register(acme, externalId('half'), entry);

    expect((await directory.find(acme, externalId('half'))).items).toEqual([
      { ...entry, registeredAt: older.registeredAt },
    ]);
  });

  test('stores a request key only as a hash, and lets a binding expire after 30 days', async () => {
    const directory = createJobDirectory(dynamodb.client, dynamodb.tableNames.JobDirectory);
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
});
