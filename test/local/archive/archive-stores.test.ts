import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { functionNames } from '../../../infra/blueprint/functions.ts';
import type { Permission } from '../../../infra/blueprint/access/permissions.ts';
import { permissionsOf } from '../../../infra/blueprint/access/roles.ts';
import { trimSdk } from '../../../infra/build/trim-sdk.ts';
import { type AccessKey, createAccessKey } from '../../../infra/local/aws/access-keys.ts';
import { startLocalKms } from '../../../infra/local/aws/kms/local-kms.ts';
import { localRegion } from '../../../infra/local/aws/loopback.ts';
import { startLocalS3 } from '../../../infra/local/aws/s3/local-s3.ts';
import { playRole } from '../../../infra/local/play-role.ts';
import { defaultBundles } from '../../../infra/local/run.ts';
import { startTestRun } from '../../support/local-run.ts';
import { archiveBucket, sealKey } from '../../../infra/local/seeds.ts';
import { closeAfterTest, temporaryFolder } from '../arrange.ts';

interface Stores {
  readonly s3: { readonly url: string };
  readonly kms: { readonly url: string };
}

/** The stores, as the holder of a key calls them: each call ends as `done`, or with the name of its error. */
function callsOf({ s3, kms }: Stores, credentials: AccessKey, Bucket = archiveBucket) {
  const at = (endpoint: string) => ({ endpoint, region: localRegion, credentials, maxAttempts: 1 });
  const objects = closeAfterTest(closable(new S3Client(at(s3.url))));
  const keys = closeAfterTest(closable(new KMSClient(at(kms.url))));
  const nameOf = (sent: Promise<unknown>): Promise<string> =>
    sent.then(
      () => 'done',
      (error: unknown) => (error instanceof Error ? error.name : String(error)),
    );
  return {
    objects,
    keys,
    put: (Key: string) =>
      nameOf(objects.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ChecksumAlgorithm: 'SHA256' }))),
    get: (Key: string) => nameOf(objects.send(new GetObjectCommand({ Bucket, Key }))),
    list: () => nameOf(objects.send(new ListObjectsV2Command({ Bucket }))),
    versions: () => nameOf(objects.send(new ListObjectVersionsCommand({ Bucket }))),
    remove: (Key: string) => nameOf(objects.send(new DeleteObjectCommand({ Bucket, Key }))),
    sign: (KeyId = sealKey) =>
      nameOf(keys.send(new SignCommand({ KeyId, Message: Buffer.from('x'), SigningAlgorithm: 'ECDSA_SHA_256' }))),
    publicKey: () => nameOf(keys.send(new GetPublicKeyCommand({ KeyId: sealKey }))),
  };
}

function closable<Client extends { destroy(): void }>(client: Client) {
  return Object.assign(client, { close: () => client.destroy() });
}

async function givenRole(permissions: readonly Permission[]) {
  const [accessKey, role] = [createAccessKey(), playRole(permissions)];
  const s3 = closeAfterTest(
    await startLocalS3({
      callers: [{ accessKey, mayCall: role.mayCallS3 }],
      buckets: { [archiveBucket]: undefined, other: undefined },
    }),
  );
  const kms = closeAfterTest(
    await startLocalKms({
      accessKey: s3.accessKey,
      callers: [{ accessKey, mayCall: role.mayCallKms }],
      aliases: [sealKey, 'alias/other'],
    }),
  );
  return {
    role: callsOf({ s3, kms }, accessKey),
    elsewhere: callsOf({ s3, kms }, accessKey, 'other'),
    operator: callsOf({ s3, kms }, s3.accessKey),
  };
}

const denied = 'AccessDenied';

describe('A role of the blueprint at the local stores', () => {
  test('may do its actions on its folder of the bucket, and nothing else', async () => {
    const { role, elsewhere, operator } = await givenRole([
      { actions: ['s3:GetObject', 's3:PutObject'], resource: 'ArchiveRecords' },
      { actions: ['s3:PutObject'], resource: 'ArchiveDigests' },
      { actions: ['s3:ListBucket'], resource: 'ArchiveBucket' },
    ]);

    const allowed = [role.put('records/a'), role.put('digests/a'), role.list()];
    expect(await Promise.all(allowed)).toEqual(['done', 'done', 'done']);
    expect([await role.get('records/a'), await role.get('records/b')]).toEqual(['done', 'NoSuchKey']);

    const refused = [
      role.get('digests/a'),
      role.put('a'),
      role.put('record/a'),
      role.remove('records/a'),
      role.versions(),
      elsewhere.put('records/a'),
      elsewhere.list(),
    ];
    expect(new Set(await Promise.all(refused))).toEqual(new Set([denied]));
    expect([await role.sign(), await role.publicKey()]).toEqual(['AccessDeniedException', 'AccessDeniedException']);
    expect(await operator.remove('records/a')).toBe('done');
  });

  test('that may not list the bucket is not told whether an object is there', async () => {
    const { role, operator } = await givenRole([{ actions: ['s3:GetObject'], resource: 'ArchiveRecords' }]);

    expect([await role.get('records/none'), await operator.get('records/none')]).toEqual([denied, 'NoSuchKey']);
  });

  test('may sign with the key that has the alias of the seal, and with no other', async () => {
    const { role } = await givenRole([{ actions: ['kms:Sign'], resource: 'SealKey' }]);

    expect(await role.sign()).toBe('done');
    expect([await role.sign('alias/other'), await role.publicKey()]).toEqual([
      'AccessDeniedException',
      'AccessDeniedException',
    ]);
    expect(await role.put('records/a')).toBe(denied);
  });

  test.each(functionNames)('%s: exactly what the blueprint says', async (name) => {
    const permissions = permissionsOf(name);
    const { role } = await givenRole(permissions);
    const has = (action: string, on: string) =>
      permissions.some(({ actions, resource }) => resource === on && actions.includes(action));

    expect({
      records: (await role.put('records/a')) === 'done',
      digests: (await role.put('digests/a')) === 'done',
      list: (await role.list()) === 'done',
      remove: (await role.remove('records/a')) === 'done',
      sign: (await role.sign()) === 'done',
      publicKey: (await role.publicKey()) === 'done',
    }).toEqual({
      records: has('s3:PutObject', 'ArchiveRecords'),
      digests: has('s3:PutObject', 'ArchiveDigests'),
      list: has('s3:ListBucket', 'ArchiveBucket'),
      remove: has('s3:DeleteObject', 'ArchiveRecords'),
      sign: has('kms:Sign', 'SealKey'),
      publicKey: has('kms:GetPublicKey', 'SealKey'),
    });
  });
});

describe('The local run', () => {
  test('has the bucket under Object Lock and the key, and keeps both with its data', async () => {
    const dataDir = join(temporaryFolder(), 'data');
    const first = await startTestRun({ dataDir });
    const before = callsOf(first, first.aws);
    const keyOf = async ({ keys }: typeof before) => {
      const { PublicKey = [] } = await keys.send(new GetPublicKeyCommand({ KeyId: sealKey }));
      return Buffer.from(PublicKey).toString('hex');
    };
    expect(await before.put('records/kept')).toBe('done');
    const publicKey = await keyOf(before);
    await first.close();

    const second = closeAfterTest(await startTestRun({ dataDir }));
    const after = callsOf(second, second.aws);

    expect(await after.get('records/kept')).toBe('done');
    expect(await keyOf(after)).toBe(publicKey);
    const lock = await after.objects.send(new GetObjectLockConfigurationCommand({ Bucket: archiveBucket }));
    expect(lock.ObjectLockConfiguration).toEqual({
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
    });
    const { Versions = [] } = await after.objects.send(new ListObjectVersionsCommand({ Bucket: archiveBucket }));
    const VersionId = Versions[0]?.VersionId;
    const removal = { Bucket: archiveBucket, Key: 'records/kept', VersionId };
    await expect(after.objects.send(new DeleteObjectCommand(removal))).rejects.toMatchObject({ name: denied });
  });

  test('gives each function the addresses of both, which then ask for its role', async () => {
    const bundles = join(temporaryFolder(), 'functions');
    cpSync(defaultBundles, bundles, { recursive: true });
    const outfile = join(bundles, 'answer-unknown-route', 'probe.cjs');
    await build({
      stdin: { contents: probe, resolveDir: import.meta.dirname, loader: 'ts' },
      outfile,
      bundle: true,
      format: 'cjs',
      platform: 'node',
      mainFields: ['module', 'main'],
      plugins: [trimSdk],
    });
    writeFileSync(join(bundles, 'answer-unknown-route', 'index.mjs'), loader);
    const run = closeAfterTest(await startTestRun({ bundles }));

    const answered = await run.lambda.invoke('answer-unknown-route', {});

    expect(answered).toEqual({ kind: 'answered', payload: ['AccessDenied', 'AccessDeniedException'] });
    expect([run.s3.requests, run.kms.requests]).toEqual([{ ListObjectsV2: 1 }, { GetPublicKey: 1 }]);
  });
});

/** A function that calls both stores, as any function does: with nothing but its environment. */
const probe = `
import { GetPublicKeyCommand } from '@aws-sdk/client-kms';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { createKmsClient, createS3Client } from '../../../functions/adapters/aws-clients.ts';
const nameOf = (error) => error.name;
export const handler = async () => [
  await createS3Client().send(new ListObjectsV2Command({ Bucket: '${archiveBucket}' })).catch(nameOf),
  await createKmsClient().send(new GetPublicKeyCommand({ KeyId: '${sealKey}' })).catch(nameOf),
];`;
const loader = `import { createRequire } from 'node:module';
export const { handler } = createRequire(import.meta.url)('./probe.cjs');`;
