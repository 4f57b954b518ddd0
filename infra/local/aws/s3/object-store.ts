import { randomBytes } from 'node:crypto';
import type * as z from 'zod/mini';
import { S3Error } from './s3-error.ts';
import { type bucketSchema, openStoreFolder, type versionSchema } from './store-folder.ts';

export type Bucket = z.infer<typeof bucketSchema>;
/** A version of an object, or a delete marker. */
export type Version = z.infer<typeof versionSchema>;
/** What a request says of a new version. */
export type NewVersion = Omit<Version, 'order' | 'versionId'>;

/** The version id in a bucket without versioning. */
export const NULL_VERSION = 'null';

export interface ObjectStore {
  buckets(): readonly Bucket[];
  bucket(name: string): Bucket | undefined;
  putBucket(bucket: Bucket): void;
  /** In the order of S3's lists: by the bytes of their UTF-8. */
  keys(bucket: string): readonly string[];
  /** The newest first. */
  versions(bucket: string, key: string): readonly Version[];
  /** Adds a version; in a bucket without versioning it replaces the one that is there. @throws S3Error when the store is full */
  add(version: NewVersion, body: Buffer): Version;
  /** Writes what has changed of a version. */
  update(version: Version): void;
  remove(version: Version): void;
  body(version: Version): Buffer;
}

/** Of memory, for what is known of a version besides its name. */
const VERSION_BYTES = 1_024;

/**
 * Buckets and the versions of their objects. An index of all versions is in memory; bodies are there only without a folder.
 * @param folder keeps everything over restarts: a file for each version and one for its body
 * @param maxBytes of memory
 * @throws DataFolderError when a file in the folder is damaged
 */
export function openObjectStore(folder: string | undefined, maxBytes: number): ObjectStore {
  const files = openStoreFolder(folder);
  const buckets = new Map(files.readBuckets().map((bucket) => [bucket.name, bucket]));
  const objects = new Map<string, Map<string, Version[]>>();
  const sorted = new Map<string, readonly string[]>();
  const bodies = new Map<number, Buffer>();
  let [order, used] = [0, 0];

  const weigh = ({ key, size }: Version | NewVersion): number =>
    VERSION_BYTES + 2 * key.length + (folder === undefined ? size : 0);
  const versionsOf = (bucket: string, key: string): Version[] => {
    let byKey = objects.get(bucket);
    if (byKey === undefined) objects.set(bucket, (byKey = new Map()));
    let versions = byKey.get(key);
    if (versions === undefined) {
      byKey.set(key, (versions = []));
      sorted.delete(bucket);
    }
    return versions;
  };
  const remember = (version: Version): void => {
    versionsOf(version.bucket, version.key).unshift(version);
    used += weigh(version);
    order = version.order;
  };
  const remove = (version: Version): void => {
    files.removeVersion(version);
    bodies.delete(version.order);
    const versions = versionsOf(version.bucket, version.key);
    versions.splice(versions.indexOf(version), 1);
    used -= weigh(version);
    if (versions.length > 0) return;
    objects.get(version.bucket)?.delete(version.key);
    sorted.delete(version.bucket);
  };
  /** A kill between the two steps of a replacement leaves both. */
  const removeReplaced = (bucket: string, key: string): void => {
    const replaced = versionsOf(bucket, key).filter(({ versionId }) => versionId === NULL_VERSION);
    for (const version of replaced.slice(1)) remove(version);
  };
  for (const version of files.readVersions()) {
    remember(version);
    if (version.versionId === NULL_VERSION) removeReplaced(version.bucket, version.key);
  }

  return {
    buckets: () => [...buckets.values()].toSorted((a, b) => compareBytes(a.name, b.name)),
    bucket: (name) => buckets.get(name),
    putBucket(bucket) {
      files.writeBucket(bucket);
      buckets.set(bucket.name, bucket);
    },
    keys(bucket) {
      let keys = sorted.get(bucket);
      if (keys === undefined) {
        sorted.set(bucket, (keys = [...(objects.get(bucket)?.keys() ?? [])].toSorted(compareBytes)));
      }
      return keys;
    },
    versions: (bucket, key) => objects.get(bucket)?.get(key) ?? [],
    add(given, body) {
      if (used + weigh(given) > maxBytes) {
        throw new S3Error('InsufficientStorage', 'The local S3 is full: its memory is bounded.', 507);
      }
      const isVersioned = buckets.get(given.bucket)?.versioning === 'Enabled';
      const versionId = isVersioned ? randomBytes(24).toString('base64url') : NULL_VERSION;
      const version = { ...given, order: order + 1, versionId };
      files.writeVersion(version, body);
      if (folder === undefined) bodies.set(version.order, body);
      remember(version);
      if (!isVersioned) removeReplaced(version.bucket, version.key);
      return version;
    },
    update(version) {
      files.rewriteVersion(version);
      const versions = versionsOf(version.bucket, version.key);
      versions.splice(
        versions.findIndex((one) => one.order === version.order),
        1,
        version,
      );
    },
    remove,
    body: (version) => bodies.get(version.order) ?? files.readBody(version),
  };
}

/** Text in UTF-16 has another order than its UTF-8. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
