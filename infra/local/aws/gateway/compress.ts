import { gzipSync } from 'node:zlib';
import { compressFromBytes } from '../../../blueprint/api.ts';
import type { HttpAnswer } from './proxy-answer.ts';

/** RFC 9110, section 12.5.3. */
const takesGzip = (acceptEncoding: string): boolean =>
  acceptEncoding.split(',').some((item) => {
    const [coding = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    return ['gzip', '*'].includes(coding) && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });

/**
 * What a REST API with a minimum compression size does: it compresses an answer of that size and above for whoever takes
 * gzip, unless the function has encoded it already.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html
 */
export const compress = (answer: HttpAnswer, acceptEncoding: string | string[] | undefined): HttpAnswer => {
  const { headers, body } = answer;
  const isEncoded = Object.keys(headers).some((name) => name.toLowerCase() === 'content-encoding');
  if (isEncoded || !takesGzip(String(acceptEncoding ?? '')) || Buffer.byteLength(body) < compressFromBytes)
    return answer;
  return { ...answer, headers: { ...headers, 'Content-Encoding': 'gzip' }, body: gzipSync(body) };
};
