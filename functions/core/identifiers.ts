import * as z from 'zod/mini';

/** Half of a surrogate pair alone is no Unicode text: it has no UTF-8 form, so it could not be compared byte for byte. */
const isText = (value: string): boolean => value.isWellFormed();
const hasNoControls = (value: string): boolean => !/\p{Cc}/u.test(value);
const aString = (issue: { input?: unknown }): string =>
  issue.input === undefined ? 'is required' : 'must be a string';
const characters = (value: string): number => Array.from(value).length;

/** A calling system. Comes from its credential or its event rule, never from a body. */
export const partnerIdSchema = z
  .string({ error: aString })
  .check(z.regex(/^[a-z0-9-]{1,40}$/, 'must be 1 to 40 characters of a-z, 0-9 and -'))
  .brand<'PartnerId'>();
export type PartnerId = z.infer<typeof partnerIdSchema>;

/**
 * A Plangrep job's id. Checked wherever one enters, from a table or from Plangrep too: it is the only part of a
 * Plangrep URL that varies, and `encodeURIComponent` would let `..` through.
 */
export const jobIdSchema = z
  .string({ error: aString })
  .check(z.regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -'))
  .brand<'JobId'>();
export type JobId = z.infer<typeof jobIdSchema>;

/** A Plangrep project's id: the same alphabet as a jobId, for the same reason. */
export const projectIdSchema = z
  .string({ error: aString })
  .check(z.regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -'))
  .brand<'ProjectId'>();
export type ProjectId = z.infer<typeof projectIdSchema>;

/** The partner's own id for a job: 1 to 180 Unicode characters (code points), compared byte for byte, not unique. */
export const externalIdSchema = z
  .string({ error: aString })
  .check(
    z.refine((value) => value.length > 0, 'must not be empty'),
    z.refine((value) => characters(value) <= 180, 'must be at most 180 characters'),
    z.refine(isText, 'must be well-formed Unicode: it contains half of a surrogate pair'),
    z.refine(hasNoControls, 'must not contain control characters'),
  )
  .brand<'ExternalId'>();
export type ExternalId = z.infer<typeof externalIdSchema>;

/** Why the partner cancels, in its own words: kept in the audit trail, never logged. */
export const reasonSchema = z.string().check(
  z.refine((value) => characters(value) <= 500, 'must be at most 500 characters'),
  z.refine(isText, 'must be well-formed Unicode: it contains half of a surrogate pair'),
  z.refine(hasNoControls, 'must not contain control characters'),
);

/** RFC 3339 in UTC with milliseconds, as `Date.prototype.toISOString` writes it: sorts as text in order of time. */
export const timestampSchema = z.iso.datetime({ precision: 3 });
export type Timestamp = z.infer<typeof timestampSchema>;

/** @param epochMs milliseconds since 1970 */
export const toTimestamp = (epochMs: number): Timestamp => new Date(epochMs).toISOString();

/** What a credential may do. */
export const scopeSchema = z.enum(['cancellations:write', 'cancellations:read', 'jobs:write']);
export type Scope = z.infer<typeof scopeSchema>;
