import type { AttemptPorts, WakeUp } from '../ports.ts';
import { sendWakeUp } from './attempt.ts';
import { reconcileStream } from './reconcile-cancellation.ts';

/** Queues deliver to the second. The rest is waited for here. */
const LONGEST_NAP_MS = 1_000;

/**
 * Looks at the cancellation that a message of the wake-up queue names. The message is a hint: what is done, and whether,
 * the stream says. A message that comes early is sent again; one that a newer wake-up replaced is dropped.
 * @param untilMs milliseconds since 1970: calls to Plangrep are over by then
 * @throws DependencyUnavailable when the log does not answer; the wake-up stays
 */
export async function lookAtWakeUp(ports: AttemptPorts, message: WakeUp, untilMs: number): Promise<void> {
  const { partnerId, jobId } = message;
  const stream = await ports.log.read(partnerId, jobId);
  const seq = stream.events.at(-1)?.seq;
  if (seq === undefined || stream.wakeAt === undefined) return;
  const wakeUp = { partnerId, jobId, seq, wakeAt: stream.wakeAt };
  const dueInMs = Date.parse(wakeUp.wakeAt) - ports.clock.now();
  if (dueInMs > LONGEST_NAP_MS) {
    // Messages that are repeated do not multiply: each belongs to one wake-up, and ends with it.
    if (message.seq === seq && message.wakeAt === wakeUp.wakeAt) {
      const begun = stream.events.findLast((event) => event.type === 'requested');
      await sendWakeUp(ports, wakeUp, begun?.requestId);
    }
    return;
  }
  if (dueInMs > 0) await ports.clock.sleep(dueInMs);
  await reconcileStream(ports, wakeUp, stream, untilMs);
}
