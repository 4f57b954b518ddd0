import type { CancelRequest } from '../cancel-request.ts';
import { isTerminal } from '../cancellation/job-status.ts';
import { toTimestamp } from '../identifiers.ts';
import { type DirectoryEntry, type JobFact, type PartnerAccess, type Ports, type VerifiedEntry } from '../ports.ts';
import { DependencyUnavailable } from '../report.ts';
import { judgeOwnership, lookAtJob, standingOf, verifyJob } from './verify-job.ts';

/** What a job read showed of a registered job. */
export type ReadJob =
  | { readonly kind: 'alive' | 'ended'; readonly entry: VerifiedEntry; readonly jobStatus: string }
  /** Plangrep has no such job of this partner. */
  | { readonly kind: 'absent' }
  /** Plangrep did not answer, or does not say whose job it is. */
  | { readonly kind: 'unread' };

/** At most so many reads of Plangrep run at the same time. */
export const READS_AT_ONCE = 5;

/** "Plangrep has no such job" is not asked again for so long. */
const ABSENT_MS = 30_000;

type ReadPorts = Pick<Ports, 'directory' | 'plangrep' | 'clock' | 'report'>;
type Registrant = Pick<CancelRequest, 'partnerId' | 'externalId'>;

/** @param nowMs milliseconds since 1970 */
export function isKnownAbsent({ absentAt }: DirectoryEntry, nowMs: number): boolean {
  return absentAt !== undefined && nowMs - Date.parse(absentAt) < ABSENT_MS;
}

/**
 * Reads a registered job, and verifies it if it is not verified yet. What was learned for later is remembered.
 * @throws DependencyUnavailable when an unverified job cannot be claimed
 */
export async function readJob(
  ports: ReadPorts,
  registrant: Registrant,
  access: PartnerAccess,
  entry: DirectoryEntry,
  untilMs: number,
): Promise<ReadJob> {
  const read = await readOrVerify(ports, registrant, access, entry, untilMs);
  if (read.kind === 'absent') {
    await remember(ports, registrant, entry, { absentAt: toTimestamp(ports.clock.now()) });
  } else if (read.kind === 'ended' && read.entry.terminalStatus === undefined) {
    await remember(ports, registrant, entry, { terminalStatus: read.jobStatus });
  }
  return read;
}

async function readOrVerify(
  ports: ReadPorts,
  registrant: Registrant,
  access: PartnerAccess,
  entry: DirectoryEntry,
  untilMs: number,
): Promise<ReadJob> {
  const { verifiedAt } = entry;
  if (verifiedAt === undefined || standingOf(access, entry) !== 'verified') {
    const look = await lookAtJob(ports, entry.jobId, untilMs);
    const verification = await verifyJob(ports, registrant, access, entry, look);
    if (verification.kind === 'not_confirmed') return { kind: 'unread' };
    return verification.kind === 'owned' ? shown(verification.entry, verification.jobStatus) : { kind: 'absent' };
  }
  const answer = await ports.plangrep.read(entry.jobId, untilMs);
  if (answer.kind === 'not_found') return { kind: 'absent' };
  if (answer.kind !== 'job') return { kind: 'unread' };
  const ownership = judgeOwnership(access, registrant.externalId, answer.job);
  if (ownership === 'not_confirmed') return { kind: 'unread' };
  return ownership === 'owned' ? shown({ ...entry, verifiedAt }, answer.job.status) : { kind: 'absent' };
}

function shown(entry: VerifiedEntry, jobStatus: string): ReadJob {
  return { kind: isTerminal(jobStatus) ? 'ended' : 'alive', entry, jobStatus };
}

/** Optimization only, it saves the next request a read: a failure is reported and ignored. */
async function remember(
  { directory, report }: ReadPorts,
  { partnerId, externalId }: Registrant,
  { jobId }: DirectoryEntry,
  fact: JobFact,
): Promise<void> {
  try {
    await directory.remember(partnerId, externalId, jobId, fact);
  } catch (error) {
    if (!(error instanceof DependencyUnavailable)) throw error;
    report('DEPENDENCY_UNAVAILABLE', { dependency: error.dependency, jobId });
  }
}
