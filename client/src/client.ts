import {
  createPlan,
  type ManyOptions,
  type ManyResult,
  type Order,
  type Planned,
  previewMany,
  type SavedPlan,
} from './cancel-many.ts';
import type {
  Cancellation,
  CancelRequest,
  CancelResult,
  Failure,
  Found,
  Invalid,
  Listed,
  ListResult,
  ReadResult,
  Registered,
  RegisterJobRequest,
  RegisteredOtherwise,
  RegisterResult,
  TooManyJobs,
  Told,
  WaitResult,
} from './contract.ts';
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
import { type CallOptions, type Clock, type Fetch, type Settings, send, setAlarm } from './send.ts';

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
  // A private field of the language: neither inspection nor JSON shows it.
  readonly #settings: Settings;

  /** @throws TypeError that names the wrong option, never its value */
  constructor(options: ClientOptions) {
    this.#settings = readOptions(options);
  }

  /**
   * Cancels the job with this externalId. All tries carry one Idempotency-Key, so a late duplicate of this call never
   * reaches a job that you submit later under the same externalId.
   * @param request its `idempotencyKey` (1 to 255 printable ASCII characters) is random by default; give one that you store
   * if your own process may repeat the call
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
    const sent = await send(
      this.#settings,
      'POST',
      'cancellations',
      options,
      { externalId, jobId, reason },
      idempotencyKey,
    );
    return interpret(sent, (body) => isCancellation(body) && standingOf(body, sent), cancelReadings);
  }

  /**
   * Reads a cancellation, as often as the service suggests, until it is closed. Continues through outages of the service.
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
      const read = await this.read({ jobId }, { signal, timeoutMs: deadlineMs - clock.now() });
      const result = read.kind === 'found' ? standingOf(read.cancellation, read) : read;
      // Only what may change says when to look again.
      if (!('retryAfterMs' in result)) return result;
      const waitMs = Math.max(SHORTEST_LOOK_AGAIN_MS, result.retryAfterMs ?? DEFAULT_LOOK_AGAIN_MS);
      if (clock.now() + waitMs >= deadlineMs) return result;
      await clock.sleep(waitMs, signal);
    }
  }

  /** Reads one cancellation with its timeline. */
  async read({ jobId }: Pick<Cancellation, 'jobId'>, options?: CallOptions): Promise<ReadResult> {
    if (!isJobId(jobId)) return malformed('jobId');
    const sent = await send(this.#settings, 'GET', `cancellations/${jobId}`, options);
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
   * Reads the cancellations of the jobs with an externalId, each with its timeline: one page of at most 20 jobs.
   * @param request its `cursor` is the `nextCursor` of the page before
   */
  async list(
    { externalId, cursor = '' }: Pick<Cancellation, 'externalId'> & { readonly cursor?: string | undefined },
    options?: CallOptions,
  ): Promise<ListResult> {
    if (/\p{Cs}/u.test(externalId)) return malformed('externalId');
    if (/[^\w-]/.test(cursor)) return malformed('cursor');
    const path = `cancellations?externalId=${encodeURIComponent(externalId)}`;
    const sent = await send(this.#settings, 'GET', cursor ? `${path}&cursor=${cursor}` : path, options);
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
    { jobId, externalId, projectId }: RegisterJobRequest & Pick<Cancellation, 'jobId'>,
    options?: CallOptions,
  ): Promise<RegisterResult> {
    if (!isJobId(jobId)) return malformed('jobId');
    const sent = await send(this.#settings, 'PUT', `jobs/${jobId}`, options, { externalId, projectId });
    const registered = (body: unknown, common: Told): Registered | false =>
      isRegisteredJob(body) && { kind: 'registered', job: body, ...common };
    return interpret<Registered, RegisteredOtherwise | TooManyJobs>(sent, registered, registerReadings);
  }
}

const isJobId = (jobId: string): boolean => /^[\w-]{1,128}$/.test(jobId);

/** The result for a value that would change on the way: the client does not send it. */
function malformed(path: string): Invalid {
  const message = 'is malformed';
  return { kind: 'invalid', detail: `${path} ${message}.`, errors: [{ path, message }], requestId: undefined };
}

/** Unique is enough. Node 18 has no global `crypto`. */
const newKey = (): string => globalThis.crypto?.randomUUID() ?? `${Date.now()}-${Math.random()}`;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => new Promise((resolve) => setAlarm(ms, signal, resolve)),
};

function readOptions({
  baseUrl,
  credential,
  timeoutMs = 60_000,
  maxTries = 5,
  waitSeconds = 10,
  fetch = (url, init) => globalThis.fetch(url, init),
  clock = systemClock,
}: ClientOptions): Settings {
  // A variable that is not set is the text "undefined" for a regular expression.
  demand(
    typeof credential === 'string' && /^[!-~]+$/.test(credential),
    'credential: a text, no spaces, no line breaks',
  );
  demand(timeoutMs > 0 && maxTries > 0, 'timeoutMs, maxTries: over 0');
  demand(isSafe(baseUrl), 'baseUrl: https, or http on loopback; host and path alone');
  return {
    address: `${baseUrl.replace(/\/+$/, '')}/v1/`,
    authorization: `Bearer ${credential}`,
    timeoutMs,
    maxTries,
    waitSeconds,
    fetch,
    clock,
    pace: { pausedUntilMs: 0, calm: 0 },
  };
}

function demand(isMet: boolean, demanded: string): void {
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
