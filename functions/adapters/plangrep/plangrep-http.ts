import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** The one origin that the client ever talks to, and that the key is ever sent to. */
export interface PlangrepOrigin {
  readonly protocol: 'https:' | 'http:';
  readonly hostname: string;
  /** Empty: the protocol's own. */
  readonly port: string;
}

/**
 * Reads a base URL such as `https://plangrep.com`.
 * @throws Error unless it is a bare origin (no credentials, path, query or fragment) over https, or over http on
 * loopback (127.0.0.0/8, [::1], localhost). The message does not repeat the value, which may contain a credential.
 */
export function parsePlangrepOrigin(baseUrl: string): PlangrepOrigin {
  const url = URL.parse(baseUrl);
  if (url === null || url.href !== `${url.origin}/`) {
    throw new Error('the Plangrep base URL must be only an origin: no credentials, path, query or fragment');
  }
  const { protocol, hostname, port } = url;
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname))) {
    throw new Error('the Plangrep base URL must be https, or http on loopback');
  }
  return Object.freeze({ protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port });
}

/** After WHATWG URL parsing every spelling of an IPv4 address is four decimal numbers, and names are lower case. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** One total deadline over everything that a call to Plangrep does. */
export interface Deadline {
  /** Resolves when the time is up; never after `clear`. */
  readonly expired: Promise<void>;
  /** Milliseconds left; monotonic, so that a clock set back cannot lengthen a call. */
  remaining(): number;
  clear(): void;
}

/** @param ms milliseconds from now */
export function startDeadline(ms: number): Deadline {
  const endsAt = monotonicMs() + ms;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  return { expired: promise, remaining: () => endsAt - monotonicMs(), clear: () => clearTimeout(timer) };
}

/** Node's global `performance` would give the same figure, but loads a module for 1 ms. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

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
 * A connection that was idle for longer is not used again: a Lambda is frozen between invocations, so it learns too late
 * that the other end has closed, and a request on such a connection ends as "unknown", never as a retry. Among the usual
 * servers Node's own closes idle connections first, after 5 s.
 */
const MAX_IDLE_MS = 4_000;

/** Node's defaults, which its command line could change; Plangrep is not trusted. */
const strictParsing = { maxHeaderSize: 16_384, insecureHTTPParser: false };

/**
 * One bounded HTTP/1.1 exchange at a time with one origin: no redirect, no retry, no decompression, connections kept
 * alive. The promise never rejects, and settles by the deadline at the latest.
 * @param now milliseconds since 1970: measures how long connections have been idle
 */
export function createExchange(
  { protocol, hostname, port }: PlangrepOrigin,
  now: () => number,
): (sent: Sent, deadline: Deadline) => Promise<Exchange> {
  // Node writes nothing of a request before the opened event: with TLS that is after the check of the certificate.
  const [request, agent, openedEvent] =
    protocol === 'https:'
      ? [httpsRequest, new HttpsAgent({ keepAlive: true, rejectUnauthorized: true }), 'secureConnect']
      : [httpRequest, new HttpAgent({ keepAlive: true }), 'connect'];
  let lastUsed = now();

  return async ({ method, path, headers, maxBytes }, deadline) => {
    if (now() - lastUsed > MAX_IDLE_MS) closeIdle(agent);
    const outgoing = request({ ...strictParsing, agent, hostname, port, method, path, headers });
    const exchange = await follow(outgoing, { maxBytes, openedEvent, deadline });
    lastUsed = now();
    return exchange;
  };
}

function closeIdle(agent: HttpAgent): void {
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
}

/** Sends the request and waits for its end. */
function follow(
  outgoing: ClientRequest,
  { maxBytes, openedEvent, deadline }: { maxBytes: number; openedEvent: string; deadline: Deadline },
): Promise<Exchange> {
  const { promise, resolve } = Promise.withResolvers<Exchange>();
  let opened = false;
  let answer: IncomingMessage | undefined;
  let settled = false;
  const chunks: Buffer[] = [];
  let size = 0;

  // Several of the events below may occur: the first one decides.
  function settle(interrupted: Interruption | undefined): void {
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
  }

  outgoing.on('socket', (socket) => {
    if (outgoing.reusedSocket) opened = true;
    else socket.once(openedEvent, () => (opened = true));
  });
  outgoing.on('error', (error: NodeJS.ErrnoException) =>
    settle(error.code?.startsWith('HPE_') ? 'unreadable_answer' : 'connection_lost'),
  );
  outgoing.on('close', () => {
    // A whole answer may not have reached 'end' yet when its connection closes.
    if (!answer?.complete) settle('connection_lost');
  });
  // A 101 that was not requested: Node hands the socket over and does not close it.
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
    // Without a listener the error would be thrown; the request's events report its reason.
    response.on('error', () => undefined);
  });
  void deadline.expired.then(() => settle('timeout'));
  outgoing.end();
  return promise;
}
