import { type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Sent {
  readonly method?: string;
  /** Under the address of the API: `/v1/cancellations`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string;
  /** What is not bytes is sent as JSON. */
  readonly body?: unknown;
  /** `refused`: a 429 is the answer. @default 'repeated': as Retry-After says, three times */
  readonly busy?: 'repeated' | 'refused';
  /** At once, beside others. @default in its turn, as fast as the partner's plan allows */
  readonly unpaced?: true;
}

/** An answer as it came: not followed, not decompressed. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** Empty when the body is not a JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
  /** API Gateway's. Empty when there is none. */
  readonly requestId: string;
  readonly ms: number;
}

export type Send = (sent: Sent) => Promise<Answer>;

/** Longer than the longest wait that the API offers, and a cold start. */
const TIME_LIMIT_MS = 20_000;
const REPEATS = 3;

/** Waits for a request's turn. */
export type Pace = () => Promise<void>;

/** One turn after the other, so many a second. */
export function createPace(perSecond: number): Pace {
  const everyMs = 1000 / perSecond;
  let next = 0;
  return async () => {
    const now = performance.now();
    const turn = Math.max(now, next);
    next = turn + everyMs;
    if (turn > now) await sleep(turn - now);
  };
}

/** `fetch` would decompress, and add headers. @param onAnswer receives every answer */
export function createSender(
  url: URL,
  {
    pace,
    onAnswer,
    signal,
  }: { readonly pace: Pace; readonly onAnswer: (answer: Answer) => void; readonly signal: AbortSignal },
): Send {
  return async (sent) => {
    for (let repeats = 0; ; repeats += 1) {
      if (sent.unpaced !== true && sent.busy !== 'refused') await pace();
      const answer = await sendOnce(url, sent, signal);
      onAnswer(answer);
      if (answer.status !== 429 || sent.busy === 'refused' || repeats === REPEATS) return answer;
      await sleep(Math.min(10, Number(answer.headers['retry-after'] ?? 1)) * 1000, undefined, { signal });
    }
  };
}

function sendOnce(
  url: URL,
  { method = 'GET', path, headers, token, body }: Sent,
  signal: AbortSignal,
): Promise<Answer> {
  const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const began = performance.now();
  const options = {
    method,
    path: url.pathname.replace(/\/$/, '') + path,
    host: url.hostname,
    port: url.port,
    // A new connection: what one check does to it disturbs no other.
    agent: false as const,
    timeout: TIME_LIMIT_MS,
    signal,
    headers: {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(bytes !== undefined && { 'Content-Type': 'application/json', 'Content-Length': bytes.length }),
      ...headers,
    },
  };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(options, (response) => {
      buffer(response).then((received) => {
        const answered = response.headers;
        const requestId = String(answered['x-amzn-requestid'] ?? answered['x-request-id'] ?? '');
        const ms = Math.round(performance.now() - began);
        const { statusCode: status = 0 } = response;
        resolve({ status, headers: answered, bytes: received, body: readObject(received), requestId, ms });
      }, reject);
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${TIME_LIMIT_MS / 1000} s`)));
    request.on('error', reject);
    request.end(bytes);
  });
}

function readObject(bytes: Buffer): Answer['body'] {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
