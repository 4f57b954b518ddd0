import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { createSigner } from '../../../functions/adapters/kms/signer.ts';
import { createArchiveStore } from '../../../functions/adapters/s3/archive-store.ts';
import { type ArchiveStore, readText } from '../../../functions/core/archive/archive-store.ts';
import {
  type Digest,
  DIGESTS_PREFIX,
  KEYS_PREFIX,
  readDigest,
  RECORDS_PREFIX,
} from '../../../functions/core/archive/digest.ts';
import { sealArchive, type SealingPorts } from '../../../functions/core/archive/seal-archive.ts';
import { type PublicKey, readPublicKey } from '../../../functions/core/archive/public-key.ts';
import { toPem } from '../../../functions/core/archive/signer.ts';
import type { Report } from '../../../functions/core/report.ts';
import { archiveRecords } from '../../../functions/doors/stream/archive-records.ts';
import { type TableName, tables } from '../../../infra/blueprint/tables.ts';
import { type ArchiveSource, openBucket, openFolder } from '../../../infra/cli/audit/archive-source.ts';
import type { ArchiveTotals } from '../../../infra/cli/audit/archive-totals.ts';
import { verifyArchive } from '../../../infra/cli/audit/verify-archive.ts';
import { type LocalDynamoDb, startLocalDynamoDb } from '../../../infra/local/aws/dynamodb.ts';
import { expireItems } from '../../../infra/local/aws/expire-items.ts';
import { startLocalKms } from '../../../infra/local/aws/kms/local-kms.ts';
import { localRegion } from '../../../infra/local/aws/loopback.ts';
import { startLocalS3 } from '../../../infra/local/aws/s3/local-s3.ts';
import type { StreamRecord } from '../../../infra/local/aws/streams/stream-records.ts';
import { createTableFeatures } from '../../../infra/local/aws/tables/table-features.ts';
import type { Random } from '../simulation/random.ts';

export const archiveBucket = 'archive';
export const sealAlias = 'alias/seal';
const MINUTE = 60_000;

/** What verify-audit finds, by where it looks. */
export interface AuditResult {
  /** In the archive alone. */
  readonly archive: readonly string[];
  /** In the table alone. */
  readonly log: readonly string[];
  /** By holding the table against the archive. */
  readonly comparison: readonly string[];
  readonly totals: ArchiveTotals;
}

interface Shard {
  readonly waiting: StreamRecord[];
  /** What was delivered last. */
  last: readonly StreamRecord[];
}

/** How the archive of a stage is kept. */
export interface StageOptions {
  readonly random: Random;
  /** @default 'COMPLIANCE', as in prod */
  readonly lock?: 'COMPLIANCE' | 'GOVERNANCE';
  /** Of the stream, at most. @default 8, so that objects have few records, and many boundaries */
  readonly batchSize?: number;
  /** A folder for the table and the archive, of a log that memory should not hold. @default both are in memory */
  readonly path?: string;
}

const comparisonCodes: ReadonlySet<string> = new Set(['inserted', 'deleted', 'cut_off', 'differs']);

/**
 * The service's own parts around one log: the table with its stream on the embedded engine, the function that archives (its
 * door and core), the sealer, S3 with Object Lock and KMS, and verify-audit. The stage plays Lambda: two shards, batches of
 * any size, each delivered at least once. Its clock begins yesterday at 06:00 (UTC) and moves when it is told to.
 */
export class Stage {
  readonly random: Random;
  private readonly batchSize: number;
  nowMs = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 18 * 60 * MINUTE;
  /** Whether what was delivered comes again now and then. */
  repeats = true;
  /** By which the sealer's clock is wrong. */
  sealerSkewMs = 0;
  /** What archive-records and seal-archive reported: each an alarm. */
  readonly alarms: string[] = [];
  /** The calls for which the alarm "Table settings changed" looks in CloudTrail. */
  readonly trail: string[] = [];
  /** The public keys that an auditor was given. */
  readonly keys: PublicKey[] = [];
  /** The SHA-256 of digests that an auditor noted. */
  readonly kept: string[] = [];
  readonly archive: ArchiveStore;
  readonly s3: S3Client;
  readonly kms: KMSClient;
  readonly tables: LocalDynamoDb<TableName>;
  private readonly sealing: SealingPorts;
  private readonly closers: (() => unknown)[];
  private readonly deliver: (event: DynamoDBStreamEvent) => Promise<unknown>;
  private position = 0;
  /** By position, so that a repeat says the same. */
  private readonly stamps = new Map<string, number>();
  private readonly shards: readonly Shard[] = [1, 2].map(() => ({
    waiting: [],
    last: [],
  }));

  static async open({ random, lock = 'COMPLIANCE', batchSize = 8, path }: StageOptions): Promise<Stage> {
    const holder: { stage?: Stage } = {};
    const now = (): number => holder.stage?.nowMs ?? Date.now();
    const inFolder = (name: string) => (path === undefined ? {} : { path: join(path, name) });
    const s3 = await startLocalS3({
      buckets: { [archiveBucket]: { mode: lock, unit: 'Days', count: 30 } },
      now,
      ...inFolder('s3'),
    });
    const kms = await startLocalKms({ accessKey: s3.accessKey, aliases: [sealAlias] });
    const dynamodb = await startLocalDynamoDb({ tables, front: createTableFeatures, ...inFolder('tables') });
    const at = (endpoint: string) => ({ endpoint, region: localRegion, credentials: s3.accessKey, maxAttempts: 3 });
    const [s3Client, kmsClient] = [new S3Client({ ...at(s3.url), forcePathStyle: true }), new KMSClient(at(kms.url))];
    const closers = [
      () => s3Client.destroy(),
      () => kmsClient.destroy(),
      () => s3.close(),
      () => kms.close(),
      () => dynamodb.close(),
    ];
    holder.stage = new Stage(random, { s3: s3Client, kms: kmsClient, tables: dynamodb, closers, batchSize });
    await holder.stage.trustNewestKey();
    return holder.stage;
  }

  private constructor(
    random: Random,
    parts: Pick<Stage, 's3' | 'kms' | 'tables'> & { readonly closers: (() => unknown)[]; readonly batchSize: number },
  ) {
    this.random = random;
    this.batchSize = parts.batchSize;
    this.s3 = parts.s3;
    this.kms = parts.kms;
    this.tables = parts.tables;
    this.closers = parts.closers;
    this.archive = createArchiveStore(this.s3, archiveBucket);
    const report: Report = (code, fields) => {
      if (code === 'LOG_REWRITTEN') this.alarms.push(`${code} ${JSON.stringify(fields?.['kind']).slice(1, -1)}`);
      else if (code === 'ARCHIVE_ALTERED') this.alarms.push(code);
    };
    this.deliver = archiveRecords({ archive: this.archive, report });
    this.sealing = {
      archive: this.archive,
      signer: createSigner(this.kms, sealAlias),
      environment: 'prod',
      marginMs: MINUTE,
      clock: { now: () => this.nowMs + this.sealerSkewMs },
      report,
    };
  }

  async close(): Promise<void> {
    for (const close of this.closers) await close();
  }

  get logTable(): string {
    return this.tables.tableNames.CancellationLog;
  }

  /** An auditor is given the key that signs now, by another way than the archive. */
  async trustNewestKey(): Promise<void> {
    const key = readPublicKey(toPem(await this.sealing.signer.publicKey()));
    if (key !== undefined) this.keys.push(key);
  }

  /** The id of the key that signs now. */
  async describeSealKey(): Promise<string> {
    return (await this.kms.send(new DescribeKeyCommand({ KeyId: sealAlias }))).KeyMetadata?.KeyId ?? '';
  }

  /** Delivers what is in the log's stream. Without `all` some of it may wait. */
  async pump({ all = true } = {}): Promise<void> {
    for (const record of await this.readStream()) {
      const shard =
        this.shards[
          createHash('md5')
            .update(record.dynamodb.Keys['pk']?.S ?? '')
            .digest()
            .readUInt8() % 2
        ];
      shard?.waiting.push(record);
    }
    for (const shard of this.shards) await this.drain(shard, all);
    if (!all) return;
    const kept = new Set(this.shards.flatMap(({ last }) => last.map(({ dynamodb }) => dynamodb.SequenceNumber)));
    for (const sequence of this.stamps.keys()) if (!kept.has(sequence)) this.stamps.delete(sequence);
    await this.tables.streams.advance(this.logTable, 'stage', this.position);
  }

  private async drain(shard: Shard, all: boolean): Promise<void> {
    while (shard.waiting.length > 0) {
      if (!all && this.random.chance(0.3)) return;
      const batch = shard.waiting.splice(0, this.random.between(1, this.batchSize));
      // At least once: what was taken comes again, alone or with what follows.
      const comesAgain = (): boolean => this.repeats && this.random.chance(0.1);
      if (comesAgain()) await this.deliverBatch(shard.last);
      const repeated = comesAgain() ? shard.last.slice(this.random.between(0, shard.last.length)) : [];
      await this.deliverBatch([...repeated, ...batch]);
      shard.last = batch;
    }
  }

  /** What was written since never reaches the consumer: the stream was switched off, or the function was stopped for a day. */
  async loseStream(): Promise<void> {
    await this.readStream();
  }

  private async readStream(): Promise<readonly StreamRecord[]> {
    const read: StreamRecord[] = [];
    for (;;) {
      const records = await this.tables.streams.read(this.logTable, this.position, 1_000);
      if (records.length === 0) return read;
      this.position += records.length;
      for (const record of records) this.stamps.set(record.dynamodb.SequenceNumber, Math.floor(this.nowMs / 1_000));
      read.push(...records);
    }
  }

  /** As Lambda does: a batch that fails is halved, and of a single record the repeats end. */
  private async deliverBatch(records: readonly StreamRecord[]): Promise<void> {
    if (records.length === 0) return;
    try {
      await this.deliver(this.eventOf(records));
    } catch {
      if (records.length === 1) return;
      const half = Math.ceil(records.length / 2);
      await this.deliverBatch(records.slice(0, half));
      await this.deliverBatch(records.slice(half));
    }
  }

  private eventOf(records: readonly StreamRecord[]): DynamoDBStreamEvent {
    const Records = records.map(({ dynamodb, ...record }) => {
      const ApproximateCreationDateTime = this.stamps.get(dynamodb.SequenceNumber) ?? 0;
      return { ...record, dynamodb: { ...dynamodb, ApproximateCreationDateTime } };
    });
    // oxlint-disable-next-line no-unsafe-type-assertion -- the engine's records are Lambda's, but for their types
    return { Records } as unknown as DynamoDBStreamEvent;
  }

  /** Seals as the schedule does, at the next full hour. */
  async sealNextHour(): Promise<void> {
    this.nowMs = (Math.floor(this.nowMs / (60 * MINUTE)) + 1) * 60 * MINUTE + MINUTE;
    await sealArchive(this.sealing, Number.MAX_SAFE_INTEGER);
  }

  /** DynamoDB deletes what has expired. @param timeToLive the attribute that says so */
  async expire(timeToLive: string = tables.CancellationLog.timeToLive): Promise<void> {
    const definitions = new Map([[this.logTable, { ...tables.CancellationLog, timeToLive }]]);
    await expireItems({ engine: this.tables.client, streams: this.tables.streams, definitions }, this.nowMs);
  }

  /** @param copy a copy of the archive that the auditor was handed, in place of the bucket */
  async audit({ copy }: { readonly copy?: string | undefined } = {}): Promise<AuditResult> {
    const source: ArchiveSource = copy === undefined ? openBucket(this.s3, archiveBucket, '') : await openFolder(copy);
    const running = verifyArchive({
      archive: source,
      keys: this.keys,
      kept: this.kept,
      table: { client: this.tables.client, table: this.logTable, place: this.tables.url },
      nowMs: this.nowMs,
      onProgress: () => undefined,
    });
    const [archive, log, comparison]: [string[], string[], string[]] = [[], [], []];
    for (;;) {
      const { value, done } = await running.next();
      if (done === true) {
        return { archive, log, comparison, totals: value.totals };
      }
      (comparisonCodes.has(value.code) ? comparison : value.source === 'table' ? log : archive).push(value.code);
    }
  }

  async names(prefix: string): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const { name } of this.archive.list(prefix)) names.push(name);
    return names;
  }

  async text(name: string): Promise<string> {
    return (await readText(this.archive, name)) ?? '';
  }

  /** The oldest first. */
  async digests(): Promise<readonly { readonly name: string; readonly digest: Digest }[]> {
    const names = await this.names(DIGESTS_PREFIX);
    const read = await Promise.all(
      names.map(async (name) => ({ name, digest: readDigest(await this.text(name))?.digest })),
    );
    return read.flatMap(({ name, digest }) => (digest === undefined ? [] : [{ name, digest }]));
  }

  /** Copies the archive into a folder, as `aws s3 sync` does. Its holder may change everything in it. */
  async copyArchive(): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), 'tampered-'));
    this.closers.push(() => rmSync(folder, { recursive: true }));
    for (const prefix of [RECORDS_PREFIX, DIGESTS_PREFIX, KEYS_PREFIX]) {
      for await (const { name, writtenMs } of this.archive.list(prefix)) {
        const path = join(folder, name);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, await this.text(name));
        utimesSync(path, writtenMs / 1_000, writtenMs / 1_000);
      }
    }
    return folder;
  }
}
