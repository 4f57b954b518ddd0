import { createECDH, type KeyObject, randomBytes } from 'node:crypto';

/**
 * ECDSA over a digest that is given: `node:crypto` only signs messages, which it hashes itself. For the local KMS alone: this does
 * not take the same time for every key, as code for a real key must.
 * @see https://csrc.nist.gov/pubs/fips/186-5/final FIPS 186-5, section 6.4
 */

/** Curve P-256. */
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const A = P - 3n;
const G: Point = {
  x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
};

interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

/** @param digest 32 bytes @returns the signature as DER, which KMS and OpenSSL use */
export function signDigest(digest: Uint8Array, privateKey: KeyObject): Buffer {
  const d = fromBase64url(privateKey.export({ format: 'jwk' }).d);
  for (;;) {
    const k = (toNumber(randomBytes(48)) % (N - 1n)) + 1n;
    const r = xOfMultiple(k) % N;
    const s = modulo(inverse(k, N) * (toNumber(digest) + r * d), N);
    if (r !== 0n && s !== 0n) return toDer(r, s);
  }
}

/** @returns false for a signature of another digest or key, and for one that is not DER */
export function verifyDigest(digest: Uint8Array, signature: Uint8Array, publicKey: KeyObject): boolean {
  const parts = fromDer(Buffer.from(signature));
  if (parts === undefined || parts.some((part) => part < 1n || part >= N)) return false;
  const [r, s] = parts;
  const { x, y } = publicKey.export({ format: 'jwk' });
  const w = inverse(s, N);
  const found = add(
    multiply(G, modulo(toNumber(digest) * w, N)),
    multiply({ x: fromBase64url(x), y: fromBase64url(y) }, modulo(r * w, N)),
  );
  return found !== undefined && found.x % N === r;
}

function xOfMultiple(k: bigint): bigint {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(toBytes(k));
  return toNumber(ecdh.getPublicKey().subarray(1, 33));
}

/** @returns undefined for the point at infinity */
function multiply(point: Point, times: bigint): Point | undefined {
  let sum: Point | undefined;
  let doubled: Point | undefined = point;
  for (let left = times; left > 0n; left >>= 1n) {
    if (left & 1n) sum = add(sum, doubled);
    doubled = add(doubled, doubled);
  }
  return sum;
}

function add(a: Point | undefined, b: Point | undefined): Point | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.x === b.x && modulo(a.y + b.y, P) === 0n) return undefined;
  const slope =
    a.x === b.x ? (3n * a.x * a.x + A) * inverse(2n * a.y, P) : (b.y - a.y) * inverse(modulo(b.x - a.x, P), P);
  const x = modulo(slope * slope - a.x - b.x, P);
  return { x, y: modulo(slope * (a.x - x) - a.y, P) };
}

function modulo(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by;
}

/** By Euclid's algorithm. */
function inverse(value: bigint, by: bigint): bigint {
  let [a, b, x, y] = [modulo(value, by), by, 1n, 0n];
  while (a > 1n) {
    const quotient = a / b;
    [a, b] = [b, a % b];
    [x, y] = [y, x - quotient * y];
    if (b === 0n && a > 1n) throw new RangeError('The value has no inverse');
  }
  return modulo(x, by);
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
}

function fromBase64url(text = ''): bigint {
  return toNumber(Buffer.from(text, 'base64url'));
}

function toBytes(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
}

function toDer(r: bigint, s: bigint): Buffer {
  const integers = [r, s].map((value) => {
    const hex = value.toString(16);
    const bytes = Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, 'hex');
    // An integer whose first bit is set would be negative.
    const signed = (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
    return Buffer.concat([Buffer.of(2, signed.length), signed]);
  });
  const content = Buffer.concat(integers);
  return Buffer.concat([Buffer.of(0x30, content.length), content]);
}

/** Only what {@link toDer} writes: one signature has one encoding. */
function fromDer(bytes: Buffer): readonly [bigint, bigint] | undefined {
  const lengthOfR = bytes[3] ?? 0;
  const r = toNumber(bytes.subarray(4, 4 + lengthOfR));
  const s = toNumber(bytes.subarray(6 + lengthOfR));
  return toDer(r, s).equals(bytes) ? [r, s] : undefined;
}
