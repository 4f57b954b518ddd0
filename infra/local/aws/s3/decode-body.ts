import type { IncomingHttpHeaders } from 'node:http';
import { isChecksumHeader } from './checksums.ts';
import { notPlayed, S3Error } from './s3-error.ts';

export interface Decoded {
  readonly body: Buffer;
  /** With those of the trailer. */
  readonly headers: IncomingHttpHeaders;
}

/**
 * Takes a body out of the chunks that an SDK sends when it computes the checksum on the way (`aws-chunked`). The chunks have no
 * signatures of their own; chunks that have them are not played.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export function decodeBody(headers: IncomingHttpHeaders, body: Buffer): Decoded {
  const declared = String(headers['x-amz-content-sha256']);
  if (declared !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') return { body, headers };
  const { content, trailer } = readChunks(body);
  if (content.length !== Number(headers['x-amz-decoded-content-length'])) {
    throw new S3Error('IncompleteBody', 'The body has another length than x-amz-decoded-content-length says.');
  }
  const announced = String(headers['x-amz-trailer'] ?? '').toLowerCase();
  const [name = '', value = ''] = trailer;
  if (name !== announced) throw new S3Error('MalformedTrailerError', 'The trailer is not the one that was announced.');
  if (name !== '' && !isChecksumHeader(name)) throw notPlayed(`the trailer ${name}`);
  return { body: content, headers: name === '' ? headers : { ...headers, [name]: value } };
}

/** @returns the content, and the trailer's name and value if there is one */
function readChunks(body: Buffer): { content: Buffer; trailer: readonly string[] } {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const endOfLine = body.indexOf('\r\n', at);
    const size = endOfLine < 0 ? '' : body.toString('latin1', at, endOfLine);
    if (!/^[0-9a-f]{1,8}$/i.test(size)) throw incomplete();
    at = endOfLine + 2;
    const length = Number.parseInt(size, 16);
    if (length === 0) break;
    const end = at + length;
    if (body.toString('latin1', end, end + 2) !== '\r\n') throw incomplete();
    chunks.push(body.subarray(at, end));
    at = end + 2;
  }
  const rest = body.toString('latin1', at);
  const lines = rest.split(/\r?\n/).filter((line) => line !== '');
  if (!rest.endsWith('\n') || lines.length > 1) throw incomplete();
  const [, name, value] = /^([\w-]+):(.*)$/.exec(lines[0] ?? '') ?? [];
  return {
    content: Buffer.concat(chunks),
    trailer: name === undefined ? [] : [name.toLowerCase(), (value ?? '').trim()],
  };
}

function incomplete(): S3Error {
  return new S3Error('IncompleteBody', 'The request body terminated unexpectedly.');
}
