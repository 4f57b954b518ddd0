import type { Stats } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  NoSuchKey,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { CannotDo } from '../command.ts';
import { explainFailure } from '../places/explain-failure.ts';
import { printable } from '../terminal.ts';

export interface ListedObject {
  /** Within the archive: `records/day=2026-11-26/1-9.ndjson`. */
  readonly name: string;
  /** When it was put, in milliseconds since 1970. Of a file, when it was copied at the latest. */
  readonly modifiedMs: number;
}

/** An archive to read: a bucket, or a copy of one in a folder. */
export interface ArchiveSource {
  /** In messages: `s3://bucket/prefix`, `./archive`. */
  readonly place: string;
  /**
   * Lists objects in the order of their names.
   * @param folder `records/`
   * @param after only names after this one
   */
  list(folder: string, after?: string): AsyncIterable<ListedObject>;
  /** @returns undefined when the object is not there */
  read(name: string): Promise<Buffer | undefined>;
}

/** An object of an archive has some megabytes: what is much larger is none, and would fill the memory. */
const LARGEST_BYTES = 256 * 1024 * 1024;

/** @throws CannotDo (2) from its methods when S3 does not answer */
export function openBucket(client: S3Client, bucket: string, prefix: string): ArchiveSource {
  const place = `s3://${[bucket, prefix].filter((part) => part !== '').join('/')}`;
  const root = prefix === '' ? '' : `${prefix}/`;
  const explain = (cause: unknown): unknown => {
    const missing =
      cause instanceof Error && cause.name === 'NoSuchBucket' ? `There is no bucket ${bucket}.` : undefined;
    const why = missing ?? explainFailure(cause, place)?.message;
    return why === undefined ? cause : new CannotDo(2, why, { cause });
  };
  return {
    place,
    async *list(folder, after) {
      const input = {
        Bucket: bucket,
        Prefix: `${root}${folder}`,
        ...(after !== undefined && { StartAfter: `${root}${after}` }),
      };
      try {
        for await (const { Contents = [] } of paginateListObjectsV2({ client }, input)) {
          for (const { Key = '', LastModified } of Contents) {
            yield { name: Key.slice(root.length), modifiedMs: LastModified?.getTime() ?? Number.NaN };
          }
        }
      } catch (cause) {
        throw explain(cause);
      }
    },
    async read(name) {
      try {
        const get = new GetObjectCommand({ Bucket: bucket, Key: `${root}${name}` });
        const { Body, ContentLength = 0 } = await client.send(get);
        refuseHuge(name, ContentLength);
        return await bytesOf(Body);
      } catch (cause) {
        if (cause instanceof NoSuchKey) return undefined;
        throw explain(cause);
      }
    },
  };
}

/** What is not as its own checksum says is returned too: the digest has the SHA-256 that counts. */
async function bytesOf(body: GetObjectCommandOutput['Body']): Promise<Buffer> {
  if (!(body instanceof Readable)) throw new TypeError('The SDK gives another kind of body');
  const parts: Uint8Array[] = [];
  try {
    for await (const part of body) parts.push(part);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('Checksum mismatch')) throw error;
  }
  return Buffer.concat(parts);
}

/** @throws CannotDo (2) unless it is a folder that has an archive's folders; from its methods for what is not a plain file */
export async function openFolder(path: string): Promise<ArchiveSource> {
  const entries = await namesIn(path);
  if (entries === undefined) throw new CannotDo(2, `There is no folder ${path}.`);
  if (!entries.includes('records') && !entries.includes('digests')) {
    throw new CannotDo(2, `${path} is not a copy of an archive: it has neither records/ nor digests/.`);
  }
  return {
    place: path,
    async *list(folder, after = '') {
      for await (const name of walk(path, folder.replace(/\/$/, ''))) {
        if (name > after) yield { name, modifiedMs: plainFile(name, await lstat(join(path, name))).mtimeMs };
      }
    },
    // A name comes from a digest, which may be forged: it must not lead out of the folder.
    async read(name) {
      return name.split('/').includes('..') ? undefined : readIfThere(path, name);
    },
  };
}

/** A link leads out of the copy, and a pipe waits for ever. @throws CannotDo (2) */
function plainFile(name: string, stats: Stats): Stats {
  if (!stats.isFile()) {
    throw new CannotDo(2, `${printable(name)} is not a file: a copy of an archive has only files and folders.`);
  }
  refuseHuge(name, stats.size);
  return stats;
}

/** @throws CannotDo (2) */
function refuseHuge(name: string, bytes: number): void {
  if (bytes <= LARGEST_BYTES) return;
  throw new CannotDo(
    2,
    `${printable(name)} has ${bytes} bytes, and no object of an archive has so many: it was put in.`,
  );
}

/** The files below a folder, in the order in which S3 lists them. */
async function* walk(root: string, folder: string): AsyncGenerator<string> {
  const entries = (await readdirIfThere(join(root, folder))).map((entry) => ({
    name: `${folder}/${entry.name}`,
    isFolder: entry.isDirectory(),
  }));
  const sortName = ({ name, isFolder }: (typeof entries)[number]): string => (isFolder ? `${name}/` : name);
  entries.sort((a, b) => (sortName(a) < sortName(b) ? -1 : 1));
  for (const { name, isFolder } of entries) {
    if (isFolder) yield* walk(root, name);
    else yield name;
  }
}

async function readdirIfThere(path: string) {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function namesIn(path: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function readIfThere(folder: string, name: string): Promise<Buffer | undefined> {
  const path = join(folder, name);
  try {
    plainFile(name, await lstat(path));
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
