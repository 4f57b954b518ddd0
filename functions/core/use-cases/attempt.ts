import { sealEvent } from '../cancellation/chain.ts';
import {
  type AttemptEnd,
  decideAfterCancel,
  decideAfterFirstRead,
  decideAfterRefusal,
  decideEnd,
  judgeRead,
  type NextEvent,
  type Reading,
} from '../cancellation/decide.ts';
import type { EventBody, RequestedBody } from '../cancellation/events.ts';
import { LEASE_MS } from '../cancellation/pace.ts';
import {
  applyEvent,
  type CancellationState,
  type ClosedCancellation,
  isClosed,
  stateOf,
} from '../cancellation/state.ts';
import type { StreamName } from '../cancellation/stream-key.ts';
import { type JobId, type Timestamp, toTimestamp } from '../identifiers.ts';
import type { AttemptPorts, Clock, Plangrep, Stream, WakeUp } from '../ports.ts';
import { DependencyUnavailable, idsOf, reportClosed } from '../report.ts';

/** Where a cancellation stands. An open one is looked at again at `wakeAt`. */
export type Standing =
  | { readonly kind: 'open'; readonly state: CancellationState; readonly wakeAt: Timestamp }
  | { readonly kind: 'closed'; readonly state: ClosedCancellation };

/** `lost`: another writer took this sequence number; `standing` is the resulting state. */
export interface Appending {
  readonly kind: 'appended' | 'lost';
  readonly standing: Standing;
}

type LogPorts = Pick<AttemptPorts, 'log' | 'clock' | 'retention'>;

/** A claim of an attempt: no other invocation may take the attempt over before the lease ends. */
export function newClaim(clock: Clock): Pick<RequestedBody, 'claimedBy' | 'leaseUntil'> {
  return { claimedBy: clock.newId(), leaseUntil: toTimestamp(clock.now() + LEASE_MS) };
}

/**
 * Sends the message for a wake-up. A failure is reported and not thrown: the index has the wake-up. A claim needs no
 * message: its holder goes on, and only if that dies the schedule has to find the wake-up.
 * @param requestId of the request that began the cancellation, where it is known
 */
export async function sendWakeUp(
  { wakeUpQueue, report }: Pick<AttemptPorts, 'wakeUpQueue' | 'report'>,
  wakeUp: WakeUp,
  requestId?: string,
): Promise<void> {
  try {
    await wakeUpQueue.send(wakeUp);
  } catch (error) {
    if (!(error instanceof DependencyUnavailable)) throw error;
    report('WAKE_UP_NOT_SENT', { partnerId: wakeUp.partnerId, jobId: wakeUp.jobId, requestId });
  }
}

/**
 * Begins a cancellation, whose first wake-up is due when the lease of its first attempt ends.
 * @param ended the cancellation of this job that ended as `job_not_found`, if there is one: the stream goes on after it
 * @throws DependencyUnavailable
 */
export function beginCancellation(
  ports: LogPorts,
  name: StreamName,
  body: RequestedBody,
  ended?: CancellationState,
): Promise<Appending> {
  return append(ports, name, ended, body, body.leaseUntil);
}

/**
 * Appends the next event to a stream, and sends the message for its wake-up.
 * @param state the stream as this writer knows it
 * @throws BrokenStream for an event that may not come next, DependencyUnavailable; nothing is known to be written then
 */
export async function appendTo(
  ports: Omit<AttemptPorts, 'plangrep'>,
  state: CancellationState,
  next: NextEvent,
): Promise<Appending> {
  const wakeAt = next.kind === 'leaves_open' ? next.wakeAt : undefined;
  const appending = await append(ports, state, state, next.body, wakeAt);
  if (appending.kind === 'appended' && wakeAt !== undefined && next.body.type !== 'attempt_started') {
    const { partnerId, jobId, requestId } = state;
    await sendWakeUp(ports, { partnerId, jobId, seq: appending.standing.state.last.seq, wakeAt }, requestId);
  }
  return appending;
}

async function append(
  { log, clock, retention }: LogPorts,
  name: StreamName,
  state: CancellationState | undefined,
  body: EventBody,
  wakeAt: Timestamp | undefined,
): Promise<Appending> {
  const isAnnounced = state !== undefined && (body.type === 'closed' || body.type === 'escalated');
  const named = isAnnounced ? { ...body, begunBy: state.requestId } : body;
  const place = { eventId: clock.newId(), at: toTimestamp(clock.now()), keptDays: retention.events };
  const event = sealEvent(name, state?.last, named, place);
  const next = applyEvent(state, event);
  const appended = await log.append(event, wakeAt);
  if (appended.kind === 'appended') return { kind: 'appended', standing: standingOf(next, wakeAt) };
  return { kind: 'lost', standing: standingOfStream(appended.stream) };
}

/** Where a stream stands that is known to have begun. @throws BrokenStream */
export function standingOfStream({ events, wakeAt }: Stream): Standing {
  return standingOf(stateOf(events), wakeAt);
}

/** An open stream whose wake-up was removed by tampering counts as due. */
function standingOf(state: CancellationState, wakeAt: Timestamp = state.requestedAt): Standing {
  return isClosed(state) ? { kind: 'closed', state } : { kind: 'open', state, wakeAt };
}

export interface AttemptOptions {
  /**
   * `read`: the job may be terminal, so the attempt cancels it only after a read that shows it alive. A reading stands
   * for one that was just made.
   */
  readonly firstCall: 'read' | 'cancel' | Reading;
  /** Milliseconds since 1970: calls to Plangrep are over by then. */
  readonly untilMs: number;
  /** Of the job, as far as an earlier read showed it: that it is not found later alarms no operator. */
  readonly expiresAt?: Timestamp | undefined;
}

/**
 * Makes the attempt whose claim is the newest event of the stream, and appends how it ended.
 *
 * If another invocation took the attempt over meanwhile, this one is fenced: the result is what the other one wrote. If
 * the end cannot be written, the cancellation stays open under its claim, whose wake-up brings the reconciler: a broken
 * log throws nothing here.
 * @param claimed the cancellation under the claim of this attempt
 */
export async function settle(ports: AttemptPorts, claimed: Standing, options: AttemptOptions): Promise<Standing> {
  const { plangrep, clock, report } = ports;
  const { jobId, attempts: attempt } = claimed.state;
  const { hasRead, ...end } = await attemptCancel(plangrep, { jobId, attempt, ...options });
  const next = decideEnd(claimed.state, end, { nowMs: clock.now(), random: clock.random(), hasRead });
  const { body } = next;
  try {
    const { kind, standing } = await appendTo(ports, claimed.state, next);
    if (kind === 'lost') report('ATTEMPT_FENCED', { ...idsOf(claimed.state), attempt });
    else reportAppended(ports, claimed.state, body, standing, options.expiresAt);
    return standing;
  } catch (error) {
    if (!(error instanceof DependencyUnavailable)) throw error;
    report('AUDIT_WRITE_FAILED', { ...idsOf(claimed.state), type: body.type });
    return claimed;
  }
}

/**
 * Reports what was appended to a cancellation: what an operator may have to act on has its own code.
 * @param before the cancellation without the new event
 * @param expiresAt of the job, if that is known from elsewhere: callers choose when to cancel a job that has expired
 */
export function reportAppended(
  { report, clock }: Pick<AttemptPorts, 'report' | 'clock'>,
  before: CancellationState,
  body: EventBody,
  standing: Standing,
  expiresAt?: Timestamp,
): void {
  if (standing.kind === 'closed') reportClosed(report, standing.state);
  if (body.type !== 'attempt_ended' && body.type !== 'observed') return;
  const { why, httpStatus, jobStatus } = body.type === 'attempt_ended' ? body : { jobStatus: body.jobStatus };
  const ids = idsOf(before);
  const isExpected = expiresAt !== undefined && expiresAt <= toTimestamp(clock.now());
  if (body.result === 'not_found' && before.absence === undefined && !isExpected) report('JOB_ABSENT', ids);
  // A 403 to a job read as well may be an unknown job's, or a key's that lacks its scopes.
  const isKeyRefused = body.result === 'key_refused' || (httpStatus === 403 && jobStatus === undefined);
  if (isKeyRefused) report('PLANGREP_KEY_REFUSED', { ...ids, httpStatus });
  report('CANCELLATION_PENDING', { ...ids, result: body.result, why });
}

interface Attempt extends AttemptOptions {
  readonly jobId: JobId;
  readonly attempt: number;
}

/**
 * Makes one attempt to cancel a job: at most one cancel call, and one job read where only the job shows what happened. A
 * terminal state is known only from a job; everything else leaves the cancellation open. Source: Plangrep's API
 * reference, Cancel a job, which does not define the status and code of a refused cancel.
 */
export async function attemptCancel(
  plangrep: Plangrep,
  { jobId, attempt, firstCall, untilMs }: Attempt,
): Promise<AttemptEnd & { readonly hasRead: boolean }> {
  const read = async (): Promise<Reading> => judgeRead(await plangrep.read(jobId, untilMs));
  const first = firstCall === 'cancel' ? undefined : firstCall === 'read' ? await read() : firstCall;
  if (first !== undefined) {
    const step = decideAfterFirstRead(attempt, first);
    if (step.kind === 'end') return { ...step, hasRead: true };
  }
  const step = decideAfterCancel(attempt, await plangrep.cancel(jobId, untilMs), first);
  if (step.kind === 'end') return { ...step, hasRead: first !== undefined };
  // A job that was just read alive is read again by the next attempt: reads of one job keep a distance.
  return { ...decideAfterRefusal(attempt, step.refusal, first ?? (await read())), hasRead: true };
}
