import type { AttemptEndedBody, ClosedBody } from './events.ts';
import type { JobId } from './identifiers.ts';
import { factsOf, outcomeOf } from './job-status.ts';
import type { Plangrep, PlangrepFailure, PlangrepJob } from './ports.ts';

export interface Attempt {
  readonly jobId: JobId;
  readonly attempt: number;
  /** An attempt that follows another, or that expects a terminal job, begins by reading it. */
  readonly readFirst: boolean;
  /** Milliseconds since 1970: the attempt is over by then. */
  readonly until: number;
}

/** What an attempt adds to the stream, and how long Plangrep asked us to stay away, if it did. */
export type AttemptEnd = { readonly body: ClosedBody | AttemptEndedBody; readonly retryAfterMs?: number | undefined };

/**
 * One attempt to cancel a job: at most one cancel call, and a job read wherever only that tells how things stand. A
 * terminal state is known only from a job; everything else leaves the cancellation open. Source: Plangrep's API
 * reference, Cancel a job, which leaves the status and code of a refused cancel open.
 */
export const attemptCancel = async (plangrep: Plangrep, attempt: Attempt): Promise<AttemptEnd> => {
  if (attempt.readFirst) {
    const known = await readJob(plangrep, attempt);
    if (known.kind === 'end') return known.end;
  }
  const answer = await plangrep.cancel(attempt.jobId, attempt.until);
  if (answer.kind === 'job') return closedBy(answer.job) ?? ended(attempt, 'accepted', factsOf(answer.job));
  if (answer.kind !== 'refused') return endedBy(attempt, answer);

  const known = await readJob(plangrep, attempt);
  if (known.kind === 'job') return endedBy(attempt, answer, factsOf(known.job));
  return known.end.body.type === 'closed' ? known.end : endedBy(attempt, answer);
};

/** A job that is still alive, or how the attempt ends for want of one. */
const readJob = async (
  plangrep: Plangrep,
  attempt: Attempt,
): Promise<{ kind: 'job'; job: PlangrepJob } | { kind: 'end'; end: AttemptEnd }> => {
  const answer = await plangrep.read(attempt.jobId, attempt.until);
  switch (answer.kind) {
    case 'job': {
      const end = closedBy(answer.job);
      return end === undefined ? answer : { kind: 'end', end };
    }
    case 'not_found':
      return { kind: 'end', end: { body: { type: 'closed', outcome: 'job_not_found' } } };
    case 'rate_limited':
    case 'key_refused':
    case 'not_sent':
    case 'refused':
    case 'unknown':
      return { kind: 'end', end: endedBy(attempt, answer) };
  }
};

const closedBy = (job: PlangrepJob): AttemptEnd | undefined => {
  const outcome = outcomeOf(job.status);
  return outcome === undefined ? undefined : { body: { type: 'closed', outcome, ...factsOf(job) } };
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
