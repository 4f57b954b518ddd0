import { type Clock, systemClock } from './clock.ts';

/** `fetch`, as far as the client uses it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface ClientOptions {
  /** Where the service is, its stage included: https, or http on loopback. */
  readonly baseUrl: string;
  /** `pcg_…`; appears in no result, error or printed client. */
  readonly credential: string;
  /** Milliseconds that one call may take with all its tries, each of which may take a third. @default 60_000 */
  readonly timeoutMs?: number | undefined;
  /** @default 5 */
  readonly maxTries?: number | undefined;
  /** @default the platform's own */
  readonly fetch?: Fetch | undefined;
  /** @default the system's */
  readonly clock?: Clock | undefined;
}

/** Of one call. */
export interface CallOptions {
  /** Ends the call: it rejects with the signal's reason. What was sent by then may have been done. */
  readonly signal?: AbortSignal | undefined;
  /** In place of the client's. */
  readonly timeoutMs?: number | undefined;
}

/** The options, checked and complete. */
export interface Settings {
  readonly address: string;
  readonly authorization: string;
  readonly timeoutMs: number;
  readonly maxTries: number;
  readonly fetch: Fetch;
  readonly clock: Clock;
}

/** @throws TypeError that says which option is wrong, never its value */
export const readOptions = ({
  baseUrl,
  credential,
  timeoutMs = 60_000,
  maxTries = 5,
  fetch = (url, init) => globalThis.fetch(url, init),
  clock = systemClock,
}: ClientOptions): Settings => {
  demand(/^[!-~]+$/.test(credential), 'credential: no spaces, no line breaks');
  demand(timeoutMs > 0 && maxTries > 0, 'timeoutMs, maxTries: over 0');
  demand(isSafe(baseUrl), 'baseUrl: https, or http on loopback; host and path alone');
  return {
    address: baseUrl.replace(/\/+$/, ''),
    authorization: `Bearer ${credential}`,
    timeoutMs,
    maxTries,
    fetch,
    clock,
  };
};

const demand = (isSo: boolean, demanded: string): void => {
  if (!isSo) throw new TypeError(demanded);
};

/** Every spelling of an IPv4 address is four decimal numbers once it is parsed. */
const loopback = /^(localhost|\[::1\]|127(\.\d+){3})$/;

const isSafe = (baseUrl: string): boolean => {
  try {
    const { protocol, origin, pathname, hostname, href } = new URL(baseUrl);
    return href === origin + pathname && (protocol === 'https:' || (protocol === 'http:' && loopback.test(hostname)));
  } catch {
    return false;
  }
};
