import { CLOCK_SKEW_MS } from '../audit/findings.ts';
import { type Timestamp, toTimestamp } from '../identifiers.ts';
import type { ArchiveFinding } from './archive-findings.ts';
import { type Digest, digestName, DIGESTS_PREFIX, type ReadDigest, readDigest } from '../archive/digest.ts';
import { sha256 } from '../sha256.ts';
import type { PublicKey } from '../archive/public-key.ts';
import { isSignedBy } from '../archive/signer.ts';

/** A digest follows at least hourly: after twice that without one, sealing has stopped, or digests were deleted. */
export const LONGEST_STRETCH_MS = 2 * 60 * 60_000;

/** A digest as it was found. */
export interface FoundDigest {
  readonly name: string;
  /** Of its whole file. */
  readonly sha256: string;
  readonly digest: Digest;
}

export interface DigestChain {
  /** Takes the next digest, in the order of the names. */
  add(name: string, text: string): { readonly findings: readonly ArchiveFinding[]; readonly digest?: Digest };
  end(): {
    readonly findings: readonly ArchiveFinding[];
    readonly digests: number;
    /**
     * How many seal a stretch that is longer than allowed. Sealing had stopped, and what was put into the archive meanwhile
     * is sealed all the same: nothing is wrong with the archive.
     */
    readonly late: number;
    readonly newest?: FoundDigest;
  };
}

export interface DigestChainOptions {
  /** The keys that the auditor trusts. What the archive itself says of keys proves nothing. */
  readonly keys: readonly PublicKey[];
  /** The SHA-256 of digests' files that the auditor noted before: they must still be there. */
  readonly kept?: readonly string[];
  readonly nowMs: number;
  /** Whether an environment is always up, so that its digests must come in time. */
  readonly isAlwaysUp: (environment: string) => boolean;
}

/**
 * Verifies the digests of an archive, one after the other: numbers, names, signatures, each one's chain to the one before,
 * and that they come in time. Memory holds one digest.
 */
export function createDigestChain({ keys, kept = [], nowMs, isAlwaysUp }: DigestChainOptions): DigestChain {
  const missingKept = new Set(kept);
  let before: FoundDigest | undefined;
  let [digests, late] = [0, 0];
  const judgeKeyOrder = createKeyOrder();
  return {
    add(name, text) {
      digests += 1;
      const hash = sha256(text);
      missingKept.delete(hash);
      const read = readDigest(text);
      if (read === undefined) {
        const what = `${name} is not a digest's file: it was replaced or damaged.`;
        return { findings: [{ code: 'digest_unreadable', object: name, what }] };
      }
      const found = { name, sha256: hash, digest: read.digest };
      const unsigned = judgeSignature(name, read, keys);
      const findings = [
        ...judgeItself(found),
        ...unsigned,
        ...(unsigned.length === 0 ? judgeKeyOrder(found) : []),
        ...judgeLink(before, found),
      ];
      if (isLate(read.digest)) late += 1;
      if (before === undefined || before.digest.number < read.digest.number) before = found;
      return { findings, digest: read.digest };
    },
    end() {
      const lost = [...missingKept].map((hash): ArchiveFinding => {
        const what = `The archive has no digest with the SHA-256 ${hash}, which was kept: it was replaced or deleted.`;
        return { code: 'digest_replaced', what };
      });
      const findings = [...lost, ...judgeAge(before, nowMs, isAlwaysUp)];
      return { findings, digests, late, ...(before !== undefined && { newest: before }) };
    },
  };
}

function judgeItself({ name, digest }: FoundDigest): readonly ArchiveFinding[] {
  const findings: ArchiveFinding[] = [];
  const right = digestName(digest);
  if (name !== right) {
    const what = `${name} holds digest ${digest.number}, whose name is ${right}: it was moved or copied.`;
    findings.push({ code: 'digest_misplaced', object: name, what });
  }
  const records = digest.objects.reduce((sum, object) => sum + object.records, 0);
  if (records !== digest.records) {
    const what = `${name} says ${digest.records} records, and its objects have ${records}.`;
    findings.push({ code: 'digest_unreadable', object: name, what });
  }
  return findings;
}

function judgeSignature(name: string, read: ReadDigest, keys: readonly PublicKey[]): readonly ArchiveFinding[] {
  const key = keys.find(({ fingerprint }) => fingerprint === read.digest.publicKey);
  if (key === undefined) {
    const what = `${name} names the key ${read.digest.publicKey}, which is not a given one: it was signed by somebody else, or a key is to be given.`;
    return [{ code: 'unknown_key', object: name, what }];
  }
  if (isSignedBy(key.key, read)) return [];
  const what = `${name} was not signed with the key that it names, or was changed afterwards.`;
  return [{ code: 'bad_signature', object: name, what }];
}

/** A key that was replaced signs nothing any more: only a rotation changes it, and never back. Takes digests that are signed. */
function createKeyOrder(): (found: FoundDigest) => readonly ArchiveFinding[] {
  const retired = new Set<string>();
  let current: string | undefined;
  return ({ name, digest: { publicKey } }) => {
    if (retired.has(publicKey)) {
      const what = `${name} was signed with the key ${publicKey}, which an earlier digest shows as replaced: a key signs nothing after its rotation.`;
      return [{ code: 'key_retired', object: name, what }];
    }
    if (current !== undefined && current !== publicKey) retired.add(current);
    current = publicKey;
    return [];
  };
}

/** Holds a digest against the one before it. */
function judgeLink(before: FoundDigest | undefined, { name, digest }: FoundDigest): readonly ArchiveFinding[] {
  const { number, previous, from, until } = digest;
  const findings: ArchiveFinding[] = [];
  const add = (code: ArchiveFinding['code'], what: string): void => void findings.push({ code, object: name, what });
  const expected = (before?.digest.number ?? 0) + 1;
  if (number > expected) {
    const which = number === expected + 1 ? `Digest ${expected} is` : `Digests ${expected} to ${number - 1} are`;
    add('digest_missing', `${which} missing before ${name}.`);
  } else if (number < expected) {
    add('digest_misplaced', `${name} has the number ${number}, which comes after ${expected - 1} here.`);
  }
  const isFirst = number === 1;
  if (isFirst !== (previous === undefined)) {
    add('digest_replaced', `${name} ${isFirst ? 'is the first, but names one before it' : 'names none before it'}.`);
  }
  if (before === undefined || number !== expected) return findings;
  const named = previous === undefined ? undefined : `${previous.name} ${previous.sha256}`;
  if (previous !== undefined && named !== `${before.name} ${before.sha256}`) {
    add('digest_replaced', `${before.name} is not the digest that ${name} is chained to: one of the two was replaced.`);
  }
  if (from !== before.digest.until) {
    add('stretch_gap', `${name} seals from ${from}, but the digest before it ends at ${before.digest.until}.`);
  }
  if (until < from) add('stretch_gap', `${name} seals from ${from} until ${until}, which is before it.`);
  const { environment, bucket } = before.digest;
  if (digest.environment !== environment || digest.bucket !== bucket) {
    const what = `${name} is of ${digest.environment} (${digest.bucket}), the digest before it of ${environment} (${bucket}).`;
    add('other_archive', what);
  }
  return findings;
}

/** The first one begins before everything that is there. */
function isLate({ number, from, until }: Digest): boolean {
  return number > 1 && Date.parse(until) - Date.parse(from) > LONGEST_STRETCH_MS;
}

function judgeAge(
  newest: FoundDigest | undefined,
  nowMs: number,
  isAlwaysUp: DigestChainOptions['isAlwaysUp'],
): readonly ArchiveFinding[] {
  if (newest === undefined) {
    const what = 'The archive has no digest: nothing in it is sealed, or its digests were deleted.';
    return [{ code: 'digest_missing', object: DIGESTS_PREFIX, what }];
  }
  const { name, digest } = newest;
  if (Date.parse(digest.until) > nowMs + CLOCK_SKEW_MS) {
    const what = `${name} ends at ${digest.until}, later than now: the sealer's clock was wrong, and nothing is sealed until then.`;
    return [{ code: 'dated_ahead', object: name, what }];
  }
  if (nowMs - Date.parse(digest.until) <= LONGEST_STRETCH_MS || !isAlwaysUp(digest.environment)) return [];
  const now: Timestamp = toTimestamp(nowMs);
  const what = `${name} is the newest digest and ends at ${digest.until}; it is ${now}. Newer digests were deleted, this copy is old, or sealing has stopped.`;
  return [{ code: 'overdue', object: name, what }];
}
