import { createCallbackLog } from '../../../functions/adapters/dynamodb/callback-log.ts';
import { deriveSecret } from '../../../functions/core/callbacks/callback-secret.ts';
import type { CallbackAnswer, CallbackEndpoint } from '../../../functions/core/callbacks/ports.ts';
import { createSlowEndpoints } from '../../../functions/core/callbacks/slow-endpoints.ts';
import type { StreamName } from '../../../functions/core/cancellation/stream-key.ts';
import { deliverCallbacks } from '../../../functions/core/use-cases/deliver-callbacks.ts';
import { presentCallback } from '../../../functions/doors/callbacks/present-callback.ts';
import type { Stage } from './stage.ts';

/** How one attempt ends: what the endpoint answers, or `paused` without a call. */
export type End = 204 | 500 | 'paused';

/**
 * Makes one attempt to tell a partner of what is on record about a job, by the service's own code. Each is asked for by
 * a replay, so that none waits for its time.
 */
export async function tell(stage: Stage, of: StreamName, end: End): Promise<void> {
  const endpoint: CallbackEndpoint = { url: 'https://partner.example/callbacks', version: 1 };
  const answer: CallbackAnswer = { kind: 'answered', httpStatus: end === 'paused' ? 500 : end };
  const sleep = () => Promise.reject(new Error('it has no time for another attempt'));
  const clock = { now: () => stage.nowMs, random: () => stage.random.next(), sleep };
  await deliverCallbacks(
    {
      log: createCallbackLog(stage.tables.client, stage.logTable),
      endpoints: {
        read: async () => (end === 'paused' ? { ...endpoint, pausedWhy: 'operator' } : endpoint),
        pause: () => Promise.reject(new Error('no answer of these pauses')),
        keepTest: () => Promise.reject(new Error('nothing is tested here')),
      },
      queue: { send: async () => undefined },
      post: async () => answer,
      secretOf: async (partnerId, version) => deriveSecret('a master of the tampering matrix', partnerId, version),
      slowEndpoints: createSlowEndpoints(clock),
      present: presentCallback,
      clock,
      report: () => undefined,
    },
    { kind: 'job', ...of },
    { replay: { id: `replay-${stage.random.between(0, 2 ** 30)}`, all: false }, untilMs: stage.nowMs + 13_000 },
  );
}
