import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import type { Interruption } from './plangrep-http.ts';

/**
 * Takes a piece of a body, inflated. It must not throw.
 * @returns whether to go on: `false` ends the exchange as `unreadable_answer`
 */
export type TakeChunk = (chunk: Buffer) => boolean;

/**
 * Hands out a body while it arrives. Some servers compress although only `identity` was accepted: such a body is
 * inflated, within the same limit, so that a few bytes that would become many are `oversized_answer`. Stacked or unknown
 * encodings are `unreadable_answer`. That the connection was lost is left to the request's events.
 * @param maxBytes of the body, as received and as inflated
 * @param end may be called more than once: the first call counts
 */
export function receiveBody(
  answer: IncomingMessage,
  maxBytes: number,
  take: TakeChunk,
  end: (interrupted: Interruption | undefined) => void,
): void {
  // Without a listener the error would be thrown; the request's events report its reason.
  answer.on('error', () => undefined);
  const encoding = answer.headers['content-encoding']?.toLowerCase() || 'identity';
  if (encoding === 'identity') {
    bounded(answer, maxBytes, take, end).on('end', () => end(undefined));
    return;
  }
  const inflater = createInflater(encoding);
  if (inflater === undefined) {
    end('unreadable_answer');
    return;
  }
  bounded(answer, maxBytes, () => true, end);
  bounded(answer.pipe(inflater), maxBytes, take, end)
    .on('end', () => end(undefined))
    .on('error', () => end('unreadable_answer'));
  answer.on('close', () => {
    if (!answer.complete) inflater.destroy();
  });
}

function bounded<Body extends IncomingMessage | Transform>(
  body: Body,
  maxBytes: number,
  take: TakeChunk,
  end: (interrupted: Interruption) => void,
): Body {
  let left = maxBytes;
  body.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left >= 0 && take(chunk)) return;
    end(left < 0 ? 'oversized_answer' : 'unreadable_answer');
    body.destroy();
  });
  return body;
}

/** RFC 9110, 8.4.1, and Brotli. Loaded only when needed: `node:zlib` takes some milliseconds of a start. */
function createInflater(encoding: string): Transform | undefined {
  const { createBrotliDecompress, createGunzip, createInflate } = process.getBuiltinModule('node:zlib');
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
  }
  return undefined;
}
