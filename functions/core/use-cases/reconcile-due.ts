import { LATE_MS } from '../cancellation/pace.ts';
import { toTimestamp } from '../identifiers.ts';
import type { AttemptPorts, WakeUp, WakeUps } from '../ports.ts';
import { reportFailure, reportUnreadable } from '../report.ts';
import { reconcileCancellation } from './reconcile-cancellation.ts';

/** Wake-ups looked at at the same time: the most that one run asks of Plangrep at once. */
const AT_ONCE = 10;
/** Wake-ups taken at once from each shard. */
const PAGE = 50;
/** The longest that looking at one wake-up takes: two calls to Plangrep and the writes around them. */
const ONE_LOOK_MS = 14_000;
/** The index catches up with the table within moments. */
const INDEX_LAG_MS = 250;

export interface ReconcileSummary {
  readonly looked: number;
  /** Of these, cancellations that a message of the wake-up queue should have brought. */
  readonly lostByQueue: number;
  /** Looks and reads of shards that failed, and malformed wake-ups. */
  readonly failed: number;
  /**
   * Milliseconds for which the longest due wake-up had waited when this run began. Absent when a shard could not be
   * read: 0 would say that nothing waits.
   */
  readonly oldestDueMs?: number | undefined;
}

/** What a run of the reconciler keeps in mind. */
interface Run {
  readonly ports: AttemptPorts;
  readonly untilMs: number;
  /** The index lags behind the table: it may still show what this run has already looked at. */
  readonly lookedAt: Set<string>;
  /** Malformed wake-ups: each is reported once. */
  readonly unreadable: Set<string>;
  lostByQueue: number;
  failed: number;
}

/**
 * One run of the reconciler: works through the wake-ups that are late, while its time lasts. A wake-up that fails or is
 * malformed stays, and does not stop the others. What is due next is the wake-up queue's to bring.
 * @param untilMs milliseconds since 1970: the run is over by then
 */
export async function reconcileDue(ports: AttemptPorts, untilMs: number): Promise<ReconcileSummary> {
  const { clock, report } = ports;
  const startedMs = clock.now();
  const run: Run = { ports, untilMs, lookedAt: new Set(), unreadable: new Set(), lostByQueue: 0, failed: 0 };
  let oldestDueMs: number | undefined = 0;
  while (hasTime(run)) {
    const pages = await readShards(run);
    const pending = pages.flatMap(({ items }) => items).toSorted((a, b) => (a.wakeAt < b.wakeAt ? -1 : 1));
    const [first] = pending;
    if (run.lookedAt.size === 0) {
      if (pages.length < ports.log.shards) oldestDueMs = undefined;
      else if (first !== undefined) oldestDueMs = Math.max(0, startedMs - Date.parse(first.wakeAt));
    }
    const late = pending.filter(({ wakeAt }) => wakeAt <= toTimestamp(startedMs - LATE_MS));
    // A shard may have more wake-ups that this run has looked at than are read at once. A page that shows another one is
    // in order, so what it hides is due no sooner.
    const hidesMore = pages.some(({ items, isCut }) => isCut && items.length === 0);
    if (late.length === 0 && !hidesMore) break;
    if (late.length > 0) await lookAtEach(run, late);
    else await clock.sleep(INDEX_LAG_MS);
  }
  const { lostByQueue, failed } = run;
  const summary = { looked: run.lookedAt.size, lostByQueue, failed, oldestDueMs };
  report('RECONCILED', summary);
  return summary;
}

function hasTime({ ports, untilMs }: Run): boolean {
  return ports.clock.now() < untilMs - ONE_LOOK_MS;
}

function isLookedAt({ lookedAt }: Run, wakeUp: WakeUp): boolean {
  return lookedAt.has(nameOf(wakeUp));
}

function nameOf({ partnerId, jobId, seq, wakeAt }: WakeUp): string {
  return `${partnerId}#${jobId}#${seq}#${wakeAt}`;
}

/** One shard after the other, over one connection: to open more costs a cold start more time than the waiting. */
async function readShards(run: Run): Promise<readonly WakeUps[]> {
  const { log, report } = run.ports;
  const pages: WakeUps[] = [];
  for (let shard = 0; shard < log.shards; shard += 1) {
    try {
      const page = await log.wakeUps(shard, PAGE, (wakeUp) => isLookedAt(run, wakeUp));
      noteUnreadable(run, page.unreadable);
      pages.push(page);
    } catch (error) {
      run.failed += 1;
      reportFailure(report, error, { shard: String(shard) });
    }
  }
  return pages;
}

/** A malformed wake-up counts as failed: whose cancellation waits, and since when, is not known. */
function noteUnreadable(run: Run, keys: readonly string[]): void {
  const news = keys.filter((key) => !run.unreadable.has(key));
  for (const key of news) run.unreadable.add(key);
  run.failed += news.length;
  reportUnreadable(run.ports.report, 'cancellation-log', news);
}

/** Looks at wake-ups, {@link AT_ONCE} at a time, as long as there is time to begin another. */
async function lookAtEach(run: Run, wakeUps: readonly WakeUp[]): Promise<void> {
  const waiting = [...wakeUps];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && hasTime(run); next = waiting.shift()) await look(run, next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function look(run: Run, wakeUp: WakeUp): Promise<void> {
  const { partnerId, jobId } = wakeUp;
  run.lookedAt.add(nameOf(wakeUp));
  try {
    if ((await reconcileCancellation(run.ports, wakeUp, run.untilMs)) === 'message') run.lostByQueue += 1;
  } catch (error) {
    run.failed += 1;
    reportFailure(run.ports.report, error, { partnerId, jobId });
  }
}
