import * as z from 'zod/mini';
import { S3Error } from './s3-error.ts';

/**
 * What Object Lock allows, as functions of a lock, a wish and the time.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
 */

export const modes = z.enum(['GOVERNANCE', 'COMPLIANCE']);

/** How long a version is kept. */
export interface Retention {
  readonly mode: z.infer<typeof modes>;
  /** Milliseconds since 1970. */
  readonly untilMs: number;
}
export const retentionSchema = z.object({ mode: modes, untilMs: z.number() });

/** What a bucket gives each new version that brings nothing itself. */
export const defaultRetentionSchema = z.object({
  mode: modes,
  unit: z.enum(['Days', 'Years']),
  count: z.int().check(z.minimum(1), z.maximum(36_500)),
});
export type DefaultRetention = z.infer<typeof defaultRetentionSchema>;

export function fromDefault({ mode, unit, count }: DefaultRetention, nowMs: number): Retention {
  const until = new Date(nowMs);
  if (unit === 'Days') until.setUTCDate(until.getUTCDate() + count);
  else until.setUTCFullYear(until.getUTCFullYear() + count);
  return { mode, untilMs: until.getTime() };
}

/** @throws S3Error for a date that has passed @param until ISO 8601 */
export function retentionOf(mode: z.infer<typeof modes>, until: string, nowMs: number): Retention {
  const untilMs = /^\d{4}-\d\d-\d\dT/.test(until) ? Date.parse(until) : Number.NaN;
  if (Number.isNaN(untilMs)) throw new S3Error('InvalidArgument', 'The retain until date is not in ISO 8601.');
  if (untilMs <= nowMs) throw new S3Error('InvalidArgument', 'The retain until date must be in the future!');
  return { mode, untilMs };
}

/** @param mayBypass asked when only that is missing: whether the request bypasses governance, and its caller may */
export function checkDelete(locked: Retention | undefined, nowMs: number, mayBypass: () => boolean): void {
  if (isFree(locked, nowMs, mayBypass)) return;
  throw denied();
}

/**
 * Checks a change of a version's retention. A longer one in the same mode is always allowed. The documentation does not say
 * whether a change from governance to compliance needs the bypass; here it does.
 * @param wished undefined to remove the retention
 */
export function checkChange(
  locked: Retention | undefined,
  wished: Retention | undefined,
  nowMs: number,
  mayBypass: () => boolean,
): void {
  const isLonger = wished !== undefined && wished.mode === locked?.mode && wished.untilMs >= locked.untilMs;
  if (isLonger || isFree(locked, nowMs, mayBypass)) return;
  throw denied();
}

function isFree(locked: Retention | undefined, nowMs: number, mayBypass: () => boolean): boolean {
  if (locked === undefined || locked.untilMs <= nowMs) return true;
  return locked.mode === 'GOVERNANCE' && mayBypass();
}

function denied(): S3Error {
  return new S3Error('AccessDenied', 'Access Denied because object protected by object lock.', 403);
}
