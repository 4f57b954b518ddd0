import { type Timestamp, toTimestamp } from '../identifiers.ts';
import type { CancelAnswer, PlangrepFailure, PlangrepJob, ReadAnswer } from '../plangrep.ts';
import type { AttemptEndedBody, ClosedBody, EventBody, RequestedBody } from './events.ts';
import { factsOf, outcomeOf } from './job-status.ts';
import { delayAfterAttemptMs, ESCALATE_AFTER_MS, pollDelayMs } from './pace.ts';
import { acceptedAt, type CancellationState } from './state.ts';

/** What to do with a wake-up that is due. */
export type Decision =
  /** A newer event has its own wake-up, or the cancellation is closed. */
  | { readonly kind: 'obsolete' }
  /** The cancellation has been open for so long that an operator must know. */
  | { readonly kind: 'escalate' }
  /** The newest attempt ended without effect, or its lease ended: claim this attempt. */
  | { readonly kind: 'take_over'; readonly attempt: number }
  | Poll;

/** Plangrep accepted the cancel: read the job now, and next at `nextPollMs` (both in milliseconds since 1970). */
export interface Poll {
  readonly kind: 'poll';
  readonly nowMs: number;
  readonly nextPollMs: number;
}

/** @param nowMs milliseconds since 1970 */
export function decide(state: CancellationState, { seq }: { readonly seq: number }, nowMs: number): Decision {
  if (state.step.kind === 'closed' || state.last.seq !== seq) return { kind: 'obsolete' };
  const openMs = nowMs - Date.parse(state.requestedAt);
  if (state.escalatedAt === undefined && openMs >= ESCALATE_AFTER_MS) return { kind: 'escalate' };
  const accepted = acceptedAt(state);
  if (accepted === undefined) return { kind: 'take_over', attempt: state.attempts + 1 };
  return { kind: 'poll', nowMs, nextPollMs: nowMs + pollDelayMs(nowMs - Date.parse(accepted)) };
}

/** What a job read says about a cancellation. */
export type Reading =
  | { readonly kind: 'closes'; readonly body: ClosedBody }
  | { readonly kind: 'alive'; readonly job: PlangrepJob }
  | { readonly kind: 'failed'; readonly failure: PlangrepFailure };

export function judgeRead(answer: ReadAnswer): Reading {
  switch (answer.kind) {
    case 'job':
      return judgeJob(answer.job);
    case 'not_found':
      return { kind: 'closes', body: { type: 'closed', outcome: 'job_not_found' } };
    case 'rate_limited':
    case 'key_refused':
    case 'not_sent':
    case 'refused':
    case 'unknown':
      return { kind: 'failed', failure: answer };
  }
}

function judgeJob(job: PlangrepJob): Extract<Reading, { kind: 'closes' | 'alive' }> {
  const outcome = outcomeOf(job.status);
  if (outcome === undefined) return { kind: 'alive', job };
  return { kind: 'closes', body: { type: 'closed', outcome, ...factsOf(job) } };
}

/** What to do after a poll, whose wake-up was moved to its next one before it. */
export type AfterPoll =
  | { readonly kind: 'closes'; readonly body: ClosedBody }
  | { readonly kind: 'wait' }
  /** Plangrep asked for a longer wait than the schedule's. */
  | { readonly kind: 'wait_longer'; readonly wakeAt: Timestamp };

export function decideAfterPoll({ nowMs, nextPollMs }: Poll, reading: Reading): AfterPoll {
  if (reading.kind === 'closes') return reading;
  if (reading.kind === 'alive' || reading.failure.kind !== 'rate_limited') return { kind: 'wait' };
  const askedMs = nowMs + (reading.failure.retryAfterMs ?? 0);
  return askedMs > nextPollMs ? { kind: 'wait_longer', wakeAt: toTimestamp(askedMs) } : { kind: 'wait' };
}

/** How an attempt ended: what goes on record, and the wait that Plangrep asked for, if it did. */
export interface AttemptEnd {
  readonly kind: 'end';
  readonly body: ClosedBody | AttemptEndedBody;
  readonly retryAfterMs?: number | undefined;
}

/** An attempt that reads the job first sends the cancel only if that read shows the job alive. */
export function decideAfterFirstRead(attempt: number, reading: Reading): AttemptEnd | { readonly kind: 'cancel' } {
  switch (reading.kind) {
    case 'closes':
      return { kind: 'end', body: reading.body };
    case 'failed':
      return endedBy(attempt, reading.failure);
    case 'alive':
      return { kind: 'cancel' };
  }
}

type Refusal = Extract<PlangrepFailure, { kind: 'refused' }>;

/** After a refused cancel the job is read: only that shows why it was refused. */
export function decideAfterCancel(
  attempt: number,
  answer: CancelAnswer,
): AttemptEnd | { readonly kind: 'read_job'; readonly refusal: Refusal } {
  if (answer.kind === 'refused') return { kind: 'read_job', refusal: answer };
  if (answer.kind !== 'job') return endedBy(attempt, answer);
  const judged = judgeJob(answer.job);
  if (judged.kind === 'closes') return { kind: 'end', body: judged.body };
  return ended(attempt, 'accepted', factsOf(judged.job));
}

/** A refused cancel closes the cancellation only if the job that is read after it is terminal or does not exist. */
export function decideAfterRefusal(attempt: number, refusal: Refusal, reading: Reading): AttemptEnd {
  if (reading.kind === 'closes') return { kind: 'end', body: reading.body };
  return endedBy(attempt, refusal, reading.kind === 'alive' ? factsOf(reading.job) : {});
}

function endedBy(attempt: number, failure: PlangrepFailure, facts: Partial<AttemptEndedBody> = {}): AttemptEnd {
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
}

function ended(attempt: number, result: AttemptEndedBody['result'], more: Partial<AttemptEndedBody> = {}): AttemptEnd {
  return { kind: 'end', body: { type: 'attempt_ended', attempt, result, ...more } };
}

/** The next event of a stream: it closes the cancellation, or leaves it open with a wake-up. */
export type NextEvent =
  | { readonly kind: 'closes'; readonly body: ClosedBody }
  | {
      readonly kind: 'leaves_open';
      readonly body: Exclude<EventBody, ClosedBody | RequestedBody>;
      readonly wakeAt: Timestamp;
    };

/**
 * The event that ends an attempt, with the next look at the cancellation if that stays open.
 * @param nowMs milliseconds since 1970
 * @param random from 0 up to 1
 */
export function decideEnd({ body, retryAfterMs }: AttemptEnd, nowMs: number, random: number): NextEvent {
  if (body.type === 'closed') return { kind: 'closes', body };
  const wakeAt = toTimestamp(nowMs + delayAfterAttemptMs(body, retryAfterMs, random));
  return { kind: 'leaves_open', body, wakeAt };
}
