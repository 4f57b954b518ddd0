import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type ReadDigest, sha256 } from './digest.ts';

/** A public key that verifies digests. */
export interface PublicKey {
  /** The SHA-256 of its DER form (SPKI), by which digests name it. */
  readonly fingerprint: string;
  readonly key: KeyObject;
}

/** @returns undefined when the text is not the PEM form of a key on the curve P-256 */
export function readPublicKey(pem: string): PublicKey | undefined {
  const key = parsePublicKey(pem);
  if (key?.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return undefined;
  return { fingerprint: sha256(key.export({ type: 'spki', format: 'der' })), key };
}

function parsePublicKey(pem: string): KeyObject | undefined {
  // `createPublicKey` makes a public key of a private one, too: that one must never be handed out.
  if (!pem.includes('-----BEGIN PUBLIC KEY-----')) return undefined;
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}

export function isSignedBy({ key }: PublicKey, { signed, signature }: ReadDigest): boolean {
  return verify('sha256', Buffer.from(signed), key, signature);
}
