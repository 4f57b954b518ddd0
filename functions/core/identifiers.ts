import * as z from 'zod/mini';
import { readForeignTime } from './read-foreign-time.ts';

const aString = (issue: { input?: unknown }): string =>
  issue.input === undefined ? 'is required' : 'must be a string';

/** What a lossy decoder, such as API Gateway's, leaves in place of bytes that are not UTF-8. */
export const REPLACEMENT_CHARACTER = '\ufffd';

/** Half of a surrogate pair has no UTF-8 form, so a text that contains one could not be compared byte for byte. */
const isWellFormed = z.refine<string>(
  (text) => text.isWellFormed(),
  'must be well-formed Unicode: it contains half of a surrogate pair',
);
/** `commande-é` and `commande-è` in Latin-1 are one text once they are decoded, and one of them is another job. */
const isNotRepaired = z.refine<string>(
  (text) => !text.includes(REPLACEMENT_CHARACTER),
  'must not contain U+FFFD, which stands for bytes that are not valid UTF-8: send the text as UTF-8',
);
const hasNoControls = z.refine<string>((text) => !/\p{Cc}/u.test(text), 'must not contain control characters');
const hasAtMost = (characters: number) =>
  z.refine<string>((text) => Array.from(text).length <= characters, `must be at most ${characters} characters`);

/** Plangrep's own ids. They vary the path of its URLs, and `encodeURIComponent` would let `..` through. */
const plangrepId = () =>
  z
    .string({ error: aString })
    .check(z.regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -'));

/** A calling system. Comes from its credential or its event rule, never from a body. */
export const partnerIdSchema = z
  .string({ error: aString })
  .check(z.regex(/^[a-z0-9-]{1,40}$/, 'must be 1 to 40 characters of a-z, 0-9 and -'))
  .brand<'PartnerId'>();
export type PartnerId = z.infer<typeof partnerIdSchema>;

/** The public part of a credential, by which it is found: `pcg_<environment>_<keyId>_<secret>`. */
export const keyIdSchema = z.string().check(z.regex(/^[A-Za-z0-9]{12}$/, 'must be 12 of A-Z, a-z and 0-9'));

/** A Plangrep job's id. It is checked wherever one enters, from a table or from Plangrep too. */
export const jobIdSchema = plangrepId().brand<'JobId'>();
export type JobId = z.infer<typeof jobIdSchema>;

/** A Plangrep project's id. */
export const projectIdSchema = plangrepId().brand<'ProjectId'>();
export type ProjectId = z.infer<typeof projectIdSchema>;

/** An externalId on record. What was recorded before U+FFFD was refused stays readable. */
export const recordedExternalIdSchema = z
  .string({ error: aString })
  .check(
    z.refine((value) => value.length > 0, 'must not be empty'),
    hasAtMost(180),
    isWellFormed,
    hasNoControls,
  )
  .brand<'ExternalId'>();
export type ExternalId = z.infer<typeof recordedExternalIdSchema>;

/** The partner's own id for a job: 1 to 180 Unicode characters (code points), compared byte for byte, not unique. */
export const externalIdSchema = recordedExternalIdSchema.check(isNotRepaired);

/** A reason on record. */
export const recordedReasonSchema = z.string().check(hasAtMost(500), isWellFormed, hasNoControls);
/** Why the partner cancels, in its own words: kept in the audit trail, never logged. */
export const reasonSchema = recordedReasonSchema.check(isNotRepaired);

/** RFC 3339 in UTC with milliseconds, as `Date.prototype.toISOString` writes it: sorts as text in order of time. */
export const timestampSchema = z.iso.datetime({ precision: 3 });
export type Timestamp = z.infer<typeof timestampSchema>;

/** Somebody else's time, in any form of ISO 8601. An offset may lead out of the years that a timestamp has. */
export const foreignTimestampSchema = z.pipe(
  z.pipe(
    z.string(),
    z.transform((text) => {
      const ms = readForeignTime(text);
      return ms === undefined ? undefined : toTimestamp(ms);
    }),
  ),
  timestampSchema,
);

/** @param epochMs milliseconds since 1970 */
export function toTimestamp(epochMs: number): Timestamp {
  return new Date(epochMs).toISOString();
}

export function earliest(time: Timestamp, ...others: readonly Timestamp[]): Timestamp {
  return others.reduce((first, other) => (other < first ? other : first), time);
}

/** The second that a time is in: some clocks show no more. */
export function startOfSecond(time: Timestamp): Timestamp {
  return toTimestamp(Math.floor(Date.parse(time) / 1_000) * 1_000);
}

/** What a credential may do. */
export const scopeSchema = z.enum(['cancellations:write', 'cancellations:read', 'jobs:write']);
export type Scope = z.infer<typeof scopeSchema>;
