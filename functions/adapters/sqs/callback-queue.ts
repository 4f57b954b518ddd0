import type { CallbackQueue } from '../../core/callbacks/ports.ts';
import { DependencyUnavailable } from '../../core/report.ts';
import type { SendMessage } from './send-message.ts';

/** The callbacks queue. A message arrives a little after its time rather than before it. */
export function createCallbackQueue(send: SendMessage, queueUrl: string): CallbackQueue {
  return {
    async send(message, delayMs = 0) {
      try {
        await send(queueUrl, {
          MessageBody: JSON.stringify(message),
          DelaySeconds: Math.min(Math.ceil(delayMs / 1_000), 900),
          // A fair queue: many callbacks of one partner do not delay another partner's.
          MessageGroupId: message.partnerId,
        });
      } catch (error) {
        throw new DependencyUnavailable('callbacks', error);
      }
    },
  };
}
