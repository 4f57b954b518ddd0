import * as z from 'zod/mini';
import { hashSchema } from '../cancellation/commitment.ts';
import { type Timestamp, timestampSchema } from '../identifiers.ts';
import { parseJson } from '../parse-json.ts';

// The archive's names: no other file spells them. `records/day=<day>/<first>-<last>.ndjson` has lines in their order, and
// `digests/day=<day>/<number>.digest` says which objects there are. The days partition both for Athena.

export const RECORDS_PREFIX = 'records/';
export const DIGESTS_PREFIX = 'digests/';
/** The public keys: a digest can be verified after its key was replaced. */
export const KEYS_PREFIX = 'keys/';

/** Says what a signature is for: the key signs nothing else. */
export const DIGEST_KIND = 'plangrep-cancellation/digest/1';

const count = z.int().check(z.nonnegative());
const objectNamePattern = /^records\/day=\d{4}-\d\d-\d\d\/\d{1,40}-\d{1,40}\.ndjson$/;

/** An object of archived lines. */
export const sealedObjectSchema = z.strictObject({
  name: z.string().check(z.regex(objectNamePattern)),
  /** Of its bytes. */
  sha256: hashSchema,
  bytes: count,
  /** How many lines it has, and the root of the Merkle tree over them (`merkle-tree.ts`). */
  records: count,
  root: hashSchema,
});
export type SealedObject = z.infer<typeof sealedObjectSchema>;

/** The seal of a stretch of the log: what was put into the archive after `from`, up to and with `until`. */
export const digestSchema = z.strictObject({
  kind: z.literal(DIGEST_KIND),
  environment: z.string(),
  bucket: z.string(),
  /** 1, 2, 3 …: gapless. */
  number: z.int().check(z.positive()),
  from: timestampSchema,
  until: timestampSchema,
  /** Of all objects together. */
  records: count,
  /** Sorted by name. None in a stretch without a record. */
  objects: z.array(sealedObjectSchema),
  /** The digest before, by the SHA-256 of its whole file. Absent in the first. */
  previous: z.optional(z.strictObject({ name: z.string(), sha256: hashSchema })),
  /** The SHA-256 of the public key that verifies the signature, in its DER form (SPKI). */
  publicKey: hashSchema,
});
export type Digest = z.infer<typeof digestSchema>;

/**
 * A digest's file: the digest as JSON in the first line, its signature in Base64 in the second. One object, so that
 * neither is there without the other. The signature is ECDSA over P-256 with SHA-256, in DER, over the first line without
 * its line break.
 */
export interface DigestFile {
  readonly name: string;
  readonly text: string;
}

export interface ReadDigest {
  readonly digest: Digest;
  /** What is signed: the first line. */
  readonly signed: string;
  readonly signature: Buffer;
}

/** Where a digest is in the archive. */
export function digestName({ number, until }: Pick<Digest, 'number' | 'until'>): string {
  return `${DIGESTS_PREFIX}day=${dayOf(until)}/${String(number).padStart(10, '0')}.digest`;
}

/**
 * The number that a name says. It has 15 digits at most: after a forged one there is always a next number that JavaScript
 * holds exactly.
 * @returns undefined for a name that {@link digestName} does not make
 */
export function numberIn(name: string): number | undefined {
  const [, digits] = /^digests\/day=\d{4}-\d\d-\d\d\/(\d{10,15})\.digest$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** @param sequences of the first and the last line */
export function objectName(at: Timestamp, [first, last]: readonly [string, string]): string {
  return `${RECORDS_PREFIX}day=${dayOf(at)}/${first}-${last}.ndjson`;
}

/** Whether it is a name that {@link objectName} makes. */
export function isObjectName(name: string): boolean {
  return objectNamePattern.test(name);
}

/** @param fingerprint the SHA-256 of the key's DER form */
export function keyName(fingerprint: string): string {
  return `${KEYS_PREFIX}${fingerprint}.pem`;
}

/** The day in UTC: `2026-11-26`. */
export function dayOf(at: Timestamp): string {
  return at.slice(0, 'YYYY-MM-DD'.length);
}

/** @param signature ECDSA in DER, over {@link digestText} */
export function digestFile(digest: Digest, signature: Buffer): DigestFile {
  return { name: digestName(digest), text: `${digestText(digest)}\n${signature.toString('base64')}\n` };
}

/** What is signed. */
export function digestText(digest: Digest): string {
  return JSON.stringify(digest);
}

/** @returns undefined when the text is not a digest's file */
export function readDigest(text: string): ReadDigest | undefined {
  const [, signed = '', base64 = ''] = /^([^\n]+)\n([A-Za-z0-9+/]+=*)\n$/.exec(text) ?? [];
  const { data } = digestSchema.safeParse(parseJson(signed));
  return data === undefined ? undefined : { digest: data, signed, signature: Buffer.from(base64, 'base64') };
}
