import type { Settings } from './send.ts';

const CONCURRENCY = 4;
/** After so many items without a 429 one more may be worked on beside the others. */
const CALM = 10;

export interface TurnOptions {
  readonly signal?: AbortSignal | undefined;
  /** @default 4 */
  readonly concurrency?: number | undefined;
}

/**
 * Works on items, a few at the same time, behind the client's other requests: begins with one, adds one after each ten items
 * without a 429, and after a 429 to any request of this client pauses for as long as that asked, then goes on with one.
 * @param work returns false to end early: what is under way still ends
 * @returns false if it ended early
 * @throws what the first piece of work that failed threw, and the signal's reason
 */
export async function inTurn<Item>(
  { clock, pace }: Settings,
  items: readonly Item[],
  { signal, concurrency = CONCURRENCY }: TurnOptions,
  work: (item: Item) => Promise<boolean>,
): Promise<boolean> {
  const mayRun = (): number => Math.min(concurrency, 1 + Math.floor(pace.calm / CALM));
  const workers: Promise<void>[] = [];
  let [next, running, isWhole] = [0, 0, true];
  let failed: { readonly error: unknown } | undefined;

  async function takeTurns(): Promise<void> {
    try {
      while (running <= mayRun()) {
        for (let ms = 0; (ms = pace.pausedUntilMs - clock.now()) > 0; ) await clock.sleep(ms, signal);
        signal?.throwIfAborted();
        const item = items[next];
        if (item === undefined) return;
        next += 1;
        if (!(await work(item))) [next, isWhole] = [items.length, false];
        pace.calm += 1;
        if (running < mayRun() && next < items.length) start();
      }
    } catch (error) {
      failed ??= { error };
      next = items.length;
    } finally {
      // Before anything else runs, so that the last one stays.
      running -= 1;
    }
  }
  function start(): void {
    running += 1;
    workers.push(takeTurns());
  }

  start();
  // It grows meanwhile.
  for (const worker of workers) await worker;
  if (failed !== undefined) throw failed.error;
  return isWhole;
}
