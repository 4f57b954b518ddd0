import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withRegion } from '../../../infra/local/aws/access-keys.ts';
import { startLocalS3 } from '../../../infra/local/aws/s3/local-s3.ts';
import { localRegion } from '../../../infra/local/aws/loopback.ts';
import { archiveBucket } from '../../../infra/local/seeds.ts';
import { openBucket } from '../../../infra/cli/audit/archive-source.ts';
import { toRecord } from '../../../infra/cli/audit/scan-log.ts';
import { type ArchiveBuilder, createArchive, createSealPair, writing } from '../../support/archive-builder.ts';
import { archiveTable } from '../../support/audit-archive.ts';
import { type AuditedTable, startAuditedTable } from '../../support/audited-table.ts';
import { closed, requested } from '../../support/stored-streams.ts';
import { onlyLine, runCommand } from '../../support/run-command.ts';

const pair = createSealPair();
const [folder, elsewhere] = [mkdtempSync(join(tmpdir(), 'bucket-')), mkdtempSync(join(tmpdir(), 'bucket-'))];
let table: AuditedTable;
let archive: ArchiveBuilder;
let s3: Awaited<ReturnType<typeof startLocalS3>>;
let client: S3Client;
beforeAll(async () => {
  table = await startAuditedTable();
  archive = createArchive(pair, { environment: 'local', bucket: archiveBucket });
  archive.setTime('12:30');
  await archiveTable(archive, table);
  archive.setTime('13:00');
  archive.seal();
  s3 = await startLocalS3({ accessKey: table.accessKey, buckets: { [archiveBucket]: undefined } });
  client = clientOf(s3.url);
  for (const prefix of ['', 'copies/2026/']) await upload(prefix);
  const endpoints = { dynamodb: table.url, s3: s3.url };
  mkdirSync(join(folder, '.local'));
  writeFileSync(
    join(folder, '.local', 'credentials.json'),
    JSON.stringify({ endpoints, aws: withRegion(table.accessKey) }),
  );
});
afterAll(async () => {
  client.destroy();
  await Promise.all([table.close(), s3.close()]);
});

const clientOf = (endpoint: string) =>
  new S3Client({ endpoint, region: localRegion, credentials: table.accessKey, forcePathStyle: true });

async function upload(prefix: string): Promise<void> {
  for (const name of [...archive.objects(), ...archive.digests(), `keys/${pair.fingerprint}.pem`]) {
    await put(`${prefix}${name}`, archive.read(name));
  }
}
const put = (Key: string, Body: string) => client.send(new PutObjectCommand({ Bucket: archiveBucket, Key, Body }));
const run = (place: string, args: readonly string[] = [], cwd = folder, env: Record<string, string> = {}) =>
  runCommand('verify-audit', ['--archive', place, '--public-key', archive.publicKeyFile, '--json', ...args], {
    cwd,
    env,
  });
const summaryOf = (stdout: string): unknown => JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');

test('the local run’s own archive is read with the run’s key, and the run’s table is held against it', async () => {
  const { stdout, stderr, code } = await run(`s3://${archiveBucket}`);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  expect(summaryOf(stdout)).toMatchObject({
    ok: true,
    archive: `s3://${archiveBucket}`,
    table: table.name,
    place: table.url,
    digests: 1,
    records: 11,
    inTable: 11,
  });
});

test('an archive may be below a prefix, and another endpoint and key come from the SDK’s own variables', async () => {
  const { accessKeyId, secretAccessKey } = table.accessKey;
  const env = {
    AWS_ENDPOINT_URL_S3: s3.url,
    AWS_REGION: localRegion,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  const { stdout, stderr, code } = await run(`s3://${archiveBucket}/copies/2026/`, [], elsewhere, env);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  expect(summaryOf(stdout)).toMatchObject({
    ok: true,
    archive: `s3://${archiveBucket}/copies/2026`,
    records: 11,
    inTable: 0,
  });

  const stranger = await run(`s3://${archiveBucket}`, [], elsewhere, { ...env, AWS_SECRET_ACCESS_KEY: 'x'.repeat(40) });
  expect(onlyLine(stranger)).toMatch(/^s3:.* SignatureDoesNotMatch: /);
  expect(stranger.code).toBe(2);
  const gone = await run(`s3://${archiveBucket}`, [], elsewhere, { ...env, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' });
  expect(onlyLine(gone)).toMatch(/^No answer from s3:/);
  expect(gone.code).toBe(2);
  const ended = await run(`s3://${archiveBucket}`, [], elsewhere);
  expect(onlyLine(ended)).toMatch(/^There is no local run here/);
  expect(ended.code).toBe(2);
  const missing = await run('s3://no-such-bucket', [], elsewhere, env);
  expect(onlyLine(missing)).toBe('There is no bucket no-such-bucket.');
  expect(missing.code).toBe(2);
});

test('an object that is damaged where it is stored is a finding, like any that was altered', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'damaged-')), 's3');
  const open = () => startLocalS3({ accessKey: table.accessKey, buckets: { [archiveBucket]: undefined }, path });
  const whole = await open();
  const writer = clientOf(whole.url);
  for (const name of [...archive.objects(), ...archive.digests()]) {
    const Body = archive.read(name);
    await writer.send(new PutObjectCommand({ Bucket: archiveBucket, Key: name, Body, ChecksumAlgorithm: 'SHA256' }));
  }
  writer.destroy();
  await whole.close();
  const [name = ''] = archive.objects();
  for (const file of readdirSync(path).map((one) => join(path, one))) {
    const stored = readFileSync(file, 'utf8');
    if (stored === archive.read(name)) writeFileSync(file, stored.replace('"cancelled"', '"cancelleX"'));
  }
  const damaged = await open();
  const env = {
    AWS_ENDPOINT_URL_S3: damaged.url,
    AWS_REGION: localRegion,
    AWS_ACCESS_KEY_ID: table.accessKey.accessKeyId,
    AWS_SECRET_ACCESS_KEY: table.accessKey.secretAccessKey,
  };

  const { stdout, stderr, code } = await run(`s3://${archiveBucket}`, [], elsewhere, env);
  await damaged.close();

  expect({ stderr, code }).toEqual({ stderr: '', code: 1 });
  expect(stdout).toContain(`"code":"object_altered","object":"${name}"`);
});

test('what the archive has not sealed yet is not said to agree', async () => {
  await table.write('job_new', [requested, closed]);
  const items = [await table.take('job_new', 1), await table.take('job_new', 2)];
  archive.setTime('13:05');
  const name = archive.put(items.map((item) => writing('acme#job_new', toRecord(item))));
  await put(name, archive.read(name));
  const args = ['--archive', `s3://${archiveBucket}`, '--public-key', archive.publicKeyFile];

  const { stdout, code } = await runCommand('verify-audit', args, { cwd: folder });

  expect(code).toBe(0);
  expect(stdout).toMatch(/^waiting +2 records of the table that are too new to be sealed: not judged$/m);
  expect(stdout).toContain('the table is what the archive says, as far as it is sealed.\n');
});

test('a list of many pages is read to its end, in the order of the names', async () => {
  const names = Array.from(
    { length: 1_100 },
    (_, n) => `many/records/day=2026-11-23/${n + 10_000}-${n + 10_000}.ndjson`,
  );
  for (let at = 0; at < names.length; at += 50)
    await Promise.all(names.slice(at, at + 50).map((name) => put(name, 'x')));
  const listed: string[] = [];
  for await (const { name } of openBucket(client, archiveBucket, 'many').list('records/')) listed.push(`many/${name}`);
  expect(listed).toEqual(names);
});
