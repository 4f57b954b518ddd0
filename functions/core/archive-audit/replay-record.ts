import { CLOCK_SKEW_MS } from '../audit/findings.ts';
import type { ArchiveFindingCode } from './archive-findings.ts';
import type { ArchivedLine } from '../archive/archived-line.ts';
import { parseJson } from '../parse-json.ts';
import { isForgery } from '../archive/judge-change.ts';

/** A change of one record, from the archive. */
export interface ArchivedChange extends Pick<ArchivedLine, 'sequence' | 'at' | 'change'> {
  /** The record as JSON: the same text for the same record. */
  readonly record: string;
  /** Where the line stands in the archive. */
  readonly object: string;
  readonly line: number;
}

/** A record from its writing to its end. */
export interface Life {
  readonly record: string;
  wasErased: boolean;
}

export interface Replay {
  readonly findings: readonly {
    readonly code: ArchiveFindingCode;
    readonly change: ArchivedChange;
    readonly what: string;
  }[];
  /** Each time it was written: its key may be used again after it expired. */
  readonly lives: readonly Life[];
  /** Lines that were there more than once. */
  readonly duplicates: number;
  /** What the table has of it now. `foreign`: not a record of this service. */
  readonly standing: 'unknown' | 'there' | 'gone' | 'foreign';
}

/**
 * Replays the changes of one record.
 * @param changes in the order of their times, and of their numbers; one that is there more than once stands together
 */
export function replayRecord(changes: readonly ArchivedChange[]): Replay {
  const findings: Replay['findings'][number][] = [];
  const lives: Life[] = [];
  let standing: Replay['standing'] = 'unknown';
  let duplicates = 0;
  let before: ArchivedChange | undefined;
  for (const change of changes) {
    const find = (code: ArchiveFindingCode, what: string): void => void findings.push({ code, change, what });
    if (before?.sequence === change.sequence) {
      if (isSame(before, change)) duplicates += 1;
      else
        find('contradicted', 'Another line tells the same change in another way: one of the two is not what happened.');
      continue;
    }
    before = change;
    if (isForgery(change.change)) find(change.change, forgeries[change.change]);
    const isThere = standing === 'there' || standing === 'foreign';
    const begins =
      change.change === 'written' || change.change === 'foreign' || (change.change === 'silenced' && !isThere);
    if (begins) {
      if (isThere)
        find('contradicted', 'It was written although it was there: this service never writes a record again.');
      if (change.change !== 'foreign') lives.push({ record: change.record, wasErased: false });
      standing = change.change === 'foreign' ? 'foreign' : 'there';
      continue;
    }
    if (!isThere) find('unwritten', 'It changes a record that no line before it has written: lines are missing.');
    const life = standing === 'there' ? lives.at(-1) : undefined;
    if (change.change === 'erased' || change.change === 'expired') {
      const isOther = life !== undefined && life.record !== change.record;
      if (isOther) find('contradicted', `It was ${change.change}, but the record is not the one that was written.`);
    }
    if (change.change === 'erased' && life !== undefined) life.wasErased = true;
    if (change.change === 'expired' && !wasDue(change)) find('removed', 'It was removed, and its time had not passed.');
    if (change.change === 'expired' || change.change === 'removed') standing = 'gone';
  }
  return { findings, lives, duplicates, standing };
}

const forgeries = {
  foreign: 'It is not a record of this service, and was written into its table.',
  rewritten: 'It was rewritten: a record never changes.',
  removed: 'It was removed before its time.',
  silenced: 'Its wake-up was set so late that nothing would look at the cancellation.',
} as const;

function isSame(a: ArchivedChange, b: ArchivedChange): boolean {
  return a.change === b.change && a.record === b.record && a.at === b.at;
}

function wasDue({ record, at }: ArchivedChange): boolean {
  return isDue(record, Date.parse(at) + CLOCK_SKEW_MS);
}

/** Whether the time to live of a record, in JSON, has passed. */
export function isDue(record: string, nowMs: number): boolean {
  const seconds = fieldsOf(record)['deleteAfter'];
  return typeof seconds === 'number' && seconds * 1_000 <= nowMs;
}

/** @param record a JSON object */
export function fieldsOf(record: string): Readonly<Record<string, unknown>> {
  return Object.assign({}, parseJson(record));
}
