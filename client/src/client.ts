import type { Cancellation, CancelRequest, RegisterJobRequest } from './contract.ts';
import {
  cancelReadings,
  DEFAULT_LOOK_AGAIN_MS,
  interpret,
  readReadings,
  registerReadings,
  standingOf,
} from './interpret.ts';
import { type CallOptions, type ClientOptions, readOptions, type Settings } from './options.ts';
import { isCancellation, isCancellationList, isCancellationWithTimeline, isRegisteredJob } from './read-answer.ts';
import type {
  CancelResult,
  Found,
  Invalid,
  Listed,
  ListResult,
  ReadResult,
  Registered,
  RegisterResult,
  Told,
  WaitResult,
} from './results.ts';
import { send } from './send.ts';

/** Longer than it takes the service to call a person. */
const DEFAULT_WAIT_MS = 20 * 60_000;
const SHORTEST_LOOK_AGAIN_MS = 1_000;

/**
 * Cancels Plangrep jobs by your own externalId. Every method resolves to a closed union, told apart by `kind`; what is
 * retryable (no answer, 429, 5xx) is tried again until the budget is used up. A method rejects for one reason alone:
 * its signal was aborted.
 *
 * @example
 * const client = new CancellationClient({ baseUrl, credential });
 * const result = await client.cancel({ externalId: 'order-7890' });
 * if (result.kind === 'pending') await client.waitUntilClosed(result.cancellation);
 */
export class CancellationClient {
  // Private to the language: neither inspection nor JSON shows it.
  readonly #settings: Settings;

  /** @throws TypeError that says which option is wrong, never its value */
  constructor(options: ClientOptions) {
    this.#settings = readOptions(options);
  }

  /**
   * Cancels the job that bears this externalId. All tries are sent with one Idempotency-Key, so a late duplicate of this
   * call never reaches a job that you submit later under the same externalId.
   * @param request its `idempotencyKey` (1 to 255 printable ASCII characters) is made up if you give none; give one that
   * you keep, if your own process may repeat the call
   */
  async cancel(
    {
      externalId,
      jobId,
      reason,
      idempotencyKey = newKey(),
    }: CancelRequest & { readonly idempotencyKey?: string | undefined },
    options?: CallOptions,
  ): Promise<CancelResult> {
    if (!/^[ -~]{1,255}$/.test(idempotencyKey)) return malformed('Idempotency-Key');
    const content = { externalId, jobId, reason };
    const sent = await send(this.#settings, 'POST', '/v1/cancellations', options, content, idempotencyKey);
    return interpret(sent, (body) => isCancellation(body) && standingOf(body, sent), cancelReadings);
  }

  /**
   * Looks at a cancellation, at the service's pace, until it is closed. Outlasts outages of the service.
   * @param cancellation `pending`'s, or any `{ jobId }`
   * @param options its `timeoutMs` (20 minutes by default) is how long to wait at most: `pending` or `unavailable` says
   * that the time is up, as soon as no further look fits into it
   */
  async waitUntilClosed(
    { jobId }: Pick<Cancellation, 'jobId'>,
    { signal, timeoutMs = DEFAULT_WAIT_MS }: CallOptions = {},
  ): Promise<WaitResult> {
    const { clock } = this.#settings;
    const until = clock.now() + timeoutMs;
    for (;;) {
      const read = await this.read({ jobId }, { signal, timeoutMs: until - clock.now() });
      const result = read.kind === 'found' ? standingOf(read.cancellation, read) : read;
      if (result.kind !== 'pending' && result.kind !== 'unavailable') return result;
      const waitMs = Math.max(SHORTEST_LOOK_AGAIN_MS, result.retryAfterMs ?? DEFAULT_LOOK_AGAIN_MS);
      if (clock.now() + waitMs >= until) return result;
      await clock.sleep(waitMs, signal);
    }
  }

  /** Reads one cancellation with its timeline. */
  async read({ jobId }: Pick<Cancellation, 'jobId'>, options?: CallOptions): Promise<ReadResult> {
    if (!isJobId(jobId)) return malformed('jobId');
    const sent = await send(this.#settings, 'GET', `/v1/cancellations/${jobId}`, options);
    const { retryAfterMs } = sent;
    const found = (body: unknown, told: Told): Found | false =>
      isCancellationWithTimeline(body) && { kind: 'found', cancellation: body, retryAfterMs, ...told };
    return interpret(sent, found, readReadings);
  }

  /** Reads the cancellations behind an externalId, each with its timeline. */
  async list({ externalId }: Pick<Cancellation, 'externalId'>, options?: CallOptions): Promise<ListResult> {
    if (/\p{Cs}/u.test(externalId)) return malformed('externalId');
    const path = `/v1/cancellations?externalId=${encodeURIComponent(externalId)}`;
    const sent = await send(this.#settings, 'GET', path, options);
    const listed = (body: unknown, told: Told): Listed | false =>
      isCancellationList(body) && { kind: 'listed', cancellations: body.cancellations, ...told };
    return interpret(sent, listed, readReadings);
  }

  /** Says which externalId a job goes by. An equal registration before it is no error. */
  async registerJob(
    { jobId, externalId, projectId }: RegisterJobRequest & Pick<Cancellation, 'jobId'>,
    options?: CallOptions,
  ): Promise<RegisterResult> {
    if (!isJobId(jobId)) return malformed('jobId');
    const sent = await send(this.#settings, 'PUT', `/v1/jobs/${jobId}`, options, { externalId, projectId });
    const registered = (body: unknown, told: Told): Registered | false =>
      isRegisteredJob(body) && { kind: 'registered', job: body, ...told };
    return interpret(sent, registered, registerReadings);
  }
}

const isJobId = (jobId: string): boolean => /^[\w-]{1,128}$/.test(jobId);

/** For what would not arrive as it was given: it is not sent. */
const malformed = (path: string): Invalid => {
  const message = 'is malformed';
  return { kind: 'invalid', detail: `${path} ${message}.`, errors: [{ path, message }], requestId: undefined };
};

/** Unique is enough. Node 18 has no global `crypto`. */
const newKey = (): string => globalThis.crypto?.randomUUID() ?? `${Date.now()}-${Math.random()}-${Math.random()}`;
