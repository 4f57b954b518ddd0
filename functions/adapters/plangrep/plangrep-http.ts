import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Connections } from './plangrep-connections.ts';
import { receiveBody, type TakeChunk } from './receive-body.ts';

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
  /** Bytes of an answer's body that are read at most, compressed or not. */
  readonly maxBytes: number;
  /** Takes the body of a 2xx while it arrives, instead of `Exchange.body`, which stays empty then. */
  readonly stream?: BodyStream | undefined;
}

export interface BodyStream {
  /** As in {@link Sent}, for this body alone. */
  readonly maxBytes: number;
  readonly take: TakeChunk;
}

/** Why an exchange has no whole answer. */
export type Interruption = 'timeout' | 'connection_lost' | 'oversized_answer' | 'unreadable_answer';

export type Exchange =
  /** The connection never opened, so no byte of the request left. */
  | { readonly kind: 'not_connected' }
  /** The request may have left; no status line came back. */
  | { readonly kind: 'no_answer'; readonly why: Interruption }
  /** A status came back; the body, inflated, is whole unless `interrupted` says why not. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly body: Buffer;
      readonly interrupted: Interruption | undefined;
    };

/**
 * One bounded HTTP/1.1 exchange: no redirect, no retry. The promise never rejects, and settles by the deadline at the
 * latest.
 */
export function exchange(connections: Connections, sent: Sent, deadline: Deadline): Promise<Exchange> {
  const outgoing = connections.request({ method: sent.method, path: sent.path, headers: sent.headers });
  const { promise, resolve } = Promise.withResolvers<Exchange>();
  let answer: IncomingMessage | undefined;
  let settled = false;
  const chunks: Buffer[] = [];

  // Several of the events below may occur: the first one decides.
  function settle(interrupted: Interruption | undefined): void {
    if (settled) return;
    settled = true;
    if (answer !== undefined) {
      const { statusCode, headers } = answer;
      resolve({ kind: 'answer', status: Number(statusCode), headers, body: Buffer.concat(chunks), interrupted });
    } else if (connections.hasOpened(outgoing) && interrupted !== undefined) {
      resolve({ kind: 'no_answer', why: interrupted });
    } else {
      resolve({ kind: 'not_connected' });
    }
    if (interrupted !== undefined) outgoing.destroy();
  }

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
    const { maxBytes, take } = (isSuccess(Number(response.statusCode)) && sent.stream) || {
      maxBytes: sent.maxBytes,
      take: (chunk) => chunks.push(chunk) > 0,
    };
    receiveBody(response, maxBytes, (chunk) => !settled && take(chunk), settle);
  });
  void deadline.expired.then(() => settle('timeout'));
  outgoing.end();
  return promise;
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
