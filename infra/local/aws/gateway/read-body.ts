import type { IncomingMessage } from 'node:http';

export type Body =
  | { readonly kind: 'body'; readonly text: string | null }
  | { readonly kind: 'too_large' }
  /** The client went away first. */
  | { readonly kind: 'lost' };

/**
 * Reads a body as text, and not a byte more than the limit is kept.
 * @param limit bytes
 */
export const readBody = (request: IncomingMessage, limit: number): Promise<Body> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      resolve({ kind: 'too_large' });
    });
    request.on('end', () =>
      resolve({ kind: 'body', text: size === 0 ? null : Buffer.concat(chunks).toString('utf8') }),
    );
    request.on('error', () => resolve({ kind: 'lost' }));
    request.on('close', () => resolve({ kind: 'lost' }));
  });
