import { LATE_MS, LEASE_MS, SCHEDULE_EVERY_MS } from '../cancellation/pace.ts';
import { BrokenStream } from '../cancellation/state.ts';
import type { AttemptPorts } from '../ports.ts';
import { DependencyUnavailable, reportFailure } from '../report.ts';
import { type Standing, standingOfStream } from './attempt.ts';
import { reconcileStream } from './reconcile-cancellation.ts';

/** What another invocation wrote is seen this soon. */
const LOOK_AGAIN_MS = 1_000;
/** A look that could not make its calls to Plangrep within its time is left to the wake-up queue. */
const LOOK_NEEDS_MS = 2_000;

/**
 * Stays with an open cancellation: makes each look that becomes due, as the reconciler does, until the cancellation is
 * closed or the time is up. The wake-up queue looks too; whichever comes second finds that the other one was there.
 * @param waitUntilMs milliseconds since 1970: no look begins after it
 * @param untilMs milliseconds since 1970: calls to Plangrep are over by then
 * @returns where the cancellation stands then; a broken log throws nothing, because the cancellation is on record
 */
export async function stayWith(
  ports: AttemptPorts,
  standing: Standing,
  { waitUntilMs, untilMs }: { readonly waitUntilMs: number; readonly untilMs: number },
): Promise<Standing> {
  const { log, clock, report } = ports;
  const { partnerId, jobId } = standing.state;
  const endMs = Math.min(waitUntilMs, untilMs - LOOK_NEEDS_MS);
  let newest = standing;
  while (newest.kind === 'open' && clock.now() < endMs) {
    const nextMs = Math.min(Date.parse(newest.wakeAt), clock.now() + LOOK_AGAIN_MS, endMs);
    await clock.sleep(Math.max(0, nextMs - clock.now()));
    try {
      const stream = await log.read(partnerId, jobId);
      newest = standingOfStream(stream);
      const nowMs = clock.now();
      // After a slow read too little time may be left to make a look.
      if (newest.kind === 'closed' || Date.parse(newest.wakeAt) > nowMs || nowMs > endMs) continue;
      const wakeUp = { partnerId, jobId, seq: newest.state.last.seq, wakeAt: newest.wakeAt };
      await reconcileStream(ports, wakeUp, stream, untilMs);
      newest = standingOfStream(await log.read(partnerId, jobId));
      // A look always moves the wake-up or appends an event, unless the wake-up is malformed: then no further look does.
      if (newest.kind === 'open' && newest.wakeAt === wakeUp.wakeAt && newest.state.last.seq === wakeUp.seq)
        return newest;
    } catch (error) {
      if (!(error instanceof DependencyUnavailable || error instanceof BrokenStream)) throw error;
      reportFailure(report, error, { partnerId, jobId });
      return newest;
    }
  }
  return newest;
}

/** A look takes a call or two to Plangrep, and the way through the queue. */
const LOOK_TAKES_MS = 1_500;
/** An attempt's calls are over by then, unless its invocation died. */
const ATTEMPT_TAKES_MS = 6_000;
/** The schedule finds what the queue lost, and claims, which have no message: it leaves the queue some seconds. */
const LOST_FOR_MS = SCHEDULE_EVERY_MS + LATE_MS + 1_000;

/** Milliseconds until the next look at an open cancellation will have happened. @param nowMs milliseconds since 1970 */
export function nextLookInMs({ state: { step }, wakeAt }: Extract<Standing, { kind: 'open' }>, nowMs: number): number {
  const dueMs = Date.parse(wakeAt);
  const isClaimed = step.kind === 'attempting';
  const soonestMs = isClaimed ? Date.parse(step.leaseUntil) - LEASE_MS + ATTEMPT_TAKES_MS : dueMs + LOOK_TAKES_MS;
  if (soonestMs > nowMs) return soonestMs - nowMs;
  const lateMs = nowMs - (dueMs + LOST_FOR_MS);
  const runs = Math.max(0, Math.floor(lateMs / SCHEDULE_EVERY_MS) + 1);
  return runs * SCHEDULE_EVERY_MS - lateMs;
}
