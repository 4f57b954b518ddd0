import { createHash } from 'node:crypto';
import { KMSClient } from '@aws-sdk/client-kms';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { onTestFinished } from 'vitest';
import { createSigner } from '../../functions/adapters/kms/signer.ts';
import { createArchiveStore } from '../../functions/adapters/s3/archive-store.ts';
import { readText } from '../../functions/core/archive/archive-store.ts';
import { type Digest, readDigest } from '../../functions/core/archive/digest.ts';
import type { SealingPorts } from '../../functions/core/archive/seal-archive.ts';
import type { ReportCode, ReportFields } from '../../functions/core/report.ts';
import { startLocalKms } from '../../infra/local/aws/kms/local-kms.ts';
import { localRegion } from '../../infra/local/aws/loopback.ts';
import { startLocalS3 } from '../../infra/local/aws/s3/local-s3.ts';

export const archiveBucket = 'archive';
export const sealAlias = 'alias/seal';

/** The local S3 and KMS behind the functions' own adapters, with a clock that the test sets. */
export async function givenArchive(startMs = Date.parse('2026-11-26T12:00:00.000Z')) {
  const time = { nowMs: startMs };
  const s3 = await startLocalS3({
    buckets: { [archiveBucket]: { mode: 'GOVERNANCE', unit: 'Days', count: 1 } },
    now: () => time.nowMs,
  });
  onTestFinished(() => s3.close());
  const kms = await startLocalKms({ accessKey: s3.accessKey, aliases: [sealAlias] });
  onTestFinished(() => kms.close());
  const at = (endpoint: string) => ({ endpoint, region: localRegion, credentials: s3.accessKey, maxAttempts: 1 });
  const [s3Client, kmsClient] = [new S3Client(at(s3.url)), new KMSClient(at(kms.url))];
  const reports: { readonly code: ReportCode; readonly fields: ReportFields | undefined }[] = [];
  const ports = {
    archive: createArchiveStore(s3Client, archiveBucket),
    signer: createSigner(kmsClient, sealAlias),
    environment: 'local',
    marginMs: 1_000,
    clock: { now: () => time.nowMs },
    report: (code, fields) => void reports.push({ code, fields }),
  } satisfies SealingPorts;
  const names = async (prefix: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { name } of ports.archive.list(prefix)) found.push(name);
    return found;
  };
  return {
    s3,
    kms,
    s3Client,
    kmsClient,
    time,
    ports,
    reports,
    codes: () => reports.map(({ code }) => code),
    names,
    text: async (name: string) => (await readText(ports.archive, name)) ?? '',
    /** Of every digest, the oldest first. */
    digests: async (): Promise<Digest[]> => {
      const texts = await Promise.all((await names('digests/')).map((name) => readText(ports.archive, name)));
      return texts.flatMap((text) => readDigest(text ?? '')?.digest ?? []);
    },
    /** Overwrites an object as its bucket's owner can: a version more. */
    overwrite: async (name: string, text: string): Promise<void> => {
      const ChecksumSHA256 = createHash('sha256').update(text).digest('base64');
      await s3Client.send(new PutObjectCommand({ Bucket: archiveBucket, Key: name, Body: text, ChecksumSHA256 }));
    },
  };
}
