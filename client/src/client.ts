import {
  createPlan,
  type ManyOptions,
  type ManyResult,
  type Order,
  type Planned,
  previewMany,
  type SavedPlan,
} from './cancel-many.ts';
import { isText } from './check-shape.ts';
import type { Cancellation, CancelRequest, ListRequest, RegisterJobRequest } from './contract.ts';
import type {
  CancelResult,
  Failure,
  Found,
  Invalid,
  Listed,
  ListResult,
  ReadResult,
  Registered,
  RegisteredOtherwise,
  RegisterResult,
  TooManyJobs,
  Told,
  WaitResult,
} from './results.ts';
import {
  cancelReadings,
  DEFAULT_LOOK_AGAIN_MS,
  interpret,
  isCancellation,
  isCancellationList,
  isCancellationWithTimeline,
  isRegisteredJob,
  registerReadings,
  standingOf,
} from './interpret.ts';
import { type ClientOptions, readOptions } from './read-options.ts';
import { type CallOptions, type Settings, send } from './send.ts';

/** 20 minutes: longer than the 15 minutes after which the service alerts its operators. */
const DEFAULT_WAIT_MS = 1_200_000;
const SHORTEST_LOOK_AGAIN_MS = 1_000;

/**
 * Cancels Plangrep jobs by your own externalId. Every method resolves to a closed union, distinguished by `kind`. The client
 * repeats a retryable request (no answer, 429, 5xx) until its tries or its time are used up. A method rejects only if its
 * signal is aborted.
 *
 * @example
 * const client = new CancellationClient({ baseUrl, credential });
 * const result = await client.cancel({ externalId: 'order-7890' });
 * if (result.kind === 'pending') await client.waitUntilClosed(result.cancellation);
 */
export class CancellationClient {
  /** What a printed client is called: the package's code is minified. */
  static readonly name = 'CancellationClient';
  /** Where the service is: all that a printed client shows. */
  readonly baseUrl: string;
  // A private field of the language: neither inspection nor JSON shows it.
  readonly #settings: Settings;

  /** @throws TypeError that names the wrong option, never its value */
  constructor(options: ClientOptions) {
    this.#settings = readOptions(options);
    this.baseUrl = options.baseUrl;
  }

  /**
   * Cancels the job with this externalId. All tries carry one Idempotency-Key, so a late duplicate of this call never
   * reaches a job that you submit later under the same externalId.
   * @param request its `idempotencyKey` (1 to 255 printable ASCII characters) is random by default; give one that you store
   * if your own process may repeat the call
   */
  async cancel(
    { idempotencyKey = newKey(), ...content }: CancelRequest & { readonly idempotencyKey?: string | undefined },
    options?: CallOptions,
  ): Promise<CancelResult> {
    if (!isText(idempotencyKey, /^[ -~]{1,255}$/)) return malformed('Idempotency-Key');
    const request = { method: 'POST', path: 'cancellations', content, idempotencyKey, waits: true } as const;
    const sent = await send(this.#settings, request, options);
    return interpret(sent, (body) => isCancellation(body) && standingOf(body, sent), cancelReadings);
  }

  /**
   * Reads a cancellation, as often as the service suggests, until it is closed. Continues through outages of the service.
   * Each read asks the service to wait for the end, which a service that only does so for a cancel ignores.
   * @param cancellation that of a `pending` result, or any `{ jobId }`
   * @param options its `timeoutMs` (20 minutes by default) is the longest wait. If no further read fits into it, the result
   * is `pending` or `unavailable`.
   */
  async waitUntilClosed(
    { jobId }: Pick<Cancellation, 'jobId'>,
    { signal, timeoutMs = DEFAULT_WAIT_MS }: CallOptions = {},
  ): Promise<WaitResult> {
    const { clock } = this.#settings;
    const deadlineMs = clock.now() + timeoutMs;
    for (;;) {
      const read = await this.#read(jobId, { signal, timeoutMs: deadlineMs - clock.now() }, true);
      const result = read.kind === 'found' ? standingOf(read.cancellation, read) : read;
      // Only what may change says when to look again.
      if (!('retryAfterMs' in result)) return result;
      const waitMs = Math.max(SHORTEST_LOOK_AGAIN_MS, result.retryAfterMs ?? DEFAULT_LOOK_AGAIN_MS);
      if (clock.now() + waitMs >= deadlineMs) return result;
      await clock.sleep(waitMs, signal);
    }
  }

  /** Reads one cancellation with its timeline. */
  read({ jobId }: Pick<Cancellation, 'jobId'>, options?: CallOptions): Promise<ReadResult> {
    return this.#read(jobId, options, false);
  }

  async #read(jobId: string, options: CallOptions | undefined, waits: boolean): Promise<ReadResult> {
    if (!isText(jobId, jobIdForm)) return malformed('jobId');
    const sent = await send(this.#settings, { method: 'GET', path: `cancellations/${jobId}`, waits }, options);
    const found = (body: unknown, common: Told): Found | false =>
      isCancellationWithTimeline(body) && {
        kind: 'found',
        cancellation: body,
        retryAfterMs: sent.retryAfterMs,
        ...common,
      };
    return interpret(sent, found);
  }

  /**
   * Reads the cancellations of the jobs with an externalId, each with its timeline: one page.
   * @param request its `cursor` is the `nextCursor` of the page before
   */
  async list(request: ListRequest, options?: CallOptions): Promise<ListResult> {
    if (!isText(request.externalId, /^\P{Cs}*$/u)) return malformed('externalId');
    if (!isText(request.cursor ?? '-', /^[\w-]+$/)) return malformed('cursor');
    const query = Object.entries(request)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join('&');
    const sent = await send(this.#settings, { method: 'GET', path: `cancellations?${query}` }, options);
    const listed = (body: unknown, common: Told): Listed | false =>
      isCancellationList(body) && { ...body, kind: 'listed', ...common };
    return interpret(sent, listed);
  }

  /**
   * Previews the cancels of many orders; cancels nothing. The result's `summary` says what a cancel of each would do, and
   * its `run` cancels those jobs and no others, behind this client's other requests.
   * @param orders each externalId once
   */
  async cancelMany(orders: readonly Order[], options?: ManyOptions): Promise<Planned | Failure> {
    const seen = new Set<string>();
    const repeated = orders.findIndex(({ externalId }) => seen.size === seen.add(externalId).size);
    if (repeated >= 0) return malformed(`orders.${repeated}.externalId`);
    const planned = await previewMany(this.#settings, orders, options);
    if (planned.kind !== 'previewed') return planned;
    return createPlan(this, this.#settings, { token: newKey(), orders: planned.orders });
  }

  /**
   * A plan that another process made.
   * @param plan its `token` and `orders`, as they were stored before its `run`
   * @param results what its `onResult` got
   */
  continueMany(plan: SavedPlan, results?: readonly ManyResult[]): Planned {
    return createPlan(this, this.#settings, plan, results);
  }

  /** Registers a job under an externalId. Repeating an equal registration is not an error. */
  async registerJob(
    { jobId, ...content }: RegisterJobRequest & Pick<Cancellation, 'jobId'>,
    options?: CallOptions,
  ): Promise<RegisterResult> {
    if (!isText(jobId, jobIdForm)) return malformed('jobId');
    const sent = await send(this.#settings, { method: 'PUT', path: `jobs/${jobId}`, content }, options);
    const registered = (body: unknown, common: Told): Registered | false =>
      isRegisteredJob(body) && { kind: 'registered', job: body, ...common };
    return interpret<Registered, RegisteredOtherwise | TooManyJobs>(sent, registered, registerReadings);
  }
}

const jobIdForm = /^[\w-]{1,128}$/;

/** The result for a value that would change on the way: the client does not send it. */
function malformed(path: string): Invalid {
  const message = 'is malformed';
  return { kind: 'invalid', detail: `${path} ${message}.`, errors: [{ path, message }], requestId: undefined };
}

/** Unique is enough. Node 18 has no global `crypto`, and a page without TLS no `randomUUID`. */
const newKey = (): string => globalThis.crypto?.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
