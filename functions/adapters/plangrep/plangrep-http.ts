import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Deadline } from './plangrep-deadline.ts';
import type { PlangrepOrigin } from './plangrep-origin.ts';

export interface Sent {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of an answer's body that are read at most. */
  readonly maxBytes: number;
}

/** Why an exchange has no whole answer. */
export type Interruption = 'timeout' | 'connection_lost' | 'oversized_answer' | 'unreadable_answer';

export type Exchange =
  /** The connection never opened, so no byte of the request left. */
  | { readonly kind: 'not_connected' }
  /** The request may have left; no status line came back. */
  | { readonly kind: 'no_answer'; readonly why: Interruption }
  /** A status came back; the body is whole unless `interrupted` says why not. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly body: Buffer;
      readonly interrupted: Interruption | undefined;
    };

/**
 * A connection idle for longer is not used again. A Lambda is frozen between invocations, so it learns too late that
 * the other end has closed; and a request on such a connection ends as "unknown", never as a retry. Node's own server,
 * the quickest to close among the usual ones, does so after 5 s.
 */
const MAX_IDLE_MS = 4_000;

/** Node's defaults, which its command line could change, for a peer that is not trusted. */
const strictParsing = { maxHeaderSize: 16_384, insecureHTTPParser: false };

/**
 * One bounded HTTP/1.1 exchange at a time with one origin: no redirect, no retry, no decompression, connections kept
 * alive. The promise never rejects, and settles by the deadline at the latest.
 * @param now milliseconds since 1970: tells how long connections have been idle
 */
export const createExchange = (
  origin: PlangrepOrigin,
  now: () => number,
): ((sent: Sent, deadline: Deadline) => Promise<Exchange>) => {
  const agent = origin.secure
    ? new HttpsAgent({ keepAlive: true, rejectUnauthorized: true })
    : new HttpAgent({ keepAlive: true });
  const request = origin.secure ? httpsRequest : httpRequest;
  let lastUsed = now();

  return async (sent, deadline) => {
    if (now() - lastUsed > MAX_IDLE_MS) closeIdle(agent);
    const { hostname, port } = origin;
    const { method, path, headers } = sent;
    const outgoing = request({ ...strictParsing, agent, hostname, port, method, path, headers });
    const exchange = await follow(outgoing, sent.maxBytes, origin.secure, deadline);
    lastUsed = now();
    return exchange;
  };
};

const closeIdle = (agent: HttpAgent): void => {
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
};

/** Sends the request and sees it to its end. */
const follow = (outgoing: ClientRequest, maxBytes: number, secure: boolean, deadline: Deadline): Promise<Exchange> => {
  const { promise, resolve } = Promise.withResolvers<Exchange>();
  let opened = false;
  let answer: IncomingMessage | undefined;
  let settled = false;
  const chunks: Buffer[] = [];
  let size = 0;

  // Several of the events below may follow one another: the first decides.
  const settle = (interrupted: Interruption | undefined): void => {
    if (settled) return;
    settled = true;
    if (answer !== undefined) {
      const { statusCode, headers } = answer;
      resolve({ kind: 'answer', status: Number(statusCode), headers, body: Buffer.concat(chunks), interrupted });
    } else if (opened && interrupted !== undefined) {
      resolve({ kind: 'no_answer', why: interrupted });
    } else {
      resolve({ kind: 'not_connected' });
    }
    if (interrupted !== undefined) outgoing.destroy();
  };

  outgoing.on('socket', (socket) => {
    if (outgoing.reusedSocket) opened = true;
    // Node writes nothing of a request before these events; with TLS not before the certificate has been checked.
    else socket.once(secure ? 'secureConnect' : 'connect', () => (opened = true));
  });
  outgoing.on('error', (error: NodeJS.ErrnoException) =>
    settle(error.code?.startsWith('HPE_') ? 'unreadable_answer' : 'connection_lost'),
  );
  outgoing.on('close', () => {
    // A whole answer may be still on its way to 'end' when its connection closes.
    if (!answer?.complete) settle('connection_lost');
  });
  // A 101 that nobody asked for: the socket is handed over, and nobody else would close it.
  outgoing.on('upgrade', (response, socket) => {
    answer = response;
    settle('unreadable_answer');
    socket.destroy();
  });
  outgoing.on('response', (response) => {
    answer = response;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) settle('oversized_answer');
      else chunks.push(chunk);
    });
    response.on('end', () => settle(undefined));
    // Without a listener it would be thrown; the request's own events say why.
    response.on('error', () => undefined);
  });
  void deadline.expired.then(() => settle('timeout'));
  outgoing.end();
  return promise;
};
