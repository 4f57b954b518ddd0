import * as z from 'zod/mini';
import type { ScannedRecord } from './scan-log.ts';
import type { ArchivedChange } from '../../../functions/core/archive-audit/replay-record.ts';
import { archivedLineSchema, archivedRecord } from '../../../functions/core/archive/archived-line.ts';
import type { PlacedLine } from '../../../functions/core/archive-audit/verify-object.ts';
import type { Known } from '../../../functions/core/archive-audit/verify-archived.ts';

// What is known of a record, as a line of text that sorts by partition, record, source, time and number of the change: for
// `sort-on-disk.ts`. Parts are JSON, which has no tab and no line break.

const sources = { sealed: '0', unsealed: '1', table: '2' } as const;

/** A line to sort by record: a change from the archive. */
export function lineOfChange(source: 'sealed' | 'unsealed', { partition, key, record, ...change }: PlacedLine): string {
  const { sequence, at, change: kind, object, line } = change;
  const digits = sequence.replace(/^0+(?=\d)/, '').padStart(40, '0');
  const meta = JSON.stringify([sequence, at, kind, object, line]);
  return [
    quote(partition),
    quote(key),
    `${sources[source]}${at}${digits}`,
    meta,
    JSON.stringify(archivedRecord(record)),
  ].join('\t');
}

/** Without its texts: they must not be on this machine's disk. */
export function lineOfStored({ partition, record }: ScannedRecord): string {
  return [quote(partition), quote(record.key), sources.table, '', JSON.stringify(archivedRecord(record.fields))].join(
    '\t',
  );
}

const { shape } = archivedLineSchema;
const metaSchema = z.tuple([shape.sequence, shape.at, shape.change, z.string(), z.int()]);

export interface KnownRecord extends Known {
  readonly partition: string;
  readonly key: string;
}

/** @param lines sorted */
export function* readKnownRecords(lines: Iterable<string>): Generator<KnownRecord> {
  let group:
    | {
        readonly name: string;
        readonly sealed: ArchivedChange[];
        readonly unsealed: ArchivedChange[];
        inTable?: string;
      }
    | undefined;
  for (const text of lines) {
    const [partition = '', key = '', source = '', meta = '', record = ''] = text.split('\t');
    const name = `${partition}\t${key}`;
    if (group?.name !== name) {
      if (group !== undefined) yield nameKnown(group);
      group = { name, sealed: [], unsealed: [] };
    }
    if (source === sources.table) {
      group.inTable = record;
      continue;
    }
    const [sequence, at, change, object, line] = metaSchema.parse(JSON.parse(meta));
    group[source.startsWith(sources.sealed) ? 'sealed' : 'unsealed'].push({
      sequence,
      at,
      change,
      object,
      line,
      record,
    });
  }
  if (group !== undefined) yield nameKnown(group);
}

function nameKnown({ name, ...known }: Known & { readonly name: string }): KnownRecord {
  const [partition = '', key = ''] = name.split('\t');
  return { ...known, partition: unquote(partition), key: unquote(key) };
}

function quote(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function unquote(text: string): string {
  return String(JSON.parse(`"${text}"`));
}
