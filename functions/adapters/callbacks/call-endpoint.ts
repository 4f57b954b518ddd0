import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { CallFailure } from '../../core/callbacks/callback-record.ts';
import type { CallbackAnswer, CallbackRequest } from '../../core/callbacks/ports.ts';
import { readRetryAfterMs } from '../retry-after.ts';

/** Bytes of an answer's body that are read at most. */
const MAX_BYTES = 65_536;
/** How much of it counts is not for this file to say. */
const RETRY_AFTER_BOUNDS = { min: 0, max: Infinity };

export interface EndpointCall extends Omit<CallbackRequest, 'url'> {
  readonly url: URL;
  /** What the URL's host name stands for: the connection goes to one of these. */
  readonly addresses: readonly string[];
  /** Ends the call and closes its connection. */
  readonly signal: AbortSignal;
}

/** Every callback's, beside those that it brings along. */
const ownHeaders = { 'content-type': 'application/json', 'user-agent': 'plangrep-cancellation/1' };

/** A connection for each call, and for none a proxy that the environment names. */
const httpAgent = new HttpAgent({ keepAlive: false });
const httpsAgent = new HttpsAgent({ keepAlive: false });

/**
 * Node's defaults, which its command line or the environment could change. A connection attempt gets 1 s before the next
 * address is tried too: endpoints are anywhere in the world.
 */
const strict = {
  maxHeaderSize: 16_384,
  insecureHTTPParser: false,
  rejectUnauthorized: true,
  autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: 1_000,
};

/**
 * One POST over a new connection: no redirect is followed, nothing is repeated. The promise never rejects. Of an answer
 * other than 2xx the status alone counts; a 2xx counts when its body has ended, and no body is kept.
 */
export function callEndpoint({ url, headers, body, addresses, signal }: EndpointCall): Promise<CallbackAnswer> {
  const { promise, resolve } = Promise.withResolvers<CallbackAnswer>();
  const [request, agent] = url.protocol === 'https:' ? [httpsRequest, httpsAgent] : [httpRequest, httpAgent];
  const outgoing = request(url, {
    ...strict,
    method: 'POST',
    headers: { ...ownHeaders, ...headers },
    agent,
    lookup: lookupOf(addresses),
    signal,
  });
  /** What it means if the connection fails now. */
  let stage: CallFailure = 'not_connected';

  // Several of the events below may occur: the first one decides.
  function settle(answer: CallbackAnswer): void {
    resolve(answer);
    outgoing.destroy();
  }
  function fail(why: CallFailure): void {
    settle({ kind: 'failed', why });
  }

  outgoing.on('socket', (socket) => {
    socket.once('connect', () => (stage = url.protocol === 'https:' ? 'tls' : 'closed_early'));
    socket.once('secureConnect', () => (stage = 'closed_early'));
  });
  outgoing.on('error', (error: NodeJS.ErrnoException) =>
    fail(error.code === 'HPE_HEADER_OVERFLOW' ? 'too_large' : stage),
  );
  // Node reads on for as long as interim answers (1xx) come.
  outgoing.on('information', () => {
    if (Number(outgoing.socket?.bytesRead) > MAX_BYTES) fail('too_large');
  });
  outgoing.on('upgrade', ({ statusCode }, socket) => {
    settle({ kind: 'answered', httpStatus: Number(statusCode) });
    socket.destroy();
  });
  outgoing.on('response', (answer) => {
    const httpStatus = Number(answer.statusCode);
    if (httpStatus >= 200 && httpStatus < 300) {
      drain(answer, () => settle({ kind: 'answered', httpStatus }), fail);
    } else {
      const retryAfterMs = readRetryAfterMs(answer.headers, Date.now(), RETRY_AFTER_BOUNDS);
      settle({ kind: 'answered', httpStatus, retryAfterMs });
    }
  });
  outgoing.end(body);
  return promise;
}

/** Answers every question about the name with the addresses that were checked. */
function lookupOf(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  // With `autoSelectFamily`, Node asks for all.
  return (_hostname, _options, callback) => callback(null, found);
}

function drain(answer: IncomingMessage, end: () => void, fail: (why: CallFailure) => void): void {
  let left = MAX_BYTES;
  answer.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) fail('too_large');
  });
  answer.on('end', end);
  // The answer was cut off, or it is not what it said it would be.
  answer.on('error', () => fail('closed_early'));
}
