import type { Verdict } from '../../../functions/core/audit/verify-partition.ts';

/** What was counted while an archive was verified. */
export interface ArchiveTotals {
  digests: number;
  /** Of these, those that sealed a longer stretch than allowed. */
  late: number;
  objects: number;
  /** Lines of sealed objects. */
  records: number;
  duplicates: number;
  streams: number;
  closed: number;
  events: number;
  joined: number;
  refused: number;
  callbacks: number;
  erased: number;
  /** Of objects that no digest names yet. */
  unsealedObjects: number;
  unsealed: number;
  /** Records of the table, and those of them that are too new to be sealed. */
  inTable: number;
  waiting: number;
}

/** Nothing counted yet. */
export function noTotals(): ArchiveTotals {
  return {
    digests: 0,
    late: 0,
    objects: 0,
    records: 0,
    duplicates: 0,
    streams: 0,
    closed: 0,
    events: 0,
    joined: 0,
    refused: 0,
    callbacks: 0,
    erased: 0,
    unsealedObjects: 0,
    unsealed: 0,
    inTable: 0,
    waiting: 0,
  };
}

/** Adds what was verified of one partition. */
export function addVerdict(verdict: Verdict, totals: ArchiveTotals): void {
  for (const kind of ['events', 'joined', 'refused', 'callbacks', 'erased'] as const) totals[kind] += verdict[kind];
  if (verdict.head === undefined) return;
  totals.streams += 1;
  if (verdict.head.closedAt !== undefined) totals.closed += 1;
}
