import { isIP } from 'node:net';
import { parseCallbackUrl } from '../../core/callbacks/callback-url.ts';
import type { CallFailure } from '../../core/callbacks/callback-record.ts';
import type { CallbackAnswer, CallbackRequest, PostCallback } from '../../core/callbacks/ports.ts';
import { isLoopback } from '../../core/loopback.ts';
import { callEndpoint } from './call-endpoint.ts';
import { isLoopbackAddress, isPublicAddress } from './public-address.ts';
import { createResolveHost, type ResolveHost } from './resolve-host.ts';

export interface PostCallbackOptions {
  /** For the local run: a URL that names this machine is called, over http too. */
  readonly allowsLoopback: boolean;
  /** @default {@link createResolveHost} */
  readonly resolve?: ResolveHost;
  /** From the first question to a name server to the last byte of the answer, in milliseconds. @default 10 s */
  readonly deadlineMs?: number;
}

/**
 * Calls partners' endpoints, which are not trusted. A host name is resolved once, each of its addresses must be public,
 * and the connection goes to one of these: a name server that says something else a moment later changes nothing.
 */
export function createPostCallback(options: PostCallbackOptions): PostCallback {
  const { allowsLoopback, resolve = createResolveHost(), deadlineMs = 10_000 } = options;

  async function call(callback: CallbackRequest, signal: AbortSignal): Promise<CallbackAnswer> {
    const parsed = parseCallbackUrl(callback.url, { allowsLoopback });
    if (parsed.kind === 'invalid') return failed('address_refused');
    const { hostname } = parsed.url;
    const literal = hostname.replace(/^\[|\]$/g, '');
    const addresses = isIP(literal) === 0 ? await resolve(hostname).catch(() => []) : [literal];
    if (addresses.length === 0) return failed('not_resolved');
    if (!addresses.every(isLoopback(hostname) ? isLoopbackAddress : isPublicAddress)) return failed('address_refused');
    if (signal.aborted) return failed('timeout');
    return callEndpoint({ ...callback, url: parsed.url, addresses, signal });
  }

  return async (callback) => {
    const deadline = new AbortController();
    const { promise: expired, resolve: expire } = Promise.withResolvers<CallbackAnswer>();
    const timer = setTimeout(expire, deadlineMs, failed('timeout'));
    try {
      return await Promise.race([expired, call(callback, deadline.signal)]);
    } finally {
      clearTimeout(timer);
      deadline.abort();
    }
  };
}

function failed(why: CallFailure): CallbackAnswer {
  return { kind: 'failed', why };
}
