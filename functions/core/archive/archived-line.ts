import * as z from 'zod/mini';
import { erasableAttributes } from '../cancellation/commitment.ts';
import { schedulingAttributes } from '../cancellation/stream-key.ts';
import { timestampSchema, toTimestamp } from '../identifiers.ts';
import { parseJson } from '../parse-json.ts';
import { type Change, type ChangeKind, type Image, judgeChange } from './judge-change.ts';

/** The version of the archive's format: of its lines and digests. */
export const ARCHIVE_FORMAT = 1 as const;

/** One line of an archive's object. */
export const archivedLineSchema = z.strictObject({
  format: z.literal(ARCHIVE_FORMAT),
  /** A number that grows with every change of this record. A line that is there twice has the same. */
  sequence: z.string().check(z.regex(/^\d{1,40}$/)),
  /** When the table changed, to the second. */
  at: timestampSchema,
  change: z.enum(['written', 'erased', 'expired', 'foreign', 'rewritten', 'removed', 'silenced']),
  /** The record's partition key and sort key in the table. */
  partition: z.string(),
  key: z.string(),
  /** The record after the change; as it was, if it is gone. Never a text that can be erased, nor its salt, nor a wake-up. */
  // Not a record of zod, which leaves out an attribute `__proto__`.
  record: z.custom<Image>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
});
export type ArchivedLine = z.infer<typeof archivedLineSchema>;

/** A change as it goes into the archive: the same line on every delivery. */
export interface Archived {
  readonly kind: ChangeKind;
  /** JSON, without a line break. Absent for what no archive has. */
  readonly line: string | undefined;
}

/** What a change is, and its line. The same change always makes the same line. */
export function archiveChange(change: Change): Archived {
  const { sequence, atMs, partition, key, before, after } = change;
  const kind = judgeChange(change);
  if (kind === 'scheduled') return { kind, line: undefined };
  const record = archivedRecord(after ?? before ?? {});
  const line: ArchivedLine = {
    format: ARCHIVE_FORMAT,
    sequence,
    at: toTimestamp(atMs),
    change: kind,
    partition,
    key,
    record,
  };
  return { kind, line: JSON.stringify(line) };
}

const leftOut: ReadonlySet<string> = new Set([...erasableAttributes, ...schedulingAttributes]);

/** @returns what the archive keeps of a record, sorted by name, so that the same record makes the same line */
export function archivedRecord(image: Image): Record<string, unknown> {
  const kept = Object.entries(image).filter(([name, value]) => !leftOut.has(name) && value !== undefined);
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @returns undefined when the text is not a line of the archive, or holds what the archive never has */
export function readArchivedLine(text: string): ArchivedLine | undefined {
  const { data } = archivedLineSchema.safeParse(parseJson(text));
  return data === undefined || Object.keys(data.record).some((name) => leftOut.has(name)) ? undefined : data;
}
