import { createPublicKey, type KeyObject } from 'node:crypto';
import { sha256 } from '../sha256.ts';

/** A public key that verifies digests. */
export interface PublicKey {
  /** By which digests name it: the SHA-256 of its DER form (SPKI). */
  readonly fingerprint: string;
  readonly key: KeyObject;
}

/** @returns undefined when the text is not the PEM form of a public key on the curve P-256 */
export function readPublicKey(pem: string): PublicKey | undefined {
  const key = parsePublicKey(pem);
  if (key?.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return undefined;
  return { fingerprint: sha256(key.export({ format: 'der', type: 'spki' })), key };
}

function parsePublicKey(pem: string): KeyObject | undefined {
  // Of a private key `createPublicKey` makes a public one: a key that is handed to auditors must not be that one.
  if (!pem.includes('-----BEGIN PUBLIC KEY-----') || pem.includes('PRIVATE KEY')) return undefined;
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}
