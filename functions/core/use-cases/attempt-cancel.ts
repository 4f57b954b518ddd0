import type { AttemptEndedBody, ClosedBody } from '../cancellation/events.ts';
import type { JobId } from '../identifiers.ts';
import { factsOf, outcomeOf } from '../cancellation/job-status.ts';
import type { Plangrep, PlangrepFailure, PlangrepJob } from '../ports.ts';

export interface Attempt {
  readonly jobId: JobId;
  readonly attempt: number;
  /** An attempt that follows another, or that expects a terminal job, begins by reading it. */
  readonly readFirst: boolean;
  /** Milliseconds since 1970: the attempt is over by then. */
  readonly untilMs: number;
}

/** What an attempt adds to the stream, and how long Plangrep asked us to stay away, if it did. */
export type AttemptEnd = { readonly body: ClosedBody | AttemptEndedBody; readonly retryAfterMs?: number | undefined };

/**
 * One attempt to cancel a job: at most one cancel call, and a job read wherever only that tells how things stand. A
 * terminal state is known only from a job; everything else leaves the cancellation open. Source: Plangrep's API
 * reference, Cancel a job, which leaves the status and code of a refused cancel open.
 */
export const attemptCancel = async (plangrep: Plangrep, attempt: Attempt): Promise<AttemptEnd> => {
  const { jobId, untilMs } = attempt;
  if (attempt.readFirst) {
    const reading = await readJob(plangrep, jobId, untilMs);
    if (reading.kind === 'closes') return { body: reading.body };
    if (reading.kind === 'failed') return endedBy(attempt, reading.failure);
  }
  const answer = await plangrep.cancel(jobId, untilMs);
  if (answer.kind === 'job') {
    const body = closingJob(answer.job);
    return body === undefined ? ended(attempt, 'accepted', factsOf(answer.job)) : { body };
  }
  if (answer.kind !== 'refused') return endedBy(attempt, answer);

  const reading = await readJob(plangrep, jobId, untilMs);
  if (reading.kind === 'closes') return { body: reading.body };
  return endedBy(attempt, answer, reading.kind === 'alive' ? factsOf(reading.job) : {});
};

/** What a job read tells of a cancellation. */
export type Reading =
  | { readonly kind: 'closes'; readonly body: ClosedBody }
  | { readonly kind: 'alive'; readonly job: PlangrepJob }
  | { readonly kind: 'failed'; readonly failure: PlangrepFailure };

export const readJob = async (plangrep: Plangrep, jobId: JobId, untilMs: number): Promise<Reading> => {
  const answer = await plangrep.read(jobId, untilMs);
  switch (answer.kind) {
    case 'job': {
      const body = closingJob(answer.job);
      return body === undefined ? { kind: 'alive', job: answer.job } : { kind: 'closes', body };
    }
    case 'not_found':
      return { kind: 'closes', body: { type: 'closed', outcome: 'job_not_found' } };
    case 'rate_limited':
    case 'key_refused':
    case 'not_sent':
    case 'refused':
    case 'unknown':
      return { kind: 'failed', failure: answer };
  }
};

const closingJob = (job: PlangrepJob): ClosedBody | undefined => {
  const outcome = outcomeOf(job.status);
  return outcome === undefined ? undefined : { type: 'closed', outcome, ...factsOf(job) };
};

const ended = (
  { attempt }: Attempt,
  result: AttemptEndedBody['result'],
  more: Partial<AttemptEndedBody> = {},
): AttemptEnd => ({ body: { type: 'attempt_ended', attempt, result, ...more } });

const endedBy = (attempt: Attempt, failure: PlangrepFailure, facts: Partial<AttemptEndedBody> = {}): AttemptEnd => {
  switch (failure.kind) {
    case 'rate_limited':
      return { ...ended(attempt, 'rate_limited'), retryAfterMs: failure.retryAfterMs };
    case 'key_refused':
      return ended(attempt, 'key_refused');
    case 'not_sent':
      return ended(attempt, 'not_sent', { why: failure.why });
    case 'refused':
      return ended(attempt, 'refused', { httpStatus: failure.httpStatus, code: failure.code, ...facts });
    case 'unknown':
      return ended(attempt, 'unknown', { why: failure.why, httpStatus: failure.httpStatus });
  }
};
