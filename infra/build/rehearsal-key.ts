/** Of the curve P-256: the order of its group, and its generator. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const GENERATOR = [
  '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296',
  '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
] as const;
const SPKI_HEADER = '3059301306072a8648ce3d020106082a8648ce3d03010703420004';

/** A public key whose private key is 1, so that everyone can sign with it: in DER, as Base64. */
export const rehearsalPublicKey = Buffer.from(SPKI_HEADER + GENERATOR.join(''), 'hex').toString('base64');

/** ECDSA with the private key 1 and the nonce 1, since `node:crypto` signs no digest that is given. */
export function signRehearsal(digest: Buffer): string {
  const r = BigInt(`0x${GENERATOR[0]}`) % ORDER;
  const s = (BigInt(`0x${digest.toString('hex')}`) + r) % ORDER;
  const integers = Buffer.concat([toDer(r), toDer(s)]);
  return Buffer.concat([Buffer.of(0x30, integers.length), integers]).toString('base64');
}

function toDer(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const positive = (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]);
  return Buffer.concat([Buffer.of(0x02, positive.length), positive]);
}
