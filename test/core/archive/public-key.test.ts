import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { isSignedBy, readPublicKey } from '../../../functions/core/archive/public-key.ts';

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
  for (const text of ['', 'x', pem.slice(0, 60), pem.replace(/[A-Z]/g, 'A'), secret, ...others]) {
    expect(readPublicKey(text)).toBeUndefined();
  }
});

test('verifies what its private key has signed, and nothing else', () => {
  const key = readPublicKey(pem);
  if (key === undefined) throw new Error('it is a key');
  const signature = sign('sha256', Buffer.from('digest'), privateKey);
  const digest = { number: 1 } as never;
  expect(isSignedBy(key, { digest, signed: 'digest', signature })).toBe(true);
  expect(isSignedBy(key, { digest, signed: 'digest ', signature })).toBe(false);
  expect(isSignedBy(key, { digest, signed: 'digest', signature: Buffer.from('x') })).toBe(false);
});
