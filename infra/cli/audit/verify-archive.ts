import { setImmediate } from 'node:timers/promises';
import type { ArchiveFinding } from '../../../functions/core/archive-audit/archive-findings.ts';
import {
  type Digest,
  DIGESTS_PREFIX,
  isObjectName,
  keyName,
  KEYS_PREFIX,
  RECORDS_PREFIX,
  type SealedObject,
} from '../../../functions/core/archive/digest.ts';
import { type PublicKey, readPublicKey } from '../../../functions/core/archive/public-key.ts';
import {
  type ArchivedVerifier,
  createArchivedVerifier,
} from '../../../functions/core/archive-audit/verify-archived.ts';
import { createDigestChain, type FoundDigest } from '../../../functions/core/archive-audit/verify-digests.ts';
import { readUnsealed, verifyObject } from '../../../functions/core/archive-audit/verify-object.ts';
import type { Finding } from '../../../functions/core/audit/findings.ts';
import { localEnvironment } from '../../local/seeds.ts';
import type { ArchiveSource } from './archive-source.ts';
import { addVerdict, type ArchiveTotals, noTotals } from './archive-totals.ts';
import { type KnownRecord, lineOfChange, lineOfStored, readKnownRecords } from './known-records.ts';
import { readAhead } from './read-ahead.ts';
import type { LogTable } from './scan-log.ts';
import { createDiskSort, type DiskSort, openWorkFolder, type WorkFolder } from './sort-on-disk.ts';
import { verifyTable } from './verify-table.ts';

export interface ArchiveAudit {
  readonly archive: ArchiveSource;
  /** The keys that the auditor trusts. */
  readonly keys: readonly PublicKey[];
  /** The SHA-256 of digests that the auditor noted before. */
  readonly kept: readonly string[];
  /** What the archive is held against. */
  readonly table: Omit<LogTable, 'onProgress' | 'onRecord'> | undefined;
  readonly nowMs: number;
  readonly onProgress: (what: string, records: number) => void;
}

/** A finding, and where: in the archive, or in the table beside it. */
export type AuditFinding = (Finding | ArchiveFinding) & { readonly source: 'archive' | 'table' };

export interface ArchiveSummary {
  readonly totals: Readonly<ArchiveTotals>;
  readonly newest: FoundDigest | undefined;
}

/** So many objects are read at once. */
const OBJECTS_AT_ONCE = 16;
const DIGESTS_AT_ONCE = 4;

/**
 * Verifies an archive: its digests, the objects that they name, the chains of events in these, and, if a table is given, the
 * table's own chains and each of its records against the archive.
 *
 * Memory holds a few objects, a run of sorted lines and one partition's events, whatever the archive's size: the lines are
 * sorted by partition in temporary files (`sort-on-disk.ts`), without any partner's text.
 * @throws CannotDo (2) when the archive or the table cannot be read
 */
export async function* verifyArchive(audit: ArchiveAudit): AsyncGenerator<AuditFinding, ArchiveSummary> {
  const folder = openWorkFolder();
  try {
    return yield* verify(audit, folder);
  } finally {
    folder.remove();
  }
}

async function* verify(audit: ArchiveAudit, folder: WorkFolder): AsyncGenerator<AuditFinding, ArchiveSummary> {
  const { table } = audit;
  const totals = noTotals();
  const work = { audit, totals, records: createDiskSort(folder, 'records'), names: createDiskSort(folder, 'names') };
  yield* ofArchive(verifyKeys(audit));
  const newest = yield* ofArchive(verifySealed(work));
  yield* ofArchive(readRest(work, newest));
  if (table !== undefined) yield* verifyBeside(work, table);
  const beside = table && { nowMs: Date.now(), sealedUntilMs: Date.parse(newest?.digest.until ?? '') || 0 };
  yield* verifyRecords(work, beside);
  return { totals, newest };
}

interface Work {
  readonly audit: ArchiveAudit;
  readonly totals: ArchiveTotals;
  /** All that is known of every record. */
  readonly records: DiskSort;
  /** The names of objects: those that are listed, and those that digests name. */
  readonly names: DiskSort;
}

async function* ofArchive<Ended>(found: AsyncGenerator<ArchiveFinding, Ended>): AsyncGenerator<AuditFinding, Ended> {
  for (;;) {
    const next = await found.next();
    if (next.done === true) return next.value;
    yield { source: 'archive', ...next.value };
  }
}

/** The archive's own copies of its keys: they prove nothing, but a wrong one would mislead the next auditor. */
async function* verifyKeys({ archive }: ArchiveAudit): AsyncGenerator<ArchiveFinding> {
  for await (const { name } of archive.list(KEYS_PREFIX)) {
    const key = readPublicKey(String(await archive.read(name)));
    if (key !== undefined && name === keyName(key.fingerprint)) continue;
    const what = `${name} is not the key that its name says: take public keys from the operator, never from the archive alone.`;
    yield { code: 'key_replaced', object: name, what };
  }
}

/** Verifies the digests and the objects that they name. */
async function* verifySealed({
  audit,
  totals,
  records,
  names,
}: Work): AsyncGenerator<ArchiveFinding, FoundDigest | undefined> {
  const { archive, onProgress } = audit;
  const chain = createDigestChain({ ...audit, isAlwaysUp: (environment) => environment !== localEnvironment });
  const read = async ({ name }: { readonly name: string }) => ({
    name,
    text: String((await archive.read(name)) ?? ''),
  });
  for await (const { name, text } of readAhead(archive.list(DIGESTS_PREFIX), DIGESTS_AT_ONCE, read)) {
    const { findings, digest } = chain.add(name, text);
    yield* findings;
    for await (const [sealed, bytes] of readObjects(archive, digest)) {
      names.add(lineOfName(sealed.name, named));
      totals.objects += 1;
      if (bytes === undefined) {
        const what = `${sealed.name} is not there: ${name} seals it with ${sealed.records} records.`;
        yield { code: 'object_missing', object: sealed.name, what };
        continue;
      }
      const { findings: ofObject, lines } = verifyObject(sealed, bytes);
      yield* ofObject;
      for (const line of lines) records.add(lineOfChange('sealed', line));
      totals.records += lines.length;
      onProgress('read from the archive', totals.records);
    }
  }
  const { findings, digests, late, newest } = chain.end();
  totals.digests = digests;
  totals.late = late;
  yield* findings;
  return newest;
}

function readObjects(archive: ArchiveSource, digest: Digest | undefined) {
  const read = async (sealed: SealedObject) => [sealed, await archive.read(sealed.name)] as const;
  return readAhead(digest?.objects ?? [], OBJECTS_AT_ONCE, read);
}

const named = '0';

/** Quoted: the name of an object may have a tab or a line break in it, and would then pass for another name. */
function lineOfName(name: string, mark: string): string {
  return `${JSON.stringify(name)}\t${mark}`;
}

/** Looks at the objects that no digest names: too new to be sealed, or inserted. */
async function* readRest(
  { audit, totals, records, names }: Work,
  newest: FoundDigest | undefined,
): AsyncGenerator<ArchiveFinding> {
  const { archive } = audit;
  for await (const { name, modifiedMs } of archive.list(RECORDS_PREFIX)) names.add(lineOfName(name, `1${modifiedMs}`));
  // The next digest names what was put after the newest one began, so only what is older is certainly named by none.
  const sealedBeforeMs = Date.parse(newest?.digest.from ?? '');
  let lastNamed = '';
  for (const line of names.sorted()) {
    const [quoted = '', mark = ''] = line.split('\t');
    if (mark === named) lastNamed = quoted;
    if (mark === named || quoted === lastNamed) continue;
    const name = String(JSON.parse(quoted));
    if (!isObjectName(name)) {
      const what = `${name} is not a name that the archive has: it was inserted, and no digest will name it.`;
      yield { code: 'object_inserted', object: name, what };
    } else if (Number(mark.slice(1)) <= sealedBeforeMs) {
      const what = `No digest names ${name}, and one should: it was inserted, or the digest that names it is gone.`;
      yield { code: 'object_inserted', object: name, what };
    }
    const lines = readUnsealed(name, (await archive.read(name)) ?? Buffer.alloc(0));
    for (const placed of lines) records.add(lineOfChange('unsealed', placed));
    totals.unsealedObjects += 1;
    totals.unsealed += lines.length;
  }
}

/** Verifies the table's own chains, and takes its records for the comparison. */
async function* verifyBeside({ audit, totals, records }: Work, table: LogTable): AsyncGenerator<AuditFinding> {
  const source: LogTable = {
    ...table,
    onProgress: (items) => audit.onProgress('read from the table', items),
    onRecord: (scanned) => {
      records.add(lineOfStored(scanned));
      totals.inTable += 1;
    },
  };
  for await (const { findings } of verifyTable(source)) {
    for (const finding of findings) yield { source: 'table', ...finding };
  }
}

/** How many records are verified before the process looks at anything else, such as Ctrl-C. */
const RECORDS_AT_ONCE = 2_000;

async function* verifyRecords(
  { audit, totals, records }: Work,
  beside: Parameters<typeof createArchivedVerifier>[1],
): AsyncGenerator<AuditFinding> {
  let current: { readonly partition: string; readonly verifier: ArchivedVerifier } | undefined;
  let [seen, verified] = [0, 0];
  for (const known of readKnownRecords(records.sorted())) {
    if (current?.partition !== known.partition) {
      if (current !== undefined) yield* endPartition(current.verifier, totals);
      current = { partition: known.partition, verifier: createArchivedVerifier(known.partition, beside) };
    }
    current.verifier.add(known.key, known);
    seen += countLines(known);
    if (seen < RECORDS_AT_ONCE) continue;
    verified += seen;
    seen = 0;
    audit.onProgress('verified', verified);
    await setImmediate();
  }
  if (current !== undefined) yield* endPartition(current.verifier, totals);
}

function countLines({ sealed, unsealed, inTable }: KnownRecord): number {
  return sealed.length + unsealed.length + (inTable === undefined ? 0 : 1);
}

function* endPartition(verifier: ArchivedVerifier, totals: ArchiveTotals): Generator<AuditFinding> {
  const { findings, verdicts, duplicates, waiting } = verifier.end();
  for (const finding of findings) yield { source: isOfTable(finding) ? 'table' : 'archive', ...finding };
  totals.duplicates += duplicates;
  totals.waiting += waiting;
  for (const verdict of verdicts) addVerdict(verdict, totals);
}

const ofTable: ReadonlySet<string> = new Set(['inserted', 'deleted', 'cut_off', 'differs']);

function isOfTable({ code }: Finding | ArchiveFinding): boolean {
  return ofTable.has(code);
}
