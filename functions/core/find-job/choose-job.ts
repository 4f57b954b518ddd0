import type { JobId, Timestamp } from '../identifiers.ts';
import type { DirectoryEntry, PartnerAccess, Ports, VerifiedEntry } from '../ports.ts';
import type { CountedRequest } from './job-reads.ts';
import { isKnownAbsent, readJobs } from './read-jobs.ts';
import { standingOf } from './verify-job.ts';

/** One of several live jobs that a request may mean. */
export interface Candidate {
  readonly jobId: JobId;
  readonly registeredAt: Timestamp;
  readonly jobStatus: string;
}

export type FoundJob =
  /** `firstCall`: a job that an earlier read showed terminal is read, and cancelled only if it is alive after all. */
  | { readonly kind: 'job'; readonly jobId: JobId; readonly firstCall: 'read' | 'cancel' }
  | { readonly kind: 'job_not_found' }
  | { readonly kind: 'ambiguous_external_id'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'idempotency_key_reused' }
  /**
   * It is not known which job is meant: Plangrep did not answer yet, or a record of ours is malformed. Nothing was done.
   * With `retryAfterMs` nothing failed: the partner's own requests or jobs came too fast or were too many for one
   * request, and a repeat so much later gets further.
   */
  | { readonly kind: 'unresolved'; readonly retryAfterMs?: number | undefined };

/** What was read is remembered, so a repeat reads the next ones. */
const READ_ON_AFTER_MS = 1_000;
/** The part of the remaining time that the attempt needs. */
const ATTEMPT_RESERVE_MS = 6_000;

/**
 * Chooses without guessing, and only what Plangrep has confirmed to be the partner's: the only job; of several jobs the
 * only one that is alive; if all have ended, the newest, because the partner asks how that one ended.
 * @param entries newest first, none of a project that the partner has lost
 */
export async function chooseJob(
  ports: Ports,
  request: CountedRequest,
  access: PartnerAccess,
  entries: readonly DirectoryEntry[],
): Promise<FoundJob> {
  const [only] = entries;
  if (only !== undefined && entries.length === 1 && standingOf(access, only) === 'verified') {
    return { kind: 'job', jobId: only.jobId, firstCall: only.terminalStatus === undefined ? 'cancel' : 'read' };
  }
  const { readable, live, newestEnded } = await readCandidates(ports, request, access, entries);
  if (live.length > 1) return { kind: 'ambiguous_external_id', candidates: live };
  if (readable === 'not_all') return { kind: 'unresolved' };
  if (readable === 'out_of_reads') return { kind: 'unresolved', retryAfterMs: READ_ON_AFTER_MS };
  const [alive] = live;
  if (alive !== undefined) return { kind: 'job', jobId: alive.jobId, firstCall: 'cancel' };
  return newestEnded === undefined ? { kind: 'job_not_found' } : { kind: 'job', jobId: newestEnded, firstCall: 'read' };
}

interface ReadCandidates {
  readonly readable: 'all' | 'not_all' | 'out_of_reads';
  readonly live: readonly Candidate[];
  /** The newest verified job that is not alive. */
  readonly newestEnded: JobId | undefined;
}

/**
 * Reads the jobs not known to be terminal, newest first, until two live ones are found or one cannot be read. A job
 * that Plangrep does not know is not a candidate.
 */
async function readCandidates(
  ports: Ports,
  request: CountedRequest,
  access: PartnerAccess,
  entries: readonly DirectoryEntry[],
): Promise<ReadCandidates> {
  const { readsLeft } = request;
  const nowMs = ports.clock.now();
  const untilMs = request.untilMs - ATTEMPT_RESERVE_MS;
  const isVerified = (entry: DirectoryEntry): boolean => standingOf(access, entry) === 'verified';
  const unread = entries.filter(
    (entry) => !isKnownAbsent(entry, nowMs) && !(isVerified(entry) && entry.terminalStatus !== undefined),
  );
  const live: Candidate[] = [];
  const verified = new Set(entries.filter(isVerified).map(({ jobId }) => jobId));
  let readable: ReadCandidates['readable'] = unread.length > readsLeft.count ? 'out_of_reads' : 'all';
  const wanted = unread.slice(0, readsLeft.count);
  for await (const reads of readJobs({ ports, registrant: request, access, untilMs }, wanted)) {
    readsLeft.count -= reads.length;
    for (const read of reads) {
      if (read.kind === 'unread') readable = 'not_all';
      if (read.kind === 'alive') live.push(candidateOf(read));
      if (read.kind === 'ended') verified.add(read.entry.jobId);
    }
    if (readable === 'not_all' || live.length > 1) break;
  }
  return { readable, live, newestEnded: entries.find(({ jobId }) => verified.has(jobId))?.jobId };
}

function candidateOf(read: { readonly entry: VerifiedEntry; readonly jobStatus: string }): Candidate {
  const { jobId, registeredAt } = read.entry;
  return { jobId, registeredAt, jobStatus: read.jobStatus };
}
