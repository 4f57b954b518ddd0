import type { DirectoryEntry } from '../job-directory.ts';

/** A job that was seen absent so long ago, and ever since, is absent: an event has five tries by then. */
const BELIEVED_AFTER_MS = 4 * 60_000;
/** Absence that is believed is not asked about again for so long. */
const ASKED_AGAIN_AFTER_MS = 30_000;
/** A job is not read again sooner (Plangrep's guide, Polling and webhooks). */
export const READ_AGAIN_AFTER_MS = 5_000;

/**
 * What Plangrep's 404 says about a job. `missing`: Plangrep has confirmed the job before, so a deployment may be the
 * reason, and the job may be alive. `absent`: it is not, or Plangrep never confirmed it.
 */
export type Absence = 'missing' | 'absent';

/** @param nowMs when Plangrep answered 404, in milliseconds since 1970 */
export function judgeAbsence(entry: DirectoryEntry, nowMs: number): Absence {
  const { verifiedAt, absentSince, jobExpiresAt } = entry;
  if (verifiedAt === undefined) return 'absent';
  if (jobExpiresAt !== undefined && nowMs >= Date.parse(jobExpiresAt)) return 'absent';
  const hasLasted = absentSince !== undefined && nowMs - Date.parse(absentSince) >= BELIEVED_AFTER_MS;
  return hasLasted ? 'absent' : 'missing';
}

/** What an earlier read says, if it is too recent to ask again. @param nowMs milliseconds since 1970 */
export function knownAbsence(entry: DirectoryEntry, nowMs: number): Absence | undefined {
  if (entry.absentAt === undefined) return undefined;
  const readMs = Date.parse(entry.absentAt);
  const absence = judgeAbsence(entry, readMs);
  return nowMs - readMs < (absence === 'absent' ? ASKED_AGAIN_AFTER_MS : READ_AGAIN_AFTER_MS) ? absence : undefined;
}
