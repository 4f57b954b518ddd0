import { functions, sealSchedule } from '../../../infra/blueprint/functions.ts';
import { logReaders } from '../../../infra/blueprint/streams/log-readers.ts';
import { MINUTES_PER_MONTH } from './cost-model.ts';
import { lambdaDollars, listPrices } from './list-prices.ts';

/** What the usual cancellation leaves in the log's stream, and in the archive. */
const perCancellation = {
  /** `requested`, `closed`, and the removal of the wake-up, which is not archived. */
  changes: 3,
  lines: 2,
  /** Of both lines: those of a local run. */
  bytes: 1_700,
} as const;

/** A new table on demand begins with so many partitions, and its stream has a shard of each. */
const SHARDS = 4;
/** To judge a batch and to put its object; to read one object and to measure it. */
const ARCHIVE_MS = 60;
const SEAL_MS = 20;

/**
 * What the sealed archive costs in a month, its key and its digests included: objects are written by the window, so few
 * cancellations cost nearly as much per object as many.
 */
export function auditDollars(cancellations: number): number {
  const { batchSize, windowSeconds } = logReaders.archive;
  const windows = (SHARDS * MINUTES_PER_MONTH * 60) / windowSeconds;
  /** Windows with at least one of so many, which come at random; and more batches than windows where they are full. */
  const busy = (count: number): number => Math.max(windows * (1 - Math.exp(-count / windows)), count / batchSize);
  const batches = busy(cancellations * perCancellation.changes);
  const objects = busy(cancellations * perCancellation.lines);
  const digests = MINUTES_PER_MONTH / sealSchedule.everyMinutes;
  const archive =
    batches * (listPrices.lambdaRequest + lambdaDollars(ARCHIVE_MS, functions['archive-records'].memoryMb)) +
    objects * listPrices.s3Put;
  const seal =
    objects * (listPrices.s3Get + lambdaDollars(SEAL_MS, functions['seal-archive'].memoryMb)) +
    // It lists three times, asks for the key twice, and signs once.
    digests * (4 * listPrices.s3Put + 3 * listPrices.kmsRequest + listPrices.lambdaRequest);
  // A year of it, as of the log.
  const stored = (12 * cancellations * perCancellation.bytes * listPrices.s3GbMonth) / 1e9;
  return listPrices.kmsKeyMonth + archive + seal + stored;
}
