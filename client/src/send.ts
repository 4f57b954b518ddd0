import type { CallOptions, Settings } from './options.ts';
import { type Answer, tryOnce } from './try-once.ts';

/** The last try's answer, and what it took. */
export interface Sent extends Answer {
  readonly tries: number;
  readonly idempotencyKey: string | undefined;
}

/** One try may take that long, or a third of the budget: the service's own functions end after 15 s. */
const LONGEST_TRY_MS = 20_000;
const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 8_000;

/** The service's own word where there is one; else no answer, 429 and 5xx. */
export const isRetryable = ({ status, problem }: Answer): boolean =>
  problem?.retryable ?? (status === 0 || status === 429 || status >= 500);

/**
 * Sends a request until there is an answer that a repeat would not change. Waits with full jitter, on top of Retry-After
 * where that is given. A wait that would outlast the budget is not begun.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * @throws the signal's reason once it is aborted; nothing else
 */
export const send = async (
  { address, authorization, fetch, clock, maxTries, ...defaults }: Settings,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  { signal, timeoutMs = defaults.timeoutMs }: CallOptions = {},
  content?: object,
  idempotencyKey?: string,
): Promise<Sent> => {
  const init = {
    method,
    headers: {
      Authorization: authorization,
      'Content-Type': 'application/json',
      ...(idempotencyKey && { 'Idempotency-Key': idempotencyKey }),
    },
    body: content && JSON.stringify(content),
  };
  const until = clock.now() + timeoutMs;
  for (let tries = 1; ; tries += 1) {
    const tryMs = Math.min(LONGEST_TRY_MS, timeoutMs / 3, until - clock.now());
    const answer = await tryOnce(fetch, address + path, init, tryMs, signal);
    const backoffMs = Math.random() * Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (tries - 1));
    const waitMs = (answer.retryAfterMs ?? 0) + backoffMs;
    if (!isRetryable(answer) || tries >= maxTries || clock.now() + waitMs >= until) {
      return { ...answer, tries, idempotencyKey };
    }
    await clock.sleep(waitMs, signal);
  }
};
