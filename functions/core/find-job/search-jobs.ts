import { foldEvents } from '../cancellation/state.ts';
import { type Timestamp, toTimestamp } from '../identifiers.ts';
import { type DirectoryEntry, isExpired, newestFirst } from '../job-directory.ts';
import type { PartnerAccess, Ports } from '../ports.ts';
import type { Records } from '../records.ts';
import { chooseJob, type FoundJob } from './choose-job.ts';
import { discoverJobs } from './discover-jobs.ts';
import type { CountedRequest } from './job-reads.ts';
import { type Reach, type Reached, withinReach } from './reach.ts';
import { standingOf } from './verify-job.ts';

export interface Search {
  readonly ports: Ports;
  readonly request: CountedRequest;
  readonly access: PartnerAccess;
  readonly reach: Reach;
}

/** Whether a registration counts, and is of no job whose project left the partner's record. */
export function isReachable(access: PartnerAccess, entry: DirectoryEntry, now: Timestamp): boolean {
  return !isExpired(entry, now) && standingOf(access, entry) !== 'lost';
}

/**
 * Finds the job among those that the directory has, and those that a listing shows where that may matter.
 *
 * A record that cannot be read may be the job that is meant, or another one that is alive. So beside it only a job that
 * the request names is chosen.
 * @param stored what the directory has, newest first
 */
export async function searchJobs(search: Search, stored: Records<DirectoryEntry>): Promise<FoundJob> {
  const { ports, request, access, reach } = search;
  const now = toTimestamp(ports.clock.now());
  const refuted = new Set<DirectoryEntry>();
  let items = bearing(stored, now);
  let isListed = false;
  for (;;) {
    const reached = withinReach(reach, items);
    const entries = reached.entries.filter((entry) => !refuted.has(entry) && isReachable(access, entry, now));
    const isNamed = reach.kind === 'named' && (entries.length > 0 || refuted.size > 0);
    if (stored.unreadable.length > 0 && !isNamed) return { kind: 'unresolved' };
    if (!isListed && (await mustBeListed(search, { ...reached, entries }))) {
      const listed = await withListed(search, items, { ...reached, entries });
      if (listed.kind === 'unresolved') return listed;
      ({ items } = listed);
      isListed = true;
      continue;
    }
    if (entries.length === 0) return { kind: 'job_not_found' };
    const chosen = await chooseJob(ports, request, access, entries);
    if (chosen.kind === 'job' && reach.kind === 'event' && isUnverified(entries, chosen)) {
      // Plangrep has confirmed it meanwhile, and when it was registered counts as Plangrep's own times allow.
      items = bearing(await ports.directory.find(request.partnerId, request.externalId), now);
    } else if (chosen.kind === 'job_not_found') {
      for (const entry of entries) refuted.add(entry);
      // An unverified registration of a job that is not the partner's hides no other job.
      items = items.filter((entry) => entry.verifiedAt !== undefined || !refuted.has(entry));
    } else {
      return chosen;
    }
  }
}

/** An operator's release and the loss of a project leave a job out of reach. It bore the externalId all the same. */
function bearing({ items }: Records<DirectoryEntry>, now: Timestamp): readonly DirectoryEntry[] {
  return items.filter((entry) => entry.releasedAt !== undefined || !isExpired(entry, now));
}

function isUnverified(entries: readonly DirectoryEntry[], { jobId }: Extract<FoundJob, { kind: 'job' }>): boolean {
  return entries.some((entry) => entry.jobId === jobId && entry.verifiedAt === undefined);
}

/** Unregistered jobs become known only by listing: the one that is meant, an older one, or a successor. */
async function mustBeListed(search: Search, { entries, areLater }: Reached): Promise<boolean> {
  return entries.length === 0 || areLater || (await mayHaveSuccessor(search, entries));
}

/**
 * If the newest verified job was listed and has ended, the request may mean a job that was submitted again under the same
 * externalId: an unverified registration beside it may be of anybody's job.
 */
async function mayHaveSuccessor(
  { ports: { log }, request, access }: Search,
  entries: readonly DirectoryEntry[],
): Promise<boolean> {
  const newest = entries.find((entry) => standingOf(access, entry) === 'verified');
  if (newest?.listed !== true || request.jobId !== undefined) return false;
  if (newest.terminalStatus !== undefined) return true;
  const { events } = await log.read(request.partnerId, newest.jobId);
  return foldEvents(events)?.step.kind === 'closed';
}

type WithListed =
  | { readonly kind: 'listed'; readonly items: readonly DirectoryEntry[] }
  | Extract<FoundJob, { kind: 'unresolved' }>;

/** Adds the jobs that the partner's projects show. */
async function withListed(
  { ports, request, access, reach }: Search,
  items: readonly DirectoryEntry[],
  { entries, areLater }: Reached,
): Promise<WithListed> {
  const discovery = await discoverJobs(ports, request, access, reach.kind === 'event' ? reach.second : undefined);
  if (discovery.kind === 'unresolved') return discovery;
  const { listedAt, listedAgainInMs: retryAfterMs } = discovery;
  const others = items.filter(({ jobId }) => discovery.entries.every((entry) => entry.jobId !== jobId));
  const all = [...discovery.entries, ...others].toSorted(newestFirst);
  if (entries.length === 0 || retryAfterMs === undefined) return { kind: 'listed', items: all };
  // A remembered list does not show a job that was submitted since: an ended one must not be taken for it, and a later one
  // not for an older one.
  const mayBeMissing =
    reach.kind === 'event' && areLater
      ? listedAt < Date.parse(reach.firstSentAt) && withinReach(reach, all).areLater
      : discovery.entries.every(({ jobId }) => entries.some((entry) => entry.jobId === jobId));
  return mayBeMissing ? { kind: 'unresolved', retryAfterMs } : { kind: 'listed', items: all };
}
