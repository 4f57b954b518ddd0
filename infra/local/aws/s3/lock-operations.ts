import * as z from 'zod/mini';
import { checkChange, checkDelete, modes, retentionOf } from './object-lock.ts';
import { NULL_VERSION } from './object-store.ts';
import {
  bucketOf,
  mayBypassGovernance,
  objectOf,
  requireAction,
  refuseBypassWithoutLock,
  type S3Answer,
  type S3Request,
  versionHeader,
  versionOf,
} from './operation.ts';
import { S3Error } from './s3-error.ts';
import { readXml, writeXml } from './xml.ts';

const retentionInput = z.strictObject({ Mode: z.optional(modes), RetainUntilDate: z.optional(z.string()) });

/**
 * Without a version id it hides the object behind a delete marker, whatever the lock; with one it removes that version for ever, unless
 * a lock protects it. Something that is not there is deleted already.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 */
export function deleteObject(request: S3Request): S3Answer {
  const { key, query, store, nowMs } = request;
  const versionId = query.get('versionId');
  requireAction(request, versionId === null ? 's3:DeleteObject' : 's3:DeleteObjectVersion');
  const bucket = bucketOf(request);
  refuseBypassWithoutLock(bucket, request.headers);
  if (versionId === null && bucket.versioning === 'Enabled') {
    const facts = { bucket: bucket.name, key, isDeleteMarker: true, writtenMs: nowMs, size: 0, etag: '', headers: {} };
    const marker = store.add(facts, Buffer.alloc(0));
    return { status: 204, headers: { 'x-amz-delete-marker': 'true', ...versionHeader(marker) } };
  }
  const wanted = versionId ?? NULL_VERSION;
  const version = store.versions(bucket.name, key).find((one) => one.versionId === wanted);
  if (version === undefined)
    return { status: 204, headers: versionId === null ? {} : { 'x-amz-version-id': versionId } };
  checkDelete(version.retention, nowMs, () => mayBypassGovernance(request));
  store.remove(version);
  const marked = version.isDeleteMarker && { 'x-amz-delete-marker': 'true' };
  return { status: 204, headers: { ...versionHeader(version), ...marked } };
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html */
export function getObjectRetention(request: S3Request): S3Answer {
  requireAction(request, 's3:GetObjectRetention');
  const bucket = bucketOf(request);
  const { retention } = objectOf(request);
  if (bucket.lock === undefined) {
    throw new S3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration');
  }
  if (retention === undefined) {
    const message = 'The specified object does not have a ObjectLock configuration';
    throw new S3Error('NoSuchObjectLockConfiguration', message, 404);
  }
  const RetainUntilDate = new Date(retention.untilMs).toISOString();
  return { body: writeXml('Retention', { Mode: retention.mode, RetainUntilDate }) };
}

/**
 * An empty request removes the retention.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html
 */
export function putObjectRetention(request: S3Request): S3Answer {
  const { store, nowMs } = request;
  requireAction(request, 's3:PutObjectRetention');
  const bucket = bucketOf(request);
  if (bucket.lock === undefined) {
    throw new S3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration');
  }
  if (versionOf(request)?.isDeleteMarker === true) {
    const message = 'The specified method is not allowed against this resource.';
    throw new S3Error('MethodNotAllowed', message, 405);
  }
  const version = objectOf(request);
  const { Mode, RetainUntilDate } = readXml(request.body, 'Retention', retentionInput);
  if ((Mode === undefined) !== (RetainUntilDate === undefined)) {
    throw new S3Error('MalformedXML', 'A retention has both Mode and RetainUntilDate, or neither.');
  }
  const wished =
    Mode === undefined || RetainUntilDate === undefined ? undefined : retentionOf(Mode, RetainUntilDate, nowMs);
  checkChange(version.retention, wished, nowMs, () => mayBypassGovernance(request));
  store.update({ ...version, retention: wished });
  return {};
}
