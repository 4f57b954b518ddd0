import type { CancelRequest } from '../cancel-request.ts';
import { type JobId, toTimestamp } from '../identifiers.ts';
import type { DirectoryEntry } from '../job-directory.ts';
import type { PartnerAccess, Ports } from '../ports.ts';
import type { Records } from '../records.ts';
import { reportUnreadable } from '../report.ts';
import { sha256 } from '../sha256.ts';
import { chooseJob, type FoundJob } from './choose-job.ts';
import { type CountedRequest, countReads } from './job-reads.ts';
import { reachOf } from './reach.ts';
import { isReachable, searchJobs } from './search-jobs.ts';

/**
 * Finds the one job that a request means, without guessing; never a job that was registered after the request, while an
 * older one bears the externalId.
 *
 * A request with a key is bound to its job when first seen: a repeat reaches that job alone. A request that reached no
 * job is bound to its time: a repeat over HTTPS reaches no job that was registered later, and an event's clock counts
 * as fast if it shows a later time.
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
  if (binding?.jobId !== undefined) return reachBound(ports, request, access, stored, binding.jobId);

  const reach = reachOf(request, seenAt, binding?.firstSeenAt);
  const found = await searchJobs({ ports, request, access, reach }, stored);
  if (requestKey === undefined || (found.kind === 'unresolved' && reach.kind !== 'event')) return found;
  if (binding !== undefined && found.kind !== 'job') return found;

  const firstSeenAt = binding?.firstSeenAt ?? (reach.kind === 'event' ? reach.firstSentAt : seenAt);
  const jobId = found.kind === 'job' ? found.jobId : undefined;
  const standing = await directory.bind(partnerId, requestKey, { fingerprint, firstSeenAt, jobId });
  if (standing.fingerprint !== fingerprint) return { kind: 'idempotency_key_reused' };
  if (standing.jobId === undefined || standing.jobId === jobId) return found;
  return reachBound(ports, request, access, await directory.find(partnerId, externalId), standing.jobId);
}

/** A repeat reaches the job that its key is bound to, as long as that is the partner's, and no other. */
async function reachBound(
  ports: Ports,
  request: CountedRequest,
  access: PartnerAccess,
  { items, unreadable }: Records<DirectoryEntry>,
  bound: JobId,
): Promise<FoundJob> {
  const now = toTimestamp(ports.clock.now());
  const entries = items.filter((entry) => entry.jobId === bound && isReachable(access, entry, now));
  if (entries.length === 0 && unreadable.length > 0) return { kind: 'unresolved' };
  return chooseJob(ports, request, access, entries);
}

/** Two requests with one key are the same request if they ask for the same. */
export function fingerprintOf({
  externalId,
  jobId,
  reason,
}: Pick<CancelRequest, 'externalId' | 'jobId' | 'reason'>): string {
  return sha256(JSON.stringify([externalId, jobId ?? null, reason ?? null]));
}
