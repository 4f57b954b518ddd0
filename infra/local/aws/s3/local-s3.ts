import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { type AccessKey, createAccessKey } from '../access-keys.ts';
import { admit, ServiceError } from '../aws-json-endpoint.ts';
import { type Listening, localAccount, localRegion, serveOnLoopback } from '../loopback.ts';
import {
  createBucket,
  getBucketVersioning,
  getObjectLockConfiguration,
  headBucket,
  listBuckets,
  putBucketVersioning,
  putObjectLockConfiguration,
} from './bucket-operations.ts';
import { decodeBody } from './decode-body.ts';
import { listObjects, listVersions } from './list-objects.ts';
import { deleteObject, getObjectRetention, putObjectRetention } from './lock-operations.ts';
import type { DefaultRetention } from './object-lock.ts';
import { openObjectStore } from './object-store.ts';
import type { S3Answer, S3Request } from './operation.ts';
import { putObject } from './put-object.ts';
import { getObject, headObject } from './read-object.ts';
import { type OperationName, routeRequest } from './route-request.ts';
import { notPlayed, S3Error } from './s3-error.ts';
import { writeXml } from './xml.ts';

/** A call in the words of a policy. */
export interface S3Call {
  /** `s3:PutObject`. */
  readonly action: string;
  /** '' for an action on none. */
  readonly bucket: string;
  /** '' for an action on a bucket. */
  readonly key: string;
}

/** A caller that may do what its role says. */
export interface S3Caller {
  readonly accessKey: AccessKey;
  readonly mayCall: (call: S3Call) => boolean;
}

export interface LocalS3Options {
  /** Whose holder may call everything. @default a new one */
  readonly accessKey?: AccessKey | undefined;
  /** Others that may call. @default none */
  readonly callers?: readonly S3Caller[] | undefined;
  /** Buckets with Object Lock to create, with their default retention; one that exists already stays as it is. @default none */
  readonly buckets?: Readonly<Record<string, DefaultRetention | undefined>> | undefined;
  /** The folder that keeps everything between runs, created when something is written. @default in memory */
  readonly path?: string | undefined;
  /** Of memory. @default 256 MiB: some 50,000 small objects in memory, 200,000 in a folder */
  readonly maxBytes?: number | undefined;
  /** Milliseconds since 1970, by which locks end. @default the system's clock */
  readonly now?: (() => number) | undefined;
}

/** The `url` is for `AWS_ENDPOINT_URL_S3` or `aws --endpoint-url`. Buckets are named in the path. */
export interface LocalS3 extends Listening {
  /** Its holder may call everything. */
  readonly accessKey: AccessKey;
  /** Calls received, by operation. */
  readonly requests: Readonly<Record<string, number>>;
  /** Answers the next `times` calls with an internal error (500). 0 stops that. */
  fail(times: number): void;
}

const operations: Readonly<Record<OperationName, (request: S3Request) => S3Answer>> = {
  ListBuckets: listBuckets,
  CreateBucket: createBucket,
  HeadBucket: headBucket,
  GetBucketVersioning: getBucketVersioning,
  PutBucketVersioning: putBucketVersioning,
  GetObjectLockConfiguration: getObjectLockConfiguration,
  PutObjectLockConfiguration: putObjectLockConfiguration,
  ListObjectsV2: listObjects,
  ListObjectVersions: listVersions,
  PutObject: putObject,
  GetObject: getObject,
  HeadObject: headObject,
  DeleteObject: deleteObject,
  GetObjectRetention: getObjectRetention,
  PutObjectRetention: putObjectRetention,
};

/**
 * S3 on 127.0.0.1, as far as an archive with Object Lock needs it. A body has at most 16 MiB. What it does not play (multipart
 * uploads, legal holds, policies, encryption, tags, lifecycles, chunks with signatures, presigned URLs) it answers with `NotImplemented`.
 * @throws DataFolderError when a file in `path` is damaged
 */
export async function startLocalS3({
  accessKey = createAccessKey(),
  callers = [],
  buckets = {},
  path,
  maxBytes = 256 * 1024 * 1024,
  now = Date.now,
}: LocalS3Options = {}): Promise<LocalS3> {
  const store = openObjectStore(path, maxBytes);
  for (const [name, defaultRetention] of Object.entries(buckets)) {
    if (store.bucket(name) !== undefined) continue;
    store.putBucket({ name, createdMs: now(), versioning: 'Enabled', lock: { defaultRetention } });
  }
  const keys = [accessKey, ...callers.map((caller) => caller.accessKey)];
  const requests: Record<string, number> = {};
  let failures = 0;

  const answer = async (request: IncomingMessage): Promise<S3Answer> => {
    const { method = '', url = '/', headers } = request;
    if (String(headers['x-amz-content-sha256']).startsWith('STREAMING-AWS4')) throw notPlayed('chunks with signatures');
    if (/[?&]X-Amz-Signature=/i.test(url)) throw notPlayed('presigned URLs');
    const { body: sent, accessKeyId } = await admit(keys, request, 's3');
    const { operation, ...target } = routeRequest(method, url, headers);
    requests[operation] = (requests[operation] ?? 0) + 1;
    if (failures > 0) {
      failures -= 1;
      throw new S3Error('InternalError', 'A test asked for this failure.', 500);
    }
    if ((headers['x-amz-expected-bucket-owner'] ?? localAccount) !== localAccount) {
      throw new S3Error('AccessDenied', 'The bucket belongs to another account.', 403);
    }
    const caller = callers.find((one) => one.accessKey.accessKeyId === accessKeyId);
    const { bucket, key } = target;
    const may = (action: string): boolean =>
      caller?.mayCall({ action, bucket, key: action === 's3:ListBucket' ? '' : key }) !== false;
    return operations[operation]({ ...target, ...decodeBody(headers, sent), store, nowMs: now(), may });
  };

  const server = createServer((request, response) => {
    const reply = ({ status = 200, headers = {}, body = '' }: S3Answer): void => {
      const type = typeof body === 'string' && body !== '' ? { 'Content-Type': 'application/xml' } : {};
      response.writeHead(status, { 'x-amz-request-id': randomUUID(), ...type, ...headers });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    answer(request).then(reply, (error: unknown) => reply(describeError(error)));
  });
  const listening = await serveOnLoopback(server);
  return {
    ...listening,
    accessKey,
    requests,
    fail(times) {
      failures = times;
    },
  };
}

/** S3's words for what the common checks reject. */
const rejections: Readonly<Record<string, readonly [string, number]>> = {
  AccessDeniedException: ['AccessDenied', 403],
  IncompleteSignatureException: ['AuthorizationHeaderMalformed', 400],
  InvalidSignatureException: ['SignatureDoesNotMatch', 403],
  MissingAuthenticationTokenException: ['AccessDenied', 403],
  SerializationException: ['EntityTooLarge', 400],
  UnrecognizedClientException: ['InvalidAccessKeyId', 403],
};

function describeError(error: unknown): S3Answer {
  const { code, message, status, headers } = toS3Error(error);
  return { status, headers, body: writeError(code, message) };
}

function toS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  const [code, status] = (error instanceof ServiceError && rejections[error.type]) || ['InternalError', 500];
  return new S3Error(code, error instanceof Error ? error.message : String(error), status);
}

function writeError(code: string, message: string): string {
  // Errors alone have no namespace.
  return writeXml('Error', { Code: code, Message: message, Region: localRegion }).replace(/ xmlns="[^"]*"/, '');
}
