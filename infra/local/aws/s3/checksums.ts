import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { IncomingHttpHeaders } from 'node:http';
import { S3Error } from './s3-error.ts';

/**
 * The checksums that a client may send with a body, by the end of their header's name.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
const algorithms: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  crc32: (body) => bytesOf(BigInt(crc32(body)), 4),
  crc32c: (body) => bytesOf(reflected(body, 0x82f63b78n, 32), 4),
  crc64nvme: (body) => bytesOf(reflected(body, 0x9a6c9329ac4bc9b5n, 64), 8),
  sha1: (body) => createHash('sha1').update(body).digest(),
  sha256: (body) => createHash('sha256').update(body).digest(),
};

const PREFIX = 'x-amz-checksum-';

/** @returns whether a header is that of a checksum which this knows */
export function isChecksumHeader(header: string): boolean {
  return header.startsWith(PREFIX) && Object.hasOwn(algorithms, header.slice(PREFIX.length));
}

export function md5(body: Buffer): Buffer {
  return createHash('md5').update(body).digest();
}

/**
 * Compares a body with the checksums that came with it, in headers or in the trailer of a chunked body.
 * @returns the checksums, by header
 * @throws S3Error for one that does not match
 */
export function verifyChecksums(headers: IncomingHttpHeaders, body: Buffer): Readonly<Record<string, string>> {
  const contentMd5 = headers['content-md5'];
  if (contentMd5 !== undefined && contentMd5 !== md5(body).toString('base64')) {
    throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  }
  const given = Object.entries(headers).flatMap(([header, value]) =>
    isChecksumHeader(header) && value !== undefined ? [[header, String(value)] as const] : [],
  );
  for (const [header, value] of given) {
    const name = header.slice(PREFIX.length);
    if (algorithms[name]?.(body).toString('base64') === value) continue;
    const message = `The ${name.toUpperCase()} you specified did not match the calculated checksum.`;
    throw new S3Error('BadDigest', message);
  }
  return Object.fromEntries(given);
}

function bytesOf(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex');
}

const tables = new Map<bigint, readonly bigint[]>();

/** A cyclic redundancy check with reflected bits. */
function reflected(body: Buffer, polynomial: bigint, bits: number): bigint {
  const all = (1n << BigInt(bits)) - 1n;
  let table = tables.get(polynomial);
  if (table === undefined) tables.set(polynomial, (table = tableOf(polynomial)));
  let crc = all;
  for (const byte of body) crc = (table[Number(crc & 0xffn) ^ byte] ?? 0n) ^ (crc >> 8n);
  return crc ^ all;
}

function tableOf(polynomial: bigint): bigint[] {
  return Array.from({ length: 256 }, (_, byte) => {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    return crc;
  });
}
