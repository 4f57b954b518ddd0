import { setTimeout as sleep } from 'node:timers/promises';
import { positionOf, type StreamRecord } from './stream-records.ts';
import type { TableStreams } from './table-streams.ts';

export interface ConsumerOptions {
  readonly table: string;
  /** By which the next process knows how far this consumer has read. */
  readonly name: string;
  readonly batchSize: number;
  /** How long records gather until a batch is full. @default 0 */
  readonly windowMs?: number | undefined;
  /**
   * Takes a batch. What it has not taken comes again.
   * @returns how many records it has taken, from the first one on; none when it throws
   */
  readonly take: (records: readonly StreamRecord[]) => Promise<number>;
  /** Until the second try; each further wait is twice as long, up to a minute. @default 1_000 */
  readonly retryMs?: number | undefined;
}

const LONGEST_WAIT_MS = 60_000;
/** New records are left to gather for so long: a consumer that followed each write at once would slow the writers. */
const GATHER_MS = 25;

/**
 * Reads a table's stream from its oldest record on, in order, at least once: a record counts as read when it was taken,
 * and a process that is killed in between takes it again.
 */
export function consumeStream(
  streams: TableStreams,
  { table, name, batchSize, windowMs = 0, take, retryMs = 1_000 }: ConsumerOptions,
): { close(): Promise<void> } {
  const closing = new AbortController();
  const { signal } = closing;
  let wake = (): void => undefined;
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);

  /** Waits until a batch is full, for the window at most, once there is a record. */
  const gather = async (position: number): Promise<void> => {
    const until = Date.now() + windowMs;
    for (;;) {
      const waiting = (await streams.latest(table)) - position;
      if (waiting === 0 || waiting >= batchSize || signal.aborted || Date.now() >= until) return;
      await pause(Math.min(GATHER_MS, until - Date.now()));
    }
  };
  type Taken = { readonly kind: 'none' | 'all' | 'some'; readonly position: number };
  const takeNext = async (position: number): Promise<Taken> => {
    await gather(position);
    const records = await streams.read(table, position, batchSize);
    if (records.length === 0 || signal.aborted) return { kind: 'none', position };
    const taken = await take(records).catch(() => 0);
    const last = records[taken - 1];
    if (last === undefined) return { kind: 'some', position };
    const next = positionOf(last.dynamodb.SequenceNumber);
    await streams.advance(table, name, next);
    return { kind: taken === records.length ? 'all' : 'some', position: next };
  };
  const run = async (): Promise<void> => {
    const unwatch = await streams.watch(table, () => wake());
    let position = await streams.checkpoint(table, name);
    let waitMs = retryMs;
    while (!signal.aborted) {
      // From before the read, so that what comes meanwhile counts.
      const more = new Promise<void>((resolve) => (wake = resolve));
      const next: Taken = await takeNext(position).catch(() => ({ kind: 'some', position }));
      if (next.position > position) waitMs = retryMs;
      ({ position } = next);
      if (next.kind === 'some') {
        await pause(waitMs);
        waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
      } else if (next.kind === 'none') {
        if (!signal.aborted) await more;
        await pause(GATHER_MS);
      }
    }
    unwatch();
  };
  const running = run();
  return {
    async close() {
      closing.abort();
      wake();
      await running;
    },
  };
}
