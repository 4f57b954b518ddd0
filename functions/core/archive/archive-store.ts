/**
 * The sealed archive: objects that are written once and never changed. Its methods throw `DependencyUnavailable` when the
 * archive does not answer.
 */
export interface ArchiveStore {
  /** Which bucket it is: digests name it. */
  readonly bucket: string;
  /** The days under a prefix that have objects, in order: `2026-11-26` for `records/day=2026-11-26/…`. */
  days(prefix: string): Promise<readonly string[]>;
  /** The objects under a prefix, sorted by name. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** An object's bytes, part by part; undefined: there is none. */
  read(name: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Writes an object if its name is free: of several writers exactly one gets `written`. */
  put(name: string, text: string): Promise<Put>;
}

export type Put = 'written' | 'exists';

export interface StoredObject {
  readonly name: string;
  /** When it was written, in whole seconds since 1970, as milliseconds. */
  readonly writtenMs: number;
}

/** An object in memory. Only for one that is known to be small. */
export async function readText(archive: Pick<ArchiveStore, 'read'>, name: string): Promise<string | undefined> {
  const parts = await archive.read(name);
  if (parts === undefined) return undefined;
  const read: Uint8Array[] = [];
  for await (const part of parts) read.push(part);
  return Buffer.concat(read).toString();
}
