import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Hash } from '@smithy/core/serde';
import { SignatureV4 } from '@smithy/signature-v4';
import { localRegion } from './loopback.ts';

/** An AWS access key: the SDK's credentials. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A new key. Its id begins with `LOCAL`, so that no one takes it for a key of AWS (`AKIA…`). */
export function createAccessKey(): AccessKey {
  const accessKeyId = `LOCAL${randomBytes(8).toString('hex').slice(1).toUpperCase()}`;
  return { accessKeyId, secretAccessKey: randomBytes(30).toString('base64url') };
}

/** A key, and the region to use it in. */
export interface LocalAccessKey extends AccessKey {
  readonly region: string;
}

export function withRegion(key: AccessKey): LocalAccessKey {
  return { ...key, region: localRegion };
}

/** The key as a function or a command finds it in its environment. */
export function keyVariables({ accessKeyId, secretAccessKey }: AccessKey): Record<string, string> {
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
}

/** What is signed of a request. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

export type Signer =
  | { readonly kind: 'known'; readonly accessKeyId: string }
  /** `type` and `message` are those of AWS. */
  | { readonly kind: 'unknown'; readonly type: string; readonly message: string };

/**
 * How a service signs: S3 takes the path as it was sent, and lets a client declare the body unsigned; the other services do neither.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export type SigningStyle = 's3' | 'others';

/** What S3 takes in place of a body's digest. A body signed chunk by chunk is not played. */
export const unsignedBodies = ['UNSIGNED-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'];

/** As AWS: a request is valid for five minutes. */
const VALID_MS = 5 * 60_000;
const authorizationPattern =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([\w-]+)\/([\w-]+)\/aws4_request, ?SignedHeaders=([\w;-]+), ?Signature=([0-9a-f]{64})$/;

/**
 * Finds who signed a request, by Signature Version 4: the SDK's own signer signs it again with the secret of the named key.
 * The host, the time, the body and every `x-amz-` header must be signed.
 * @param keys those that are accepted
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export async function findSigner(
  keys: readonly AccessKey[],
  request: SignedRequest,
  style: SigningStyle = 'others',
): Promise<Signer> {
  const { headers, body } = request;
  if (headers.authorization === undefined) {
    return unknown('MissingAuthenticationTokenException', 'Request is missing Authentication Token');
  }
  const [, accessKeyId, day, region = '', service = '', names = '', signature = ''] =
    authorizationPattern.exec(headers.authorization) ?? [];
  const sentAt = String(headers['x-amz-date']);
  if (accessKeyId === undefined || !/^\d{8}T\d{6}Z$/.test(sentAt) || !sentAt.startsWith(String(day))) {
    return unknown('IncompleteSignatureException', 'The request needs an Authorization of Signature Version 4.');
  }
  const key = keys.find((one) => one.accessKeyId === accessKeyId);
  if (key === undefined) {
    return unknown('UnrecognizedClientException', 'The security token included in the request is invalid.');
  }
  const signingDate = toDate(sentAt);
  if (!(Math.abs(Date.now() - signingDate.getTime()) <= VALID_MS)) {
    return unknown('InvalidSignatureException', `Signature expired: ${sentAt} is over five minutes away.`);
  }
  const signedNames = new Set(names.split(';'));
  const required = Object.keys(headers).filter((name) => name.startsWith('x-amz-'));
  const isWhole =
    ['host', ...required].every((name) => signedNames.has(name)) &&
    (style === 's3') === (service === 's3') &&
    isDigestOf(body, headers['x-amz-content-sha256'], style);
  const expected = isWhole ? await signatureOf(request, { key, region, service, signedNames, signingDate }) : undefined;
  return expected !== undefined && isSame(signature, expected)
    ? { kind: 'known', accessKeyId }
    : unknown(
        'InvalidSignatureException',
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
      );
}

/**
 * @param authorization HTTP Basic (RFC 7617), as `curl -u <accessKeyId>:<secretAccessKey>` sends it
 * @returns whether it has the key
 */
export function hasKey({ accessKeyId, secretAccessKey }: AccessKey, authorization: string | undefined): boolean {
  const given = Buffer.from(authorization?.replace(/^Basic /i, '') ?? '', 'base64');
  return isSame(given, Buffer.from(`${accessKeyId}:${secretAccessKey}`));
}

/** Takes the same time for every text. */
export function isSame(given: string | Uint8Array, secret: string | Uint8Array): boolean {
  const digest = (value: string | Uint8Array) => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

function unknown(type: string, message: string): Signer {
  return { kind: 'unknown', type, message };
}

function isDigestOf(body: Uint8Array, digest: string | string[] | undefined, style: SigningStyle): boolean {
  if (style === 's3' && unsignedBodies.includes(String(digest))) return true;
  if (digest === undefined) return style !== 's3';
  return digest === createHash('sha256').update(body).digest('hex');
}

/** @param basic `20261123T181603Z` */
function toDate(basic: string): Date {
  return new Date(basic.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

async function signatureOf(
  { method, url, headers, body }: SignedRequest,
  how: {
    readonly key: AccessKey;
    readonly region: string;
    readonly service: string;
    readonly signedNames: ReadonlySet<string>;
    readonly signingDate: Date;
  },
): Promise<string | undefined> {
  const { key, region, service, signedNames, signingDate } = how;
  const signed = Object.entries(headers).flatMap(([name, value]) =>
    signedNames.has(name) && value !== undefined ? [[name, value.toString()] as const] : [],
  );
  const sent = service === 's3' ? { ...target(url), path: url.replace(/\?.*$/s, '') } : target(url);
  const again = await createSigner(key, region, service, false).sign(
    { ...sent, method, headers: Object.fromEntries(signed), body },
    { signingDate, signableHeaders: new Set(signedNames) },
  );
  return /[0-9a-f]{64}$/.exec(again.headers['authorization'] ?? '')?.[0];
}

/** Sends a signed call of an AWS JSON service. @param target `AWSEvents.PutEvents` */
export async function callSigned(
  url: string,
  key: AccessKey,
  { service, target: action, body }: { readonly service: string; readonly target: string; readonly body: string },
): Promise<Response> {
  const { method, headers } = await createSigner(key, localRegion, service, true).sign({
    ...target(url),
    method: 'POST',
    headers: { Host: new URL(url).host, 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': action },
    body,
  });
  return fetch(url, { method, headers, body });
}

/** Fixed ones, or what finds them. */
export type Credentials = ConstructorParameters<typeof SignatureV4>[0]['credentials'];

/** The SDK's signer. @param applyChecksum whether it adds the body's digest as a header */
export function createSigner(
  credentials: Credentials,
  region: string,
  service: string,
  applyChecksum: boolean,
): SignatureV4 {
  const uriEscapePath = service !== 's3';
  return new SignatureV4({ credentials, region, service, sha256: Sha256, applyChecksum, uriEscapePath });
}

function target(url: string) {
  const { protocol, hostname, pathname, searchParams } = new URL(url, 'http://127.0.0.1');
  return { protocol, hostname, path: pathname, query: Object.fromEntries(searchParams) };
}

class Sha256 extends Hash {
  constructor(secret?: ConstructorParameters<typeof Hash>[1]) {
    super('sha256', secret);
  }
}
