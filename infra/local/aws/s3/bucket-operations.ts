import * as z from 'zod/mini';
import { localRegion } from '../loopback.ts';
import { modes } from './object-lock.ts';
import { bucketOf, requireAction, type S3Answer, type S3Request } from './operation.ts';
import { notPlayed, S3Error } from './s3-error.ts';
import { readXml, writeXml } from './xml.ts';

/** As AWS for a general purpose bucket, without dots. */
const bucketName = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

const createInput = z.looseObject({ LocationConstraint: z.optional(z.string()) });
const versioningInput = z.strictObject({ Status: z.enum(['Enabled', 'Suspended']) });
const period = z.optional(z.string().check(z.regex(/^[1-9]\d{0,4}$/)));
const lockInput = z.strictObject({
  ObjectLockEnabled: z.literal('Enabled'),
  Rule: z.optional(z.strictObject({ DefaultRetention: z.strictObject({ Mode: modes, Days: period, Years: period }) })),
});

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html */
export function listBuckets(request: S3Request): S3Answer {
  requireAction(request, 's3:ListAllMyBuckets');
  const Bucket = request.store
    .buckets()
    .map(({ name, createdMs }) => ({ Name: name, CreationDate: new Date(createdMs).toISOString() }));
  return { body: writeXml('ListAllMyBucketsResult', { Buckets: { Bucket } }) };
}

/**
 * Object Lock brings versioning with it.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
 */
export function createBucket(request: S3Request): S3Answer {
  const { bucket, body, headers, store, nowMs } = request;
  requireAction(request, 's3:CreateBucket');
  if (!bucketName.test(bucket)) throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.');
  if (store.bucket(bucket) !== undefined) {
    const message = 'Your previous request to create the named bucket succeeded and you already own it.';
    throw new S3Error('BucketAlreadyOwnedByYou', message, 409);
  }
  const region = body.length === 0 ? {} : readXml(body, 'CreateBucketConfiguration', createInput);
  if ((region.LocationConstraint ?? localRegion) !== localRegion) {
    throw new S3Error('IllegalLocationConstraintException', `The local S3 is in ${localRegion}.`);
  }
  const isLocked = String(headers['x-amz-bucket-object-lock-enabled']).toLowerCase() === 'true';
  store.putBucket({ name: bucket, createdMs: nowMs, ...(isLocked && { versioning: 'Enabled', lock: {} }) });
  return { headers: { Location: `/${bucket}` } };
}

export function headBucket(request: S3Request): S3Answer {
  requireAction(request, 's3:ListBucket');
  bucketOf(request);
  return { headers: { 'x-amz-bucket-region': localRegion } };
}

export function getBucketVersioning(request: S3Request): S3Answer {
  requireAction(request, 's3:GetBucketVersioning');
  return { body: writeXml('VersioningConfiguration', { Status: bucketOf(request).versioning }) };
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html */
export function putBucketVersioning(request: S3Request): S3Answer {
  requireAction(request, 's3:PutBucketVersioning');
  const bucket = bucketOf(request);
  const { Status } = readXml(request.body, 'VersioningConfiguration', versioningInput);
  if (Status === 'Suspended') {
    if (bucket.lock === undefined) throw notPlayed('the suspension of versioning');
    const message =
      'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.';
    throw new S3Error('InvalidBucketState', message, 409);
  }
  request.store.putBucket({ ...bucket, versioning: Status });
  return {};
}

export function getObjectLockConfiguration(request: S3Request): S3Answer {
  requireAction(request, 's3:GetBucketObjectLockConfiguration');
  const { lock } = bucketOf(request);
  if (lock === undefined) {
    const message = 'Object Lock configuration does not exist for this bucket';
    throw new S3Error('ObjectLockConfigurationNotFoundError', message, 404);
  }
  const { defaultRetention } = lock;
  const Rule =
    defaultRetention === undefined
      ? undefined
      : { DefaultRetention: { Mode: defaultRetention.mode, [defaultRetention.unit]: defaultRetention.count } };
  return { body: writeXml('ObjectLockConfiguration', { ObjectLockEnabled: 'Enabled', Rule }) };
}

/**
 * Without a rule it removes the default retention. Versions that are there keep theirs.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html
 */
export function putObjectLockConfiguration(request: S3Request): S3Answer {
  requireAction(request, 's3:PutBucketObjectLockConfiguration');
  const bucket = bucketOf(request);
  const { Rule } = readXml(request.body, 'ObjectLockConfiguration', lockInput);
  if (bucket.versioning === undefined) {
    const message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
    throw new S3Error('InvalidBucketState', message, 409);
  }
  if (Rule === undefined) {
    request.store.putBucket({ ...bucket, lock: {} });
    return {};
  }
  const { Mode, Days, Years } = Rule.DefaultRetention;
  const [unit, count] = Years === undefined ? (['Days', Number(Days)] as const) : (['Years', Number(Years)] as const);
  if ((Days === undefined) === (Years === undefined) || count > (unit === 'Days' ? 36_500 : 100)) {
    throw new S3Error('InvalidArgument', 'Default retention has either Days, at most 36500, or Years, at most 100.');
  }
  request.store.putBucket({ ...bucket, lock: { defaultRetention: { mode: Mode, unit, count } } });
  return {};
}
