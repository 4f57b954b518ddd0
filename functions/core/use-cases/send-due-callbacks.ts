import { messageAbout } from '../callbacks/callback-message.ts';
import type { CallbackPorts, DueCallback } from '../callbacks/ports.ts';
import { toTimestamp } from '../identifiers.ts';
import { reportFailure } from '../report.ts';

/** The most that one run takes from each part of the index. */
const AT_MOST = 1_000;
/** So many are moved and sent at the same time. */
const AT_ONCE = 20;
/** If the message is lost, the attempt is found again so much later. */
const AGAIN_MS = 5 * 60_000;

/**
 * One run of the schedule: sends a message for each attempt that is due.
 * @param untilMs milliseconds since 1970: what is not sent by then, the next run finds
 */
export async function sendDueCallbacks(
  { log, queue, clock, report }: Pick<CallbackPorts, 'log' | 'queue' | 'clock' | 'report'>,
  untilMs: number,
): Promise<void> {
  let [sent, failed] = [0, 0];
  const sendOne = async (due: DueCallback): Promise<void> => {
    try {
      if (!(await log.postpone(due, toTimestamp(clock.now() + AGAIN_MS)))) return;
      await queue.send(messageAbout(due.subject));
      sent += 1;
    } catch (error) {
      failed += 1;
      reportFailure(report, error, { partnerId: due.subject.partnerId });
    }
  };
  for (let shard = 0; shard < log.shards; shard += 1) {
    const due = [...(await log.due(shard, toTimestamp(clock.now()), AT_MOST))];
    while (due.length > 0 && clock.now() < untilMs) await Promise.all(due.splice(0, AT_ONCE).map(sendOne));
  }
  report('CALLBACKS_RESUMED', { sent, failed });
}
