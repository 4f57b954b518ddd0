import { appendEvent } from './append-event.ts';
import { readJob } from './attempt-cancel.ts';
import { BrokenStream, acceptedAt, type CancellationState, stateOf } from '../cancellation/state.ts';
import { toTimestamp } from '../identifiers.ts';
import { ESCALATE_AFTER_MS, LEASE_MS, pollDelayMs } from '../cancellation/pace.ts';
import type { AttemptPorts, WakeUp } from '../ports.ts';
import { reportClosed } from '../report.ts';
import { settleAttempt } from './settle-attempt.ts';

/** A stream that cannot be folded waits for a person; looking again this much later keeps the alarm alive. */
const BROKEN_STREAM_DELAY_MS = 15 * 60_000;

/**
 * Looks at one due wake-up: retries, polls, closes, escalates, or takes the wake-up away when its time has passed.
 *
 * Any number of reconcilers may look at the same one. An attempt belongs to whoever appends its claim; a poll to
 * whoever moves the wake-up; the others find that out and leave.
 * @param untilMs milliseconds since 1970: calls to Plangrep are over by then
 */
export const reconcileCancellation = async (ports: AttemptPorts, wakeUp: WakeUp, untilMs: number): Promise<void> => {
  const { log, clock, report } = ports;
  const { partnerId, jobId } = wakeUp;
  let state: CancellationState;
  try {
    state = stateOf((await log.read(partnerId, jobId)).events);
  } catch (error) {
    if (!(error instanceof BrokenStream)) throw error;
    report('STREAM_BROKEN', { partnerId, jobId, why: error.message });
    await log.moveWakeUp(wakeUp, toTimestamp(clock.now() + BROKEN_STREAM_DELAY_MS));
    return;
  }
  // Each unfinished event brings its own wake-up: one that was overtaken, or whose stream is closed, is spent.
  if (state.step.kind === 'closed' || state.last.seq !== wakeUp.seq) {
    await log.removeWakeUp(wakeUp);
    return;
  }
  if (state.escalatedAt === undefined && clock.now() - Date.parse(state.requestedAt) >= ESCALATE_AFTER_MS) {
    await escalate(ports, state, wakeUp);
    return;
  }
  const accepted = acceptedAt(state);
  if (accepted === undefined) await takeOver(ports, state, wakeUp, untilMs);
  else await poll(ports, state, Date.parse(accepted), wakeUp, untilMs);
};

/** The new event brings a wake-up that is due as the old one was: the next look does what there is to do. */
const escalate = async (ports: AttemptPorts, state: CancellationState, wakeUp: WakeUp): Promise<void> => {
  const { log, report } = ports;
  const { kind } = await appendEvent(ports, state, state, { type: 'escalated' }, wakeUp.wakeAt);
  if (kind === 'lost') return;
  report('CANCELLATION_ESCALATED', { partnerId: state.partnerId, jobId: state.jobId });
  await log.removeWakeUp(wakeUp);
};

/** The next attempt: the claim first, which fences whoever held the one before. */
const takeOver = async (
  ports: AttemptPorts,
  state: CancellationState,
  wakeUp: WakeUp,
  untilMs: number,
): Promise<void> => {
  const { log, clock } = ports;
  const leaseUntil = toTimestamp(clock.now() + LEASE_MS);
  const claim = { type: 'attempt_started', attempt: state.attempts + 1, claimedBy: clock.newId(), leaseUntil } as const;
  const { kind, standing } = await appendEvent(ports, state, state, claim, leaseUntil);
  if (kind === 'lost') return;
  await log.removeWakeUp(wakeUp);
  const settled = await settleAttempt(ports, standing, { readFirst: true, untilMs });
  // The claim's own wake-up is spent, unless the end could not be written: then it brings the next look.
  const { seq } = standing.state.last;
  if (settled.state.last.seq > seq) await log.removeWakeUp({ ...wakeUp, seq, wakeAt: leaseUntil });
};

/** Reads an accepted job. A poll that changes nothing appends nothing: it only moves the wake-up, before it reads. */
const poll = async (
  ports: AttemptPorts,
  state: CancellationState,
  accepted: number,
  wakeUp: WakeUp,
  untilMs: number,
): Promise<void> => {
  const { log, plangrep, clock, report } = ports;
  const { partnerId, jobId } = state;
  const now = clock.now();
  const next = now + pollDelayMs(now - accepted);
  const moved = { ...wakeUp, wakeAt: toTimestamp(next) };
  if (!(await log.moveWakeUp(wakeUp, moved.wakeAt))) return;

  const reading = await readJob(plangrep, jobId, untilMs);
  if (reading.kind === 'closes') {
    const { kind } = await appendEvent(ports, state, state, reading.body);
    if (kind === 'lost') return;
    reportClosed(ports, state, reading.body);
    await log.removeWakeUp(moved);
  }
  if (reading.kind !== 'failed') return;
  if (reading.failure.kind === 'key_refused') report('PLANGREP_KEY_REFUSED', { partnerId, jobId });
  const asked = now + (reading.failure.kind === 'rate_limited' ? (reading.failure.retryAfterMs ?? 0) : 0);
  if (asked > next) await log.moveWakeUp(moved, toTimestamp(asked));
};
