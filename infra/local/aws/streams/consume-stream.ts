import { setTimeout as sleep } from 'node:timers/promises';
import { positionOf, type StreamRecord } from './stream-records.ts';
import type { TableStreams } from './table-streams.ts';

export interface ConsumerOptions {
  readonly table: string;
  /** By which the next process knows how far this consumer has read. */
  readonly name: string;
  readonly batchSize: number;
  /** Takes a batch. The same batch, or one that begins alike, comes again until it succeeds. */
  readonly take: (records: readonly StreamRecord[]) => Promise<void>;
  /** Until the second try; each further wait is twice as long, up to a minute. @default 1_000 */
  readonly retryMs?: number | undefined;
}

const LONGEST_WAIT_MS = 60_000;
/** New records are left to gather for so long: a consumer that followed each write at once would slow the writers. */
const GATHER_MS = 25;

/**
 * Reads a table's stream from its oldest record on, in order, at least once: a batch counts as read when it was taken,
 * and a process that is killed in between takes it again.
 */
export function consumeStream(
  streams: TableStreams,
  { table, name, batchSize, take, retryMs = 1_000 }: ConsumerOptions,
): { close(): Promise<void> } {
  const closing = new AbortController();
  const { signal } = closing;
  let wake = (): void => undefined;
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);

  /** @returns up to where the next batch goes; undefined: there is none */
  const takeNext = async (position: number): Promise<number | undefined> => {
    const records = await streams.read(table, position, batchSize);
    const last = records.at(-1);
    if (last === undefined) return undefined;
    await take(records);
    const taken = positionOf(last.dynamodb.SequenceNumber);
    await streams.advance(table, name, taken);
    return taken;
  };
  const run = async (): Promise<void> => {
    const unwatch = await streams.watch(table, () => wake());
    let position = await streams.checkpoint(table, name);
    let waitMs = retryMs;
    while (!signal.aborted) {
      // From before the read, so that what comes meanwhile counts.
      const more = new Promise<void>((resolve) => (wake = resolve));
      const next = await takeNext(position).catch(() => 'failed' as const);
      if (next === 'failed') {
        await pause(waitMs);
        waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
      } else if (next === undefined) {
        if (!signal.aborted) await more;
        await pause(GATHER_MS);
      } else {
        position = next;
        waitMs = retryMs;
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
