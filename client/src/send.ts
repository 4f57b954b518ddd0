import { isObject, object, oneOf, text } from './check-shape.ts';
import { scrub } from './scrub-credential.ts';

/** Time as the client sees it. Replace it to test your code without waiting. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Ends after this many milliseconds, or as soon as the signal is aborted. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

/** `fetch`, as far as the client uses it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Options of one call. */
export interface CallOptions {
  /** Ends the call: it rejects with the signal's reason. What was sent before that may have been done. */
  readonly signal?: AbortSignal | undefined;
  /** Replaces the client's `timeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/** The client's options, checked and complete. */
export interface Settings {
  readonly address: string;
  readonly credential: string;
  readonly timeoutMs: number;
  readonly maxTries: number;
  readonly waitSeconds: number;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly pace: Pace;
}

/** What the client's requests have learned about its share, for those that run behind the others. */
export interface Pace {
  /** Milliseconds since 1970, of the newest 429: until then nothing of many begins. */
  pausedUntilMs: number;
  /** How many items of many were done since then. */
  calm: number;
}

/** A problem (RFC 9457) of the service. */
export interface Problem {
  /** One of `ProblemCode`, or a newer code. */
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  readonly retryable: boolean;
}

/** The result of one try. */
export interface Answer {
  /** 0: no complete answer arrived. */
  readonly status: number;
  /** For a person. */
  readonly detail: string;
  /** Parsed JSON; absent if the body is not JSON, or too long. */
  readonly body?: unknown;
  readonly problem?: Problem | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** The answer to the last try. */
export interface Sent extends Answer {
  readonly tries: number;
  readonly idempotencyKey: string | undefined;
}

/** One try may take this long, or a third of the time: the service's own functions end after 15 s. */
const LONGEST_TRY_MS = 20_000;
const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 8_000;
/** After a 429 that does not say how long. */
const DEFAULT_PAUSE_MS = 1_000;
/** More than the longest answer: API Gateway's limit is 10 MB. */
const MAX_BODY_BYTES = 10_000_000;

/**
 * The service's own word if there is a problem to read; otherwise no answer, 429 and 5xx. And 403: the service always says
 * why, so a firewall or proxy in between refused the request, perhaps for its rate (AWS WAF's own answer is a 403).
 */
export const isRetryable = ({ status, problem }: Answer): boolean =>
  problem?.retryable ?? (status === 0 || status === 403 || status === 429 || status >= 500);

/** One request to the service. */
export interface Outgoing {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Behind the address, with its query. */
  readonly path: string;
  readonly content?: object | undefined;
  readonly idempotencyKey?: string | undefined;
  /** Asks the service to wait for the end of the cancellation: a service that cannot ignores that (RFC 7240, section 2). */
  readonly waits?: boolean | undefined;
}

/**
 * Sends a request until there is an answer that a repeat would not change. Waits with full jitter, added to Retry-After
 * where the service sends that. Does not start a wait that would exceed the time.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * @throws the signal's reason once it is aborted; nothing else
 */
export async function send(
  settings: Settings,
  { method, path, content, idempotencyKey, waits }: Outgoing,
  { signal, timeoutMs = settings.timeoutMs }: CallOptions = {},
): Promise<Sent> {
  const { address, credential, clock, pace, maxTries, waitSeconds } = settings;
  const deadlineMs = clock.now() + timeoutMs;
  for (let tries = 1; ; tries += 1) {
    const tryMs = Math.min(LONGEST_TRY_MS, timeoutMs / 3, deadlineMs - clock.now());
    // The service may take as long again to answer.
    const wait = Math.floor(Math.min(waitSeconds, tryMs / 2000));
    const headers = {
      Authorization: `Bearer ${credential}`,
      'Content-Type': 'application/json',
      ...(idempotencyKey && { 'Idempotency-Key': idempotencyKey }),
      ...(waits && wait > 0 && { Prefer: `wait=${wait}` }),
    };
    const init = { method, headers, body: content && JSON.stringify(content) };
    const answer = await tryOnce(settings, address + path, init, tryMs, signal);
    if (answer.status === 429) {
      pace.pausedUntilMs = Math.max(pace.pausedUntilMs, clock.now() + (answer.retryAfterMs ?? DEFAULT_PAUSE_MS));
      pace.calm = 0;
    }
    const backoffMs = Math.random() * Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (tries - 1));
    const waitMs = (answer.retryAfterMs ?? 0) + backoffMs;
    if (!isRetryable(answer) || tries >= maxTries || clock.now() + waitMs >= deadlineMs) {
      return { ...answer, tries, idempotencyKey };
    }
    await clock.sleep(waitMs, signal);
  }
}

/**
 * Sends one request. Does not follow redirects: the credential is for one address.
 * @param timeoutMs until the last byte of the answer has arrived
 * @throws the signal's reason once it is aborted; nothing else
 */
async function tryOnce(
  { fetch, credential }: Settings,
  url: string,
  init: RequestInit,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const controller = new AbortController();
  const ring = setAlarm(timeoutMs, signal, () => controller.abort());
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: controller.signal });
    const { headers } = response;
    // A browser hides a redirect's status.
    const status = response.status || 302;
    const body = parse(scrub(await readText(response), credential));
    const problem = status >= 400 && isProblem(body) ? body : undefined;
    const requestId = scrub(headers.get('x-request-id') ?? problem?.requestId ?? '', credential) || undefined;
    const culprit = status === 403 ? 'A firewall or proxy?' : 'Wrong baseUrl?';
    const detail = problem?.detail ?? `HTTP ${status}: not this service's answer. ${culprit}`;
    return { status, detail, body, problem, requestId, retryAfterMs: parseRetryAfter(headers.get('retry-after')) };
  } catch (error) {
    signal?.throwIfAborted();
    return { status: 0, detail: `No answer: ${controller.signal.aborted ? 'timeout' : readCause(error)}.` };
  } finally {
    ring();
  }
}

/**
 * Calls `onRing` once: after this many milliseconds, when the signal is aborted, or when the returned function is called.
 * Leaves no timer and no listener after that. (Node 18 has no `AbortSignal.any`.)
 * @throws the signal's reason if it is already aborted
 */
export function setAlarm(ms: number, signal: AbortSignal | undefined, onRing: () => void): () => void {
  signal?.throwIfAborted();
  const ring = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', ring);
    onRing();
  };
  const timer = setTimeout(ring, ms);
  signal?.addEventListener('abort', ring);
  return ring;
}

/**
 * Chunk by chunk, by a reader: Safari's streams cannot be iterated.
 * @returns nothing if it is too long to be an answer of the service
 * @throws what the connection throws
 */
async function readText({ body }: Response): Promise<string> {
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  let content = '';
  for (let bytes = 0; bytes <= MAX_BODY_BYTES; ) {
    const chunk = await reader?.read();
    if (!chunk?.value) return content + decoder.decode();
    bytes += chunk.value.length;
    content += decoder.decode(chunk.value, { stream: true });
  }
  return '';
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Whole seconds (RFC 9110, section 10.2.3), in milliseconds; at most a day. A date is ignored. */
const parseRetryAfter = (value: string | null): number | undefined =>
  value && /^\d+$/.test(value) ? Math.min(Number(value), 86_400) * 1000 : undefined;

/** Why a connection failed: an error's code, such as ECONNREFUSED. Never its message, which may repeat what was sent. */
function readCause(error: unknown): string {
  const code = String(isObject(error) && isObject(error['cause']) && error['cause']['code']);
  return /^[A-Z_]{3,40}$/.test(code) ? code : 'connection failed';
}

const isProblem = object<Problem>({ code: text, detail: text, requestId: text, retryable: oneOf(true, false) });
