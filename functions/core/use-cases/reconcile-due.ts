import { toTimestamp } from '../identifiers.ts';
import type { AttemptPorts, WakeUp } from '../ports.ts';
import { reconcileCancellation } from './reconcile-cancellation.ts';
import { reportFailure } from '../report.ts';

/** Cancellations looked at at once: what one run may ask of Plangrep at a time. */
const AT_ONCE = 10;
/** Wake-ups read at once from each shard. */
const PAGE = 50;
/** What looking at one may take at most: two calls to Plangrep and the writes around them. */
const ONE_LOOK_MS = 14_000;
/** A wake-up that a door wrote meanwhile is seen at least this soon. */
const LONGEST_NAP_MS = 5_000;
const SHORTEST_NAP_MS = 250;
/** No wake-up at all: later than any run. */
const FAR = '9999-12-31T23:59:59.999Z';

export interface ReconcileSummary {
  readonly looked: number;
  readonly failed: number;
  /** Milliseconds that the longest due wake-up had waited when this run began. */
  readonly oldestDueMs: number;
}

/**
 * One run of the reconciler: works through due wake-ups while its time lasts, and naps until the next one is due if
 * that is within its time. One that fails does not stop the others: its wake-up stays.
 * @param untilMs milliseconds since 1970: the run is over by then
 */
export const reconcileDue = async (ports: AttemptPorts, untilMs: number): Promise<ReconcileSummary> => {
  const { log, clock, report } = ports;
  const started = clock.now();
  const summary = { looked: 0, failed: 0, oldestDueMs: 0 };
  /** The index is a moment behind: what this run has dealt with may still show up in it. */
  const dealtWith = new Set<string>();
  const nameOf = ({ partnerId, jobId, seq, wakeAt }: WakeUp): string => `${partnerId}#${jobId}#${seq}#${wakeAt}`;
  const isDealtWith = (wakeUp: WakeUp): boolean => dealtWith.has(nameOf(wakeUp));
  const look = async (wakeUp: WakeUp): Promise<void> => {
    const { partnerId, jobId } = wakeUp;
    dealtWith.add(nameOf(wakeUp));
    summary.looked += 1;
    try {
      await reconcileCancellation(ports, wakeUp, untilMs);
    } catch (error) {
      summary.failed += 1;
      reportFailure(report, error, { partnerId, jobId });
    }
  };

  /** A shard that cannot be read now does not stop the others: its wake-ups stay. */
  const readShard = async (shard: number): Promise<readonly WakeUp[]> => {
    try {
      return await log.wakeUps(shard, PAGE);
    } catch (error) {
      summary.failed += 1;
      reportFailure(report, error, { shard: String(shard) });
      return [];
    }
  };

  while (clock.now() < untilMs - ONE_LOOK_MS) {
    // One after the other, over one connection: opening more costs a cold start more than the waiting.
    const pages: (readonly WakeUp[])[] = [];
    for (let shard = 0; shard < log.shards; shard += 1) pages.push(await readShard(shard));
    const pending = pages
      .flat()
      .filter((wakeUp) => !isDealtWith(wakeUp))
      .toSorted((a, b) => (a.wakeAt < b.wakeAt ? -1 : 1));
    const now = clock.now();
    const due = pending.filter(({ wakeAt }) => wakeAt <= toTimestamp(now));
    const [first] = pending;
    if (summary.looked === 0 && first !== undefined) {
      summary.oldestDueMs = Math.max(0, started - Date.parse(first.wakeAt));
    }
    if (due.length > 0) {
      await eachAtMost(AT_ONCE, due, look, () => clock.now() < untilMs - ONE_LOOK_MS);
      continue;
    }
    // A full page of nothing but what is dealt with may hide what is not: the index will have caught up in a moment.
    // One that holds anything else is in order, so what it hides is due no sooner.
    const hidesMore = pages.some((page) => page.length === PAGE && page.every(isDealtWith));
    const next = hidesMore ? now : Date.parse(first?.wakeAt ?? FAR);
    if (next > untilMs - ONE_LOOK_MS) break;
    await clock.sleep(Math.min(LONGEST_NAP_MS, Math.max(SHORTEST_NAP_MS, next - now)));
  }
  report('RECONCILED', { ...summary });
  return summary;
};

/** Runs `act` on every item, so many at a time, as long as there is time to begin another. */
const eachAtMost = async <Item>(
  atOnce: number,
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
  hasTime: () => boolean,
): Promise<void> => {
  const waiting = [...items];
  const work = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined && hasTime(); item = waiting.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
};
