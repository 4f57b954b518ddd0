import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateKeyCommand, KMSClient, UpdateAliasCommand } from '@aws-sdk/client-kms';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import { archiveBucket, sealKey } from '../../infra/local/seeds.ts';
import { givenOps } from '../support/given-ops.ts';
import { givenRunbook } from './given-runbook.ts';

// Seals only when a test asks for it, but for the first digest.
const ops = givenOps({ sealEveryMs: 3_600_000 });
const { service } = ops;
const follow = givenRunbook(ops, 'archive');

const status = 'npm run ops -- archive status --environment prod';
const verify = 'npm run ops -- audit verify --public-key <file> --environment prod';
const seal = () => service.run.lambda.invoke('seal-archive', {});

/** The key that an auditor was given, in a file. */
async function publishedKey(): Promise<string> {
  const file = join(mkdtempSync(join(tmpdir(), 'key-')), 'key.pem');
  writeFileSync(file, (await ops.run('archive keys')).stdout);
  return file;
}

let s3: S3Client;
let kms: KMSClient;
beforeAll(() => {
  const { endpoints, aws } = service.run;
  const at = (endpoint: string) => ({ endpoint, region: aws.region, credentials: aws });
  [s3, kms] = [new S3Client(at(endpoints.s3)), new KMSClient(at(endpoints.kms))];
});
afterAll(() => [s3, kms].forEach((client) => client.destroy()));

describe('an operator who follows the runbook', () => {
  test('sees a digest that is overdue, and that the next one seals what is there', async () => {
    const section = follow('Digest overdue');
    const { externalId } = await service.newJob();
    await service.cancel({ externalId });
    await expect.poll(async () => (await section.first()).stdout, { timeout: 15_000 }).toMatch(/^1 +2\d{3}-/m);

    await section.type(
      'npm run ops -- logs ARCHIVE_SEALED,DEPENDENCY_UNAVAILABLE,UNEXPECTED_ERROR --since 1d --environment prod',
    );
    // A digest seals whole seconds: within the first one's there is nothing to seal.
    await expect.poll(seal, { timeout: 15_000 }).toMatchObject({ payload: { digests: [2] } });
    const [over] = await section.over();

    expect(over).toMatchObject({ code: 0, stdout: expect.stringMatching(/^2 +2\d{3}-\S+ +\d+ +\d+ +0$/m) });
  });

  test('finds who rewrote a record, and what the log says of it', async () => {
    const section = follow('Cancellation log rewritten');
    const { externalId, jobId } = await service.newJob();
    await service.cancel({ externalId });
    await service.run.dynamodb.client.send(
      new UpdateItemCommand({
        TableName: 'CancellationLog',
        Key: toItem({ pk: `acme#${jobId}`, sk: 'event#000001' }),
        UpdateExpression: 'SET keyId = :other',
        ExpressionAttributeValues: toItem({ ':other': 'another' }),
      }),
    );
    await expect
      .poll(() => service.run.logs.some((line) => line.includes('LOG_REWRITTEN')), { timeout: 15_000 })
      .toBe(true);

    const { stdout } = await section.first();
    await section.type('npm run ops -- logs TABLE_WRITTEN --since 1d --environment prod');
    const verified = await section.type(verify, { file: await publishedKey() });
    const shown = await section.type(
      'npm run ops -- cancellations show <jobId> --partner <partner> --environment prod',
      {
        partner: 'acme',
        jobId,
      },
    );
    section.repaired();
    const [logs] = await section.over();

    expect(stdout).toMatch(new RegExp(` kind=rewritten partition=acme#${jobId} key=event#000001 `));
    expect(verified).toMatchObject({ code: 1, stdout: expect.stringContaining(jobId) });
    expect(shown.stdout).toContain(jobId);
    expect(logs).toMatchObject({ code: 1, stdout: expect.stringMatching(/^No line with LOG_REWRITTEN/) });
  });

  test('sees a digest that is not valid, and that the archive goes on', async () => {
    const section = follow('Archive altered');
    const day = new Date().toISOString().slice(0, 10);
    const text = 'no digest\n';
    const ChecksumSHA256 = createHash('sha256').update(text).digest('base64');
    const name = `digests/day=${day}/0000000077.digest`;
    await s3.send(new PutObjectCommand({ Bucket: archiveBucket, Key: name, Body: text, ChecksumSHA256 }));
    await expect.poll(seal, { timeout: 15_000 }).toMatchObject({ payload: { digests: [78] } });

    const { stdout } = await section.first();
    section.repaired();
    await section.type(status);
    const [state, logs] = await section.over();

    expect(stdout).toContain(`digest=${name}`);
    expect(state).toMatchObject({ code: 0, stdout: expect.stringMatching(/^78 /m) });
    expect(logs).toMatchObject({ code: 1 });
  });

  test('sees that the archive is not reached, and that it catches up', async () => {
    const section = follow('Archive falls behind');
    service.run.s3.fail(3);
    const { externalId } = await service.newJob();
    await service.cancel({ externalId });
    await expect
      .poll(() => service.run.logs.some((line) => /DEPENDENCY_UNAVAILABLE.*archive/.test(line)), { timeout: 15_000 })
      .toBe(true);

    const { stdout } = await section.first();
    section.repaired();
    await expect.poll(async () => (await section.over())[0]?.stdout, { timeout: 20_000 }).toMatch(/RECORDS_ARCHIVED/);

    expect(stdout).toMatch(/ dependency=archive /);
  });

  test('looks at the queue of records that were not archived', async () => {
    const section = follow('Records not archived');
    await section.first();
    await section.type(verify, { file: await publishedKey() });
    expect((await section.over()).map(({ code }) => code)).toEqual([0, 0]);
  });

  test('gives the auditors a new key, with which the digests after it verify', async () => {
    const section = follow("Replacing the archive's key");
    const before = await section.type('npm run ops -- archive keys --environment prod');
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }));
    await kms.send(new UpdateAliasCommand({ AliasName: sealKey, TargetKeyId: KeyMetadata?.KeyId }));
    await expect.poll(seal, { timeout: 15_000 }).toMatchObject({ payload: { digests: [expect.any(Number)] } });

    const after = await section.type('npm run ops -- archive keys --environment prod');
    const shown = await section.type(status);

    const [, fingerprint = ''] = /SHA-256 of the key \(DER\): ([0-9a-f]{64})/.exec(after.stdout) ?? [];
    expect(after.stdout).toMatch(/-----BEGIN PUBLIC KEY-----\n[^]+\n-----END PUBLIC KEY-----/);
    expect(before.stdout).not.toContain(fingerprint);
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining(fingerprint) });
    expect(after.stdout.match(/in the archive: keys\//g)).toHaveLength(2);
  });
});
