import { earliest, startOfSecond, type Timestamp, toTimestamp } from '../identifiers.ts';
import type { Clock } from '../ports.ts';
import type { Report } from '../report.ts';
import type { ArchiveStore } from './archive-store.ts';
import {
  dayOf,
  type Digest,
  DIGEST_KIND,
  type DigestFile,
  digestFile,
  digestText,
  isObjectName,
  keyName,
  RECORDS_PREFIX,
  type SealedObject,
} from './digest.ts';
import { sha256 } from '../sha256.ts';
import { measureObject } from './measure-object.ts';
import { findNewestDigest } from './newest-digest.ts';
import { fromDer, isSignedBy, type Signer, toPem } from './signer.ts';

export interface SealingPorts {
  readonly archive: ArchiveStore;
  readonly signer: Signer;
  readonly environment: string;
  /** What was put so long ago is there for every reader: longer than a put can take, in milliseconds. */
  readonly marginMs: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly report: Report;
}

export interface SealSummary {
  /** The numbers of the digests that were written. */
  readonly digests: readonly number[];
  /** Whether everything is sealed up to the margin. If not, there was no time, or another sealer is at work. */
  readonly isDone: boolean;
}

const SECOND_MS = 1_000;
const DAY_MS = 24 * 60 * 60 * SECOND_MS;

/** A record of the stream is put into the archive for a day, and its day is of when it was written. A day more for clocks. */
const OLDEST_RECORD_MS = 2 * DAY_MS;

/** Objects that are read at the same time. */
const READS_AT_ONCE = 8;

/**
 * Seals what was put into the archive since the last digest: it reads every object, and trusts no metadata. No stretch goes
 * beyond a day (UTC), so after a long pause there is one digest for each day. A digest's name depends on its number and its
 * day, so of two sealers only one can write the next digest.
 * @param untilMs when to begin no further digest, in milliseconds since 1970
 * @throws DependencyUnavailable when the archive or the key does not answer: what is sealed stays sealed
 */
export async function sealArchive(ports: SealingPorts, untilMs: number): Promise<SealSummary> {
  const digests: number[] = [];
  const target = startOfSecond(toTimestamp(ports.clock.now() - ports.marginMs));
  for (;;) {
    const digest = await sealStretch(ports, target);
    if (digest === 'done' || digest === 'lost') return { digests, isDone: digest === 'done' };
    digests.push(digest.number);
    if (digest.until === target) return { digests, isDone: true };
    if (ports.clock.now() >= untilMs) return { digests, isDone: false };
  }
}

/** @returns `done`: everything is sealed. `lost`: another sealer wrote this digest. */
async function sealStretch(ports: SealingPorts, target: Timestamp): Promise<Digest | 'done' | 'lost'> {
  const { archive, signer, environment, clock, report } = ports;
  const newest = await findNewestDigest(archive);
  for (const digest of newest?.invalid ?? []) report('ARCHIVE_ALTERED', { digest });
  const from = newest?.valid?.until ?? (await beginning(archive, target));
  const until = earliest(target, endOfDayAfter(from));
  if (until <= from) return 'done';

  const objects = await measureAll(archive, await unsealed(ports, newest?.valid, until));
  const key = await signer.publicKey();
  const digest: Digest = {
    kind: DIGEST_KIND,
    environment,
    bucket: archive.bucket,
    number: (newest?.number ?? 0) + 1,
    from,
    until,
    records: objects.reduce((sum, { records }) => sum + records, 0),
    objects,
    ...(newest !== undefined && { previous: { name: newest.name, sha256: newest.sha256 } }),
    publicKey: sha256(key),
  };
  const file = await sign(signer, digest, key);
  // Before the digest, which cannot be verified without it.
  if (newest?.valid?.publicKey !== digest.publicKey) await archive.put(keyName(digest.publicKey), toPem(key));
  if ((await archive.put(file.name, file.text)) === 'exists') return 'lost';
  const { number, records } = digest;
  const lagMs = clock.now() - Date.parse(until);
  report('ARCHIVE_SEALED', { number, until, objects: objects.length, records, lagMs });
  return digest;
}

/** Of the first stretch: before everything that is there. */
async function beginning(archive: ArchiveStore, target: Timestamp): Promise<Timestamp> {
  const [oldest = dayOf(target)] = await archive.days(RECORDS_PREFIX);
  return toTimestamp(startOfDayMs(oldest) - SECOND_MS);
}

/** The last second of the day that the second after this one is in. */
function endOfDayAfter(time: Timestamp): Timestamp {
  const day = dayOf(toTimestamp(Date.parse(time) + SECOND_MS));
  return toTimestamp(startOfDayMs(day) + DAY_MS - SECOND_MS);
}

function startOfDayMs(day: string): number {
  return Date.parse(`${day}T00:00:00.000Z`);
}

/**
 * What the next digest names: what was put in its stretch, and what was put in the stretch before and is not in its digest,
 * because a list did not show it yet.
 */
async function unsealed(
  { archive, report }: SealingPorts,
  newest: Digest | undefined,
  until: Timestamp,
): Promise<string[]> {
  const afterMs = newest === undefined ? 0 : Date.parse(newest.from);
  const firstDay = newest === undefined ? '' : dayOf(toTimestamp(afterMs - OLDEST_RECORD_MS));
  const sealed = new Set(newest?.objects.map(({ name }) => name));
  const names: string[] = [];
  for (const day of await archive.days(RECORDS_PREFIX)) {
    if (day < firstDay) continue;
    for await (const { name, writtenMs } of archive.list(`${RECORDS_PREFIX}day=${day}/`)) {
      if (writtenMs <= afterMs || writtenMs > Date.parse(until) || sealed.has(name)) continue;
      if (isObjectName(name)) names.push(name);
      else report('ARCHIVE_ALTERED', { foreign: sha256(name) });
    }
  }
  return names;
}

/** In the order of the names. */
async function measureAll(archive: ArchiveStore, names: readonly string[]): Promise<SealedObject[]> {
  const measured: SealedObject[] = [];
  for (let at = 0; at < names.length; at += READS_AT_ONCE) {
    const some = names.slice(at, at + READS_AT_ONCE);
    measured.push(...(await Promise.all(some.map((name) => measure(archive, name)))));
  }
  return measured;
}

/** @throws Error for an object that was listed and is gone: Object Lock makes that impossible */
async function measure(archive: ArchiveStore, name: string): Promise<SealedObject> {
  const parts = await archive.read(name);
  if (parts === undefined) throw new Error('an object that the archive lists is not there');
  return { name, ...(await measureObject(parts)) };
}

/** @throws Error when the key was replaced in between: the next run signs with the new one */
async function sign(signer: Signer, digest: Digest, key: Buffer): Promise<DigestFile> {
  const signed = digestText(digest);
  const signature = await signer.sign(Buffer.from(sha256(signed), 'hex'));
  if (!isSignedBy(fromDer(key), { signed, signature })) throw new Error('the digest was signed by another key');
  return digestFile(digest, signature);
}
