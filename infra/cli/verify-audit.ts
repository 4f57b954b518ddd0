import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createHeadsDigest, type Finding } from '../../functions/core/audit/findings.ts';
import type { Timestamp } from '../../functions/core/identifiers.ts';
import { isLoopback } from '../../functions/adapters/plangrep/plangrep-http.ts';
import { localCredentials, localRegion } from '../local/aws/dynamodb.ts';
import { CannotDo, type ExitCode, runScript } from './command.ts';
import { credentialsPath } from './places.ts';
import { count, createProgress, labelled, paint, printable } from './terminal.ts';
import { readVerifyOptions, verifyAudit, type VerifyOptions } from './verify-audit-options.ts';
import { verifyTable } from './verify-table.ts';

/** `npm run verify-audit`: exits 0 when nothing is found, 1 on findings, 2 when it could not verify. */
await runScript(verifyAudit, (values) => verify(readVerifyOptions(values, credentialsPath)));

async function verify(options: VerifyOptions): Promise<ExitCode> {
  const { table, endpoint, closedBefore, json } = options;
  const client = createClient(options);
  const region = await regionOf(client);
  const place = endpoint ?? region;
  const output = json ? createJsonOutput() : createTextOutput();
  const digest = createHeadsDigest();
  const totals = { streams: 0, closed: 0, events: 0, joined: 0, refused: 0, findings: 0 };
  let digested = 0;
  const onProgress = (items: number, total: number | undefined): void => output.progress(items, total);
  for await (const verdict of verifyTable({ client, table, place, onProgress })) {
    const { findings, head } = verdict;
    for (const finding of findings) output.finding(finding);
    totals.findings += findings.length;
    for (const kind of ['events', 'joined', 'refused'] as const) totals[kind] += verdict[kind];
    if (head === undefined) continue;
    totals.streams += 1;
    if (head.closedAt !== undefined) totals.closed += 1;
    if (closedBefore !== undefined && (head.closedAt === undefined || head.closedAt >= closedBefore)) continue;
    digest.add(head);
    digested += 1;
  }
  client.destroy();
  output.summary({ table, place, ...totals, heads: { digest: digest.value(), streams: digested, closedBefore } });
  return totals.findings === 0 ? 0 : 1;
}

function createClient({ endpoint, region }: VerifyOptions): DynamoDBClient {
  const isLocal = endpoint !== undefined && isLoopback(new URL(endpoint).hostname);
  return new DynamoDBClient({
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    // An endpoint on this machine checks neither, and must not see the operator's own credentials.
    ...(isLocal && { region: region ?? localRegion, credentials: localCredentials }),
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true },
  });
}

function regionOf(client: DynamoDBClient): Promise<string> {
  return client.config.region().catch((cause: unknown) => {
    throw new CannotDo(2, 'No region: pass --region, or set AWS_REGION.', { cause });
  });
}

interface AuditSummary {
  readonly table: string;
  /** The endpoint or the region. */
  readonly place: string;
  readonly streams: number;
  readonly closed: number;
  readonly events: number;
  readonly joined: number;
  readonly refused: number;
  readonly findings: number;
  readonly heads: {
    readonly digest: string;
    /** How many streams the digest covers. */
    readonly streams: number;
    readonly closedBefore: Timestamp | undefined;
  };
}

interface Output {
  finding(finding: Finding): void;
  /** @param total DynamoDB's own estimate, if it has one */
  progress(items: number, total: number | undefined): void;
  summary(summary: AuditSummary): void;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function createJsonOutput(): Output {
  return {
    finding: (finding) => print(JSON.stringify({ kind: 'finding', ...finding })),
    progress: () => undefined,
    summary: (summary) => print(JSON.stringify({ kind: 'summary', ok: summary.findings === 0, ...summary })),
  };
}

function createTextOutput(): Output {
  const progress = createProgress(process.stderr);
  return {
    finding({ code, stream, seq, record, what }) {
      progress.clear();
      const where = seq === undefined ? (record ?? '') : `event ${seq}`;
      print(`${paint(['bold', 'red'], code.padEnd(13))} ${printable(stream)}  ${paint('dim', printable(where))}`);
      print(`${''.padEnd(13)} ${printable(what)}`);
    },
    progress(items, total) {
      const of = total !== undefined && total > items ? ` of about ${count(total)}` : '';
      progress.show(`${count(items)}${of} items read …`);
    },
    summary(summary) {
      progress.clear();
      if (summary.findings > 0) print('');
      for (const line of summaryLines(summary)) print(line);
    },
  };
}

function summaryLines({ table, place, streams, closed, findings, heads, ...records }: AuditSummary): string[] {
  const which = heads.closedBefore === undefined ? '' : `, closed before ${heads.closedBefore}`;
  const lines = labelled(10, {
    log: `${table} (${place})`,
    streams: `${count(streams)} ${paint('dim', `(${count(closed)} closed)`)}`,
    events: count(records.events),
    joined: count(records.joined),
    refused: count(records.refused),
    heads: `${heads.digest} ${paint('dim', `(${count(heads.streams)} streams${which})`)}`,
  });
  const found = `${count(findings)} ${findings === 1 ? 'finding' : 'findings'}.`;
  return [
    ...lines,
    findings === 0 ? paint('green', 'Nothing found: every chain holds.') : paint(['bold', 'red'], found),
  ];
}
