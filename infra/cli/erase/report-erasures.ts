import type { ErasedRecord } from '../../../functions/core/cancellation/erased.ts';
import { count, table } from '../terminal.ts';

/** One run of `ops erase`, over all the partitions that it erased from. */
export interface ReportedErasure extends Pick<ErasedRecord, 'erasureId' | 'at' | 'partnerId' | 'reasonCode' | 'by'> {
  /** How many records it names. One that was repeated after a crash names some again. */
  readonly records: number;
  /** Of the streams that it erased from. */
  readonly jobs: readonly string[];
  /** Of the refused requests that it erased from (UTC). */
  readonly days: readonly string[];
}

/** Adds up `erased` records: memory holds one entry for each erasure. */
export function createErasureReport() {
  const byId = new Map<string, ReportedErasure>();
  return {
    add({ erasureId, at, partnerId, reasonCode, by, records, jobId, day }: ErasedRecord): void {
      const before = byId.get(erasureId) ?? { records: 0, jobs: [], days: [] };
      byId.set(erasureId, {
        erasureId,
        at,
        partnerId,
        reasonCode,
        by,
        records: before.records + records,
        jobs: withOne(before.jobs, jobId),
        days: withOne(before.days, day),
      });
    },
    /** The oldest first. */
    list: (): readonly ReportedErasure[] => [...byId.values()].toSorted((a, b) => (a.at < b.at ? -1 : 1)),
  };
}

function withOne(all: readonly string[], one: string | undefined): readonly string[] {
  return one === undefined || all.includes(one) ? all : [...all, one];
}

/** Lines for a terminal. */
export function describeErasures(erasures: readonly ReportedErasure[]): readonly string[] {
  const rows = erasures.map(({ at, partnerId, records, reasonCode, by, jobs, days }) => [
    at,
    partnerId,
    count(records),
    reasonCode,
    by,
    [...jobs, ...days.map((day) => `refused on ${day}`)].join(', '),
  ]);
  return table(['ERASED AT', 'PARTNER', 'RECORDS', 'REASON', 'BY', 'FROM'], rows);
}
