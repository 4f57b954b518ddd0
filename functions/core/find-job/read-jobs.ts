import type { CancelRequest } from '../cancel-request.ts';
import { isTerminal } from '../cancellation/job-status.ts';
import { type Timestamp, toTimestamp } from '../identifiers.ts';
import type { DirectoryEntry, JobFact, VerifiedEntry } from '../job-directory.ts';
import type { PartnerAccess, Ports } from '../ports.ts';
import { DependencyUnavailable } from '../report.ts';
import { entryExpiry, type Retention } from '../retention.ts';
import { type Absence, judgeAbsence } from './absence.ts';
import { judgeOwnership, lookAtJob, standingOf, verifyJob } from './verify-job.ts';

/** What a job read showed of a registered job. */
export type ReadJob =
  | { readonly kind: 'alive' | 'ended'; readonly entry: VerifiedEntry; readonly jobStatus: string }
  /** Plangrep answered 404. */
  | { readonly kind: Absence; readonly entry: DirectoryEntry }
  /** It is not the partner's: Plangrep shows it elsewhere, or it has another owner. */
  | { readonly kind: 'foreign'; readonly entry: DirectoryEntry }
  /** Plangrep did not answer, or does not say whose job it is. */
  | { readonly kind: 'unread' };

/** At most so many reads of Plangrep run at the same time. */
const READS_AT_ONCE = 5;

/** Whose jobs are read, and until when: milliseconds since 1970. */
export interface Reading {
  readonly ports: Pick<Ports, 'directory' | 'plangrep' | 'clock' | 'report' | 'retention'>;
  readonly registrant: Pick<CancelRequest, 'partnerId' | 'externalId'>;
  readonly access: PartnerAccess;
  readonly untilMs: number;
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
  const fact = factOf(reading.ports, read, entry);
  if (fact !== undefined) await remember(reading, entry, fact);
  return read;
}

function factOf(
  { clock, retention }: Reading['ports'],
  read: ReadJob,
  { verifiedAt, absentAt, absentSince }: DirectoryEntry,
): JobFact | undefined {
  const now = toTimestamp(clock.now());
  switch (read.kind) {
    case 'absent':
    case 'missing':
      return { absentAt: now, absentSince: absentSince ?? now };
    case 'foreign':
      return verifiedAt === undefined ? { absentAt: now, absentSince: undefined } : undefined;
    case 'ended':
      return read.entry.terminalStatus === undefined ? endedFact(read.jobStatus, now, retention) : undefined;
    case 'alive':
      // Otherwise a later 404 would seem to have lasted since the earlier one.
      return absentAt === undefined ? undefined : { absentAt: undefined, absentSince: undefined };
    case 'unread':
      return undefined;
  }
}

/** The job has ended, as was just seen. */
export function endedFact(terminalStatus: string, now: Timestamp, retention: Retention): JobFact {
  return { terminalStatus, expiresAt: entryExpiry(retention, now, 0) };
}

async function readOrVerify({ ports, registrant, access, untilMs }: Reading, entry: DirectoryEntry): Promise<ReadJob> {
  const { verifiedAt } = entry;
  if (verifiedAt === undefined || standingOf(access, entry) !== 'verified') {
    const look = await lookAtJob(ports, entry.jobId, untilMs);
    const verification = await verifyJob(ports, registrant, access, entry, look);
    if (verification.kind === 'not_confirmed') return { kind: 'unread' };
    return verification.kind === 'owned'
      ? shown(verification.entry, verification.jobStatus)
      : { kind: look.answer.kind === 'not_found' ? 'absent' : 'foreign', entry };
  }
  const answer = await ports.plangrep.read(entry.jobId, untilMs);
  if (answer.kind === 'not_found') return { kind: judgeAbsence(entry, ports.clock.now()), entry };
  if (answer.kind !== 'job') return { kind: 'unread' };
  const ownership = judgeOwnership(access, registrant.externalId, answer.job);
  if (ownership === 'not_confirmed') return { kind: 'unread' };
  return ownership === 'owned' ? shown({ ...entry, verifiedAt }, answer.job.status) : { kind: 'foreign', entry };
}

function shown(entry: VerifiedEntry, jobStatus: string): ReadJob {
  return { kind: isTerminal(jobStatus) ? 'ended' : 'alive', entry, jobStatus };
}

/** Optimization only, it saves the next request a read: a failure is reported and ignored. */
export async function remember(
  {
    ports: { directory, report },
    registrant: { partnerId, externalId },
  }: { readonly ports: Pick<Ports, 'directory' | 'report'>; readonly registrant: Reading['registrant'] },
  { jobId }: Pick<DirectoryEntry, 'jobId'>,
  fact: JobFact,
): Promise<void> {
  try {
    await directory.remember(partnerId, externalId, jobId, fact);
  } catch (error) {
    if (!(error instanceof DependencyUnavailable)) throw error;
    report('DEPENDENCY_UNAVAILABLE', { dependency: error.dependency, jobId });
  }
}
