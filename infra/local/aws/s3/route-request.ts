import type { IncomingHttpHeaders } from 'node:http';
import { isChecksumHeader } from './checksums.ts';
import { notPlayed, S3Error } from './s3-error.ts';

/** What a request asks for. Names in the path: `/<bucket>/<key>`. */
export interface Target {
  readonly operation: OperationName;
  /** '' for an operation on none. */
  readonly bucket: string;
  /** '' for an operation on a bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
}

interface Route {
  readonly method: string;
  readonly on: 'service' | 'bucket' | 'object';
  /** The parameter of the query that names the operation. */
  readonly subresource?: string;
  /** The other parameters that it reads. */
  readonly query?: readonly string[];
  /** Its `x-amz-` headers, besides those of every request. */
  readonly headers?: readonly string[];
}

const listQuery = ['prefix', 'delimiter', 'encoding-type', 'max-keys'];
const readHeaders = ['x-amz-checksum-mode'];
const bypass = 'x-amz-bypass-governance-retention';

const routes = {
  ListBuckets: { method: 'GET', on: 'service' },
  CreateBucket: { method: 'PUT', on: 'bucket', headers: ['x-amz-bucket-object-lock-enabled'] },
  HeadBucket: { method: 'HEAD', on: 'bucket' },
  GetBucketVersioning: { method: 'GET', on: 'bucket', subresource: 'versioning' },
  PutBucketVersioning: { method: 'PUT', on: 'bucket', subresource: 'versioning' },
  GetObjectLockConfiguration: { method: 'GET', on: 'bucket', subresource: 'object-lock' },
  PutObjectLockConfiguration: { method: 'PUT', on: 'bucket', subresource: 'object-lock' },
  ListObjectsV2: {
    method: 'GET',
    on: 'bucket',
    subresource: 'list-type',
    query: [...listQuery, 'continuation-token', 'start-after', 'fetch-owner'],
  },
  ListObjectVersions: {
    method: 'GET',
    on: 'bucket',
    subresource: 'versions',
    query: [...listQuery, 'key-marker', 'version-id-marker'],
  },
  PutObject: {
    method: 'PUT',
    on: 'object',
    headers: ['x-amz-object-lock-mode', 'x-amz-object-lock-retain-until-date', 'x-amz-storage-class'],
  },
  GetObject: { method: 'GET', on: 'object', query: ['versionId'], headers: readHeaders },
  HeadObject: { method: 'HEAD', on: 'object', query: ['versionId'], headers: readHeaders },
  DeleteObject: { method: 'DELETE', on: 'object', query: ['versionId'], headers: [bypass] },
  GetObjectRetention: { method: 'GET', on: 'object', subresource: 'retention', query: ['versionId'] },
  PutObjectRetention: {
    method: 'PUT',
    on: 'object',
    subresource: 'retention',
    query: ['versionId'],
    headers: [bypass],
  },
} as const satisfies Readonly<Record<string, Route>>;
export type OperationName = keyof typeof routes;

/** `x-id` only repeats the operation's name. */
const everyQuery = ['x-id'];
const everyHeader = new Set([
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-expected-bucket-owner',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-trailer',
  'x-amz-user-agent',
]);
/** Conditions that would be ignored without a word. */
const conditions = new Set(['if-modified-since', 'if-unmodified-since', 'if-range']);

/**
 * Finds the operation.
 * @throws S3Error for one that is not played, and for a parameter or a header that would change what it does
 */
export function routeRequest(method: string, url: string, headers: IncomingHttpHeaders): Target {
  const [path = '/', search = ''] = splitOnce(url, '?');
  const [bucket, key] = splitOnce(path.slice(1), '/').map(decode);
  const query = new URLSearchParams(search);
  const on = bucket === undefined || bucket === '' ? 'service' : key === undefined || key === '' ? 'bucket' : 'object';
  const found = Object.entries<Route>(routes).find(
    ([, route]) =>
      route.method === method &&
      route.on === on &&
      [...query.keys()].every((name) => [...everyQuery, route.subresource, ...(route.query ?? [])].includes(name)) &&
      (route.subresource === undefined || query.has(route.subresource)),
  );
  const operation = found?.[0];
  if (found === undefined || !isOperation(operation)) {
    const names = [...query.keys()].filter((name) => !everyQuery.includes(name));
    throw notPlayed(`${method} on ${on === 'service' ? 'the' : 'a'} ${on}${names.map((name) => `, ${name}`).join('')}`);
  }
  const own: readonly string[] = found[1].headers ?? [];
  const isKnown = (name: string): boolean =>
    everyHeader.has(name) || own.includes(name) || (method === 'PUT' && isAboutBody(name));
  const other = Object.keys(headers).find(
    (name) => conditions.has(name) || (name.startsWith('x-amz-') && !isKnown(name)),
  );
  if (other !== undefined) throw notPlayed(`the header ${other} of ${operation}`);
  return { operation, bucket: bucket ?? '', key: key ?? '', query };
}

function isAboutBody(header: string): boolean {
  return header.startsWith('x-amz-meta-') || isChecksumHeader(header);
}

function isOperation(name: string | undefined): name is OperationName {
  return name !== undefined && Object.hasOwn(routes, name);
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidURI', "Couldn't parse the specified URI.");
  }
}
