/**
 * The wake-up queue, defined once for the stack and the local run: functions send to it when a cancellation stays open, and a
 * message is delivered when the cancellation is due. It has no dead-letter queue: the cancellation log's index has every
 * wake-up, and the schedule finds what the queue loses.
 */
export const wakeUpQueue = {
  function: 'consume-wake-ups',
  /** Looked at at the same time by one invocation, which takes as long as its slowest look. */
  batchSize: 5,
  /** Longer than the function may run. A message whose look failed returns before the schedule finds its wake-up, mostly. */
  visibilityTimeoutSeconds: 20,
  /** Longer than the longest delay, 15 minutes. Whatever waits longer the schedule has found. */
  retentionMinutes: 30,
} as const;
