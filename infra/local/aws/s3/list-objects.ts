import type { Version } from './object-store.ts';
import { compareBytes } from './object-store.ts';
import { bucketOf, requireAction, type S3Answer, type S3Request } from './operation.ts';
import { S3Error } from './s3-error.ts';
import { type Children, writeXml } from './xml.ts';

const PAGE = 1_000;

/** What both lists read of the query. */
interface Asked {
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
  readonly encode: (text: string) => string;
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export function listObjects(request: S3Request): S3Answer {
  const { store, query } = request;
  requireAction(request, 's3:ListBucket');
  const { name } = bucketOf(request);
  if (query.get('list-type') !== '2') throw new S3Error('InvalidArgument', 'The local S3 has list-type=2 only.');
  const asked = askedOf(query);
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : keyIn(token);
  const current = (key: string): readonly Version[] => {
    const [newest] = store.versions(name, key);
    return newest === undefined || newest.isDeleteMarker ? [] : [newest];
  };
  const page = readPage(
    store.keys(name),
    asked,
    (key) => compareBytes(key, after) > 0 && !isWithin(key, after, asked),
    current,
  );
  const next = page.isTruncated ? Buffer.from(page.last).toString('base64url') : undefined;
  return {
    body: writeXml('ListBucketResult', {
      ...describe(name, query, asked),
      StartAfter: encoded(query.get('start-after'), asked),
      ContinuationToken: token ?? undefined,
      KeyCount: page.versions.length + page.prefixes.length,
      IsTruncated: page.isTruncated,
      NextContinuationToken: next,
      Contents: page.versions.map((version) => contentsOf(version, asked)),
      CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: asked.encode(prefix) })),
    }),
  };
}

/**
 * All versions and delete markers, by key and then from the newest on.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 */
export function listVersions(request: S3Request): S3Answer {
  const { store, query } = request;
  requireAction(request, 's3:ListBucketVersions');
  const { name } = bucketOf(request);
  const asked = askedOf(query);
  const [keyMarker, idMarker] = [query.get('key-marker') ?? '', query.get('version-id-marker') ?? ''];
  const isAfter = (key: string): boolean =>
    (key === keyMarker && idMarker !== '') || (compareBytes(key, keyMarker) > 0 && !isWithin(key, keyMarker, asked));
  const rest = (key: string): readonly Version[] => {
    const versions = store.versions(name, key);
    if (key !== keyMarker || idMarker === '') return versions;
    return versions.slice(versions.findIndex(({ versionId }) => versionId === idMarker) + 1);
  };
  const page = readPage(store.keys(name), asked, isAfter, rest);
  const isLatest = (version: Version): boolean => store.versions(name, version.key)[0] === version;
  const describeOne = (version: Version): Children => ({
    ...contentsOf(version, asked),
    VersionId: version.versionId,
    IsLatest: isLatest(version),
  });
  return {
    body: writeXml('ListVersionsResult', {
      ...describe(name, query, asked),
      KeyMarker: asked.encode(keyMarker),
      VersionIdMarker: idMarker,
      IsTruncated: page.isTruncated,
      NextKeyMarker: page.isTruncated ? asked.encode(page.last) : undefined,
      NextVersionIdMarker: page.isTruncated ? page.lastVersionId : undefined,
      Version: page.versions.filter((version) => !version.isDeleteMarker).map(describeOne),
      DeleteMarker: page.versions.filter((version) => version.isDeleteMarker).map(describeOne),
      CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: asked.encode(prefix) })),
    }),
  };
}

interface Page {
  readonly versions: readonly Version[];
  readonly prefixes: readonly string[];
  readonly isTruncated: boolean;
  /** The key or the common prefix that the page ends with. */
  readonly last: string;
  readonly lastVersionId: string | undefined;
}

/** Goes through the keys in their order until the page is full. */
function readPage(
  keys: readonly string[],
  { prefix, delimiter, maxKeys }: Asked,
  isAfter: (key: string) => boolean,
  versionsOf: (key: string) => readonly Version[],
): Page {
  const versions: Version[] = [];
  const prefixes: string[] = [];
  let [last, lastVersionId]: [string, string | undefined] = ['', undefined];
  const isFull = (): boolean => versions.length + prefixes.length >= maxKeys;
  const pageOf = (isTruncated: boolean): Page => ({ versions, prefixes, isTruncated, last, lastVersionId });
  if (maxKeys === 0) return pageOf(false);
  for (const key of keys) {
    if (!key.startsWith(prefix) || !isAfter(key)) continue;
    const found = versionsOf(key);
    const common = commonPrefixOf(key, prefix, delimiter);
    if (common !== undefined) {
      if (found.length === 0 || prefixes.at(-1) === common) continue;
      if (isFull()) return pageOf(true);
      prefixes.push(common);
      [last, lastVersionId] = [common, undefined];
      continue;
    }
    for (const version of found) {
      if (isFull()) return pageOf(true);
      versions.push(version);
      [last, lastVersionId] = [key, version.versionId];
    }
  }
  return pageOf(false);
}

function commonPrefixOf(key: string, prefix: string, delimiter: string): string | undefined {
  const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

/** A page that ended with a common prefix has shown all keys that it stands for. */
function isWithin(key: string, after: string, { prefix, delimiter }: Asked): boolean {
  return after !== '' && commonPrefixOf(key, prefix, delimiter) === after;
}

function askedOf(query: URLSearchParams): Asked {
  const maxKeys = query.get('max-keys') ?? String(PAGE);
  const encoding = query.get('encoding-type') ?? '';
  if (!/^\d{1,9}$/.test(maxKeys)) throw new S3Error('InvalidArgument', 'Provided max-keys not an integer.');
  if (!['', 'url'].includes(encoding)) throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified.');
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    maxKeys: Math.min(Number(maxKeys), PAGE),
    encode: encoding === 'url' ? (text) => encodeURIComponent(text).replaceAll('%2F', '/') : (text) => text,
  };
}

function describe(name: string, query: URLSearchParams, asked: Asked): Children {
  return {
    Name: name,
    Prefix: asked.encode(asked.prefix),
    Delimiter: encoded(query.get('delimiter'), asked),
    MaxKeys: asked.maxKeys,
    EncodingType: query.get('encoding-type') ?? undefined,
  };
}

function encoded(text: string | null, { encode }: Asked): string | undefined {
  return text === null ? undefined : encode(text);
}

function contentsOf({ key, writtenMs, etag, size, isDeleteMarker }: Version, { encode }: Asked): Children {
  const ofContent = isDeleteMarker ? {} : { ETag: etag, Size: size, StorageClass: 'STANDARD' };
  return { Key: encode(key), LastModified: toSeconds(writtenMs), ...ofContent };
}

/** S3 lists whole seconds: what was written a moment ago is not after the second that it was written in. */
function toSeconds(ms: number): string {
  return new Date(Math.floor(ms / 1_000) * 1_000).toISOString();
}

function keyIn(token: string): string {
  const key = Buffer.from(token, 'base64url').toString();
  if (Buffer.from(key).toString('base64url') === token) return key;
  throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect');
}
