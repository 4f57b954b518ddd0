import { createPublicKey, verify } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createArchiveStore } from '../../../functions/adapters/s3/archive-store.ts';
import { readText } from '../../../functions/core/archive/archive-store.ts';
import { type ArchivedLine, archivedLineSchema } from '../../../functions/core/archive/archived-line.ts';
import { type Digest, readDigest } from '../../../functions/core/archive/digest.ts';
import { archiveBucket } from '../../../infra/local/seeds.ts';
import { itemsOf, startTestRun, type TestRun } from '../../support/local-run.ts';

function archiveOf(run: TestRun) {
  const s3 = new S3Client({ endpoint: run.endpoints.s3, region: run.aws.region, credentials: run.aws });
  onTestFinished(() => s3.destroy());
  const archive = createArchiveStore(s3, archiveBucket);
  const texts = async (prefix: string): Promise<string[]> => {
    const names: string[] = [];
    for await (const { name } of archive.list(prefix)) names.push(name);
    return Promise.all(names.map(async (name) => (await readText(archive, name)) ?? ''));
  };
  const lines = async (): Promise<ArchivedLine[]> => {
    const objects = await texts('records/');
    return objects
      .flatMap((object) => object.split('\n').slice(0, -1))
      .map((line) => archivedLineSchema.parse(JSON.parse(line)));
  };
  const digests = async (): Promise<Digest[]> =>
    (await texts('digests/')).flatMap((text) => readDigest(text)?.digest ?? []);
  return { texts, lines, digests };
}

async function until<Value>(
  look: () => Promise<Value>,
  isDone: (value: Value) => boolean,
  withinMs = 15_000,
): Promise<Value> {
  const end = Date.now() + withinMs;
  for (;;) {
    const value = await look();
    if (isDone(value) || Date.now() > end) return value;
    await sleep(50);
  }
}

async function givenRun() {
  const run = await startTestRun({ sealEveryMs: 60_000 });
  onTestFinished(() => run.close());
  return { run, ...archiveOf(run) };
}

describe('the local run', () => {
  test('archives every record of the log without its texts, and the first digest follows within 5 s', async () => {
    const { run, lines, texts, digests } = await givenRun();
    await run.addJob('order-1', 'job_1');
    const since = Date.now();
    const { status } = await run.call('acme', 'POST /v1/cancellations', {
      externalId: 'order-1',
      reason: 'wrong plan',
    });
    expect(status).toBe(200);
    await run.call('acme', 'POST /v1/cancellations', { externalId: 'order-unknown' });

    const [digest] = await until(digests, ({ length }) => length > 0);
    // A machine under load starts two processes slowly: the bound is for an idle one, with room.
    expect(Date.now() - since).toBeLessThan(12_000);

    const stored = await itemsOf(run, 'CancellationLog');
    const archived = await until(lines, ({ length }) => length >= stored.length);
    expect(archived.map(({ partition, key }) => `${partition} ${key}`).sort((a, b) => (a < b ? -1 : 1))).toEqual(
      stored.map(({ pk, sk }) => `${String(pk)} ${String(sk)}`).sort((a, b) => (a < b ? -1 : 1)),
    );
    expect(archived.map(({ change }) => change)).toEqual(archived.map(() => 'written'));
    expect((await texts('')).join('')).not.toMatch(/order-1|order-unknown|wrong plan/);
    expect(digest).toMatchObject({ number: 1, environment: 'local', bucket: archiveBucket });
    expect(digest?.records).toBeGreaterThan(0);
    const [file = ''] = await texts('digests/');
    const [key = ''] = await texts('keys/');
    const { signed = '', signature = Buffer.of() } = readDigest(file) ?? {};
    expect(verify('sha256', Buffer.from(signed), createPublicKey(key), signature)).toBe(true);
  });

  test('reports what this service never does to the log, and archives it', async () => {
    const { run, lines } = await givenRun();
    await run.addJob('order-1', 'job_1');
    await run.call('acme', 'POST /v1/cancellations', { externalId: 'order-1' });
    const { client, tableNames } = run.dynamodb;
    const TableName = tableNames.CancellationLog;
    const Key = { pk: { S: 'acme#job_1' }, sk: { S: 'event#000001' } };
    const update = (attribute: string, value: string) =>
      client.send(
        new UpdateItemCommand({
          TableName,
          Key,
          UpdateExpression: 'SET #a = :v',
          ExpressionAttributeNames: { '#a': attribute },
          ExpressionAttributeValues: { ':v': { S: value } },
        }),
      );
    await update('keyId', 'another');
    await update('wakeAt', '9999-12-31T23:59:59.999Z');
    await client.send(new PutItemCommand({ TableName, Item: { pk: { S: 'acme#job_9' }, sk: { S: 'event#000001' } } }));

    const kinds = async () => (await lines()).map(({ change }) => change).filter((change) => change !== 'written');
    expect(await until(kinds, ({ length }) => length === 3)).toEqual(['rewritten', 'silenced', 'foreign']);
    const reported = run.logs.filter((line) => line.includes('LOG_REWRITTEN'));
    expect(reported).toHaveLength(3);
    expect(reported[0]).toContain('acme#job_1');
    expect(reported[0]).toContain('event#000001');
  });
});
