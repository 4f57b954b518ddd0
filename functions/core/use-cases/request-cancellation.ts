import { appendEvent, type Standing } from './append-event.ts';
import type { CancelRequest } from '../cancel-request.ts';
import type { JoinedRecord, RefusedRecord } from '../cancellation/events.ts';
import type { FoundJob } from '../find-job/choose-job.ts';
import { findJob } from '../find-job/find-job.ts';
import type { CancellationState } from '../cancellation/state.ts';
import { type JobId, toTimestamp } from '../identifiers.ts';
import { LEASE_MS } from '../cancellation/pace.ts';
import type { Ports } from '../ports.ts';
import { DependencyUnavailable } from '../report.ts';
import { settleAttempt } from './settle-attempt.ts';

/** How a cancel request ends: closed union, one answer each. */
export type CancelEnd =
  /** There is a cancellation of the job, open or closed. */
  | { readonly kind: 'cancellation'; readonly state: CancellationState; readonly retryAfterMs: number }
  /** No one job was found: nothing was done. */
  | Exclude<FoundJob, { kind: 'job' }>;

/**
 * Cancels the one job that the request means: durable intent, one cancel call, and what came of it.
 *
 * From the moment that `requested` is durable this ends with the cancellation, whatever fails: the service sees it
 * through. Before that it throws {@link DependencyUnavailable} when a table is broken; Plangrep is not called then.
 */
export const requestCancellation = async (ports: Ports, request: CancelRequest): Promise<CancelEnd> => {
  const found = await findJob(ports, request);
  switch (found.kind) {
    case 'job':
      return cancelJob(ports, request, found);
    case 'job_not_found':
    case 'ambiguous_external_id':
    case 'idempotency_key_reused':
      if (request.refusal === 'final') await recordRefused(ports, request, found.kind);
      return found;
    case 'unresolved':
      return found;
  }
};

const cancelJob = async (
  ports: Ports,
  request: CancelRequest,
  { jobId, terminal }: Extract<FoundJob, { kind: 'job' }>,
): Promise<CancelEnd> => {
  const { clock } = ports;
  const leaseUntil = toTimestamp(clock.now() + LEASE_MS);
  const { kind, standing } = await appendEvent(
    ports,
    { partnerId: request.partnerId, jobId },
    undefined,
    { type: 'requested', ...asked(request), attempt: 1, claimedBy: clock.newId(), leaseUntil },
    leaseUntil,
  );
  if (kind === 'lost') {
    await recordJoined(ports, request, jobId);
    return cancellationEnd(ports, standing);
  }
  return cancellationEnd(
    ports,
    await settleAttempt(ports, standing, { readFirst: terminal, untilMs: request.untilMs }),
  );
};

const cancellationEnd = ({ clock }: Ports, { state, wakeAt }: Standing): CancelEnd => ({
  kind: 'cancellation',
  state,
  retryAfterMs: wakeAt === undefined ? 0 : Date.parse(wakeAt) - clock.now(),
});

const asked = ({ door, requestId, keyId, externalId, reason }: CancelRequest) => ({
  door,
  requestId,
  keyId,
  externalId,
  reason,
});

/** The cancellation stands whether or not this record can be written, so its failure is reported, not answered. */
const recordJoined = async ({ log, clock, report }: Ports, request: CancelRequest, jobId: JobId): Promise<void> => {
  const { partnerId, requestId } = request;
  const record: JoinedRecord = { type: 'joined', partnerId, jobId, at: toTimestamp(clock.now()), ...asked(request) };
  try {
    await log.recordJoined(record);
    report('REQUEST_JOINED', { partnerId, jobId, requestId });
  } catch (error) {
    if (!(error instanceof DependencyUnavailable)) throw error;
    report('AUDIT_WRITE_FAILED', { partnerId, jobId, requestId, type: record.type });
  }
};

const recordRefused = async (
  { log, clock, report }: Ports,
  request: CancelRequest,
  why: RefusedRecord['why'],
): Promise<void> => {
  const { partnerId, jobId, requestId } = request;
  await log.recordRefused({
    type: 'refused',
    partnerId,
    jobId,
    why,
    at: toTimestamp(clock.now()),
    ...asked(request),
  });
  report('REQUEST_REFUSED', { partnerId, requestId, why });
};
