import { type Digest, digestName, DIGESTS_PREFIX, numberIn, type ReadDigest, readDigest } from './digest.ts';
import { sha256 } from '../sha256.ts';
import { type ArchiveStore, readText } from './archive-store.ts';
import { isSignedBy, storedKey } from './signer.ts';

/** The end of the chain of digests. */
export interface NewestDigest {
  /** The file with the highest number. The next digest names it, whatever is in it. */
  readonly name: string;
  readonly sha256: string;
  readonly number: number;
  /** The newest digest that is valid; absent: none is. */
  readonly valid: Digest | undefined;
  /** The files from there on, newest first. */
  readonly invalid: readonly string[];
}

/**
 * Reads the archive's digests from the newest back to the first one that is valid, so that a file that was put in place of a
 * digest cannot say where the next stretch begins.
 * @returns undefined: the archive has no digest
 * @throws DependencyUnavailable
 */
export async function findNewestDigest(archive: ArchiveStore): Promise<NewestDigest | undefined> {
  let newest: Omit<NewestDigest, 'valid' | 'invalid'> | undefined;
  const invalid: string[] = [];
  for await (const name of namesBackwards(archive)) {
    const text = (await readText(archive, name)) ?? '';
    const read = readDigest(text);
    const isValid = read !== undefined && digestName(read.digest) === name && (await isSigned(archive, read));
    const number = isValid ? read.digest.number : numberIn(name);
    if (number !== undefined && number > (newest?.number ?? 0)) newest = { name, sha256: sha256(text), number };
    if (isValid && newest !== undefined) return { ...newest, valid: read.digest, invalid };
    invalid.push(name);
  }
  return newest && { ...newest, valid: undefined, invalid };
}

async function* namesBackwards(archive: ArchiveStore): AsyncGenerator<string> {
  for (const day of (await archive.days(DIGESTS_PREFIX)).toReversed()) {
    const names: string[] = [];
    for await (const { name } of archive.list(`${DIGESTS_PREFIX}day=${day}/`)) names.push(name);
    yield* names.toReversed();
  }
}

async function isSigned(archive: ArchiveStore, read: ReadDigest): Promise<boolean> {
  const key = await storedKey(archive, read.digest.publicKey);
  return key !== undefined && isSignedBy(key, read);
}
