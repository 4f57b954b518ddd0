import {
  digestName,
  DIGESTS_PREFIX,
  dayOf,
  readDigest,
  type SealedObject,
} from '../../../functions/core/archive/digest.ts';
import { sha256 } from '../../../functions/core/sha256.ts';
import { type ArchivedLine, readArchivedLine } from '../../../functions/core/archive/archived-line.ts';
import { leafHash, pathOf } from '../../../functions/core/archive/merkle-tree.ts';
import { CLOCK_SKEW_MS } from '../../../functions/core/audit/findings.ts';
import { type Timestamp, toTimestamp } from '../../../functions/core/identifiers.ts';
import type { ArchiveSource } from '../audit/archive-source.ts';
import { readAhead } from '../audit/read-ahead.ts';
import { CannotDo } from '../command.ts';

/** A line of the archive, and the proof that it is in a sealed object. */
export interface ProvenLine {
  /** As archived, without its line break. */
  readonly line: string;
  readonly object: string;
  /** 0, 1, 2 …: its place among the object's lines, of which there are `size`. */
  readonly index: number;
  readonly size: number;
  /** The other hashes of the Merkle tree on the way to its root, the lowest first. */
  readonly path: readonly string[];
}

/** A digest's file, as it is in the archive. */
export interface DigestCopy {
  readonly name: string;
  readonly text: string;
}

export interface FoundLines {
  readonly lines: readonly { readonly proven: ProvenLine; readonly read: ArchivedLine }[];
  /** Those that name the lines' objects. */
  readonly digests: readonly DigestCopy[];
  /** Until when the archive is sealed. */
  readonly sealedUntil: Timestamp | undefined;
}

/** A line that must be found: a change of a record that was made at this time. */
export interface Sought {
  readonly key: string;
  readonly change: ArchivedLine['change'];
  readonly at: Timestamp;
}

const OBJECTS_AT_ONCE = 8;

/**
 * Finds a partition's lines in the archive, which is in the order of time: it reads the objects that were sealed after what is
 * sought was written, until all of it is found.
 * @param sought empty: everything from `since` on is read
 * @throws CannotDo (1) when an object is not what was sealed, (2) when the archive cannot be read
 */
export async function findLines(
  archive: ArchiveSource,
  partition: string,
  { sought, since }: { readonly sought: readonly Sought[]; readonly since: Timestamp },
): Promise<FoundLines> {
  const open = new Map(sought.map((one) => [nameOf(one), one.at]));
  const lines = new Map<string, FoundLines['lines'][number]>();
  const digests: DigestCopy[] = [];
  let sealedUntil: Timestamp | undefined;
  for await (const { name } of archive.list(DIGESTS_PREFIX, `${DIGESTS_PREFIX}day=${dayOf(since)}/`)) {
    const text = String((await archive.read(name)) ?? '');
    const read = readDigest(text);
    if (read === undefined || digestName(read.digest) !== name) throw broken(name);
    const { until, objects } = read.digest;
    sealedUntil = until;
    const latest = toTimestamp(Date.parse(until) + CLOCK_SKEW_MS);
    if (sought.length > 0 && ![...open.values()].some((at) => at <= latest)) continue;
    let isNamed = false;
    const readObject = async (object: SealedObject) => [object, await archive.read(object.name)] as const;
    for await (const [object, bytes] of readAhead(objects, OBJECTS_AT_ONCE, readObject)) {
      for (const found of linesIn(object, bytes, partition)) {
        isNamed = true;
        const id = `${found.read.key} ${found.read.sequence}`;
        if (!lines.has(id)) lines.set(id, found);
        open.delete(nameOf(found.read));
      }
    }
    if (isNamed) digests.push({ name, text });
    if (sought.length > 0 && open.size === 0) break;
  }
  return { lines: [...lines.values()], digests, sealedUntil };
}

/** @returns the names of what was sought and is not there */
export function missingOf(sought: readonly Sought[], { lines }: FoundLines): readonly string[] {
  const found = new Set(lines.map(({ read }) => nameOf(read)));
  return sought.filter((one) => !found.has(nameOf(one))).map(({ key }) => key);
}

function nameOf({ key, change }: Pick<Sought, 'key' | 'change'>): string {
  return `${key} ${change}`;
}

function* linesIn(
  object: SealedObject,
  bytes: Buffer | undefined,
  partition: string,
): Generator<FoundLines['lines'][number]> {
  if (bytes === undefined || sha256(bytes) !== object.sha256) throw broken(object.name);
  // Most objects have none: that shows without reading their lines.
  if (!bytes.includes(JSON.stringify(partition))) return;
  const texts = bytes.toString('utf8').split('\n').slice(0, -1);
  let leaves: readonly string[] | undefined;
  for (const [index, line] of texts.entries()) {
    const read = readArchivedLine(line);
    if (read?.partition !== partition) continue;
    leaves ??= texts.map(leafHash);
    const place = { object: object.name, index, size: texts.length, path: pathOf(leaves, index) };
    yield { read, proven: { line, ...place } };
  }
}

function broken(name: string): CannotDo {
  return new CannotDo(1, `${name} is not what was sealed: run "npm run verify-audit -- --archive …".`);
}
