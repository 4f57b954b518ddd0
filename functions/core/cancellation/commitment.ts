import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { recordedExternalIdSchema, recordedReasonSchema } from '../identifiers.ts';
import type { Asked } from './events.ts';

/** The version of the records' format: which fields there are, and what the hashes and commitments are made of. */
export const FORMAT = 1 as const;

/** Separates these commitments from every other use of SHA-256, and versions apart. */
const DOMAIN = `plangrep-cancellation/commitment/${FORMAT}`;

/** The texts of a record that may have to be forgotten. */
const erasableTexts = ['externalId', 'reason'] as const;
type ErasableText = (typeof erasableTexts)[number];

/**
 * The attributes of a record that can be erased: no hash covers them. What the hash of an event covers instead is the
 * commitment to each text, so the chain holds without the text.
 */
export const erasableAttributes = ['externalId', 'externalIdSalt', 'reason', 'reasonSalt'] as const;

/** A SHA-256 in hex. */
export const hashSchema = z.string().check(z.regex(/^[0-9a-f]{64}$/));
/** 128 random bits in hex: without them no text can be tried out against a commitment. */
const salt = z.string().check(z.regex(/^[0-9a-f]{32}$/));

/** A request's texts on record: each with its salt until both are erased, and the commitment to both, which stays. */
export const committedTexts = {
  format: z.literal(FORMAT),
  externalId: z.optional(recordedExternalIdSchema),
  externalIdSalt: z.optional(salt),
  externalIdCommitment: hashSchema,
  reason: z.optional(recordedReasonSchema),
  reasonSalt: z.optional(salt),
  reasonCommitment: z.optional(hashSchema),
};
const committedSchema = z.object(committedTexts);
export type CommittedTexts = z.infer<typeof committedSchema>;

/**
 * SHA-256, in hex, over the domain, the field's name, the salt's 16 bytes and the text in UTF-8, each with its length in
 * bytes before it (32 bits, big-endian), so that no two inputs have the same bytes. docs/audit-format.md has test vectors.
 * @param saltHex 128 bits in hex
 */
export function commitTo(field: ErasableText, saltHex: string, text: string): string {
  const sha256 = createHash('sha256');
  for (const part of [Buffer.from(DOMAIN), Buffer.from(field), Buffer.from(saltHex, 'hex'), Buffer.from(text)]) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    sha256.update(length).update(part);
  }
  return sha256.digest('hex');
}

/**
 * The request as it goes on record.
 * @param newSalt makes 128 random bits in hex: another for each text, so that no two commitments can be compared
 */
export function commitTexts<const Request extends Pick<Asked, ErasableText>>(
  request: Request,
  newSalt: () => string,
): Omit<Request, ErasableText> & CommittedTexts & Pick<Request, 'externalId'> {
  const { externalId, reason }: Pick<Request, ErasableText> = request;
  const externalIdSalt = newSalt();
  const externalIdCommitment = commitTo('externalId', externalIdSalt, externalId);
  const committed = { ...request, format: FORMAT, externalIdSalt, externalIdCommitment };
  if (reason === undefined) return committed;
  const reasonSalt = newSalt();
  return { ...committed, reasonSalt, reasonCommitment: commitTo('reason', reasonSalt, reason) };
}

/** What became of a record's texts. */
export interface JudgedTexts {
  /** Those that are not what the record commits to. */
  readonly wrong: readonly ErasableText[];
  /** Whether one is gone together with its salt, as an erasure leaves it. */
  readonly isErased: boolean;
}

/** @param fields of a record, as stored */
export function judgeTexts(fields: Readonly<Record<string, unknown>>): JudgedTexts {
  const judged = erasableTexts.map((field) => [field, judgeText(field, fields)] as const);
  const wrong = judged.filter(([, found]) => found === 'wrong').map(([field]) => field);
  return { wrong, isErased: judged.some(([, found]) => found === 'erased') };
}

function judgeText(field: ErasableText, fields: Readonly<Record<string, unknown>>): 'right' | 'wrong' | 'erased' {
  const { [field]: text, [`${field}Salt`]: saltHex, [`${field}Commitment`]: commitment } = fields;
  if (text === undefined && saltHex === undefined) return commitment === undefined ? 'right' : 'erased';
  return commitTo(field, textOf(saltHex), textOf(text)) === commitment ? 'right' : 'wrong';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
