import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchWriteItemCommand, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import type { CancellationEvent, JoinedRecord, RefusedRecord } from '../../functions/core/cancellation/events.ts';
import {
  eventKey,
  joinedKey,
  refusedDayKey,
  refusedKey,
  streamKey,
} from '../../functions/core/cancellation/stream-key.ts';
import { Random } from './simulation/random.ts';
import { measureHeapMb, runSoak } from './soak.ts';
import { Stage } from './tampering/stage.ts';

export interface SoakArchiveOptions {
  readonly cancellations: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}

export interface SoakArchiveResult {
  readonly violations: readonly string[];
  readonly figures: {
    readonly cancellations: number;
    /** Of the log. */
    readonly records: number;
    /** In the archive, and those of them that are there more than once. */
    readonly lines: number;
    readonly duplicates: number;
    readonly objects: number;
    readonly digests: number;
    readonly falseAlarms: number;
    readonly findings: number;
    readonly auditSeconds: number;
    readonly heapMb: number;
  };
}

/** So many cancellations are asked for in an hour, which ends with a digest. */
const IN_AN_HOUR = 2_000;
/** What one call takes. */
const AT_ONCE = 25;
const CALLS_AT_ONCE = 4;

type LogRecord = CancellationEvent | JoinedRecord | RefusedRecord;

/**
 * Many cancellations through the log and into the archive. The core decides them with 5 % faults, as in the soak; what it
 * writes goes into the table by `BatchWriteItem` (25 records in a call: the adapter's conditional puts would take hours), and
 * from there all is real: the table's stream, archive-records, hourly digests, S3 with Object Lock. In the end verify-audit
 * compares all of the archive with all of the table.
 */
export async function runSoakArchive({
  cancellations,
  seed,
  onProgress,
}: SoakArchiveOptions): Promise<SoakArchiveResult> {
  const path = mkdtempSync(join(tmpdir(), 'soak-archive-'));
  const random = new Random(seed);
  const stage = await Stage.open({ random, batchSize: 1_000, path });
  const violations: string[] = [];
  let records = 0;
  try {
    for (let done = 0; done < cancellations; done += IN_AN_HOUR) {
      const written = new Map<string, WriteRequest>();
      const played = await runSoak({
        cancellations: Math.min(IN_AN_HOUR, cancellations - done),
        seed: random.between(0, 2 ** 31 - 1),
        prefix: `${done / IN_AN_HOUR}_`,
        onRecord: (record) => keep(written, record),
      });
      violations.push(...played.violations);
      records += written.size;
      await write(stage, [...written.values()]);
      await moveWakeUps(stage, [...written.values()]);
      await stage.pump();
      await stage.sealNextHour();
      onProgress?.(Math.min(done + IN_AN_HOUR, cancellations));
    }
    const beganMs = performance.now();
    await stage.sealNextHour();
    const { archive, log, comparison, totals } = await stage.audit();
    const auditSeconds = Math.round((performance.now() - beganMs) / 100) / 10;
    const found = [...archive, ...log, ...comparison];
    if (found.length > 0) violations.push(`verify-audit: ${found.length} findings: ${[...new Set(found)].join(', ')}`);
    const falseAlarms = stage.alarms.length;
    if (falseAlarms > 0) violations.push(`${falseAlarms} alarms: ${[...new Set(stage.alarms)].join(', ')}`);
    const { records: lines, duplicates, inTable, waiting, objects, digests } = totals;
    if (lines - duplicates !== records) violations.push(`the archive has ${lines - duplicates} of ${records} records`);
    if (inTable !== records) violations.push(`the table has ${inTable} of ${records} records`);
    if (waiting > 0) violations.push(`${waiting} records are not sealed`);
    const heapMb = Math.round(measureHeapMb());
    const figures = {
      records,
      lines,
      duplicates,
      objects,
      digests,
      falseAlarms,
      findings: found.length,
      auditSeconds,
      heapMb,
    };
    return { violations, figures: { cancellations, ...figures } };
  } finally {
    await stage.close();
    rmSync(path, { recursive: true, force: true });
  }
}

/** As the adapter stores it. A record that is there already stays as it is. */
function keep(written: Map<string, WriteRequest>, record: LogRecord): void {
  const { pk, sk } = keysOf(record);
  const name = `${pk} ${sk}`;
  if (written.has(name)) return;
  written.set(name, { PutRequest: { Item: toItem({ pk, sk, ...record }) } });
}

function keysOf(record: LogRecord): { readonly pk: string; readonly sk: string } {
  if (record.type === 'refused') return { pk: refusedDayKey(record), sk: refusedKey(record) };
  if (record.type === 'joined') return { pk: streamKey(record), sk: joinedKey(record) };
  return { pk: streamKey(record), sk: eventKey(record.seq) };
}

async function write({ tables, logTable }: Stage, requests: readonly WriteRequest[]): Promise<void> {
  const calls: WriteRequest[][] = [];
  for (let at = 0; at < requests.length; at += AT_ONCE) calls.push(requests.slice(at, at + AT_ONCE));
  for (let at = 0; at < calls.length; at += CALLS_AT_ONCE) {
    const some = calls.slice(at, at + CALLS_AT_ONCE);
    await Promise.all(
      some.map((call) => tables.client.send(new BatchWriteItemCommand({ RequestItems: { [logTable]: call } }))),
    );
  }
}

/** Some of the records get a wake-up, and lose it again: changes that no archive has. */
async function moveWakeUps(stage: Stage, requests: readonly WriteRequest[]): Promise<void> {
  const some = requests.filter(() => stage.random.chance(0.1));
  const wakeAt = new Date(stage.nowMs + 45_000).toISOString();
  const due = some.map(({ PutRequest }) => {
    const Item = { ...PutRequest?.Item, wakeShard: { S: '1' }, wakeAt: { S: wakeAt } };
    return { PutRequest: { Item } };
  });
  await write(stage, due);
  await write(stage, some);
}
