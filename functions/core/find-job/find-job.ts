import { createHash } from 'node:crypto';
import type { CancelRequest } from '../cancel-request.ts';
import { chooseJob, type FoundJob } from './choose-job.ts';
import { foldEvents } from '../cancellation/state.ts';
import { type Timestamp, toTimestamp } from '../identifiers.ts';
import { listJobs } from './discover-jobs.ts';
import type { DirectoryEntry, Ports } from '../ports.ts';

/**
 * The one job that a request means; never a guess, and never a job that came after the request.
 *
 * A request with a key is bound to its job when first seen: a repeat reaches that job alone. One that reached no job
 * is bound to its time: a repeat reaches no job that was registered later.
 */
export const findJob = async (ports: Ports, request: CancelRequest): Promise<FoundJob> => {
  const { directory, clock } = ports;
  const { partnerId, externalId, requestKey } = request;
  // Before anything is read: a job that is registered while this looks came after the request.
  const seenAt = toTimestamp(clock.now());
  const [binding, entries] = await Promise.all([
    requestKey === undefined ? undefined : directory.readBinding(partnerId, requestKey),
    directory.find(partnerId, externalId),
  ]);
  const fingerprint = fingerprintOf(request);
  if (binding !== undefined && binding.fingerprint !== fingerprint) return { kind: 'idempotency_key_reused' };
  if (binding?.jobId !== undefined) return { kind: 'job', jobId: binding.jobId, terminal: false };

  const found = await findAmong(ports, request, entries, binding?.firstSeenAt);
  if (requestKey === undefined || found.kind === 'unresolved') return found;
  if (binding !== undefined && found.kind !== 'job') return found;

  const firstSeenAt = binding?.firstSeenAt ?? seenAt;
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

const findAmong = async (
  ports: Ports,
  request: CancelRequest,
  known: readonly DirectoryEntry[],
  firstSeenAt: Timestamp | undefined,
): Promise<FoundJob> => {
  let entries = withinReach(request, known, firstSeenAt);
  if (entries.length === 0 || (await mayHaveSuccessor(ports, request, entries))) {
    const listed = await listJobs(ports, request);
    if (listed === undefined) return { kind: 'unresolved' };
    const unheardOf = listed.filter(({ jobId }) => entries.every((entry) => entry.jobId !== jobId));
    entries = [...withinReach(request, unheardOf, firstSeenAt), ...entries];
  }
  return chooseJob(ports, request, entries);
};

/**
 * The jobs that a request can mean: the one it names; or those that were there when it was made. An event's `time`
 * covers a whole second (Amazon EventBridge User Guide, Events): a job registered within that second is reached only
 * when none before it is there.
 */
const withinReach = (
  { jobId: named, eventTime }: CancelRequest,
  entries: readonly DirectoryEntry[],
  firstSeenAt: Timestamp | undefined,
): readonly DirectoryEntry[] => {
  if (named !== undefined) return entries.filter(({ jobId }) => jobId === named);
  const inTime = entries.filter(({ registeredAt }) => firstSeenAt === undefined || registeredAt <= firstSeenAt);
  if (eventTime === undefined) return inTime;
  const before = inTime.filter(({ registeredAt }) => registeredAt <= eventTime);
  const endOfSecond = toTimestamp(Date.parse(eventTime) + 999);
  return before.length > 0 ? before : inTime.filter(({ registeredAt }) => registeredAt <= endOfSecond);
};

/**
 * Jobs that nobody registers come to be known only by listing. When the newest known one has been dealt with, the
 * request may mean one that was submitted anew under the same externalId.
 */
const mayHaveSuccessor = async (
  { log }: Ports,
  { partnerId, jobId: named }: CancelRequest,
  [newest]: readonly DirectoryEntry[],
): Promise<boolean> => {
  if (newest?.listed !== true || named !== undefined) return false;
  if (newest.terminalStatus !== undefined) return true;
  const { events } = await log.read(partnerId, newest.jobId);
  return foldEvents(events)?.step.kind === 'closed';
};
