import { createHash } from 'node:crypto';
import { type AccessKey, createSigner } from '../../../infra/local/aws/access-keys.ts';
import { localRegion } from '../../../infra/local/aws/loopback.ts';
import type { LocalS3 } from '../../../infra/local/aws/s3/local-s3.ts';

export interface S3Response {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** Of an error. */
  readonly code: string | undefined;
}
export interface S3Options {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly key?: AccessKey;
}

/** Sends a signed call. @param target the path, encoded, and the query: `/bucket/key?versionId=…` */
export async function callS3(
  s3: LocalS3,
  method: string,
  target: string,
  { headers: given = {}, body = '', key = s3.accessKey }: S3Options = {},
): Promise<S3Response> {
  const [path = '', search = ''] = target.split('?');
  const { host, hostname } = new URL(s3.url);
  const { headers } = await createSigner(key, localRegion, 's3', true).sign({
    method,
    protocol: 'http:',
    hostname,
    path,
    query: Object.fromEntries(new URLSearchParams(search)),
    headers: { Host: host, ...given },
    body,
  });
  const sent = method === 'GET' || method === 'HEAD' ? {} : { body: Buffer.from(body) };
  const response = await fetch(`${s3.url}${target}`, { method, headers, ...sent });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text, code: /<Code>(\w+)</.exec(text)?.[1] };
}

/** A checksum of a body, which an upload under a lock must have. */
export function sha256Header(body: string | Buffer): Record<string, string> {
  return { 'x-amz-checksum-sha256': createHash('sha256').update(body).digest('base64') };
}

/** What the elements of this name hold, in their order. */
export function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text = '']) => text);
}
