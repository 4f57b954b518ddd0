import { existsSync, readFileSync } from 'node:fs';
import { S3Client } from '@aws-sdk/client-s3';
import { type PublicKey, readPublicKey } from '../../../functions/core/archive/public-key.ts';
import { archiveBucket } from '../../local/seeds.ts';
import { CannotDo } from '../command.ts';
import { regionOf } from '../places/deployed-place.ts';
import { readLocalAccess } from '../places/local-place.ts';
import { type ArchiveSource, openBucket, openFolder } from './archive-source.ts';

/** What verify-audit and its help say of archives. */
export const archiveOptions = {
  archive: { hint: 'PLACE', what: 'a sealed archive: a folder with a copy of one, or s3://BUCKET[/PREFIX]' },
  'public-key': {
    hint: 'FILE',
    what: 'a key that may have signed its digests, in PEM; once for each key that it ever had',
    many: true,
  },
  kept: {
    hint: 'SHA256',
    what: 'the SHA-256 of a digest that you noted at an earlier check: the archive must still have it',
    many: true,
  },
  now: { hint: 'TIME', what: 'verify a copy as of the time when it was made (default: now)' },
} as const;

/** An archive as it was named. */
export type ArchivePlace =
  | { readonly kind: 'folder'; readonly path: string }
  /** `isLocal`: the bucket of the local run of this folder. */
  | { readonly kind: 'bucket'; readonly bucket: string; readonly prefix: string; readonly isLocal: boolean };

/** @throws CannotDo (2) */
export function readArchivePlace(value: string, credentialsPath: string): ArchivePlace {
  if (!value.startsWith('s3:')) return { kind: 'folder', path: value };
  const [, bucket = '', prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/*$/.exec(value) ?? [];
  if (bucket === '')
    throw new CannotDo(2, `--archive must be a folder or s3://BUCKET[/PREFIX], not ${JSON.stringify(value)}.`);
  const isElsewhere = !existsSync(credentialsPath) && process.env['AWS_ENDPOINT_URL_S3'] !== undefined;
  return { kind: 'bucket', bucket, prefix, isLocal: bucket === archiveBucket && !isElsewhere };
}

/** @throws CannotDo (2) when one cannot be read, or is not a public key of the curve P-256 */
export function readPublicKeys(files: readonly string[]): readonly PublicKey[] {
  if (files.length === 0) {
    const why = 'take it from the operator, and not from the archive: a forger would replace both';
    throw new CannotDo(2, `--archive needs --public-key FILE, the key that signs its digests: ${why}.`);
  }
  return files.map((file) => {
    let pem: string;
    try {
      pem = readFileSync(file, 'utf8');
    } catch (cause) {
      throw new CannotDo(2, `--public-key: ${file} cannot be read.`, { cause });
    }
    const key = readPublicKey(pem);
    if (key !== undefined) return key;
    throw new CannotDo(2, `--public-key: ${file} is not a public key on the curve P-256 in PEM (SPKI).`);
  });
}

/** @throws CannotDo (2) */
export function readKept(values: readonly string[]): readonly string[] {
  const wrong = values.find((value) => !/^[0-9a-f]{64}$/.test(value));
  if (wrong === undefined) return values;
  throw new CannotDo(2, `--kept must be a SHA-256 of 64 hexadecimal digits, not ${JSON.stringify(wrong)}.`);
}

/** @throws CannotDo (2) when the folder or the region is missing */
export async function openArchive(
  place: ArchivePlace,
  { credentialsPath, region }: { readonly credentialsPath: string; readonly region: string | undefined },
): Promise<ArchiveSource & { close(): void }> {
  if (place.kind === 'folder') return { ...(await openFolder(place.path)), close: () => undefined };
  const requestHandler = { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true };
  const client = new S3Client({
    ...(region !== undefined && { region }),
    ...(place.isLocal && readLocalS3(credentialsPath)),
    followRegionRedirects: true,
    maxAttempts: 4,
    requestHandler,
  });
  await regionOf(client);
  return { ...openBucket(client, place.bucket, place.prefix), close: () => client.destroy() };
}

function readLocalS3(credentialsPath: string) {
  const { endpoints, aws } = readLocalAccess(credentialsPath, ['s3'], 'name another --archive');
  return { endpoint: endpoints.s3, region: aws.region, credentials: aws, forcePathStyle: true };
}
