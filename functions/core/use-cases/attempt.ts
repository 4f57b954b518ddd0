import { sealEvent } from '../cancellation/chain.ts';
import {
  type AttemptEnd,
  decideAfterCancel,
  decideAfterFirstRead,
  decideAfterRefusal,
  decideEnd,
  judgeRead,
  type NextEvent,
} from '../cancellation/decide.ts';
import type { EventBody, RequestedBody } from '../cancellation/events.ts';
import { LEASE_MS } from '../cancellation/pace.ts';
import { applyEvent, type CancellationState, stateOf } from '../cancellation/state.ts';
import type { StreamName } from '../cancellation/stream-key.ts';
import { type JobId, type Timestamp, toTimestamp } from '../identifiers.ts';
import type { AttemptPorts, Clock, Plangrep } from '../ports.ts';
import { DependencyUnavailable, reportClosed } from '../report.ts';

/** Where a cancellation stands. An open one is looked at again at `wakeAt`. */
export type Standing =
  | { readonly kind: 'open'; readonly state: CancellationState; readonly wakeAt: Timestamp }
  | { readonly kind: 'closed'; readonly state: CancellationState };

/** `lost`: another writer took this sequence number; `standing` is the resulting state. */
export interface Appending {
  readonly kind: 'appended' | 'lost';
  readonly standing: Standing;
}

type LogPorts = Pick<AttemptPorts, 'log' | 'clock'>;

/** A claim of an attempt: no other invocation may take the attempt over before the lease ends. */
export function newClaim(clock: Clock): Pick<RequestedBody, 'claimedBy' | 'leaseUntil'> {
  return { claimedBy: clock.newId(), leaseUntil: toTimestamp(clock.now() + LEASE_MS) };
}

/** Begins a stream, whose first wake-up is due when the lease of attempt 1 ends. @throws DependencyUnavailable */
export function beginStream(ports: LogPorts, name: StreamName, body: RequestedBody): Promise<Appending> {
  return append(ports, name, undefined, body, body.leaseUntil);
}

/**
 * Appends the next event to a stream.
 * @param state the stream as this writer knows it
 * @throws BrokenStream for an event that may not come next, DependencyUnavailable; nothing is known to be written then
 */
export function appendTo(ports: LogPorts, state: CancellationState, next: NextEvent): Promise<Appending> {
  return append(ports, state, state, next.body, next.kind === 'leaves_open' ? next.wakeAt : undefined);
}

async function append(
  { log, clock }: LogPorts,
  name: StreamName,
  state: CancellationState | undefined,
  body: EventBody,
  wakeAt: Timestamp | undefined,
): Promise<Appending> {
  const event = sealEvent(name, state?.last, body, { eventId: clock.newId(), at: toTimestamp(clock.now()) });
  const next = applyEvent(state, event);
  const appended = await log.append(event, wakeAt);
  if (appended.kind === 'appended') return { kind: 'appended', standing: standingOf(next, wakeAt) };
  const { events, wakeAt: standingWakeAt } = appended.stream;
  return { kind: 'lost', standing: standingOf(stateOf(events), standingWakeAt) };
}

/** An open stream whose wake-up was removed by tampering counts as due. */
function standingOf(state: CancellationState, wakeAt: Timestamp = state.requestedAt): Standing {
  return state.step.kind === 'closed' ? { kind: 'closed', state } : { kind: 'open', state, wakeAt };
}

export interface AttemptOptions {
  /** `read`: the job may be terminal, so the attempt cancels it only after a read that shows it alive. */
  readonly firstCall: 'read' | 'cancel';
  /** Milliseconds since 1970: calls to Plangrep are over by then. */
  readonly untilMs: number;
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
  const { partnerId, jobId, attempts: attempt } = claimed.state;
  const end = await attemptCancel(plangrep, { jobId, attempt, ...options });
  const { body } = end;
  if (body.type === 'attempt_ended' && body.result === 'key_refused') {
    report('PLANGREP_KEY_REFUSED', { partnerId, jobId });
  }
  try {
    const next = decideEnd(end, clock.now(), clock.random());
    const { kind, standing } = await appendTo(ports, claimed.state, next);
    if (kind === 'lost') report('ATTEMPT_FENCED', { partnerId, jobId, attempt });
    else if (body.type === 'closed') reportClosed(ports, claimed.state, body);
    else report('CANCELLATION_PENDING', { partnerId, jobId, result: body.result, why: body.why });
    return standing;
  } catch (error) {
    if (!(error instanceof DependencyUnavailable)) throw error;
    report('AUDIT_WRITE_FAILED', { partnerId, jobId, type: body.type });
    return claimed;
  }
}

interface Attempt extends AttemptOptions {
  readonly jobId: JobId;
  readonly attempt: number;
}

/**
 * Makes one attempt to cancel a job: at most one cancel call, and job reads where only the job shows what happened. A
 * terminal state is known only from a job; everything else leaves the cancellation open. Source: Plangrep's API
 * reference, Cancel a job, which does not define the status and code of a refused cancel.
 */
export async function attemptCancel(plangrep: Plangrep, attempting: Attempt): Promise<AttemptEnd> {
  const { jobId, attempt, firstCall, untilMs } = attempting;
  if (firstCall === 'read') {
    const step = decideAfterFirstRead(attempt, judgeRead(await plangrep.read(jobId, untilMs)));
    if (step.kind === 'end') return step;
  }
  const answer = await plangrep.cancel(jobId, untilMs);
  const step = decideAfterCancel(attempt, answer);
  if (step.kind === 'end') return step;
  return decideAfterRefusal(attempt, step.refusal, judgeRead(await plangrep.read(jobId, untilMs)));
}
