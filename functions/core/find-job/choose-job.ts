import type { CancelRequest } from '../cancel-request.ts';
import { isTerminal } from '../cancellation/job-status.ts';
import type { JobId, Timestamp } from '../identifiers.ts';
import type { DirectoryEntry, Ports } from '../ports.ts';
import { DependencyUnavailable } from '../report.ts';

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
  /** Plangrep did not answer, or a record of ours is malformed, so it is not known which job is meant. Nothing was done. */
  | { readonly kind: 'unresolved' };

/** At most so many reads of Plangrep run at the same time. */
const READS_AT_ONCE = 5;
/** The part of the remaining time that the attempt needs. */
const ATTEMPT_RESERVE_MS = 6_000;

/**
 * Chooses without guessing: the only job; of several jobs the only one that is alive; if all have ended, the newest,
 * because the partner asks how that one ended.
 * @param entries newest first
 */
export async function chooseJob(
  ports: Ports,
  request: CancelRequest,
  entries: readonly DirectoryEntry[],
): Promise<FoundJob> {
  const [newest] = entries;
  if (newest === undefined) return { kind: 'job_not_found' };
  if (entries.length === 1) {
    return { kind: 'job', jobId: newest.jobId, firstCall: newest.terminalStatus === undefined ? 'cancel' : 'read' };
  }
  const { readable, live } = await readCandidates(ports, request, entries);
  if (live.length > 1) return { kind: 'ambiguous_external_id', candidates: live };
  if (readable === 'not_all') return { kind: 'unresolved' };
  const [only] = live;
  return only === undefined
    ? { kind: 'job', jobId: newest.jobId, firstCall: 'read' }
    : { kind: 'job', jobId: only.jobId, firstCall: 'cancel' };
}

/**
 * Reads the jobs not known to be terminal, newest first, until two live ones are found or one cannot be read. A job
 * that Plangrep does not know is not a candidate.
 */
async function readCandidates(
  ports: Ports,
  request: CancelRequest,
  entries: readonly DirectoryEntry[],
): Promise<{ readable: 'all' | 'not_all'; live: readonly Candidate[] }> {
  const unread = entries.filter(({ terminalStatus }) => terminalStatus === undefined);
  const live: Candidate[] = [];
  const untilMs = request.untilMs - ATTEMPT_RESERVE_MS;
  for (let next = 0; next < unread.length; next += READS_AT_ONCE) {
    const batch = unread.slice(next, next + READS_AT_ONCE);
    const answers = await Promise.all(batch.map(({ jobId }) => ports.plangrep.read(jobId, untilMs)));
    let readable: 'all' | 'not_all' = 'all';
    for (const [n, { jobId, registeredAt }] of batch.entries()) {
      const answer = answers[n];
      if (answer?.kind === 'not_found') continue;
      if (answer?.kind !== 'job') readable = 'not_all';
      else if (isTerminal(answer.job.status)) await rememberTerminal(ports, request, jobId, answer.job.status);
      else live.push({ jobId, registeredAt, jobStatus: answer.job.status });
    }
    if (readable === 'not_all' || live.length > 1) return { readable, live };
  }
  return { readable: 'all', live };
}

/** Optimization only, it saves the next request a read: a failure is reported and ignored. */
async function rememberTerminal(
  { directory, report }: Ports,
  { partnerId, externalId }: CancelRequest,
  jobId: JobId,
  status: string,
): Promise<void> {
  try {
    await directory.rememberTerminal(partnerId, externalId, jobId, status);
  } catch (error) {
    if (!(error instanceof DependencyUnavailable)) throw error;
    report('DEPENDENCY_UNAVAILABLE', { dependency: error.dependency, jobId });
  }
}
