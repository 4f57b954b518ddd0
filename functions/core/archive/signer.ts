import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type ArchiveStore, readText } from './archive-store.ts';
import { keyName, type ReadDigest } from './digest.ts';
import { readPublicKey } from './public-key.ts';

/** The key that signs the archive's digests. Its methods throw `DependencyUnavailable` when it does not answer. */
export interface Signer {
  /** Of the key that signs now, in its DER form (SPKI). */
  publicKey(): Promise<Buffer>;
  /** @param digest 32 bytes, the SHA-256 of what is signed @returns an ECDSA signature in DER */
  sign(digest: Buffer): Promise<Buffer>;
}

/** @param der SPKI @returns the text that OpenSSL reads */
export function toPem(der: Buffer): string {
  return fromDer(der).export({ format: 'pem', type: 'spki' }).toString();
}

/** @param der SPKI @throws Error for what is not a key */
export function fromDer(der: Buffer): KeyObject {
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

/** @param key on curve P-256 */
export function isSignedBy(key: KeyObject, { signed, signature }: Pick<ReadDigest, 'signed' | 'signature'>): boolean {
  return verify('sha256', Buffer.from(signed), key, signature);
}

/** @returns a public key that the archive has; undefined: it has none of this fingerprint */
export async function storedKey(
  archive: Pick<ArchiveStore, 'read'>,
  fingerprint: string,
): Promise<KeyObject | undefined> {
  const stored = readPublicKey((await readText(archive, keyName(fingerprint))) ?? '');
  return stored?.fingerprint === fingerprint ? stored.key : undefined;
}
