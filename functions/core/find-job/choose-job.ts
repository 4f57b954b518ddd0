import type { CancelRequest } from '../cancel-request.ts';
import type { JobId, Timestamp } from '../identifiers.ts';
import { isTerminal } from '../cancellation/job-status.ts';
import type { DirectoryEntry, Ports } from '../ports.ts';
import { DependencyUnavailable } from '../report.ts';

/** One of several live jobs that a request may mean. */
export interface Candidate {
  readonly jobId: JobId;
  readonly registeredAt: Timestamp;
  readonly jobStatus: string;
}

export type FoundJob =
  /** `terminal`: a job read showed it, so the attempt begins by reading. */
  | { readonly kind: 'job'; readonly jobId: JobId; readonly terminal: boolean }
  | { readonly kind: 'job_not_found' }
  | { readonly kind: 'ambiguous_external_id'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'idempotency_key_reused' }
  /** Which one is meant could not be found out: Plangrep did not answer. Nothing was done. */
  | { readonly kind: 'unresolved' };

/** Plangrep is read this many times at once, at most. */
const READS_AT_ONCE = 5;
/** What the attempt itself needs of the time that is left. */
const ATTEMPT_RESERVE_MS = 6_000;

/**
 * Never a guess: the only job; of several the only one that lives; when all have ended the newest, since its end is
 * what the partner wants to hear.
 */
export const chooseJob = async (
  ports: Ports,
  request: CancelRequest,
  entries: readonly DirectoryEntry[],
): Promise<FoundJob> => {
  const [newest] = entries;
  if (newest === undefined) return { kind: 'job_not_found' };
  if (entries.length === 1) return { kind: 'job', jobId: newest.jobId, terminal: newest.terminalStatus !== undefined };

  const read = await readCandidates(ports, request, entries);
  const { live } = read;
  if (live.length > 1) return { kind: 'ambiguous_external_id', candidates: live };
  if (!read.complete) return { kind: 'unresolved' };
  const [only] = live;
  return only === undefined
    ? { kind: 'job', jobId: newest.jobId, terminal: true }
    : { kind: 'job', jobId: only.jobId, terminal: false };
};

/**
 * Reads the jobs not known to be terminal, newest first, until two live ones are found or one cannot be read. A job
 * that Plangrep does not know is no candidate.
 */
const readCandidates = async (
  ports: Ports,
  request: CancelRequest,
  entries: readonly DirectoryEntry[],
): Promise<{ complete: boolean; live: readonly Candidate[] }> => {
  const unread = entries.filter(({ terminalStatus }) => terminalStatus === undefined);
  const live: Candidate[] = [];
  const untilMs = request.untilMs - ATTEMPT_RESERVE_MS;
  for (let next = 0; next < unread.length; next += READS_AT_ONCE) {
    const batch = unread.slice(next, next + READS_AT_ONCE);
    const answers = await Promise.all(batch.map(({ jobId }) => ports.plangrep.read(jobId, untilMs)));
    let complete = true;
    for (const [n, { jobId, registeredAt }] of batch.entries()) {
      const answer = answers[n];
      if (answer?.kind === 'not_found') continue;
      if (answer?.kind !== 'job') complete = false;
      else if (isTerminal(answer.job.status)) await rememberTerminal(ports, request, jobId, answer.job.status);
      else live.push({ jobId, registeredAt, jobStatus: answer.job.status });
    }
    if (!complete || live.length > 1) return { complete, live };
  }
  return { complete: true, live };
};

/** Saves the next reader a call; the answer at hand does not hang on it. */
const rememberTerminal = async (
  { directory, report }: Ports,
  { partnerId, externalId }: CancelRequest,
  jobId: JobId,
  status: string,
): Promise<void> => {
  try {
    await directory.rememberTerminal(partnerId, externalId, jobId, status);
  } catch (error) {
    if (!(error instanceof DependencyUnavailable)) throw error;
    report('DEPENDENCY_UNAVAILABLE', { dependency: error.dependency, jobId });
  }
};
