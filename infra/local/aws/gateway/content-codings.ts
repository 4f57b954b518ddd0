import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';

/**
 * API Gateway's content codings, for a request's payload and for an answer's.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html
 */
type Coding = 'gzip' | 'deflate';
const codings: Readonly<Record<Coding, { compress: (text: Buffer) => Buffer; expand: typeof gunzipSync }>> = {
  gzip: { compress: (bytes) => gzipSync(bytes), expand: gunzipSync },
  deflate: { compress: (bytes) => deflateSync(bytes), expand: inflateSync },
};
const isCoding = (name: string): name is Coding => Object.hasOwn(codings, name);

export type Decoded =
  | { readonly kind: 'decoded'; readonly bytes: Buffer }
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'too_large' };

/**
 * A request's payload without its coding.
 * @param contentEncoding the header, if there is one
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-make-request-with-compressed-payload.html
 */
export function decodePayload(bytes: Buffer, contentEncoding: string | undefined, maxBytes: number): Decoded {
  const name = (contentEncoding ?? 'identity').trim().toLowerCase();
  if (name === 'identity') return { kind: 'decoded', bytes };
  if (!isCoding(name)) return { kind: 'unsupported' };
  try {
    return { kind: 'decoded', bytes: codings[name].expand(bytes, { maxOutputLength: maxBytes }) };
  } catch (error) {
    const isTooLarge = error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    return { kind: isTooLarge ? 'too_large' : 'unsupported' };
  }
}

/**
 * Chooses the coding of an answer. Only one that is named counts: `*`, like no header, leaves the answer as it is.
 * @param acceptEncoding RFC 9110, section 12.5.3
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-receive-response-with-compressed-payload.html
 */
export function chooseCoding(acceptEncoding = ''): Coding | undefined {
  const items = acceptEncoding.split(',').flatMap((item) => {
    const [coding = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    return parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) ? [] : [coding];
  });
  const accepted = new Set(items);
  return (['gzip', 'deflate'] as const).find((coding) => accepted.has(coding));
}

export function encodeBody(body: string | Buffer, coding: Coding): Buffer {
  return codings[coding].compress(Buffer.from(body));
}
