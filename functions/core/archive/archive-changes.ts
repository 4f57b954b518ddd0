import { parseCallbackKey, parseEventKey, parseStreamKey } from '../cancellation/stream-key.ts';
import { toTimestamp } from '../identifiers.ts';
import type { Report } from '../report.ts';
import { archiveChange } from './archived-line.ts';
import { type ArchiveStore, readText } from './archive-store.ts';
import { objectName } from './digest.ts';
import { sha256 } from '../sha256.ts';
import { type Change, isForgery } from './judge-change.ts';

export interface ArchivingPorts {
  readonly archive: Pick<ArchiveStore, 'put' | 'read'>;
  readonly report: Report;
}

/**
 * - `archived`: the archive has a line of each change that belongs there.
 * - `conflict`: under the name that these changes have there is another object.
 */
export type Archiving = { readonly kind: 'archived'; readonly lines: number } | { readonly kind: 'conflict' };

/**
 * Puts changes of the log into the archive, as one object: the same changes always make the same object, so a repeat
 * writes nothing. Forgeries are reported first, so that an archive that does not answer delays no alarm.
 * @param changes in their order, of one batch
 * @throws DependencyUnavailable when the archive does not answer
 */
export async function archiveChanges(
  { archive, report }: ArchivingPorts,
  changes: readonly Change[],
): Promise<Archiving> {
  const archived = changes.map((change) => ({ change, ...archiveChange(change) }));
  for (const { kind, change } of archived) {
    if (isForgery(kind)) report('LOG_REWRITTEN', { kind, ...nameOf(change), sequence: change.sequence });
  }
  const erased = archived.filter(({ kind }) => kind === 'erased').length;
  if (erased > 0) report('RECORD_ERASED', { records: erased });
  const lines = archived.flatMap(({ line, change }) => (line === undefined ? [] : [{ line, change }]));
  const [first, last] = [lines[0]?.change, lines.at(-1)?.change];
  if (first === undefined || last === undefined) return { kind: 'archived', lines: 0 };
  const name = objectName(toTimestamp(first.atMs), [first.sequence, last.sequence]);
  const text = lines.map(({ line }) => `${line}\n`).join('');
  const put = await archive.put(name, text);
  if (put === 'exists' && (await readText(archive, name)) !== text) {
    report('ARCHIVE_ALTERED', { object: name });
    return { kind: 'conflict' };
  }
  report('RECORDS_ARCHIVED', { lines: lines.length, isRepeat: put === 'exists' });
  return { kind: 'archived', lines: lines.length };
}

/** The record's keys. A key that this service does not write may have any text in it, so its hash stands for it. */
function nameOf({ partition, key }: Change): { readonly partition: string; readonly key: string } {
  const isOurs = parseStreamKey(partition) !== undefined || /^[a-z0-9-]{1,40}#refused#\d{4}-\d\d-\d\d$/.test(partition);
  // Of a callback's attempt, what it tells of.
  const about = parseCallbackKey(key) ?? key;
  const isEvent = parseEventKey(about) !== undefined;
  const isBeside = /^((joined|#erased)#)?\d{4}-\d\d-\d\dT[\d:.]{8,12}Z#[\w.:#-]{1,200}$/.test(about);
  return {
    partition: isOurs ? partition : `sha256:${sha256(partition)}`,
    key: isEvent || isBeside ? key : `sha256:${sha256(key)}`,
  };
}
