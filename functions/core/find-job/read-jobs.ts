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
const READS_AT_ONCE = 5;

/** "Plangrep has no such job" is not asked again for so long. */
const ABSENT_MS = 30_000;

/** Whose jobs are read, and until when: milliseconds since 1970. */
export interface Reading {
  readonly ports: Pick<Ports, 'directory' | 'plangrep' | 'clock' | 'report'>;
  readonly registrant: Pick<CancelRequest, 'partnerId' | 'externalId'>;
  readonly access: PartnerAccess;
  readonly untilMs: number;
}

/** @param nowMs milliseconds since 1970 */
export function isKnownAbsent({ absentAt }: DirectoryEntry, nowMs: number): boolean {
  return absentAt !== undefined && nowMs - Date.parse(absentAt) < ABSENT_MS;
}

/**
 * Reads registered jobs in their order, some at the same time, and verifies those that are not verified yet. A caller
 * stops when it has seen enough. What was learned for later is remembered.
 * @throws DependencyUnavailable when an unverified job cannot be claimed
 */
export async function* readJobs(
  reading: Reading,
  entries: readonly DirectoryEntry[],
): AsyncGenerator<readonly ReadJob[], void> {
  for (let next = 0; next < entries.length; next += READS_AT_ONCE) {
    const batch = entries.slice(next, next + READS_AT_ONCE);
    yield await Promise.all(batch.map((entry) => readJob(reading, entry)));
  }
}

async function readJob(reading: Reading, entry: DirectoryEntry): Promise<ReadJob> {
  const read = await readOrVerify(reading, entry);
  if (read.kind === 'absent') {
    await remember(reading, entry, { absentAt: toTimestamp(reading.ports.clock.now()) });
  } else if (read.kind === 'ended' && read.entry.terminalStatus === undefined) {
    await remember(reading, entry, { terminalStatus: read.jobStatus });
  }
  return read;
}

async function readOrVerify({ ports, registrant, access, untilMs }: Reading, entry: DirectoryEntry): Promise<ReadJob> {
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
  { ports: { directory, report }, registrant: { partnerId, externalId } }: Reading,
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
