import type { IncomingHttpHeaders } from 'node:http';
import { md5, verifyChecksums } from './checksums.ts';
import { fromDefault, modes, type Retention, retentionOf } from './object-lock.ts';
import type { Bucket, Version } from './object-store.ts';
import { bucketOf, requireAction, type S3Answer, type S3Request, versionHeader } from './operation.ts';
import { notPlayed, S3Error } from './s3-error.ts';

/** Besides the metadata (`x-amz-meta-`) and the checksums. */
const keptHeaders = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
]);

/**
 * Adds a version: with versioning an overwrite leaves the older ones as they are.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
export function putObject(request: S3Request): S3Answer {
  const { key, headers, body, store, nowMs } = request;
  requireAction(request, 's3:PutObject');
  const bucket = bucketOf(request);
  if (Buffer.byteLength(key) > 1_024) throw new S3Error('KeyTooLongError', 'Your key is too long');
  if ((headers['x-amz-storage-class'] ?? 'STANDARD') !== 'STANDARD') throw notPlayed('storage classes');
  const retention = retentionFor(request, bucket);
  const checksums = verifyChecksums(headers, body);
  if (retention !== undefined && headers['content-md5'] === undefined && Object.keys(checksums).length === 0) {
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html#object-lock-put-object
    const needed = 'Content-MD5 OR x-amz-checksum- HTTP header is required';
    throw new S3Error('InvalidRequest', `${needed} for Put Object requests with Object Lock parameters`);
  }
  checkConditions(headers, store.versions(bucket.name, key)[0]);
  const version = store.add(
    {
      bucket: bucket.name,
      key,
      isDeleteMarker: false,
      writtenMs: nowMs,
      size: body.length,
      etag: `"${md5(body).toString('hex')}"`,
      headers: { ...headersToKeep(headers), ...checksums },
      retention,
    },
    body,
  );
  return { headers: { ETag: version.etag, ...versionHeader(version), ...checksums } };
}

/** The request's own retention, or the bucket's. */
function retentionFor(request: S3Request, { lock }: Bucket): Retention | undefined {
  const mode = request.headers['x-amz-object-lock-mode'];
  const until = request.headers['x-amz-object-lock-retain-until-date'];
  if (mode === undefined && until === undefined) {
    return lock?.defaultRetention && fromDefault(lock.defaultRetention, request.nowMs);
  }
  requireAction(request, 's3:PutObjectRetention');
  if (mode === undefined || until === undefined) {
    const both = 'x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied';
    throw new S3Error('InvalidArgument', both);
  }
  if (lock === undefined) throw new S3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration');
  const known = modes.safeParse(mode);
  if (!known.success) throw new S3Error('InvalidArgument', 'Unknown wormMode directive.');
  return retentionOf(known.data, String(until), request.nowMs);
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
function checkConditions(headers: IncomingHttpHeaders, newest: Version | undefined): void {
  const current = newest?.isDeleteMarker === true ? undefined : newest;
  const [absent, same] = [headers['if-none-match'], headers['if-match']];
  if (absent !== undefined && absent !== '*') throw notPlayed('If-None-Match of PutObject with anything but *');
  if (same !== undefined && current === undefined) {
    throw new S3Error('NoSuchKey', 'The specified key does not exist.', 404);
  }
  const isMet = (absent === undefined || current === undefined) && (same === undefined || same === current?.etag);
  if (isMet) return;
  const message = 'At least one of the pre-conditions you specified did not hold';
  throw new S3Error('PreconditionFailed', message, 412);
}

function headersToKeep(headers: IncomingHttpHeaders): Record<string, string> {
  const kept = Object.entries(headers).flatMap(([name, value]) =>
    value !== undefined && (keptHeaders.has(name) || name.startsWith('x-amz-meta-'))
      ? [[name, String(value)] as const]
      : [],
  );
  const all = Object.fromEntries(kept);
  const encodings = (all['content-encoding'] ?? '')
    .split(/\s*,\s*/)
    .filter((one) => !['', 'aws-chunked'].includes(one));
  delete all['content-encoding'];
  return {
    'content-type': 'binary/octet-stream',
    ...all,
    ...(encodings.length > 0 && { 'content-encoding': encodings.join(',') }),
  };
}
