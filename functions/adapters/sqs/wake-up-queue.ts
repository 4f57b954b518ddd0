import type { Clock, WakeUpQueue } from '../../core/ports.ts';
import { DependencyUnavailable } from '../../core/report.ts';
import { writeWakeUpMessage } from '../../core/wake-up-message.ts';
import type { SendMessage } from './send-message.ts';

/** The longest delay that SQS knows. A message for a later wake-up arrives early, and is sent again. */
const LONGEST_DELAY_SECONDS = 900;

/** The wake-up queue: each message arrives in the last second before its wake-up, or at once for one that is due. */
export function createWakeUpQueue(send: SendMessage, queueUrl: string, clock: Pick<Clock, 'now'>): WakeUpQueue {
  return {
    async send(wakeUp) {
      const seconds = Math.floor((Date.parse(wakeUp.wakeAt) - clock.now()) / 1000);
      try {
        await send(queueUrl, {
          MessageBody: writeWakeUpMessage(wakeUp),
          DelaySeconds: Math.min(Math.max(seconds, 0), LONGEST_DELAY_SECONDS),
          // A fair queue: many wake-ups of one partner do not delay another partner's.
          MessageGroupId: wakeUp.partnerId,
        });
      } catch (error) {
        throw new DependencyUnavailable('wake-ups', error);
      }
    },
  };
}
