import { CLOCK_SKEW_MS, type Finding } from '../audit/findings.ts';
import { createPartitionVerifier, type PartitionVerifier, type Verdict } from '../audit/verify-partition.ts';
import { parseEventKey } from '../cancellation/stream-key.ts';
import { timestampSchema } from '../identifiers.ts';
import type { ArchiveFinding, ArchiveFindingCode } from './archive-findings.ts';
import { type ArchivedChange, fieldsOf, isDue, type Replay, replayRecord } from './replay-record.ts';

/** A record of the table may reach the archive this much later. */
export const ARCHIVE_LAG_MS = 5 * 60_000;

/** What is known of one record. */
export interface Known {
  /** In the order of their times, and of their numbers. */
  readonly sealed: readonly ArchivedChange[];
  /** In objects that no digest names yet: they excuse a difference, and prove nothing. */
  readonly unsealed: readonly ArchivedChange[];
  /** The record in the table, in JSON as `archivedRecord` has it. */
  readonly inTable?: string | undefined;
}

/** The table that the archive is held against. */
export interface TableBeside {
  /** When it was read, in milliseconds since 1970. */
  readonly nowMs: number;
  /** Until when the archive is sealed. */
  readonly sealedUntilMs: number;
}

export interface ArchivedVerdict {
  readonly findings: readonly (Finding | ArchiveFinding)[];
  /** Of the partition; several if it was used again after all of it had expired. */
  readonly verdicts: readonly Verdict[];
  /** Lines that were there more than once. At least once means: harmless. */
  readonly duplicates: number;
  /** Records of the table that are too new to be sealed. */
  readonly waiting: number;
}

export interface ArchivedVerifier {
  /** Takes the next record, in the order of the sort keys. */
  add(key: string, known: Known): void;
  end(): ArchivedVerdict;
}

/**
 * Verifies one partition by the archive: the changes of each record, the chain of its events, and, where the table is given,
 * each of its records against the archived one. Memory holds the partition's events and findings.
 */
export function createArchivedVerifier(stream: string, table: TableBeside | undefined): ArchivedVerifier {
  const findings: ArchiveFinding[] = [];
  const partitions: PartitionVerifier[] = [];
  const lost: string[] = [];
  const inTable = { records: 0, newestEvent: 0 };
  let [duplicates, waiting] = [0, 0];
  const find = (code: ArchiveFindingCode, what: string, record?: string): void =>
    void findings.push({ code, stream, ...(record !== undefined && { record }), what });
  return {
    add(key, known) {
      const replay = replayRecord(known.sealed);
      for (const { code, change, what } of replay.findings) {
        findings.push({ code, stream, record: key, object: change.object, line: change.line, what });
      }
      duplicates += replay.duplicates;
      for (const [life, { record, wasErased }] of replay.lives.entries()) {
        partitions[life] ??= createPartitionVerifier(stream, { shards: 0, nowMs: 0, isArchive: true });
        partitions[life].add({ key, fields: fieldsOf(record), wasErased });
      }
      if (table === undefined) return;
      if (known.inTable !== undefined) {
        inTable.records += 1;
        inTable.newestEvent = Math.max(inTable.newestEvent, parseEventKey(key) ?? 0);
      }
      const difference = compare(replay, known, table);
      if (difference === 'waiting') waiting += 1;
      else if (difference === 'deleted') lost.push(key);
      else if (difference !== undefined) find(difference, differences[difference], key);
    },
    end() {
      reportLost();
      const verdicts = partitions.map((partition) => partition.end());
      return {
        findings: [...verdicts.flatMap((verdict) => verdict.findings), ...findings],
        verdicts,
        duplicates,
        waiting,
      };
    },
  };

  function reportLost(): void {
    const [first] = lost;
    if (first === undefined) return;
    if (inTable.records === 0) {
      find('deleted', `The table has lost all of it: ${lost.length} records of the archive that had not expired.`);
      return;
    }
    const newest = lost.filter((key) => (parseEventKey(key) ?? 0) > inTable.newestEvent);
    const [cut] = newest;
    if (cut !== undefined) {
      find('cut_off', `The table has lost the newest events of the stream: ${newest.length} from ${cut} on.`, cut);
    }
    for (const key of lost) {
      if (!newest.includes(key)) find('deleted', 'The table has lost the record, which the archive has.', key);
    }
  }
}

const differences = {
  differs: 'The record in the table is not the one in the archive.',
  inserted:
    'The table has the record, and the archive, which is sealed beyond its time, has not: it was put in without the stream, or its time is false.',
} as const;

function compare(
  { standing, lives }: Replay,
  { unsealed, inTable }: Known,
  { nowMs, sealedUntilMs }: TableBeside,
): keyof typeof differences | 'deleted' | 'waiting' | undefined {
  const archived = standing === 'there' ? lives.at(-1)?.record : undefined;
  if (inTable === undefined) {
    if (archived === undefined || unsealed.some(({ change }) => change === 'expired')) return undefined;
    return isDue(archived, nowMs + CLOCK_SKEW_MS) ? undefined : 'deleted';
  }
  if (archived !== undefined) return archived === inTable ? undefined : 'differs';
  if (standing === 'foreign') return undefined;
  if (unsealed.length > 0) return 'waiting';
  const { data: at } = timestampSchema.safeParse(fieldsOf(inTable)['at']);
  if (at === undefined) return 'inserted';
  // A record of the future would otherwise wait for ever.
  const isNew = Date.parse(at) > sealedUntilMs - ARCHIVE_LAG_MS && Date.parse(at) <= nowMs + CLOCK_SKEW_MS;
  return isNew ? 'waiting' : 'inserted';
}
