import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createHeadsDigest, type Finding } from '../../functions/core/audit/findings.ts';
import type { Timestamp } from '../../functions/core/identifiers.ts';
import { isLoopback } from '../../functions/core/loopback.ts';
import { localRegion } from '../local/aws/loopback.ts';
import { type ExitCode, runScript } from './command.ts';
import { regionOf } from './places/deployed-place.ts';
import { credentialsPath } from './places/local-place.ts';
import { count, createProgress, labelled, type Progress, paint, printable } from './terminal.ts';
import { openArchive } from './audit/archive-options.ts';
import { auditArchive, type Print } from './audit/audit-archive.ts';
import type { LogTable } from './audit/scan-log.ts';
import {
  type ArchiveRequest,
  readVerifyOptions,
  verifyAudit,
  type VerifyOptions,
} from './audit/verify-audit-options.ts';
import { createErasureReport, describeErasures, type ReportedErasure } from './erase/report-erasures.ts';
import { verifyTable } from './audit/verify-table.ts';

/** `npm run verify-audit`: exits 0 when nothing is found, 1 on findings, 2 when it could not verify. */
await runScript(verifyAudit, (values) => verify(readVerifyOptions(values, credentialsPath)));

async function verify(options: VerifyOptions): Promise<ExitCode> {
  const { table, endpoint, closedBefore, archive, json } = options;
  const progress = createProgress({
    isTTY: process.stderr.isTTY && !json,
    write: (text) => process.stderr.write(text),
  });
  const onProgress = (items: number, total = 0): void =>
    progress.show(`${count(items)}${total > items ? ` of about ${count(total)}` : ''} items read …`);
  const print: Print = (kind, document, lines) => {
    progress.clear();
    process.stdout.write(json ? `${JSON.stringify({ kind, ...document })}\n` : `${lines.join('\n')}\n`);
  };
  if (archive?.withTable === false) return verifyWithArchive(options, archive, undefined, { print, progress });
  const client = createClient(options);
  const place = endpoint ?? (await regionOf(client));
  if (archive !== undefined) {
    const code = await verifyWithArchive(options, archive, { client, table, place }, { print, progress });
    client.destroy();
    return code;
  }
  const digest = createHeadsDigest();
  const totals = {
    streams: 0,
    closed: 0,
    events: 0,
    joined: 0,
    refused: 0,
    callbacks: 0,
    erased: 0,
    expired: 0,
    findings: 0,
  };
  const erasures = createErasureReport();
  let digested = 0;
  for await (const verdict of verifyTable({ client, table, place, onProgress })) {
    const { findings, head, closings } = verdict;
    for (const finding of findings) print('finding', finding, describeFinding(finding));
    totals.findings += findings.length;
    for (const kind of ['events', 'joined', 'refused', 'callbacks', 'erased'] as const) totals[kind] += verdict[kind];
    if (verdict.isExpired) totals.expired += 1;
    for (const erasure of verdict.erasures) erasures.add(erasure);
    if (head === undefined) continue;
    totals.streams += 1;
    if (head.closedAt !== undefined) totals.closed += 1;
    const kept = closedBefore === undefined ? head : closings.findLast(({ closedAt = '' }) => closedAt < closedBefore);
    // DynamoDB may delete an expired stream between two runs, and even a part of it.
    if (kept === undefined || verdict.isExpired) continue;
    digest.add(kept);
    digested += 1;
  }
  client.destroy();
  const ok = totals.findings === 0;
  const reported = erasures.list();
  const summary = {
    table,
    place,
    ...totals,
    erasures: reported,
    heads: { digest: digest.value(), streams: digested, closedBefore },
  };
  print('summary', { ok, ...summary }, describeSummary(summary));
  return ok ? 0 : 1;
}

async function verifyWithArchive(
  { region }: VerifyOptions,
  { place, keys, kept, nowMs }: ArchiveRequest,
  table: LogTable | undefined,
  shown: { readonly print: Print; readonly progress: Progress },
): Promise<ExitCode> {
  const archive = await openArchive(place, { credentialsPath, region });
  try {
    return await auditArchive({ archive, keys, kept, nowMs, table }, shown);
  } finally {
    archive.close();
  }
}

function createClient({ endpoint, region, aws }: VerifyOptions): DynamoDBClient {
  // For an engine on this machine that checks no key.
  const noKey = { accessKeyId: 'none', secretAccessKey: 'none' };
  const isLocal = endpoint !== undefined && isLoopback(new URL(endpoint).hostname);
  return new DynamoDBClient({
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    // An endpoint on this machine must not see the operator's own credentials.
    ...(isLocal && { region: region ?? localRegion, credentials: aws ?? noKey }),
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true },
  });
}

function describeFinding({ code, stream, seq, record = '', what }: Finding): string[] {
  const where = paint('dim', printable(seq === undefined ? record : `event ${seq}`));
  return [
    `${paint(['bold', 'red'], code.padEnd(13))} ${printable(stream)}  ${where}`,
    `${' '.repeat(13)} ${printable(what)}`,
  ];
}

interface Summary
  extends Readonly<
    Record<
      'streams' | 'closed' | 'events' | 'joined' | 'refused' | 'callbacks' | 'erased' | 'expired' | 'findings',
      number
    >
  > {
  readonly table: string;
  /** The endpoint or the region. */
  readonly place: string;
  readonly erasures: readonly ReportedErasure[];
  /** `streams`: how many the digest covers. */
  readonly heads: {
    readonly digest: string;
    readonly streams: number;
    readonly closedBefore: Timestamp | undefined;
  };
}

function describeSummary({ table, place, streams, closed, findings, erasures, heads, ...records }: Summary): string[] {
  const which = heads.closedBefore === undefined ? '' : `, closed before ${heads.closedBefore}`;
  const found = `${count(findings)} ${findings === 1 ? 'finding' : 'findings'}.`;
  const isClean = findings === 0;
  return [
    ...(isClean ? [] : ['']),
    ...labelled(10, {
      log: `${table} (${place})`,
      streams: `${count(streams)} ${paint('dim', `(${count(closed)} closed)`)}`,
      events: count(records.events),
      joined: count(records.joined),
      refused: count(records.refused),
      callbacks: count(records.callbacks),
      erased: records.erased === 0 ? undefined : `the texts of ${count(records.erased)} records, by erasures on record`,
      expired:
        records.expired === 0
          ? undefined
          : `${count(records.expired)} streams and days of refused requests, which DynamoDB may be deleting`,
      heads: `${heads.digest} ${paint('dim', `(${count(heads.streams)} streams${which})`)}`,
    }),
    ...(erasures.length === 0 ? [] : ['', ...describeErasures(erasures), '']),
    isClean ? paint('green', 'Nothing found: every chain holds.') : paint(['bold', 'red'], found),
  ];
}
