import type { IncomingHttpHeaders } from 'node:http';
import type { PlangrepFailure } from '../../core/ports.ts';
import type { Exchange } from './plangrep-http.ts';
import { parseErrorCode } from './plangrep-job.ts';

export type Answer = Extract<Exchange, { kind: 'answer' }>;

const RETRY_AFTER_MIN_MS = 1_000;
const RETRY_AFTER_MAX_MS = 15 * 60_000;

/**
 * What an answer's body says, as parsed JSON; undefined if it is compressed although that was refused (never inflated:
 * it may be a bomb), no UTF-8, no JSON, or repeats the key, which must go no further.
 */
export const contentOf = ({ headers, body }: Answer, key: string): unknown => {
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return text.includes(key) ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Reads what a 2xx answer holds; `unknown` if it cannot be had. */
export const succeeded = <Value>(
  answer: Answer,
  key: string,
  parse: (content: unknown) => Value | undefined,
): Value | PlangrepFailure => {
  if (answer.interrupted !== undefined) return unknown(answer.interrupted, answer.status);
  return parse(contentOf(answer, key)) ?? unknown('unreadable_answer', answer.status);
};

/**
 * What an answer outside 2xx means. The status alone decides, so a body that is cut short, HTML or empty is no loss.
 * @param now milliseconds since 1970, for a `Retry-After` that names a date
 */
export const failed = (answer: Answer, key: string, now: number): PlangrepFailure => {
  const { status, headers } = answer;
  if (status === 401) return { kind: 'key_refused' };
  if (status === 429) return { kind: 'rate_limited', retryAfterMs: parseRetryAfter(headers, now) };
  // Both mean that a proxy gave up on the request or would not forward it yet: Plangrep may have had it, or not.
  if (status === 408 || status === 425) return unknown('timeout', status);
  if (status >= 300 && status < 400) return unknown('redirect', status);
  if (status >= 400 && status < 500) {
    return { kind: 'refused', httpStatus: status, code: parseErrorCode(contentOf(answer, key)) };
  }
  return unknown('server_error', status);
};

export const unknown = (
  why: Extract<PlangrepFailure, { kind: 'unknown' }>['why'],
  httpStatus?: number,
): PlangrepFailure => ({ kind: 'unknown', why, httpStatus });

/** RFC 9110, 10.2.3: seconds, or a date. Milliseconds from 1 s to 15 min; undefined if absent or neither. */
const parseRetryAfter = ({ 'retry-after': value = '' }: IncomingHttpHeaders, now: number): number | undefined => {
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : parseHttpDate(value) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, RETRY_AFTER_MIN_MS), RETRY_AFTER_MAX_MS);
};

/** `Date.parse` alone would take "-1" or "soon 5" for a date. */
const parseHttpDate = (value: string): number =>
  /^[A-Za-z]{3,9}, [0-9A-Za-z :-]+ GMT$/.test(value) ? Date.parse(value) : Number.NaN;
