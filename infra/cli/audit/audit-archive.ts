import type { ExitCode } from '../command.ts';
import { count, labelled, paint, type Progress, printable } from '../terminal.ts';
import { type ArchiveAudit, type ArchiveSummary, type AuditFinding, verifyArchive } from './verify-archive.ts';

/** How a finding or the summary is printed. */
export type Print = (kind: 'finding' | 'summary', document: object, lines: readonly string[]) => void;

/** Verifies an archive and prints what it finds. */
export async function auditArchive(
  audit: Omit<ArchiveAudit, 'onProgress'>,
  { print, progress }: { readonly print: Print; readonly progress: Progress },
): Promise<ExitCode> {
  const startedMs = performance.now();
  const onProgress: ArchiveAudit['onProgress'] = (what, records) =>
    progress.show(`${count(records)} records ${what} …`);
  const running = verifyArchive({ ...audit, onProgress });
  let findings = 0;
  for (;;) {
    const { value, done } = await running.next();
    if (done !== true) {
      findings += 1;
      print('finding', value, describeFinding(value));
      continue;
    }
    const seconds = (performance.now() - startedMs) / 1_000;
    const { records, unsealed, inTable } = value.totals;
    const recordsPerSecond = Math.round((records + unsealed + inTable) / seconds);
    const pace = { seconds: Math.round(seconds * 10) / 10, recordsPerSecond };
    const { archive, table } = audit;
    const places = { archive: archive.place, ...(table !== undefined && { table: table.table, place: table.place }) };
    const { digest, ...newest } = { ...value.newest };
    const document = {
      ok: findings === 0,
      ...places,
      ...value.totals,
      findings,
      newest: digest && { ...newest, ...pickSeal(digest) },
    };
    print('summary', { ...document, ...pace }, describeSummary(value, { ...places, findings, ...pace }));
    return findings === 0 ? 0 : 1;
  }
}

function pickSeal({ number, until, environment, bucket, publicKey }: NonNullable<ArchiveSummary['newest']>['digest']) {
  return { number, until, environment, bucket, publicKey };
}

function describeFinding(finding: AuditFinding): string[] {
  const { code, source, stream, what } = finding;
  const [object, line] = 'object' in finding ? [finding.object, finding.line] : [];
  const record = 'seq' in finding && finding.seq !== undefined ? `event ${finding.seq}` : finding.record;
  const place = object === undefined ? source : `${object}${line === undefined ? '' : `:${line}`}`;
  const where = [stream, record].filter((part) => part !== undefined).join('  ');
  return [
    `${paint(['bold', 'red'], code.padEnd(17))} ${printable(where || place)}${where ? `  ${paint('dim', printable(place))}` : ''}`,
    `${' '.repeat(17)} ${printable(what)}`,
  ];
}

interface Shown {
  readonly archive: string;
  readonly table?: string;
  readonly place?: string;
  readonly findings: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
}

function describeSummary({ totals, newest }: ArchiveSummary, shown: Shown): string[] {
  const { findings, archive, table, place, seconds, recordsPerSecond } = shown;
  const isClean = findings === 0;
  const some = (number: number, what: string): string | undefined =>
    number === 0 ? undefined : `${count(number)} ${what}`;
  const clean =
    table === undefined
      ? 'Nothing found: the digests hold, and so does every chain in the archive. No table was compared.'
      : `Nothing found: the digests hold, every chain holds, and the table is what the archive says${totals.waiting === 0 ? '' : ', as far as it is sealed'}.`;
  return [
    ...(isClean ? [] : ['']),
    ...labelled(11, {
      archive: printable(archive),
      table: table === undefined ? undefined : `${table} (${place})  ${count(totals.inTable)} records`,
      digests:
        newest === undefined
          ? '0'
          : `${count(totals.digests)} until ${newest.digest.until} (${printable(newest.digest.environment)})`,
      late: some(totals.late, 'digests came late: what was archived meanwhile is sealed all the same'),
      newest:
        newest === undefined
          ? undefined
          : `${newest.sha256} ${paint('dim', `(digest ${newest.digest.number}: note it for --kept)`)}`,
      objects: count(totals.objects),
      records: `${count(totals.records)}${totals.duplicates === 0 ? '' : `, of which ${count(totals.duplicates)} are there twice, which is harmless`}`,
      streams: `${count(totals.streams)} ${paint('dim', `(${count(totals.closed)} closed)`)}`,
      events: count(totals.events),
      joined: count(totals.joined),
      refused: count(totals.refused),
      callbacks: count(totals.callbacks),
      erased: some(totals.erased, 'records lost their texts, by erasures on record'),
      unsealed: some(
        totals.unsealedObjects,
        `objects that are too new to be sealed, with ${count(totals.unsealed)} records: not judged`,
      ),
      waiting: some(totals.waiting, 'records of the table that are too new to be sealed: not judged'),
      pace: `${count(recordsPerSecond)} records per second ${paint('dim', `(${seconds} s)`)}`,
    }),
    isClean
      ? paint('green', clean)
      : paint(['bold', 'red'], `${count(findings)} ${findings === 1 ? 'finding' : 'findings'}.`),
  ];
}
