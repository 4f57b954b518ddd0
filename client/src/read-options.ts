import { isText, text } from './check-shape.ts';
import { type Clock, type Fetch, type Settings, setAlarm } from './send.ts';

export interface ClientOptions {
  /** Where the service is, with its stage: https, or http on loopback. */
  readonly baseUrl: string;
  /** `pcg_…`; appears in no result, error or printed client. */
  readonly credential: string;
  /** Milliseconds that one call may take with all its tries, each of which may take a third. @default 60_000 */
  readonly timeoutMs?: number | undefined;
  /** @default 5 */
  readonly maxTries?: number | undefined;
  /**
   * Seconds for which the service may wait for the end of a cancellation before it answers `cancel`; 0: it answers after its
   * first call to Plangrep. The service waits for at most 10 s, and is asked for at most half of the time of a try.
   * @default 10
   */
  readonly waitSeconds?: number | undefined;
  /** @default the platform's */
  readonly fetch?: Fetch | undefined;
  /** @default the system's */
  readonly clock?: Clock | undefined;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => new Promise((resolve) => setAlarm(ms, signal, resolve)),
};

/** @throws TypeError that names the wrong option, never its value */
export function readOptions({
  baseUrl,
  credential,
  timeoutMs = 60_000,
  maxTries = 5,
  waitSeconds = 10,
  fetch = (url, init) => globalThis.fetch(url, init),
  clock = systemClock,
}: ClientOptions): Settings {
  demand(credential, 'credential is not set');
  demand(isText(credential, credentialForm), 'credential: pcg_…, at least 16 characters, no spaces, no line breaks');
  demand(isPositive(timeoutMs) && isPositive(maxTries), 'timeoutMs, maxTries: over 0');
  demand(baseUrl, 'baseUrl is not set');
  demand(text(baseUrl) && isSafe(baseUrl), 'baseUrl: https, or http on loopback; host and path alone');
  const address = `${baseUrl.replace(/\/+$/, '')}/v1/`;
  return { address, credential, timeoutMs, maxTries, waitSeconds, fetch, clock, pace: { pausedUntilMs: 0, calm: 0 } };
}

/** Long enough to be searched for in what comes back (RFC 6750, section 2.1). */
const credentialForm = /^[\w.~+/-]{16,}=*$/;

const isPositive = (value: unknown): boolean => typeof value === 'number' && value > 0;

function demand(isMet: unknown, demanded: string): void {
  if (!isMet) throw new TypeError(demanded);
}

/** Once a URL is parsed, every spelling of an IPv4 address is four decimal numbers. */
const loopback = /^(localhost|\[::1\]|127(\.\d+){3})$/;

function isSafe(baseUrl: string): boolean {
  try {
    const { protocol, origin, pathname, hostname, href } = new URL(baseUrl);
    return href === origin + pathname && (protocol === 'https:' || (protocol === 'http:' && loopback.test(hostname)));
  } catch {
    return false;
  }
}
