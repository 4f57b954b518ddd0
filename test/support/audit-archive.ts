import { paginateScan } from '@aws-sdk/client-dynamodb';
import { readPublicKey } from '../../functions/core/archive/public-key.ts';
import { type ArchiveSource, openFolder } from '../../infra/cli/audit/archive-source.ts';
import { type ArchiveAudit, type ArchiveSummary, verifyArchive } from '../../infra/cli/audit/verify-archive.ts';
import { toRecord } from '../../infra/cli/audit/scan-log.ts';
import { type ArchiveBuilder, type SealPair, writing } from './archive-builder.ts';
import type { AuditedTable } from './audited-table.ts';

export interface Audited extends ArchiveSummary {
  /** In short: `altered 2`, `object_missing records/…`, `differs event#000002`. */
  readonly findings: readonly string[];
}

type Given = Partial<Omit<ArchiveAudit, 'archive' | 'keys'>>;

/** What verify-audit finds in an archive that was built here, in this process. */
export async function auditArchive(
  { folder, nowMs }: Pick<ArchiveBuilder, 'folder' | 'nowMs'>,
  pairs: readonly Pick<SealPair, 'pem'>[],
  audit: Given = {},
): Promise<Audited> {
  return auditOf(await openFolder(folder), pairs, { nowMs: nowMs(), ...audit });
}

/** The same, of any archive. */
export async function auditOf(
  archive: ArchiveSource,
  pairs: readonly Pick<SealPair, 'pem'>[],
  { nowMs = Date.now(), ...audit }: Given = {},
): Promise<Audited> {
  const keys = pairs.map(({ pem }) => readPublicKey(pem)).filter((key) => key !== undefined);
  const running = verifyArchive({
    archive,
    keys,
    kept: [],
    table: undefined,
    nowMs,
    onProgress: () => undefined,
    ...audit,
  });
  const findings: string[] = [];
  for (;;) {
    const { value, done } = await running.next();
    if (done === true) return { ...value, findings };
    const event = 'seq' in value ? value.seq : undefined;
    const object = 'object' in value ? value.object : undefined;
    findings.push(`${value.code} ${event ?? value.record ?? value.stream ?? object ?? ''}`.trim());
  }
}

/** Puts into an archive what the table's stream would have brought, as one object. */
export async function archiveTable(archive: ArchiveBuilder, { client, name }: AuditedTable): Promise<void> {
  for await (const { Items = [] } of paginateScan({ client }, { TableName: name })) {
    archive.put(Items.map((item) => writing(item['pk']?.S ?? '', toRecord(item))));
  }
}
