import { createHash } from 'node:crypto';
import type { CancelRequest } from '../cancel-request.ts';
import { foldEvents } from '../cancellation/state.ts';
import { type JobId, type Timestamp, toTimestamp } from '../identifiers.ts';
import { type DirectoryEntry, isExpired, type PartnerAccess, type Ports, type Records } from '../ports.ts';
import { reportUnreadable } from '../report.ts';
import { chooseJob, type FoundJob } from './choose-job.ts';
import { discoverJobs } from './discover-jobs.ts';
import { type CountedRequest, countReads } from './job-reads.ts';
import { standingOf } from './verify-job.ts';

/**
 * Finds the one job that a request means, without guessing; never a job that was registered after the request.
 *
 * A request with a key is bound to its job when first seen: a repeat reaches that job alone. A request that reached no
 * job is bound to its time: a repeat reaches no job that was registered later.
 */
export async function findJob(ports: Ports, asked: CancelRequest): Promise<FoundJob> {
  const request = countReads(asked);
  const { directory, partners, clock, report } = ports;
  const { partnerId, externalId, requestKey } = request;
  // Taken before anything is read: a job that is registered during the search came after the request.
  const seenAt = toTimestamp(clock.now());
  const [binding, stored] = await Promise.all([
    requestKey === undefined ? undefined : directory.readBinding(partnerId, requestKey),
    directory.find(partnerId, externalId),
  ]);
  // After them: it is usually remembered, and at a cold start a second connection takes longer than this read.
  const access = await partners.accessOf(partnerId);
  reportUnreadable(report, 'job-directory', stored.unreadable);
  const fingerprint = fingerprintOf(request);
  if (binding !== undefined && binding.fingerprint !== fingerprint) return { kind: 'idempotency_key_reused' };
  const usable = (records: Records<DirectoryEntry>) => withinAccess(records, access, seenAt);
  if (binding?.jobId !== undefined) return reachBound(ports, request, access, usable(stored), binding.jobId);

  const found = await findAmong(ports, request, access, usable(stored), binding?.firstSeenAt);
  if (requestKey === undefined || found.kind === 'unresolved') return found;
  if (binding !== undefined && found.kind !== 'job') return found;

  const firstSeenAt = binding?.firstSeenAt ?? seenAt;
  const jobId = found.kind === 'job' ? found.jobId : undefined;
  const standing = await directory.bind(partnerId, requestKey, { fingerprint, firstSeenAt, jobId });
  if (standing.fingerprint !== fingerprint) return { kind: 'idempotency_key_reused' };
  if (standing.jobId === undefined || standing.jobId === jobId) return found;
  return reachBound(ports, request, access, usable(await directory.find(partnerId, externalId)), standing.jobId);
}

/** The registrations that count: not expired, and of no job whose project left the partner's record. */
function withinAccess(
  { items, unreadable }: Records<DirectoryEntry>,
  access: PartnerAccess,
  now: Timestamp,
): Records<DirectoryEntry> {
  const usable = items.filter((entry) => !isExpired(entry, now) && standingOf(access, entry) !== 'lost');
  return { items: usable, unreadable };
}

/** A repeat reaches the job that its key is bound to, as long as that is the partner's, and no other. */
async function reachBound(
  ports: Ports,
  request: CountedRequest,
  access: PartnerAccess,
  { items, unreadable }: Records<DirectoryEntry>,
  bound: JobId,
): Promise<FoundJob> {
  const entries = items.filter(({ jobId }) => jobId === bound);
  if (entries.length === 0 && unreadable.length > 0) return { kind: 'unresolved' };
  return chooseJob(ports, request, access, entries);
}

/** Two requests with one key are the same request if they ask for the same. */
function fingerprintOf({ externalId, jobId, reason }: CancelRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([externalId, jobId ?? null, reason ?? null]))
    .digest('hex');
}

/**
 * A record that cannot be read may be the job that is meant, or another one that is alive. So beside it only a job that
 * the request names is chosen.
 * @param known what the directory has, newest first
 */
async function findAmong(
  ports: Ports,
  request: CountedRequest,
  access: PartnerAccess,
  known: Records<DirectoryEntry>,
  firstSeenAt: Timestamp | undefined,
): Promise<FoundJob> {
  const entries = withinReach(request, known.items, firstSeenAt);
  const isNamed = request.jobId !== undefined && entries.length > 0;
  if (known.unreadable.length > 0 && !isNamed) return { kind: 'unresolved' };
  if (entries.length > 0 && !(await mayHaveSuccessor(ports, request, access, entries))) {
    const chosen = await chooseJob(ports, request, access, entries);
    if (chosen.kind !== 'job_not_found') return chosen;
    // Every one was an unverified registration of a job that is not the partner's: it hides no other job.
    const items = known.items.filter((entry) => !entries.includes(entry));
    return findAmong(ports, request, access, { items, unreadable: [] }, firstSeenAt);
  }
  const discovery = await discoverJobs(ports, request, access);
  if (discovery.kind === 'unknown') return { kind: 'unresolved', retryAfterMs: discovery.retryAfterMs };
  const others = discovery.entries.filter(({ jobId }) => entries.every((entry) => entry.jobId !== jobId));
  const { listedAgainInMs: retryAfterMs } = discovery;
  // A remembered list does not show a job that was submitted again since: an ended one must not be taken for it.
  if (entries.length > 0 && others.length === 0 && retryAfterMs !== undefined) {
    return { kind: 'unresolved', retryAfterMs };
  }
  return chooseJob(ports, request, access, [...withinReach(request, others, firstSeenAt), ...entries]);
}

/**
 * The jobs that a request can mean: the one it names; otherwise those that existed when it was made. An event's `time`
 * covers a whole second (Amazon EventBridge User Guide, Events), so a job registered within that second counts only if
 * no job was registered before it.
 */
function withinReach(
  { jobId: named, eventTime }: CancelRequest,
  entries: readonly DirectoryEntry[],
  firstSeenAt: Timestamp | undefined,
): readonly DirectoryEntry[] {
  if (named !== undefined) return entries.filter(({ jobId }) => jobId === named);
  const inTime = entries.filter(({ registeredAt }) => firstSeenAt === undefined || registeredAt <= firstSeenAt);
  if (eventTime === undefined) return inTime;
  const before = inTime.filter(({ registeredAt }) => registeredAt <= eventTime);
  const endOfSecond = toTimestamp(Date.parse(eventTime) + 999);
  return before.length > 0 ? before : inTime.filter(({ registeredAt }) => registeredAt <= endOfSecond);
}

/**
 * Unregistered jobs become known only by listing. If the newest verified one has ended, the request may mean a job that
 * was submitted again under the same externalId: an unverified registration beside it may be of anybody's job.
 */
async function mayHaveSuccessor(
  { log }: Ports,
  { partnerId, jobId: named }: CancelRequest,
  access: PartnerAccess,
  entries: readonly DirectoryEntry[],
): Promise<boolean> {
  const newest = entries.find((entry) => standingOf(access, entry) === 'verified');
  if (newest?.listed !== true || named !== undefined) return false;
  if (newest.terminalStatus !== undefined) return true;
  const { events } = await log.read(partnerId, newest.jobId);
  return foldEvents(events)?.step.kind === 'closed';
}
