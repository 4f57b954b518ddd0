import { readJob } from './attempt-cancel.ts';
import { sealEvent } from './chain.ts';
import type { CancellationEvent, EventBody } from './events.ts';
import { BrokenStream, type CancellationState, isAccepted, stateOf } from './fold.ts';
import { toTimestamp } from './identifiers.ts';
import { ESCALATE_AFTER_MS, LEASE_MS, pollDelayMs } from './pace.ts';
import type { Ports, Stream, WakeUp } from './ports.ts';
import { settleAttempt } from './settle-attempt.ts';

/** A stream that cannot be folded waits for a person; looking again this much later keeps the alarm alive. */
const BROKEN_STREAM_DELAY_MS = 15 * 60_000;

/**
 * Looks at one due wake-up: retries, polls, closes, escalates, or takes the wake-up away when its time has passed.
 *
 * Any number of reconcilers may look at the same one. An attempt belongs to whoever appends its claim; a poll to
 * whoever moves the wake-up; the others find that out and leave.
 * @param until milliseconds since 1970: calls to Plangrep are over by then
 */
export const reconcileCancellation = async (ports: Ports, wakeUp: WakeUp, until: number): Promise<void> => {
  const { log, clock, report } = ports;
  const { partnerId, jobId } = wakeUp;
  const stream = await log.read(partnerId, jobId);
  let state: CancellationState;
  try {
    state = stateOf(stream.events);
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
  const escalated = await escalateIfLate(ports, stream, state, wakeUp);
  if (escalated === undefined) return;
  if (isAccepted(state)) await poll(ports, escalated.stream, state, escalated.wakeUp, until);
  else await takeOver(ports, escalated.stream, state, escalated.wakeUp, until);
};

const lastOf = ({ events }: Stream): CancellationEvent => {
  const last = events.at(-1);
  if (last === undefined) throw new BrokenStream('a stream that was written to has no event');
  return last;
};

const append = async (ports: Ports, stream: Stream, body: EventBody, wakeAt?: string): Promise<Stream | undefined> => {
  const { log, clock } = ports;
  const last = lastOf(stream);
  const event = sealEvent(last, last, body, { eventId: clock.newId(), at: toTimestamp(clock.now()) });
  const appended = await log.append(event, wakeAt);
  return appended.kind === 'appended' ? { events: [...stream.events, event], wakeAt } : undefined;
};

/** @returns the stream with its wake-up, escalated if it was time; nothing when another reconciler was first */
const escalateIfLate = async (
  ports: Ports,
  stream: Stream,
  { partnerId, jobId, requestedAt, escalatedAt }: CancellationState,
  wakeUp: WakeUp,
): Promise<{ stream: Stream; wakeUp: WakeUp } | undefined> => {
  const { log, clock, report } = ports;
  if (escalatedAt !== undefined || clock.now() - Date.parse(requestedAt) < ESCALATE_AFTER_MS) return { stream, wakeUp };
  const next = await append(ports, stream, { type: 'escalated' }, wakeUp.wakeAt);
  if (next === undefined) return undefined;
  report('CANCELLATION_ESCALATED', { partnerId, jobId });
  await log.removeWakeUp(wakeUp);
  return { stream: next, wakeUp: { ...wakeUp, seq: lastOf(next).seq } };
};

/** The next attempt: the claim first, which fences whoever held the one before. */
const takeOver = async (
  ports: Ports,
  stream: Stream,
  { attempts }: CancellationState,
  wakeUp: WakeUp,
  until: number,
): Promise<void> => {
  const { log, clock } = ports;
  const attempt = attempts + 1;
  const leaseUntil = toTimestamp(clock.now() + LEASE_MS);
  const body: EventBody = { type: 'attempt_started', attempt, claimedBy: clock.newId(), leaseUntil };
  const claimed = await append(ports, stream, body, leaseUntil);
  if (claimed === undefined) return;
  await log.removeWakeUp(wakeUp);
  const claim = lastOf(claimed);
  const settled = await settleAttempt(ports, claimed, claim, { attempt, readFirst: true, until });
  if (lastOf(settled).seq > claim.seq) await log.removeWakeUp({ ...wakeUp, seq: claim.seq, wakeAt: leaseUntil });
};

/** Reads an accepted job. A poll that changes nothing appends nothing: it only moves the wake-up, before it reads. */
const poll = async (
  ports: Ports,
  stream: Stream,
  { step, partnerId, jobId }: CancellationState,
  wakeUp: WakeUp,
  until: number,
): Promise<void> => {
  const { log, plangrep, clock, report } = ports;
  const now = clock.now();
  const since = step.kind === 'waiting' ? Date.parse(step.since) : now;
  const next = now + pollDelayMs(now - since);
  const moved = { ...wakeUp, wakeAt: toTimestamp(next) };
  if (!(await log.moveWakeUp(wakeUp, moved.wakeAt))) return;

  const reading = await readJob(plangrep, jobId, until);
  if (reading.kind === 'closes') {
    if ((await append(ports, stream, reading.body)) === undefined) return;
    report('CANCELLATION_CLOSED', { partnerId, jobId, outcome: reading.body.outcome });
    await log.removeWakeUp(moved);
  }
  if (reading.kind !== 'failed') return;
  if (reading.failure.kind === 'key_refused') report('PLANGREP_KEY_REFUSED', { partnerId, jobId });
  const asked = now + (reading.failure.kind === 'rate_limited' ? (reading.failure.retryAfterMs ?? 0) : 0);
  if (asked > next) await log.moveWakeUp(moved, toTimestamp(asked));
};
