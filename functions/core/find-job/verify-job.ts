import type { CancelRequest } from '../cancel-request.ts';
import { isTerminal } from '../cancellation/job-status.ts';
import { earliest, type JobId, startOfSecond, type Timestamp, toTimestamp } from '../identifiers.ts';
import type { PlangrepJob, ReadAnswer } from '../plangrep.ts';
import type { DirectoryEntry, JobOwner, VerifiedEntry } from '../job-directory.ts';
import type { PartnerAccess, Ports } from '../ports.ts';
import { entryExpiry } from '../retention.ts';

/** What Plangrep says about whose job it is. `not_confirmed`: it does not show the project, which is never guessed. */
export type Ownership = 'owned' | 'foreign' | 'not_confirmed';

/**
 * A job is a partner's when its project is one of those in the partner's record, and its externalId is the one that it
 * is registered under, or none.
 */
export function judgeOwnership(
  access: PartnerAccess,
  externalId: string,
  job: Pick<PlangrepJob, 'externalId' | 'projectId'>,
): Ownership {
  if (job.externalId !== undefined && job.externalId !== externalId) return 'foreign';
  if (access.kind === 'any') return 'owned';
  if (job.projectId === undefined) return 'not_confirmed';
  return access.projects.includes(job.projectId) ? 'owned' : 'foreign';
}

/**
 * Whether an entry that was verified still is the partner's: `lost` when its project left the partner's record. An entry
 * that does not say its project has to be verified again.
 */
export function standingOf(
  access: PartnerAccess,
  entry: Pick<DirectoryEntry, 'projectId' | 'verifiedAt'>,
): 'verified' | 'unverified' | 'lost' {
  if (entry.verifiedAt === undefined) return 'unverified';
  if (access.kind === 'any') return 'verified';
  if (entry.projectId === undefined) return 'unverified';
  return access.projects.includes(entry.projectId) ? 'verified' : 'lost';
}

export type Verification =
  | { readonly kind: 'owned'; readonly entry: VerifiedEntry; readonly jobStatus: string }
  /** The partner itself owns the job under another externalId. */
  | { readonly kind: 'registered_otherwise' }
  /** Plangrep has no such job, or it is not the partner's, or another partner owns it: no caller learns which. */
  | { readonly kind: 'job_not_found' }
  /** Plangrep could not be asked, or does not say. */
  | { readonly kind: 'not_confirmed' };

type VerifyPorts = Pick<Ports, 'directory' | 'clock' | 'report' | 'retention'>;
type Registrant = Pick<CancelRequest, 'partnerId' | 'externalId'>;
type Claimant = Pick<JobOwner, 'partnerId' | 'externalId'>;

/** What Plangrep and the directory say about a job, before it is known whose it is. */
export interface JobLook {
  readonly answer: ReadAnswer;
  readonly owner: JobOwner | undefined;
}

/**
 * Looks at a job: one job read, and its owner beside it in every case, so that the time of a refusal does not show its
 * reason. @throws DependencyUnavailable
 */
export async function lookAtJob(
  { plangrep, directory }: Pick<Ports, 'plangrep' | 'directory'>,
  jobId: JobId,
  untilMs: number,
): Promise<JobLook> {
  const [answer, owner] = await Promise.all([plangrep.read(jobId, untilMs), directory.readOwner(jobId)]);
  return { answer, owner };
}

/** Whether a job that was looked at is the partner's; if it is, the partner becomes its owner. @throws DependencyUnavailable */
export async function verifyJob(
  ports: VerifyPorts,
  registrant: Registrant,
  access: PartnerAccess,
  entry: DirectoryEntry,
  { answer, owner }: JobLook,
): Promise<Verification> {
  if (owner !== undefined && isOwnOtherwise(owner, registrant) && standingOf(access, owner) !== 'lost')
    return { kind: 'registered_otherwise' };
  if (answer.kind === 'not_found') return { kind: 'job_not_found' };
  if (answer.kind !== 'job') return { kind: 'not_confirmed' };
  return claimJob(ports, registrant, access, { entry, job: answer.job, owner });
}

/** An owner whose externalId was erased is not the partner's own registration any more: nothing matches it. */
function isOwnOtherwise(owner: Claimant, { partnerId, externalId }: Registrant): boolean {
  return owner.partnerId === partnerId && owner.externalId !== undefined && owner.externalId !== externalId;
}

export function terminalStatusOf({ status }: PlangrepJob): string | undefined {
  return isTerminal(status) ? status : undefined;
}

function isVerified(entry: DirectoryEntry): entry is VerifiedEntry {
  return entry.verifiedAt !== undefined;
}

interface ShownJob {
  readonly entry: DirectoryEntry;
  readonly job: PlangrepJob;
  readonly owner: JobOwner | undefined;
}

/** Makes the partner the owner of a job that Plangrep has shown, if it is the partner's. @throws DependencyUnavailable */
export async function claimJob(
  { directory, clock, report, retention }: VerifyPorts,
  { partnerId, externalId }: Registrant,
  access: PartnerAccess,
  { entry, job, owner }: ShownJob,
): Promise<Verification> {
  const { jobId, listed } = entry;
  const refused = (why: 'foreign' | 'taken'): Verification => {
    report('OWNERSHIP_REFUSED', { partnerId, jobId, why });
    return { kind: 'job_not_found' };
  };
  const ownership = judgeOwnership(access, externalId, job);
  if (ownership === 'foreign') return refused('foreign');
  if (ownership === 'not_confirmed') return { kind: 'not_confirmed' };
  if (owner !== undefined && (owner.partnerId !== partnerId || owner.externalId === undefined)) return refused('taken');
  if (owner !== undefined && isVerified(entry)) return { kind: 'owned', entry, jobStatus: job.status };
  const now = toTimestamp(clock.now());
  const terminalStatus = terminalStatusOf(job);
  const ended = job.expiresAt ?? (terminalStatus && now);
  const claimed = await directory.claim(partnerId, externalId, {
    jobId,
    registeredAt: registeredAtOf(entry, job, now),
    projectId: job.projectId,
    verifiedAt: now,
    listed,
    terminalStatus,
    jobExpiresAt: job.expiresAt,
    expiresAt: ended && entryExpiry(retention, ended, clock.now()),
  });
  if (claimed.kind === 'claimed') return { kind: 'owned', entry: claimed.entry, jobStatus: job.status };
  return isOwnOtherwise(claimed.owner, { partnerId, externalId }) ? { kind: 'registered_otherwise' } : refused('taken');
}

/** A job is registered after it was created, to the second, whatever the clock of the one that registered it showed. */
function registeredAtOf({ registeredAt }: DirectoryEntry, { createdAt }: PlangrepJob, now: Timestamp): Timestamp {
  const soonest = createdAt === undefined ? registeredAt : earliest(startOfSecond(createdAt), now);
  return registeredAt < soonest ? soonest : registeredAt;
}
