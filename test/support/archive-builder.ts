import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { archiveChange } from '../../functions/core/archive/archived-line.ts';
import {
  type Digest,
  DIGEST_KIND,
  digestFile,
  keyName,
  objectName,
  readDigest,
  type SealedObject,
} from '../../functions/core/archive/digest.ts';
import { sha256 } from '../../functions/core/sha256.ts';
import type { Change } from '../../functions/core/archive/judge-change.ts';
import { leafHash, rootOf } from '../../functions/core/archive/merkle-tree.ts';
import { readPublicKey } from '../../functions/core/archive/public-key.ts';
import type { StoredRecord } from '../../functions/core/audit/findings.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';

/** A key pair that signs digests, as KMS would. */
export interface SealPair {
  readonly pem: string;
  readonly fingerprint: string;
  readonly privateKey: KeyObject;
}

export function createSealPair(): SealPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return { pem, fingerprint: readPublicKey(pem)?.fingerprint ?? '', privateKey };
}

/** A sealed archive in a folder, as the functions that seal make it, and the means to tamper with it. */
export interface ArchiveBuilder {
  readonly folder: string;
  readonly publicKeyFile: string;
  /** Moves the clock. @param at a time of the archive's day: `12:30` */
  setTime(at: string): void;
  setTimeMs(ms: number): void;
  readonly nowMs: () => number;
  /** @returns the object's name */
  put(changes: readonly Change[]): string;
  putLines(lines: readonly string[], sequences: readonly [string, string]): string;
  /** Seals what was put since the last digest. @returns the digest's name */
  seal(changed?: Partial<Digest>): string;
  read(name: string): string;
  write(name: string, text: string): void;
  edit(name: string, change: (text: string) => string): void;
  remove(name: string): void;
  /** Replaces a digest by one with a right signature: only a holder of the key can. */
  resign(name: string, change: (digest: Digest) => Digest, pair?: SealPair): void;
  digests(): readonly string[];
  objects(): readonly string[];
}

export const archiveDay = '2026-11-23';

export function createArchive(
  pair: SealPair = createSealPair(),
  { environment = 'prod', bucket = 'archive' } = {},
): ArchiveBuilder {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'));
  const publicKeyFile = join(folder, '..', `${pair.fingerprint}.pem`);
  let nowMs = Date.parse(`${archiveDay}T12:00:00Z`);
  let unsealed: SealedObject[] = [];
  let last: Pick<Digest, 'number' | 'until' | 'previous'> = { number: 0, until: toTimestamp(nowMs) };

  const write = (name: string, text: string): void => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    utimesSync(path, nowMs / 1_000, nowMs / 1_000);
  };
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const signed = (digest: Digest, { privateKey }: SealPair) =>
    digestFile(digest, sign('sha256', Buffer.from(JSON.stringify(digest)), privateKey));
  const list = (root: string): readonly string[] =>
    readdirSync(join(folder, root), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .toSorted();
  const putLines: ArchiveBuilder['putLines'] = (lines, sequences) => {
    const text = lines.map((line) => `${line}\n`).join('');
    const name = objectName(toTimestamp(nowMs), sequences);
    write(name, text);
    const root = rootOf(lines.map(leafHash));
    unsealed.push({ name, sha256: sha256(text), bytes: Buffer.byteLength(text), records: lines.length, root });
    return name;
  };

  writeFileSync(publicKeyFile, pair.pem);
  write(keyName(pair.fingerprint), pair.pem);
  return {
    folder,
    publicKeyFile,
    setTime: (at) => void (nowMs = Date.parse(`${archiveDay}T${at}:00Z`)),
    setTimeMs: (ms) => void (nowMs = ms),
    nowMs: () => nowMs,
    putLines,
    put(changes) {
      const lines = changes.map(archiveChange).flatMap(({ line }) => line ?? []);
      return putLines(lines, [changes[0]?.sequence ?? '0', changes.at(-1)?.sequence ?? '0']);
    },
    seal(changed = {}) {
      const digest: Digest = {
        kind: DIGEST_KIND,
        environment,
        bucket,
        number: last.number + 1,
        from: last.until,
        until: toTimestamp(nowMs),
        records: unsealed.reduce((sum, { records }) => sum + records, 0),
        objects: unsealed.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        ...(last.previous !== undefined && { previous: last.previous }),
        publicKey: pair.fingerprint,
        ...changed,
      };
      const file = signed(digest, pair);
      write(file.name, file.text);
      last = { ...digest, previous: { name: file.name, sha256: sha256(file.text) } };
      unsealed = [];
      return file.name;
    },
    read,
    write,
    edit: (name, change) => write(name, change(read(name))),
    remove: (name) => rmSync(join(folder, name)),
    resign(name, change, by = pair) {
      const file = readDigest(read(name));
      if (file === undefined) throw new Error(`${name} is not a digest`);
      write(name, signed(change(file.digest), by).text);
    },
    digests: () => list('digests'),
    objects: () => list('records'),
  };
}

let sequences = 10n ** 20n;

/** The change that wrote a record. */
export function writing(
  partition: string,
  { key, fields, wakeShard, wakeAt }: StoredRecord,
  changed: Partial<Change> = {},
): Change {
  return {
    partition,
    key,
    sequence: String((sequences += 1_000_000n)),
    atMs: Date.parse(`${archiveDay}T12:00:00Z`),
    isExpiry: false,
    after: { ...fields, wakeShard, wakeAt },
    ...changed,
  };
}
