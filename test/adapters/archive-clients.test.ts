import { execFile } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GetPublicKeyCommand } from '@aws-sdk/client-kms';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { build } from 'esbuild';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createKmsClient, createS3Client } from '../../functions/adapters/aws-clients.ts';
import { bundling } from '../../infra/build/bundle-functions.ts';
import { trimSdk } from '../../infra/build/trim-sdk.ts';
import { keyVariables } from '../../infra/local/aws/access-keys.ts';
import { startLocalKms } from '../../infra/local/aws/kms/local-kms.ts';
import { localRegion } from '../../infra/local/aws/loopback.ts';
import { startLocalS3 } from '../../infra/local/aws/s3/local-s3.ts';
import { callArchiveStores } from './call-archive-stores.ts';

const [bucket, alias] = ['plangrep-cancellation-local-archive', 'alias/plangrep-cancellation-local-seal'];

/** Both stores, and the variables by which a function finds them. */
async function givenStores() {
  const s3 = await startLocalS3({ buckets: { [bucket]: { mode: 'GOVERNANCE', unit: 'Days', count: 1 } } });
  onTestFinished(s3.close);
  const kms = await startLocalKms({ accessKey: s3.accessKey, aliases: [alias] });
  onTestFinished(kms.close);
  const variables = {
    AWS_REGION: localRegion,
    ...keyVariables(s3.accessKey),
    AWS_ENDPOINT_URL_S3: s3.url,
    AWS_ENDPOINT_URL_KMS: kms.url,
  };
  return { s3, kms, variables };
}

/** The same with the clients of this process. */
async function givenClients() {
  const { variables, ...stores } = await givenStores();
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  return { ...stores, s3Client: createS3Client(), kmsClient: createKmsClient() };
}

type Got = Awaited<ReturnType<typeof callArchiveStores>>;

function expectAllDone(got: Got): void {
  expect(got).toMatchObject({
    checksum: expect.stringMatching(/^[\w+/]{43}=$/),
    refused: { again: 'PreconditionFailed', wrong: 'BadDigest', missing: 'NoSuchKey' },
    keys: ['records/2026/ü.ndjson'],
    body: got.text,
  });
  const key = createPublicKey({ key: Buffer.from(got.publicKey, 'base64'), format: 'der', type: 'spki' });
  expect(verify('sha256', Buffer.from(got.text), key, Buffer.from(got.signature, 'base64'))).toBe(true);
}

describe('The clients of S3 and KMS', () => {
  test('put an object once, list, read, sign and get the public key, at the endpoints that the environment names', async () => {
    await givenClients();

    expectAllDone(await callArchiveStores(bucket, alias));
  });

  test('do the same in a bundle with the trimmed SDK, which loads neither zlib nor the event streams', async () => {
    const { variables } = await givenStores();
    const folder = mkdtempSync(join(tmpdir(), 'archive-clients-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const outfile = join(folder, 'program.cjs');
    const footer = { js: `console.error(process.moduleLoadList.join());` };
    const entryPoints = [new URL('./call-archive-stores.ts', import.meta.url).pathname];
    const { metafile } = await build({
      entryPoints,
      outfile,
      footer,
      metafile: true,
      ...bundling,
      plugins: [trimSdk],
    });

    const { stdout, stderr } = await promisify(execFile)(process.execPath, [outfile, bucket, alias], {
      env: { ...variables, IS_PROGRAM: 'yes', HOME: folder },
    });

    const got: Got = JSON.parse(stdout);
    expectAllDone(got);
    expect(stderr).toContain('NativeModule fs');
    expect(stderr).not.toContain('NativeModule zlib');
    const [output] = Object.values(metafile.outputs);
    const inputs = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
    expect(inputs.filter(([path]) => /event-streams\/./.test(path)).map(([path]) => path)).toEqual([
      expect.stringMatching(/event-streams\/index\.js$/), // Which only throws: no operation here streams events.
    ]);
  });

  test('try a service that fails three times in all', async () => {
    const { s3, kms, s3Client, kmsClient } = await givenClients();
    const [list, read] = [new ListBucketsCommand(), new GetPublicKeyCommand({ KeyId: alias })];
    for (const store of [s3, kms]) store.fail(2);

    expect((await s3Client.send(list)).Buckets).toMatchObject([{ Name: bucket }]);
    expect(await kmsClient.send(read)).toMatchObject({ KeySpec: 'ECC_NIST_P256' });

    for (const store of [s3, kms]) store.fail(3);
    await expect(s3Client.send(list)).rejects.toThrow('A test asked for this failure.');
    await expect(kmsClient.send(read)).rejects.toThrow('A test asked for this failure.');
    expect([s3.requests['ListBuckets'], kms.requests['GetPublicKey']]).toEqual([6, 6]);
  });
});
