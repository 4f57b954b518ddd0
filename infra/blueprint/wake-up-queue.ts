import { LEASE_MS } from '../../functions/core/cancellation/pace.ts';

/**
 * The wake-up queue, defined once for the stack and the local run: functions send to it when a cancellation stays open, and a
 * message is delivered when the cancellation is due. It has no dead-letter queue: the cancellation log's index has every
 * wake-up, and the schedule finds what the queue loses.
 */
export const wakeUpQueue = {
  function: 'consume-wake-ups',
  /** Looked at at the same time by one invocation, which takes as long as its slowest look. */
  batchSize: 5,
  /** Longer than a lease, so that the message of an invocation that died returns when its claim has ended. */
  visibilityTimeoutSeconds: LEASE_MS / 1000 + 1,
  /** Longer than the longest delay, 15 minutes. Whatever waits longer the schedule has found. */
  retentionMinutes: 30,
} as const;
