import { isUtf8 } from 'node:buffer';
import * as z from 'zod/mini';
import { LONGEST_RETRY_AFTER_MS } from '../../core/cancellation/pace.ts';
import { type JobId, REPLACEMENT_CHARACTER } from '../../core/identifiers.ts';
import type { CancelAnswer, PlangrepFailure, ReadAnswer } from '../../core/plangrep.ts';
import { readRetryAfterMs } from '../retry-after.ts';
import { type Exchange, isSuccess } from './plangrep-http.ts';
import { jobSchema, lenient } from './plangrep-job.ts';

/** An HTTP answer of Plangrep, with what its reader has to know. */
export interface PlangrepAnswer extends Extract<Exchange, { kind: 'answer' }> {
  /** The key that the call was made with: an answer that repeats it goes no further. */
  readonly key: string;
  /** Milliseconds since 1970, for a `Retry-After` that names a date. */
  readonly receivedAt: number;
}

/** What the answer to a cancel means. */
export function readCancelAnswer(answer: PlangrepAnswer, jobId: JobId): CancelAnswer {
  if (!isSuccess(answer.status)) return readFailure(answer);
  const content = readContent(answer, oneJobSchema);
  if (content.kind === 'unknown') return content;
  const { job } = content.value;
  // Bytes that are not UTF-8 may stand for any character. They matter in the one text that is compared, and in its name.
  const isSure = job.externalId !== undefined && !job.externalId.includes(REPLACEMENT_CHARACTER);
  if (!isSure && !isUtf8(answer.body)) return unknown('unreadable_answer', answer.status);
  return job.id === jobId ? { kind: 'job', job } : unknown('wrong_job', answer.status);
}

/** What the answer to a job read means. */
export function readJobAnswer(answer: PlangrepAnswer, jobId: JobId): ReadAnswer {
  return answer.status === 404 ? { kind: 'not_found' } : readCancelAnswer(answer, jobId);
}

export function unknown(
  why: Extract<PlangrepFailure, { kind: 'unknown' }>['why'],
  httpStatus?: number,
): Extract<PlangrepFailure, { kind: 'unknown' }> {
  return { kind: 'unknown', why, httpStatus };
}

/** The status alone decides, so a body that is cut short, HTML or empty loses nothing. */
export function readFailure(answer: PlangrepAnswer): PlangrepFailure {
  const { status } = answer;
  if (status === 401) return { kind: 'key_refused' };
  if (status === 429) return { kind: 'rate_limited', retryAfterMs: retryAfterMs(answer) };
  // Both mean that a proxy gave up on the request or would not forward it: it is unknown whether Plangrep received it.
  if (status === 408 || status === 425) return unknown('timeout', status);
  if (status >= 300 && status < 400) return unknown('redirect', status);
  if (status === 503) return { ...unknown('server_error', status), retryAfterMs: retryAfterMs(answer) };
  if (status < 400 || status >= 500) return unknown('server_error', status);
  const content = readContent({ ...answer, interrupted: undefined }, errorSchema);
  const code = content.kind === 'content' ? (content.value.code ?? content.value.error?.code) : undefined;
  return { kind: 'refused', httpStatus: status, code };
}

const RETRY_AFTER_MIN_MS = 1_000;

/**
 * From 1 s to 15 min. Read for 429 (RFC 6585, 4) and 503 (RFC 9110, 15.6.4) only: for no other status that is read here
 * does a standard say what it means, and every second of a needless wait is billed.
 */
function retryAfterMs({ headers, receivedAt }: PlangrepAnswer): number | undefined {
  return readRetryAfterMs(headers, receivedAt, { min: RETRY_AFTER_MIN_MS, max: LONGEST_RETRY_AFTER_MS });
}

type Content<Value> = { readonly kind: 'content'; readonly value: Value } | ReturnType<typeof unknown>;

/**
 * Reads the body as JSON. It is unreadable when it is not JSON, of another shape, or repeats the key, even where the
 * schema would drop it.
 */
function readContent<Schema extends z.ZodMiniType>(
  { status, body, interrupted, key }: PlangrepAnswer,
  schema: Schema,
): Content<z.infer<Schema>> {
  if (interrupted !== undefined) return unknown(interrupted, status);
  const unreadable = unknown('unreadable_answer', status);
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(body));
    const parsed = schema.safeParse(repeats(json, key) ? undefined : json);
    return parsed.success ? { kind: 'content', value: parsed.data } : unreadable;
  } catch {
    return unreadable;
  }
}

/**
 * Whether a name or a value in `json` contains the key. The text as received may spell it with escapes (`\u002d`), so
 * the search runs over the one spelling that `JSON.stringify` has for each character.
 */
function repeats(json: unknown, key: string): boolean {
  return JSON.stringify(json).includes(JSON.stringify(key).slice(1, -1));
}

const oneJobSchema = z.object({ job: jobSchema });

/** `{code}` or `{error: {code}}`: the documentation does not say which. */
const codeSchema = z.string().check(z.regex(/^[A-Za-z0-9_.-]{1,64}$/));
const errorSchema = z.object({
  code: lenient(codeSchema),
  error: lenient(z.object({ code: lenient(codeSchema) })),
});
