import type { FieldError, PlannedState, Preview } from './contract.ts';
import type { CancelResult, Failure, Told } from './results.ts';
import type { CancellationClient } from './client.ts';
import { interpret, isPreviewList } from './interpret.ts';
import { type CallOptions, type Settings, send } from './send.ts';
import { inTurn } from './take-turns.ts';

/** One of many orders to cancel. */
export interface Order {
  readonly externalId: string;
  /** Why, in your words: kept in the audit trail. At most 500 characters. */
  readonly reason?: string | null | undefined;
}

/** An order with what a cancel of it would do. */
export type PlannedOrder = Order & Preview;

export interface ManyProgress {
  readonly phase: 'preview' | 'run';
  readonly done: number;
  readonly of: number;
}

export interface ManyOptions extends Pick<CallOptions, 'signal'> {
  readonly onProgress?: ((progress: ManyProgress) => void) | undefined;
  /** The most requests at the same time. @default 4 */
  readonly concurrency?: number | undefined;
}

/** How the cancel of one planned order ended. */
export interface ManyResult {
  readonly externalId: string;
  readonly jobId: string;
  readonly result: CancelResult;
}

export interface RunOptions extends ManyOptions {
  /** Called with each result as it comes: store it, and a later process can continue. */
  readonly onResult?: ((result: ManyResult) => void) | undefined;
}

/** A plan as JSON: what another process needs to continue it. */
export interface SavedPlan {
  /** Part of every Idempotency-Key of the plan. */
  readonly token: string;
  readonly orders: readonly PlannedOrder[];
}

/** What `cancelMany` found. Nothing is cancelled before `run`. */
export interface Planned extends SavedPlan {
  readonly kind: 'planned';
  /** How many orders are in which state. */
  readonly summary: Readonly<Record<PlannedState, number>>;
  /**
   * Cancels the orders that are `will_cancel`, each by its jobId and under a key that the plan fixes: a job that is submitted after the
   * preview is never reached, and nothing is cancelled twice, however often `run` is called. It ends early when the
   * credential is refused or the service cannot be reached. Call it again: it takes what has not ended.
   * @returns the results of all runs, in the order of the orders
   */
  run(options?: RunOptions): Promise<readonly ManyResult[]>;
}

/** Fits into every body, whatever the characters are. */
const PREVIEWED_AT_ONCE = 10;
/** So many rounds in a row may find out nothing new. */
const IDLE_ROUNDS = 4;
/** An answer that the service expects later than this is not waited for: someone has to repair something first. */
const LONGEST_WAIT_MS = 60_000;
/** An order that is accepted is waited for so long before the next one begins, so that a slow Plangrep slows all. */
const PENDING_MS = 30_000;
/** So many `unavailable` or `unexpected` in a row mean that the service cannot be reached. */
const MOST_FAILED = 5;
/** How often a run tries what was `unavailable`. */
const RUN_ROUNDS = 3;

interface Previewed extends Told {
  readonly kind: 'previewed';
  readonly previews: readonly Preview[];
}

/** Asks for a preview of every order; again for what is `unresolved`. @throws the signal's reason */
export async function previewMany(
  settings: Settings,
  orders: readonly Order[],
  { onProgress, ...options }: ManyOptions = {},
): Promise<{ readonly kind: 'previewed'; readonly orders: readonly PlannedOrder[] } | Failure> {
  const { clock } = settings;
  const call = { signal: options.signal };
  const known = new Map<string, Preview>();
  let failure: Failure | undefined;
  let failed = 0;
  for (let idle = 0; idle < IDLE_ROUNDS; ) {
    const left = orders.filter(({ externalId }) => (known.get(externalId)?.state ?? 'unresolved') === 'unresolved');
    let waitMs = 0;
    let resolved = 0;
    await inTurn(settings, inParts(left), options, async (part) => {
      const externalIds = part.map(({ externalId }) => externalId);
      const sent = await send(
        settings,
        { method: 'POST', path: 'cancellation-previews', content: { externalIds } },
        call,
      );
      const previewed = (body: unknown, told: Told): Previewed | false =>
        isPreviewList(body) && { ...body, kind: 'previewed', ...told };
      const result = interpret<Previewed, never>(sent, previewed);
      if (result.kind === 'previewed') {
        for (const preview of result.previews) {
          known.set(preview.externalId, preview);
          if (preview.state !== 'unresolved') resolved += 1;
        }
        // Plangrep did not answer for all: it may limit its callers.
        if (sent.retryAfterMs !== undefined) settings.pace.calm = 0;
        failed = 0;
      } else if (result.kind !== 'unavailable' || (failed += 1) >= MOST_FAILED) {
        failure = result.kind === 'invalid' ? { ...result, errors: result.errors.map(inOrders(orders, part)) } : result;
      }
      waitMs = Math.max(waitMs, sent.retryAfterMs ?? (result.kind === 'unavailable' ? 1000 : 0));
      onProgress?.({ phase: 'preview', done: orders.length - left.length + resolved, of: orders.length });
      return failure === undefined;
    });
    if (failure !== undefined) return failure;
    if (waitMs === 0 || waitMs > LONGEST_WAIT_MS) break;
    idle = resolved > 0 ? 0 : idle + 1;
    if (idle < IDLE_ROUNDS) await clock.sleep(waitMs, options.signal);
  }
  const unknown = { state: 'unresolved', jobId: null, jobStatus: null, candidates: [] } as const;
  return {
    kind: 'previewed',
    orders: orders.map((order) => ({ ...unknown, ...known.get(order.externalId), ...order })),
  };
}

const inParts = (orders: readonly Order[]): readonly (readonly Order[])[] =>
  Array.from({ length: Math.ceil(orders.length / PREVIEWED_AT_ONCE) }, (_, n) =>
    orders.slice(n * PREVIEWED_AT_ONCE, (n + 1) * PREVIEWED_AT_ONCE),
  );

/** The service names a field of one part: `externalIds.3`. */
const inOrders =
  (orders: readonly Order[], part: readonly Order[]) =>
  ({ path, message }: FieldError): FieldError => {
    const order = part[Number(path.split('.')[1])];
    return { path: order === undefined ? path : `orders.${orders.indexOf(order)}.externalId`, message };
  };

/**
 * A plan over orders that were previewed.
 * @param earlier results of runs in another process
 */
export function createPlan(
  client: Pick<CancellationClient, 'cancel' | 'waitUntilClosed'>,
  settings: Settings,
  { token, orders }: SavedPlan,
  earlier: readonly ManyResult[] = [],
): Planned {
  const results = new Map(earlier.map((result) => [result.externalId, result]));
  const targets = orders.flatMap((order) =>
    order.state === 'will_cancel' && order.jobId !== null ? [{ ...order, jobId: order.jobId }] : [],
  );
  type Target = (typeof targets)[number];
  const resultOf = ({ externalId }: Target): CancelResult | undefined => results.get(externalId)?.result;

  async function cancelOne(target: Target, call: CallOptions): Promise<CancelResult> {
    const { externalId, jobId, reason } = target;
    const idempotencyKey = `${token}-${jobId}`;
    const before = resultOf(target);
    // What an earlier run left pending is on record: to send it again would only add a record of that.
    const result =
      before?.kind === 'pending' ? before : await client.cancel({ externalId, jobId, reason, idempotencyKey }, call);
    if (result.kind !== 'pending') return result;
    const waited = await client.waitUntilClosed(result.cancellation, { ...call, timeoutMs: PENDING_MS });
    // Without the scope to read, or without an answer, it is what it was: accepted.
    return 'cancellation' in waited ? waited : result;
  }

  async function run({ onProgress, onResult, signal, concurrency }: RunOptions = {}): Promise<readonly ManyResult[]> {
    let failed = 0;
    for (let round = 0; round < RUN_ROUNDS; round += 1) {
      const isOpen = round === 0 ? isNotEnded : isUnanswered;
      const open = targets.filter((target) => isOpen(resultOf(target)));
      let done = targets.length - open.length;
      const isWhole = await inTurn(settings, open, { signal, concurrency }, async (target) => {
        const result = await cancelOne(target, { signal });
        if (result.kind === 'unauthorized' || result.kind === 'forbidden') return false;
        const ended = { externalId: target.externalId, jobId: target.jobId, result };
        results.set(target.externalId, ended);
        onResult?.(ended);
        failed = result.kind === 'unavailable' || result.kind === 'unexpected' ? failed + 1 : 0;
        if (failed === 0) done += 1;
        onProgress?.({ phase: 'run', done, of: targets.length });
        return failed < MOST_FAILED;
      });
      if (!isWhole) break;
    }
    return targets.flatMap(({ externalId }) => results.get(externalId) ?? []);
  }

  return {
    kind: 'planned',
    token,
    orders,
    summary: summarize(orders),
    run,
  };
}

const isUnanswered = (result: CancelResult | undefined): boolean => (result?.kind ?? 'unavailable') === 'unavailable';

const isNotEnded = (result: CancelResult | undefined): boolean =>
  result === undefined || result.kind === 'pending' || !('cancellation' in result);

function summarize(orders: readonly PlannedOrder[]): Planned['summary'] {
  const summary = {
    will_cancel: 0,
    under_way: 0,
    already_ended: 0,
    unknown_to_plangrep: 0,
    ambiguous: 0,
    not_found: 0,
    unresolved: 0,
  };
  // A newer service may have more states. Nothing is done about them.
  for (const { state } of orders) summary[Object.hasOwn(summary, state) ? state : 'unresolved'] += 1;
  return summary;
}
