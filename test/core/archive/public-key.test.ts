import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { readPublicKey } from '../../../functions/core/archive/public-key.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();

test('is known by the SHA-256 of its DER form', () => {
  const der = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  expect(readPublicKey(pem)?.fingerprint).toBe(createHash('sha256').update(der).digest('hex'));
});

test('is only read from the PEM form of a public key on the curve P-256', () => {
  const others = [
    generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey,
    generateKeyPairSync('ed25519').publicKey,
    generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey,
  ].map((key) => key.export({ type: 'spki', format: 'pem' }).toString());
  const secret = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  for (const text of ['', 'x', pem.slice(0, 60), pem.replace(/[A-Z]/g, 'A'), secret, `${pem}${secret}`, ...others]) {
    expect(readPublicKey(text)).toBeUndefined();
  }
});
