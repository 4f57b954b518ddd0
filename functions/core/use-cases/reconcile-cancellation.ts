import { decide, decideAfterPoll, judgeRead, type Poll, type Reading } from '../cancellation/decide.ts';
import { BROKEN_STREAM_DELAY_MS } from '../cancellation/pace.ts';
import { BrokenStream, type CancellationState, stateOf } from '../cancellation/state.ts';
import { toTimestamp } from '../identifiers.ts';
import type { AttemptPorts, Stream, WakeUp } from '../ports.ts';
import { idsOf, reportFailure, withIds } from '../report.ts';
import { appendTo, newClaim, reportAppended, sendWakeUp, settle } from './attempt.ts';

/**
 * Why a wake-up was due. `message`: after an event for which a message was sent. `claim`: the holder of a claim left it
 * open. `obsolete`: nothing was left to do. `broken`: only an operator can repair the stream.
 */
export type DueBy = 'message' | 'claim' | 'obsolete' | 'broken';

/**
 * Looks at one wake-up that is due: retries, polls, closes, escalates, or removes the wake-up if it is obsolete.
 *
 * Any number of reconcilers may look at the same one. The reconciler that appends the claim makes the attempt; the one
 * that moves the wake-up polls; the others notice that and leave.
 * @param untilMs milliseconds since 1970: calls to Plangrep are over by then
 * @throws DependencyUnavailable when the log does not answer; the wake-up stays
 */
export async function reconcileCancellation(ports: AttemptPorts, wakeUp: WakeUp, untilMs: number): Promise<DueBy> {
  let stream: Stream;
  try {
    stream = await ports.log.read(wakeUp.partnerId, wakeUp.jobId);
  } catch (error) {
    return leaveToOperator(ports, wakeUp, error);
  }
  return reconcileStream(ports, wakeUp, stream, untilMs);
}

/** @throws every error but a BrokenStream */
async function leaveToOperator({ log, clock, report }: AttemptPorts, wakeUp: WakeUp, error: unknown): Promise<DueBy> {
  if (!(error instanceof BrokenStream)) throw error;
  reportFailure(report, error, { partnerId: wakeUp.partnerId, jobId: wakeUp.jobId });
  await log.moveWakeUp(wakeUp, toTimestamp(clock.now() + BROKEN_STREAM_DELAY_MS));
  return 'broken';
}

/** The same for a stream that was just read. */
export async function reconcileStream(
  ports: AttemptPorts,
  wakeUp: WakeUp,
  { events }: Pick<Stream, 'events'>,
  untilMs: number,
): Promise<DueBy> {
  if (events.length === 0) {
    // It expired, and DynamoDB has not deleted all of it.
    await ports.log.removeWakeUp(wakeUp);
    return 'obsolete';
  }
  let state: CancellationState;
  try {
    state = stateOf(events);
  } catch (error) {
    return leaveToOperator(ports, wakeUp, error);
  }
  try {
    return await carryOut(ports, state, wakeUp, untilMs);
  } catch (error) {
    throw withIds(error, idsOf(state));
  }
}

async function carryOut(
  ports: AttemptPorts,
  state: CancellationState,
  wakeUp: WakeUp,
  untilMs: number,
): Promise<DueBy> {
  const { log, clock } = ports;
  const decision = decide(state, wakeUp, clock.now());
  switch (decision.kind) {
    case 'obsolete':
      await log.removeWakeUp(wakeUp);
      return 'obsolete';
    case 'escalate':
      await escalate(ports, state, wakeUp);
      break;
    case 'take_over':
      await takeOver(ports, state, wakeUp, { attempt: decision.attempt, untilMs });
      break;
    case 'poll':
      await carryOutPoll(ports, state, wakeUp, { poll: decision, untilMs });
      break;
  }
  return state.step.kind === 'attempting' ? 'claim' : 'message';
}

/** The new event brings a wake-up that is due as the old one was, so the next look does the rest of the work. */
async function escalate(ports: AttemptPorts, state: CancellationState, wakeUp: WakeUp): Promise<void> {
  const { log, report } = ports;
  const escalated = { kind: 'leaves_open', body: { type: 'escalated' }, wakeAt: wakeUp.wakeAt } as const;
  const { kind } = await appendTo(ports, state, escalated);
  if (kind === 'lost') return;
  report('CANCELLATION_ESCALATED', idsOf(state));
  await log.removeWakeUp(wakeUp);
}

/**
 * Makes the next attempt. Its claim is appended first, which fences the holder of the claim before. Wake-ups are removed
 * after the attempt: one that stays is obsolete and harms nothing, while the job runs until the cancel arrives.
 */
async function takeOver(
  ports: AttemptPorts,
  state: CancellationState,
  wakeUp: WakeUp,
  { attempt, untilMs }: { readonly attempt: number; readonly untilMs: number },
): Promise<void> {
  const { log, clock } = ports;
  const claim = newClaim(clock);
  const body = { type: 'attempt_started', attempt, ...claim } as const;
  const { kind, standing } = await appendTo(ports, state, { kind: 'leaves_open', body, wakeAt: claim.leaseUntil });
  if (kind === 'lost') return;
  const settled = await settle(ports, standing, { firstCall: 'read', untilMs });
  await log.removeWakeUp(wakeUp);
  // If the end of the attempt could not be written, the claim's wake-up stays: it brings the next look.
  const { seq } = standing.state.last;
  if (settled.state.last.seq > seq) await log.removeWakeUp({ ...wakeUp, seq, wakeAt: claim.leaseUntil });
}

/** Reads a job whose cancel was accepted. The wake-up is moved before the read, so that one reconciler reads it. */
async function carryOutPoll(
  ports: AttemptPorts,
  state: CancellationState,
  wakeUp: WakeUp,
  { poll, untilMs }: { readonly poll: Poll; readonly untilMs: number },
): Promise<void> {
  const { log, plangrep, clock, report } = ports;
  const { jobId, requestId } = state;
  const moved = { ...wakeUp, wakeAt: toTimestamp(poll.nextPollMs) };
  if (!(await log.moveWakeUp(wakeUp, moved.wakeAt, toTimestamp(clock.now())))) return;

  const reading = judgeRead(await plangrep.read(jobId, untilMs));
  if (reading.kind === 'failed' && reading.failure.kind === 'key_refused') report('PLANGREP_KEY_REFUSED', idsOf(state));
  report('CANCELLATION_POLLED', { ...idsOf(state), result: nameOf(reading) });
  // What Plangrep asked for counts from its answer.
  const next = decideAfterPoll(state, { ...poll, nowMs: clock.now() }, reading);
  switch (next.kind) {
    case 'closes':
    case 'leaves_open': {
      const { kind, standing } = await appendTo(ports, state, next);
      if (kind === 'lost') return;
      reportAppended(ports, state, next.body, standing);
      return log.removeWakeUp(moved);
    }
    case 'wait_longer':
      if (await log.moveWakeUp(moved, next.wakeAt))
        await sendWakeUp(ports, { ...moved, wakeAt: next.wakeAt }, requestId);
      return;
    case 'wait':
      return sendWakeUp(ports, moved, requestId);
  }
}

/** What a poll found, in one word: also one that changes nothing on record leaves a line. */
function nameOf(reading: Reading): string {
  switch (reading.kind) {
    case 'alive':
      return reading.job.status;
    case 'closes':
      return reading.body.outcome;
    case 'absent':
      return 'not_found';
    case 'failed':
      return reading.failure.kind;
  }
}
