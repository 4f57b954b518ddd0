import type { CancelRequest } from '../cancel-request.ts';
import type { Asked, NewRefusal, RefusedRecord, RequestedBody } from '../cancellation/events.ts';
import { commitTexts } from '../cancellation/commitment.ts';
import { judgeRead } from '../cancellation/decide.ts';
import type { CancellationState, NamedCancellation } from '../cancellation/state.ts';
import type { FoundJob } from '../find-job/choose-job.ts';
import { findJob } from '../find-job/find-job.ts';
import { type JobId, type Timestamp, toTimestamp } from '../identifiers.ts';
import type { Ports } from '../ports.ts';
import { DependencyUnavailable, reportWith } from '../report.ts';
import { daysAfter } from '../retention.ts';
import { type Appending, type AttemptOptions, beginCancellation, newClaim, type Standing, settle } from './attempt.ts';
import { nextLookInMs, stayWith } from './stay-with.ts';

/** How a cancel request ends: a closed union, with one answer for each kind. */
export type CancelEnd =
  /** Accepted, and not certain: `retryAfterMs` milliseconds from now the service will have looked again. */
  | {
      readonly kind: 'open';
      readonly state: NamedCancellation;
      readonly wakeAt: Timestamp;
      readonly retryAfterMs: number;
    }
  | { readonly kind: 'closed'; readonly state: NamedCancellation }
  /** No single job was found: nothing was done. */
  | NoJob;

type OneJob = Extract<FoundJob, { kind: 'job' }>;
type NoJob = Exclude<FoundJob, OneJob>;

/**
 * Cancels the one job that the request means: durable intent, one cancel call, and its result.
 *
 * Once `requested` is durable the result is the cancellation, whatever fails: the service completes it.
 * @throws DependencyUnavailable when a table does not answer before that; Plangrep is not called then
 */
export async function requestCancellation(ports: Ports, request: CancelRequest): Promise<CancelEnd> {
  return carryOut(ports, request, await findJob(ports, request));
}

async function carryOut(ports: Ports, request: CancelRequest, found: FoundJob): Promise<CancelEnd> {
  const step = decideRequest(found, request.refusal);
  switch (step.kind) {
    case 'cancel':
      return cancelJob(ports, request, step.job);
    case 'record_refusal':
      await recordRefused(ports, request, step.refusal.kind);
      return step.refusal;
    case 'answer':
      return step.end;
  }
}

/** What a request does with the job that was found, or was not. */
export type RequestStep =
  | { readonly kind: 'cancel'; readonly job: OneJob }
  | { readonly kind: 'record_refusal'; readonly refusal: NoJob }
  /** Nothing goes on record: the same request comes again. */
  | { readonly kind: 'answer'; readonly end: NoJob };

export function decideRequest(found: FoundJob, refusal: CancelRequest['refusal']): RequestStep {
  switch (found.kind) {
    case 'job':
      return { kind: 'cancel', job: found };
    case 'job_not_found':
    case 'ambiguous_external_id':
    case 'idempotency_key_reused':
    case 'unresolved':
      return refusal === 'final' ? { kind: 'record_refusal', refusal: found } : { kind: 'answer', end: found };
  }
}

async function cancelJob(ports: Ports, request: CancelRequest, job: OneJob): Promise<CancelEnd> {
  const { jobId, firstCall, expiresAt } = job;
  let attempt: Omit<AttemptOptions, 'untilMs'> = { firstCall, expiresAt };
  let begun = await begin(ports, request, jobId);
  if (begun.kind === 'lost' && isUnknownJob(begun.standing)) {
    const reading = judgeRead(await ports.plangrep.read(jobId, request.untilMs));
    // The job may run after all: an event comes again, and a caller repeats its request.
    if (reading.kind === 'failed') return carryOut(ports, request, { kind: 'unresolved' });
    if (reading.kind !== 'absent') {
      begun = await begin(ports, request, jobId, begun.standing.state);
      attempt = { firstCall: reading };
    }
  }
  if (begun.kind === 'appended') return settleOrStay(ports, request, begun.standing, attempt);
  await recordJoined(ports, request, begun.standing.state);
  // What it sees through is another request's cancellation, whose requestId the lines have.
  const report = reportWith(ports.report, { joinedRequestId: request.requestId });
  return settleOrStay({ ...ports, report }, request, begun.standing);
}

/** An end that may not have been one: if Plangrep knows the job after all, a request begins the cancellation anew. */
function isUnknownJob({ state: { step } }: Standing): boolean {
  return step.kind === 'closed' && step.outcome === 'job_not_found';
}

/** Durable intent. `lost` when the job has a cancellation already. @throws DependencyUnavailable */
function begin(ports: Ports, request: CancelRequest, jobId: JobId, ended?: CancellationState): Promise<Appending> {
  const attempt = (ended?.attempts ?? 0) + 1;
  const body: RequestedBody = { type: 'requested', ...recordOf(request, ports), attempt, ...newClaim(ports.clock) };
  return beginCancellation(ports, { partnerId: request.partnerId, jobId }, body, ended);
}

/** @param attempt if this request holds its claim */
async function settleOrStay(
  ports: Ports,
  request: CancelRequest,
  standing: Standing,
  attempt?: Omit<AttemptOptions, 'untilMs'>,
): Promise<CancelEnd> {
  const { untilMs, waitUntilMs } = request;
  const settled = attempt === undefined ? standing : await settle(ports, standing, { ...attempt, untilMs });
  const left = waitUntilMs === undefined ? settled : await stayWith(ports, settled, { waitUntilMs, untilMs });
  // The caller knows its own externalId, although the one on record may have been erased.
  const state = { ...left.state, externalId: left.state.externalId ?? request.externalId };
  return left.kind === 'closed'
    ? { kind: 'closed', state }
    : { ...left, state, retryAfterMs: nextLookInMs(left, ports.clock.now()) };
}

/** What goes on record of a request, whatever becomes of it. */
function recordOf({ door, requestId, keyId, externalId, reason }: CancelRequest, { clock }: Pick<Ports, 'clock'>) {
  const asked: Asked = { door, requestId, keyId, externalId, reason };
  return commitTexts(asked, () => clock.newSalt());
}

/** A failure is reported and not thrown: the cancellation stands without this record. */
async function recordJoined(
  ports: Ports,
  request: CancelRequest,
  { jobId, last }: Pick<CancellationState, 'jobId' | 'last'>,
): Promise<void> {
  const { log, clock, report, retention } = ports;
  const { partnerId, requestId } = request;
  const at = toTimestamp(clock.now());
  try {
    await log.recordJoined({
      type: 'joined',
      partnerId,
      jobId,
      at,
      deleteAfter: Math.min(daysAfter(at, retention.requests), last.deleteAfter),
      ...recordOf(request, ports),
    });
    report('REQUEST_JOINED', { partnerId, jobId, requestId });
  } catch (error) {
    if (!(error instanceof DependencyUnavailable)) throw error;
    report('AUDIT_WRITE_FAILED', { partnerId, jobId, requestId, type: 'joined' });
  }
}

async function recordRefused(ports: Ports, request: CancelRequest, why: RefusedRecord['why']): Promise<void> {
  const { log, directory, clock, report, retention } = ports;
  const { partnerId, jobId, requestId } = request;
  const at = toTimestamp(clock.now());
  const deleteAfter = daysAfter(at, retention.requests);
  const asked = recordOf(request, ports);
  const record: NewRefusal = { type: 'refused', partnerId, jobId, why, at, deleteAfter, ...asked };
  await log.recordRefused(record);
  report('REQUEST_REFUSED', { partnerId, requestId, why });
  try {
    await directory.keepRefusal(record);
  } catch (error) {
    // It is on record, and its partner has the answer or gets the event: only the list of refusals lacks it.
    if (!(error instanceof DependencyUnavailable)) throw error;
    report('DEPENDENCY_UNAVAILABLE', { dependency: error.dependency, partnerId, requestId });
  }
}
