import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { damaged, stateFile } from '../store/state-file.ts';
import { defaultRetentionSchema, retentionSchema } from './object-lock.ts';

export const bucketSchema = z.object({
  name: z.string(),
  createdMs: z.number(),
  versioning: z.optional(z.literal('Enabled')),
  /** There once Object Lock is enabled, which is for ever. */
  lock: z.optional(z.object({ defaultRetention: z.optional(defaultRetentionSchema) })),
});

export const versionSchema = z.object({
  /** Of writing, in all buckets: the newest has the highest. */
  order: z.int(),
  bucket: z.string(),
  key: z.string(),
  versionId: z.string(),
  isDeleteMarker: z.boolean(),
  writtenMs: z.number(),
  size: z.int(),
  etag: z.string(),
  /** Those that its reader gets back: its type, metadata and checksums. */
  headers: z.record(z.string(), z.string()),
  retention: z.optional(retentionSchema),
});
type Bucket = z.infer<typeof bucketSchema>;
type Version = z.infer<typeof versionSchema>;

export interface StoreFolder {
  readBuckets(): readonly Bucket[];
  writeBucket(bucket: Bucket): void;
  /** In the order of writing. */
  readVersions(): readonly Version[];
  writeVersion(version: Version, body: Buffer): void;
  /** Without its body, which never changes. */
  rewriteVersion(version: Version): void;
  readBody(version: Version): Buffer;
  removeVersion(version: Version): void;
}

/**
 * The files of the local S3, readable only for their owner: `bucket-<name>.json`; for each version `<order>.json`, and
 * `<order>.body` unless it is a delete marker. A version is there once its JSON file is: a body alone is what a kill leaves.
 * @param folder without it nothing is kept
 */
export function openStoreFolder(folder: string | undefined): StoreFolder {
  if (folder === undefined) {
    const none = { readBuckets: () => [], readVersions: () => [], readBody: () => Buffer.alloc(0) };
    return { ...none, writeBucket: ignore, writeVersion: ignore, rewriteVersion: ignore, removeVersion: ignore };
  }
  const nameOf = (order: number): string => join(folder, String(order).padStart(12, '0'));
  const pathOf = ({ order }: Version): string => `${nameOf(order)}.json`;
  const bodyOf = ({ order }: Version): string => `${nameOf(order)}.body`;
  const names = (pattern: RegExp): string[] =>
    readNames(folder)
      .filter((name) => pattern.test(name))
      .toSorted();
  const write = (path: string, version: Version): void => stateFile(path, versionSchema).write(version);

  return {
    readBuckets: () => names(/^bucket-.*\.json$/).map((name) => readFile(join(folder, name), bucketSchema)),
    writeBucket: (bucket) => stateFile(join(folder, `bucket-${bucket.name}.json`), bucketSchema).write(bucket),
    readVersions() {
      const versions = names(/^\d{12}\.json$/).map((name) => {
        const version = readFile(join(folder, name), versionSchema);
        if (pathOf(version) !== join(folder, name)) throw damaged(join(folder, name), 'it is that of another version');
        if (!version.isDeleteMarker) checkBody(bodyOf(version), version.size, folder);
        return version;
      });
      const kept = new Set(versions.flatMap((version) => [pathOf(version), bodyOf(version)]));
      for (const name of names(/^\d{12}\.(body|body\.new|json\.new)$/)) {
        if (!kept.has(join(folder, name))) rmSync(join(folder, name));
      }
      return versions;
    },
    writeVersion(version, body) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (!version.isDeleteMarker) {
        writeFileSync(`${bodyOf(version)}.new`, body, { mode: 0o600 });
        renameSync(`${bodyOf(version)}.new`, bodyOf(version));
      }
      write(pathOf(version), version);
    },
    rewriteVersion: (version) => write(pathOf(version), version),
    readBody: (version) => readFileSync(bodyOf(version)),
    removeVersion(version) {
      rmSync(pathOf(version));
      rmSync(bodyOf(version), { force: true });
    },
  };
}

function ignore(): void {}

function readNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function readFile<Content>(path: string, schema: z.ZodMiniType<Content>): Content {
  const content = stateFile(path, schema).read();
  if (content === undefined) throw damaged(path, 'it is missing');
  return content;
}

/** Only its length: the content of an archive is what its own digests are for. */
function checkBody(path: string, size: number, folder: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw damaged(path, 'it is missing', { of: folder });
  if (found.size !== size) throw damaged(path, `it has ${found.size} bytes, not ${size}`, { of: folder });
}
