import type { IncomingHttpHeaders } from 'node:http';
import type { Bucket, ObjectStore, Version } from './object-store.ts';
import { S3Error } from './s3-error.ts';

/** A request that was admitted, for one operation. */
export interface S3Request {
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly store: ObjectStore;
  readonly nowMs: number;
  /** Whether the caller's role has this action, `s3:PutObject`, on the bucket or the object. */
  readonly may: (action: string) => boolean;
}

export interface S3Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** @throws S3Error for a caller that may not */
export function requireAction(request: S3Request, action: string): void {
  if (!request.may(action)) throw new S3Error('AccessDenied', `The role does not allow ${action} here.`, 403);
}

/** The request's bucket. @throws S3Error when there is none */
export function bucketOf({ store, bucket }: S3Request): Bucket {
  const found = store.bucket(bucket);
  if (found !== undefined) return found;
  throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', 404);
}

/** Whether a request asks to pass over a lock in governance mode, and its caller may. */
export function mayBypassGovernance(request: S3Request): boolean {
  const asked = String(request.headers['x-amz-bypass-governance-retention']).toLowerCase() === 'true';
  return asked && request.may('s3:BypassGovernanceRetention');
}

/** A request that speaks of a lock where none can be would otherwise change nothing without a word. */
export function refuseBypassWithoutLock(bucket: Bucket, headers: IncomingHttpHeaders): void {
  const bypass = 'x-amz-bypass-governance-retention';
  if (bucket.lock !== undefined || headers[bypass] === undefined) return;
  throw new S3Error('InvalidArgument', `${bypass} is only applicable to Object Lock enabled buckets.`);
}

/**
 * The version that a request names, or the current one.
 * @returns undefined when there is none
 * @throws S3Error for a version id that the key does not have
 */
export function versionOf({ store, bucket, key, query }: S3Request): Version | undefined {
  const versionId = query.get('versionId');
  const versions = store.versions(bucket, key);
  if (versionId === null) return versions[0];
  const found = versions.find((version) => version.versionId === versionId);
  if (found !== undefined) return found;
  throw new S3Error('NoSuchVersion', 'The specified version does not exist.', 404);
}

/** The same, where a delete marker does not do. @throws S3Error as S3 words it for an object that is not there */
export function objectOf(request: S3Request): Version {
  const version = versionOf(request);
  if (version !== undefined && !version.isDeleteMarker) return version;
  const marked = version === undefined ? {} : { ...versionHeader(version), 'x-amz-delete-marker': 'true' };
  if (!request.query.has('versionId')) {
    // Who may not list the bucket is not told that an object is not there.
    if (version === undefined) requireAction(request, 's3:ListBucket');
    throw new S3Error('NoSuchKey', 'The specified key does not exist.', 404, marked);
  }
  const message = 'The specified method is not allowed against this resource.';
  throw new S3Error('MethodNotAllowed', message, 405, { ...marked, Allow: 'DELETE' });
}

/** Only a bucket with versioning names versions. */
export function versionHeader({ versionId }: Version): Readonly<Record<string, string>> {
  return versionId === 'null' ? {} : { 'x-amz-version-id': versionId };
}
