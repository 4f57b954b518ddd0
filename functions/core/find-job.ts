import { createHash } from 'node:crypto';
import type { CancelRequest } from './cancel-request.ts';
import type { JobId, Timestamp } from './identifiers.ts';
import { toTimestamp } from './identifiers.ts';
import { isTerminal } from './job-status.ts';
import { DependencyUnavailable, type DirectoryEntry, type Ports } from './ports.ts';

/** A job that a request may mean. `jobStatus` is absent when it was not read. */
export interface Candidate {
  readonly jobId: JobId;
  readonly registeredAt: Timestamp;
  readonly jobStatus?: string | undefined;
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
 * The one job that a request means; never a guess, and never a job that came after the request.
 *
 * A request with a key is bound to its job when first seen: a repeat reaches that job alone. One that reached no job
 * is bound to its time: a repeat reaches no job that was registered later.
 */
export const findJob = async (ports: Ports, request: CancelRequest): Promise<FoundJob> => {
  const { directory, clock } = ports;
  const { partnerId, externalId, requestKey } = request;
  const [binding, entries] = await Promise.all([
    requestKey === undefined ? undefined : directory.readBinding(partnerId, requestKey),
    directory.find(partnerId, externalId),
  ]);
  const fingerprint = fingerprintOf(request);
  if (binding !== undefined && binding.fingerprint !== fingerprint) return { kind: 'idempotency_key_reused' };
  if (binding?.jobId !== undefined) return { kind: 'job', jobId: binding.jobId, terminal: false };

  const limits = [request.notAfter, binding?.firstSeenAt].filter((limit) => limit !== undefined);
  const found = await chooseJob(
    ports,
    request,
    entries.filter(({ registeredAt }) => limits.every((limit) => registeredAt <= limit)),
  );
  if (requestKey === undefined || found.kind === 'unresolved') return found;
  if (binding !== undefined && found.kind !== 'job') return found;

  const firstSeenAt = binding?.firstSeenAt ?? toTimestamp(clock.now());
  const jobId = found.kind === 'job' ? found.jobId : undefined;
  const standing = await directory.bind(partnerId, requestKey, { fingerprint, firstSeenAt, jobId });
  if (standing.fingerprint !== fingerprint) return { kind: 'idempotency_key_reused' };
  const isOurs = standing.jobId === undefined || standing.jobId === jobId;
  return isOurs ? found : { kind: 'job', jobId: standing.jobId, terminal: false };
};

/** Two requests under one key are the same when they ask for the same. */
const fingerprintOf = ({ externalId, jobId, reason }: CancelRequest): string =>
  createHash('sha256')
    .update(JSON.stringify([externalId, jobId ?? null, reason ?? null]))
    .digest('hex');

const chooseJob = async (
  ports: Ports,
  request: CancelRequest,
  entries: readonly DirectoryEntry[],
): Promise<FoundJob> => {
  const eligible = request.jobId === undefined ? entries : entries.filter(({ jobId }) => jobId === request.jobId);
  const [newest] = eligible;
  if (newest === undefined) return { kind: 'job_not_found' };
  if (eligible.length === 1) return { kind: 'job', jobId: newest.jobId, terminal: newest.terminalStatus !== undefined };

  const read = await readCandidates(ports, request, eligible);
  const live = read.candidates.filter(({ jobStatus }) => jobStatus !== undefined && !isTerminal(jobStatus));
  if (live.length > 1) return { kind: 'ambiguous_external_id', candidates: live };
  if (!read.complete) return { kind: 'unresolved' };
  const [only] = live;
  // All have ended: the newest is what the partner would mean, and its end is what it wants to hear.
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
): Promise<{ complete: boolean; candidates: readonly Candidate[] }> => {
  const { plangrep } = ports;
  const unread = entries.filter(({ terminalStatus }) => terminalStatus === undefined);
  const candidates: Candidate[] = [];
  const until = request.until - ATTEMPT_RESERVE_MS;

  for (let next = 0; next < unread.length; next += READS_AT_ONCE) {
    const batch = unread.slice(next, next + READS_AT_ONCE);
    const answers = await Promise.all(
      batch.map(async (entry) => ({ entry, answer: await plangrep.read(entry.jobId, until) })),
    );
    let complete = true;
    for (const { entry, answer } of answers) {
      if (answer.kind === 'not_found') continue;
      if (answer.kind !== 'job') {
        complete = false;
        continue;
      }
      const { status } = answer.job;
      candidates.push({ jobId: entry.jobId, registeredAt: entry.registeredAt, jobStatus: status });
      if (isTerminal(status)) await rememberTerminal(ports, request, entry.jobId, status);
    }
    const live = candidates.filter(({ jobStatus }) => jobStatus !== undefined && !isTerminal(jobStatus));
    if (!complete || live.length > 1) return { complete, candidates };
  }
  return { complete: true, candidates };
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
