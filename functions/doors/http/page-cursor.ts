import { createHash } from 'node:crypto';
import type { ExternalId, PartnerId } from '../../core/identifiers.ts';

/** Whose jobs a cursor pages through. */
export interface PagedJobs {
  readonly partnerId: PartnerId;
  readonly externalId: ExternalId;
}

const DIGEST_BYTES = 16;

/**
 * The cursor of the page that begins after a jobId: a digest of this position and of the jobs that it is a position in,
 * then the position. So a cursor that was cut, changed or meant for other jobs is noticed. It is not a secret and needs
 * none: whatever it says, only the caller's own jobs with the externalId of the request are read.
 */
export function writeCursor({ partnerId, externalId }: PagedJobs, after: string): string {
  const named = JSON.stringify([partnerId, externalId, after]);
  const digest = createHash('sha256').update(named).digest().subarray(0, DIGEST_BYTES);
  return Buffer.concat([digest, Buffer.from(after)]).toString('base64url');
}

/** @returns undefined for a cursor that is not written exactly so for these jobs */
export function readCursor(jobs: PagedJobs, cursor: string): string | undefined {
  const after = Buffer.from(cursor, 'base64url').subarray(DIGEST_BYTES).toString();
  return after !== '' && writeCursor(jobs, after) === cursor ? after : undefined;
}
