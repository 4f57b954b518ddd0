import { setAlarm } from './clock.ts';
import type { Fetch } from './options.ts';
import { isProblem, type Problem, readCause } from './read-answer.ts';

/** What came of one try. */
export interface Answer {
  /** 0: no whole answer came. */
  readonly status: number;
  /** For a person. */
  readonly detail: string;
  /** Parsed JSON; undefined: it is none, or too much of it. */
  readonly body?: unknown;
  readonly problem?: Problem | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** More than the longest answer: API Gateway lets none of 10 MB through. */
const MAX_BODY_BYTES = 10_000_000;

/**
 * One request. Redirects are not followed: the credential is for one address.
 * @param timeoutMs until the answer is there to its last byte
 * @throws the signal's reason once it is aborted; nothing else
 */
export const tryOnce = async (
  fetch: Fetch,
  url: string,
  init: RequestInit,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Answer> => {
  const controller = new AbortController();
  const ring = setAlarm(timeoutMs, signal, () => controller.abort());
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: controller.signal });
    const { status, headers } = response;
    const body = await readJson(response);
    const problem = status >= 400 && isProblem(body) ? body : undefined;
    const requestId = headers.get('x-request-id') ?? problem?.requestId;
    const detail = problem?.detail ?? `HTTP ${status}: not this service's answer. Wrong baseUrl?`;
    return { status, detail, body, problem, requestId, retryAfterMs: parseRetryAfter(headers.get('retry-after')) };
  } catch (error) {
    signal?.throwIfAborted();
    return { status: 0, detail: `No answer: ${controller.signal.aborted ? 'timeout' : readCause(error)}.` };
  } finally {
    ring();
  }
};

/** @throws what the connection throws */
const readJson = async ({ body }: Response): Promise<unknown> => {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    parts.push(part);
  }
  const text = await new Blob(parts).text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Whole seconds (RFC 9110, section 10.2.3), in milliseconds; at most a day. A date is not read. */
const parseRetryAfter = (value: string | null): number | undefined =>
  value && /^\d+$/.test(value) ? Math.min(Number(value), 86_400) * 1000 : undefined;
