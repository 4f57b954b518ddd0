import type { Delivery } from '../cancel-request.ts';
import type { Door } from '../cancellation/events.ts';
import { onlyDelivery, readsForRoom } from '../find-job/job-reads.ts';
import { knownAbsence } from '../find-job/absence.ts';
import { type ReadJob, readJobs } from '../find-job/read-jobs.ts';
import { type JobLook, lookAtJob, standingOf, verifyJob } from '../find-job/verify-job.ts';
import { type ExternalId, type PartnerId, type Timestamp, toTimestamp } from '../identifiers.ts';
import { reportUnreadable } from '../report.ts';
import { type DirectoryEntry, isExpired } from '../job-directory.ts';
import type { PartnerAccess, Ports } from '../ports.ts';

/** "This Plangrep job has this externalId", as every door hands it to the core. */
export interface JobRegistration extends Pick<DirectoryEntry, 'jobId' | 'projectId' | 'registeredAt'> {
  readonly partnerId: PartnerId;
  readonly externalId: ExternalId;
  readonly door: Door;
  readonly requestId: string;
  /** When AWS had the event at the latest: `registeredAt` is by the sender's clock, which may be slow. @default registeredAt */
  readonly sentAt?: Timestamp | undefined;
  /** @default the only one */
  readonly delivery?: Delivery | undefined;
  /** Milliseconds since 1970: the answer must be ready by then. */
  readonly untilMs: number;
}

/** How a registration ends: a closed union, with one answer for each kind. */
export type RegisterEnd =
  /** Unverified (without `verifiedAt`) when Plangrep could not be asked: the first cancel verifies it. */
  | { readonly kind: 'registered'; readonly entry: DirectoryEntry }
  /** Plangrep has no such job, or it is not the partner's, or another partner owns it: no caller learns which. */
  | { readonly kind: 'job_not_found' }
  /** The partner itself has registered the job under another externalId. */
  | { readonly kind: 'registered_otherwise' }
  | { readonly kind: 'too_many_jobs' }
  /** The externalId has many jobs, and Plangrep could not be asked which of them have ended. Nothing was done. */
  | { readonly kind: 'unresolved' };

/** At most so many jobs that have not ended go by one externalId. */
export const JOBS_OF_ONE_NAME = 20;
/** So long does a registration count that Plangrep has not confirmed. */
export const UNVERIFIED_DAYS = 7;
/** @param nowMs milliseconds since 1970 */
export function unverifiedUntil(nowMs: number): Timestamp {
  return toTimestamp(nowMs + UNVERIFIED_DAYS * 86_400_000);
}

type RegisterPorts = Pick<Ports, 'directory' | 'partners' | 'plangrep' | 'clock' | 'report' | 'retention'>;

/**
 * Verifies that a job is the partner's and puts it into the directory; idempotent, the first registration's time stays.
 * @throws DependencyUnavailable
 */
export async function registerJob(ports: RegisterPorts, registration: JobRegistration): Promise<RegisterEnd> {
  const { partnerId, jobId, door, requestId } = registration;
  const end = await register(ports, registration);
  const result = end.kind === 'registered' && end.entry.verifiedAt === undefined ? 'unverified' : end.kind;
  ports.report('JOB_REGISTERED', { partnerId, jobId, door, requestId, result });
  return end;
}

async function register(ports: RegisterPorts, registration: JobRegistration): Promise<RegisterEnd> {
  const { directory, partners, clock, report } = ports;
  const { partnerId, externalId, jobId, projectId, untilMs } = registration;
  const [stored, access, look] = await Promise.all([
    directory.find(partnerId, externalId),
    partners.accessOf(partnerId),
    lookAtJob(ports, jobId, untilMs),
  ]);
  reportUnreadable(report, 'job-directory', stored.unreadable);
  const entries = stored.items.filter((entry) => !isExpired(entry, toTimestamp(clock.now())));
  const known = entries.find((entry) => entry.jobId === jobId);
  if (known === undefined) {
    const room = await findRoom(ports, registration, access, entries);
    if (room !== 'free') return { kind: room };
  }
  const entry = known ?? { jobId, projectId, registeredAt: timeOf(registration, look) };
  const verification = await verifyJob(ports, registration, access, entry, look);
  if (verification.kind === 'owned') return { kind: 'registered', entry: verification.entry };
  if (verification.kind !== 'not_confirmed') return verification;
  if (standingOf(access, entry) === 'lost') return { kind: 'job_not_found' };
  return { kind: 'registered', entry: await keepUnverified(ports, registration, entry) };
}

/** The sender's word, where Plangrep shows when the job was created: {@link verifyJob} takes no time before that. */
function timeOf({ registeredAt, sentAt = registeredAt }: JobRegistration, { answer }: JobLook): Timestamp {
  return answer.kind === 'job' && answer.job.createdAt !== undefined ? registeredAt : sentAt;
}

/** A registration that is verified already stays so. */
async function keepUnverified(
  { directory, clock }: RegisterPorts,
  { partnerId, externalId }: JobRegistration,
  entry: DirectoryEntry,
): Promise<DirectoryEntry> {
  if (entry.verifiedAt !== undefined) return entry;
  const kept = { ...entry, expiresAt: unverifiedUntil(clock.now()) };
  await directory.keepUnverified(partnerId, externalId, kept);
  return kept;
}

/**
 * Whether the externalId may take one more job. When it seems full, the oldest of its jobs are read until one is found
 * that has ended: a job that this service cancelled has, and the directory does not know it.
 */
async function findRoom(
  ports: RegisterPorts,
  registration: JobRegistration,
  access: PartnerAccess,
  entries: readonly DirectoryEntry[],
): Promise<'free' | 'too_many_jobs' | 'unresolved'> {
  const nowMs = ports.clock.now();
  const open = entries.filter(
    (entry) => entry.terminalStatus === undefined && knownAbsence(entry, nowMs) === undefined,
  );
  if (open.length < JOBS_OF_ONE_NAME) return 'free';
  const { from, to } = readsForRoom(registration.delivery ?? onlyDelivery);
  const oldest = open.toReversed().slice(from, to);
  const reading = { ports, registrant: registration, access, untilMs: registration.untilMs };
  for await (const reads of readJobs(reading, oldest)) {
    if (reads.some(makesRoom)) return 'free';
    if (reads.some(({ kind }) => kind === 'unread')) return 'unresolved';
  }
  return 'too_many_jobs';
}

/** A job that is missing is not cancelled for that: it takes one more under the name. */
function makesRoom({ kind }: ReadJob): boolean {
  return kind !== 'alive' && kind !== 'unread';
}
