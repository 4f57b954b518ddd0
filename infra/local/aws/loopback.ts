import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';
import * as z from 'zod/mini';

/** The one AWS account and region that all emulated services are in. */
export const localAccount = '000000000000';
export const localRegion = 'eu-west-1';

/** The ARN of a local resource, for example `localArn('sqs', 'orders')`. */
export function localArn(service: string, resource: string): string {
  return `arn:aws:${service}:${localRegion}:${localAccount}:${resource}`;
}

/** An HTTP server that listens on 127.0.0.1. */
export interface Listening {
  readonly url: string;
  /** Ends at once: requests under way lose their connection. */
  readonly close: () => Promise<void>;
}

/**
 * Listens on 127.0.0.1 only, with room for thousands of clients that connect at once.
 * @param port 0 for a free one
 * @returns the port
 * @throws the system's error (`EADDRINUSE`, `EACCES`)
 */
export function listenOnLoopback(server: Server, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', backlog: 4096 }, () => {
      server.off('error', reject);
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
      else reject(new Error('The server does not listen on a port'));
    });
  });
}

/** The same for an HTTP server, with its URL and a way to end it. */
export async function serveOnLoopback(server: HttpServer, port?: number): Promise<Listening> {
  const url = `http://127.0.0.1:${await listenOnLoopback(server, port)}`;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, close };
}

/** Where a request comes from. */
export type Source =
  | { readonly kind: 'own' }
  /** `why` is for the sender, and says what the listener does instead. */
  | { readonly kind: 'foreign'; readonly why: string };

/**
 * Keeps web pages away from a listener that is only for this machine. A name that an attacker lets resolve to 127.0.0.1
 * (DNS rebinding) shows in `Host`; a page of another origin shows in `Origin`, or in `Sec-Fetch-Site` where a browser
 * sends no `Origin`.
 * @see https://fetch.spec.whatwg.org/#origin-header
 */
export function checkSource({ method, headers }: IncomingMessage): Source {
  const { host = '', origin, 'sec-fetch-site': site = 'none', 'sec-fetch-mode': mode } = headers;
  if (!/^(127\.0\.0\.1|localhost)(:\d{1,5})?$/.test(host)) {
    return { kind: 'foreign', why: 'Only requests to 127.0.0.1 and localhost are answered.' };
  }
  const isLink = method === 'GET' && mode === 'navigate';
  const isOwn = origin === undefined ? site === 'same-origin' || site === 'none' : origin === `http://${host}`;
  return isOwn || isLink ? { kind: 'own' } : { kind: 'foreign', why: 'Pages of other origins are not answered.' };
}

export type Body =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | { readonly kind: 'too_large' }
  /** The client closed the connection before the end. */
  | { readonly kind: 'lost' };

/** Reads a request's body into memory, at most `maxBytes` of it; the rest of a larger one is discarded. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      resolve({ kind: 'too_large' });
    });
    request.on('end', () => resolve({ kind: 'read', bytes: Buffer.concat(chunks) }));
    request.on('error', () => resolve({ kind: 'lost' }));
    request.on('close', () => resolve({ kind: 'lost' }));
  });
}

export type Validated<Value> =
  | { readonly valid: true; readonly value: Value }
  /** What is wrong, in English, for the caller. */
  | { readonly valid: false; readonly message: string };

/** Checks a value against a schema. zod/mini only says "Invalid input": this adds the English messages. */
export function validate<Value>(schema: z.ZodMiniType<Value>, value: unknown): Validated<Value> {
  const result = schema.safeParse(value, { error: z.locales.en().localeError });
  return result.success
    ? { valid: true, value: result.data }
    : { valid: false, message: z.prettifyError(result.error) };
}

/** The same for a body that should be JSON. */
export function validateJson<Value>(schema: z.ZodMiniType<Value>, body: string): Validated<Value> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { valid: false, message: 'The body is not JSON.' };
  }
  return validate(schema, value);
}
