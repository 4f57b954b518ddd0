/**
 * The way of a callback, defined once for the stack and the local run: the log's stream → `announce-cancellations` → this
 * queue → `deliver-callbacks`. A message only says where to look: what is delivered, and what of it is due, the log says.
 */
export const callbackQueue = {
  function: 'deliver-callbacks',
  /** One: an invocation is over with its endpoint's answer, and holds no other partner's turn. */
  batchSize: 1,
  /** Six times the function's timeout, as Lambda advises. @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
  visibilityTimeoutSeconds: 240,
  /** As long as SQS can: a function that does not run for days loses nothing. */
  retentionDays: 14,
  /** A message comes back only when a dependency of ours fails, or the function does: what an endpoint does is on record. */
  maxReceives: 5,
} as const;

/** Finds the attempts that are due. */
export const callbackSchedule = { function: callbackQueue.function, everyMinutes: 1 } as const;
