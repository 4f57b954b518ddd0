import { isTerminal } from '../cancellation/job-status.ts';
import { foldEvents } from '../cancellation/state.ts';
import { type JobId, type Timestamp, toTimestamp } from '../identifiers.ts';
import type { DirectoryEntry, VerifiedEntry } from '../job-directory.ts';
import type { PartnerAccess, Ports } from '../ports.ts';
import type { CountedRequest } from './job-reads.ts';
import { knownAbsence, READ_AGAIN_AFTER_MS } from './absence.ts';
import type { Unlisted } from './list-projects.ts';
import { endedFact, readJobs, remember } from './read-jobs.ts';
import { standingOf } from './verify-job.ts';

/** One of several live jobs that a request may mean. */
export interface Candidate {
  readonly jobId: JobId;
  readonly registeredAt: Timestamp;
  readonly jobStatus: string;
}

export type FoundJob =
  | {
      readonly kind: 'job';
      readonly jobId: JobId;
      /** A job that an earlier read showed terminal is read, and cancelled only if it is alive after all. */
      readonly firstCall: 'read' | 'cancel';
      /** As an earlier read showed it, or one that the choice needed. */
      readonly jobStatus?: string | undefined;
      /** From then on Plangrep may have forgotten the job. */
      readonly expiresAt?: Timestamp | undefined;
    }
  | { readonly kind: 'job_not_found' }
  | { readonly kind: 'ambiguous_external_id'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'idempotency_key_reused' }
  /**
   * It is not known which job is meant: Plangrep did not answer yet, or a record of ours is malformed. Nothing was done.
   * With `retryAfterMs` nothing failed, or an alarm of its kind says what: a repeat so much later gets further.
   */
  | {
      readonly kind: 'unresolved';
      readonly retryAfterMs?: number | undefined;
      /** Why, where the list of a project's jobs is missing. */
      readonly listing?: Unlisted['listing'] | undefined;
    };

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
  const found = (jobId: JobId, firstCall: 'read' | 'cancel', jobStatus: string | undefined): FoundJob => {
    const expiresAt = entries.find((entry) => entry.jobId === jobId)?.jobExpiresAt;
    return { kind: 'job', jobId, firstCall, jobStatus, expiresAt };
  };
  const [only] = entries;
  const isPreview = request.previewReads !== undefined;
  if (only !== undefined && entries.length === 1 && standingOf(access, only) === 'verified') {
    const { jobId, terminalStatus } = only;
    if (terminalStatus !== undefined) return found(jobId, 'read', terminalStatus);
    if (!isPreview) return found(jobId, 'cancel', undefined);
  }
  const { readable, live, ended, isOneMissing } = await readCandidates(ports, request, access, entries);
  if (live.length > 1) return { kind: 'ambiguous_external_id', candidates: live };
  if (readable === 'not_all') return { kind: 'unresolved' };
  if (readable === 'out_of_reads') return { kind: 'unresolved', retryAfterMs: READ_ON_AFTER_MS };
  // It may be alive. Where there is no other, its attempt finds out.
  const isOnlyOne = live.length === 0 && ended.length === 1;
  if (isOneMissing && !isOnlyOne) return { kind: 'unresolved', retryAfterMs: READ_AGAIN_AFTER_MS };
  const [alive] = live;
  if (alive !== undefined) return found(alive.jobId, 'cancel', alive.jobStatus);
  const [newest] = ended;
  return newest === undefined ? { kind: 'job_not_found' } : found(newest.jobId, 'read', newest.jobStatus);
}

interface ReadCandidates {
  readonly readable: 'all' | 'not_all' | 'out_of_reads';
  readonly live: readonly Candidate[];
  /** The verified jobs that are not alive, newest first. Without a status: Plangrep does not show it any more. */
  readonly ended: readonly { readonly jobId: JobId; readonly jobStatus: string | undefined }[];
  /** Plangrep answers 404 for a job that it has confirmed before, which may be a deployment. */
  readonly isOneMissing: boolean;
}

/**
 * Reads the jobs not known to be terminal, newest first, until two live ones are found or one cannot be read. A job
 * that Plangrep never confirmed and does not know is not a candidate.
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
  const open = entries.filter((entry) => !isVerified(entry) || entry.terminalStatus === undefined);
  const unread = open.filter((entry) => knownAbsence(entry, nowMs) === undefined);
  let isOneMissing = open.some((entry) => knownAbsence(entry, nowMs) === 'missing');
  const live: Candidate[] = [];
  const statuses = new Map(entries.map(({ jobId, terminalStatus }) => [jobId, terminalStatus]));
  const verified = new Set(entries.filter(isVerified).map(({ jobId }) => jobId));
  let readable: ReadCandidates['readable'] = unread.length > readsLeft.count ? 'out_of_reads' : 'all';
  const wanted = unread.slice(0, readsLeft.count);
  for await (const reads of readJobs({ ports, registrant: request, access, untilMs }, wanted)) {
    readsLeft.count -= reads.length;
    for (const read of reads) {
      if (read.kind === 'unread') readable = 'not_all';
      if (read.kind === 'alive') live.push(candidateOf(read));
      if (read.kind === 'foreign') verified.delete(read.entry.jobId);
      if (read.kind === 'ended') {
        verified.add(read.entry.jobId);
        statuses.set(read.entry.jobId, read.jobStatus);
      }
      if (read.kind === 'missing') {
        const jobStatus = await seenEnd(ports, request, read.entry);
        statuses.set(read.entry.jobId, jobStatus);
        isOneMissing ||= jobStatus === undefined;
      }
    }
    if (readable === 'not_all' || live.length > 1) break;
  }
  const isLive = (id: JobId): boolean => live.some(({ jobId }) => jobId === id);
  const ended = entries
    .filter(({ jobId }) => verified.has(jobId) && !isLive(jobId))
    .map(({ jobId }) => ({ jobId, jobStatus: statuses.get(jobId) }));
  return { readable, live, ended, isOneMissing };
}

/** What this service saw end has ended, although Plangrep does not show it any more. @returns how it ended */
async function seenEnd(
  ports: Ports,
  registrant: CountedRequest,
  { jobId }: DirectoryEntry,
): Promise<string | undefined> {
  const { events } = await ports.log.read(registrant.partnerId, jobId);
  const state = foldEvents(events);
  const terminalStatus = state?.step.kind === 'closed' ? state.facts.jobStatus : undefined;
  if (terminalStatus === undefined || !isTerminal(terminalStatus)) return undefined;
  const now = toTimestamp(ports.clock.now());
  await remember({ ports, registrant }, { jobId }, endedFact(terminalStatus, now, ports.retention));
  return terminalStatus;
}

function candidateOf(read: { readonly entry: VerifiedEntry; readonly jobStatus: string }): Candidate {
  const { jobId, registeredAt } = read.entry;
  return { jobId, registeredAt, jobStatus: read.jobStatus };
}
