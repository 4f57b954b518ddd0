import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import * as z from 'zod/mini';
import { startLocalS3 } from '../../../infra/local/aws/s3/local-s3.ts';
import { hasAwsCli, printOfAwsCli, runAwsCli } from '../../support/run-aws-cli.ts';
import { temporaryFolder } from '../arrange.ts';

const written = z.object({ VersionId: z.string() });

async function givenS3() {
  const s3 = await startLocalS3({ path: join(temporaryFolder(), 's3') });
  onTestFinished(s3.close);
  return {
    api: (...args: string[]) => runAwsCli(s3.url, ['s3api', ...args], s3.accessKey),
    s3: (...args: string[]) => printOfAwsCli(s3.url, ['s3', ...args], s3.accessKey),
  };
}

describe.runIf(hasAwsCli())('the real AWS CLI at the local S3', { timeout: 120_000 }, () => {
  test('makes a bucket with Object Lock, and cannot delete a version before its date', async () => {
    const { api } = await givenS3();
    const file = join(temporaryFolder(), 'object');
    writeFileSync(file, 'text');
    const [bucket, version] = [
      ['--bucket', 'archive'],
      ['--bucket', 'archive', '--key', 'in/key'],
    ];
    const configuration = {
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
    };
    const put = ['put-object', ...version, '--body', file, '--checksum-algorithm', 'SHA256'];

    await api(
      'create-bucket',
      ...bucket,
      '--object-lock-enabled-for-bucket',
      '--create-bucket-configuration',
      'LocationConstraint=eu-west-1',
    );
    await api('put-object-lock-configuration', ...bucket, '--object-lock-configuration', JSON.stringify(configuration));
    const { VersionId } = written.parse(await api(...put));
    const one = [...version, '--version-id', VersionId];

    expect(await api('get-object-lock-configuration', ...bucket)).toEqual({ ObjectLockConfiguration: configuration });
    expect(await api('get-bucket-versioning', ...bucket)).toEqual({ Status: 'Enabled' });
    await expect(api('delete-object', ...one)).rejects.toThrow('AccessDenied');
    await api('put-object-retention', ...one, '--retention', 'Mode=GOVERNANCE,RetainUntilDate=2999-01-01');
    expect(await api('get-object-retention', ...one)).toMatchObject({
      Retention: { Mode: 'GOVERNANCE', RetainUntilDate: expect.stringContaining('2999-01-01T00:00:00') },
    });
    expect(await api('list-object-versions', ...bucket)).toMatchObject({ Versions: [{ Key: 'in/key', VersionId }] });
    await expect(api(...put, '--if-none-match', '*')).rejects.toThrow('PreconditionFailed');
    await api('delete-object', ...one, '--bypass-governance-retention');
    await expect(api('head-object', ...one)).rejects.toThrow('404');
  });

  test('copies files in and out, and lists them', async () => {
    const { api, s3 } = await givenS3();
    const folder = temporaryFolder();
    const [from, to] = [join(folder, 'from'), join(folder, 'to')];
    writeFileSync(from, 'a text\n'.repeat(100_000));

    await s3('mb', 's3://files');
    await s3('cp', from, 's3://files/2026/11/a b ü.ndjson');
    await s3('cp', 's3://files/2026/11/a b ü.ndjson', to);

    expect(readFileSync(to, 'utf8')).toBe(readFileSync(from, 'utf8'));
    expect(await s3('ls')).toContain('files');
    expect(await s3('ls', 's3://files/2026/')).toContain('PRE 11/');
    expect(await s3('ls', '--recursive', 's3://files')).toMatch(/700000 2026\/11\/a b ü\.ndjson\n$/);
    expect(await api('list-objects-v2', '--bucket', 'files', '--prefix', '2026/')).toMatchObject({
      Contents: [{ Key: '2026/11/a b ü.ndjson', Size: 700_000 }],
    });
    await expect(api('get-bucket-policy', '--bucket', 'files')).rejects.toThrow('NotImplemented');
  });
});
