import { type Timestamp, toTimestamp } from '../identifiers.ts';
import type { CancelAnswer, PlangrepFailure, PlangrepJob, ReadAnswer } from '../plangrep.ts';
import type { AttemptEndedBody, ClosedBody, EventBody, ObservedBody, RequestedBody } from './events.ts';
import { endOf, factsOf, outcomeOf } from './job-status.ts';
import { delayAfterAttemptMs, ESCALATE_AFTER_MS, EXPIRED_FOR_MS, isAbsenceCertain, pollDelayMs } from './pace.ts';
import { acceptedAt, type CancellationState, longerAbsence } from './state.ts';
import { lastAliveMs } from './account.ts';

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
  /** 404, which may also be a deployment of Plangrep's, or another organization's key. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly failure: PlangrepFailure };

export function judgeRead(answer: ReadAnswer): Reading {
  switch (answer.kind) {
    case 'job':
      return judgeJob(answer.job);
    case 'not_found':
      return { kind: 'absent' };
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
  return { kind: 'closes', body: { type: 'closed', outcome, ...factsOf(job), completedAt: endOf(job) } };
}

const closedAsUnknown = { kind: 'closes', body: { type: 'closed', outcome: 'job_not_found' } } as const;

/** Whether a job is past its `expiresAt`, and no read on record shows it alive after it. */
function hasExpired({ facts: { expiresAt }, account }: CancellationState, nowMs: number): boolean {
  if (expiresAt === undefined) return false;
  const expiredMs = Date.parse(expiresAt);
  return expiredMs <= nowMs && expiredMs >= lastAliveMs(account);
}

/** Whether one more read that did not find the job is enough. A job that has expired is expected to be gone. */
function isGone(state: CancellationState, nowMs: number): boolean {
  if (hasExpired(state, nowMs)) return true;
  const { reads, since } = longerAbsence(state.absence, toTimestamp(nowMs));
  return isAbsenceCertain(reads, nowMs - Date.parse(since));
}

/** Whether a job that could not be read is not asked about any more. */
function isLongExpired({ facts: { expiresAt }, account }: CancellationState, nowMs: number): boolean {
  return expiresAt !== undefined && nowMs - Math.max(Date.parse(expiresAt), lastAliveMs(account)) >= EXPIRED_FOR_MS;
}

/** What to do after a poll, whose wake-up was moved to its next one before it. */
export type AfterPoll =
  | NextEvent
  | { readonly kind: 'wait' }
  /** Plangrep asked for a longer wait than the schedule's. */
  | { readonly kind: 'wait_longer'; readonly wakeAt: Timestamp };

export function decideAfterPoll(state: CancellationState, { nowMs, nextPollMs }: Poll, reading: Reading): AfterPoll {
  const leavesOpen = (body: ObservedBody): NextEvent => ({
    kind: 'leaves_open',
    body,
    wakeAt: toTimestamp(nextPollMs),
  });
  switch (reading.kind) {
    case 'closes':
      return reading;
    case 'absent':
      return isGone(state, nowMs) ? closedAsUnknown : leavesOpen({ type: 'observed', result: 'not_found' });
    case 'alive': {
      const isChanged = state.absence !== undefined || reading.job.status !== state.facts.jobStatus;
      // That a job outlived its expiry has to be known when it is not found later.
      const isNews = isChanged || hasExpired(state, nowMs);
      return isNews ? leavesOpen({ type: 'observed', result: 'job', ...openFactsOf(reading.job) }) : { kind: 'wait' };
    }
    case 'failed': {
      if (isLongExpired(state, nowMs)) return closedAsUnknown;
      const askedMs = nowMs + (retryAfterOf(reading.failure) ?? 0);
      return askedMs > nextPollMs ? { kind: 'wait_longer', wakeAt: toTimestamp(askedMs) } : { kind: 'wait' };
    }
  }
}

/** What the trail keeps of a job that has not ended: also until when it can be read. */
function openFactsOf(job: PlangrepJob) {
  return { ...factsOf(job), expiresAt: job.expiresAt };
}

function retryAfterOf(failure: PlangrepFailure): number | undefined {
  return failure.kind === 'rate_limited' || failure.kind === 'unknown' ? failure.retryAfterMs : undefined;
}

/** How an attempt ended: what goes on record. */
export interface AttemptEnd {
  readonly kind: 'end';
  readonly body: ClosedBody | AttemptEndedBody;
}

/** An attempt that reads the job first sends the cancel only if that read shows the job alive. */
export function decideAfterFirstRead(attempt: number, reading: Reading): AttemptEnd | { readonly kind: 'cancel' } {
  switch (reading.kind) {
    case 'closes':
      return { kind: 'end', body: reading.body };
    case 'absent':
      return ended(attempt, 'not_found');
    case 'failed':
      return endedBy(attempt, reading.failure);
    case 'alive':
      return { kind: 'cancel' };
  }
}

type Refusal = Extract<PlangrepFailure, { kind: 'refused' }>;

/**
 * After a refused cancel the job is read: only that shows why it was refused.
 * @param first the reading before the cancel, if there was one: what it showed goes on record where the cancel shows no job
 */
export function decideAfterCancel(
  attempt: number,
  answer: CancelAnswer,
  first?: Reading,
): AttemptEnd | { readonly kind: 'read_job'; readonly refusal: Refusal } {
  if (answer.kind === 'refused') return { kind: 'read_job', refusal: answer };
  if (answer.kind !== 'job') {
    const facts = first?.kind === 'alive' ? openFactsOf(first.job) : {};
    return { kind: 'end', body: { ...endedBy(attempt, answer).body, ...facts } };
  }
  const judged = judgeJob(answer.job);
  if (judged.kind === 'closes') return { kind: 'end', body: judged.body };
  return ended(attempt, 'accepted', openFactsOf(judged.job));
}

/**
 * A refused cancel closes the cancellation only if the job that is read after it is terminal.
 * @param reading of this attempt: after the refusal, or before the cancel
 */
export function decideAfterRefusal(attempt: number, refusal: Refusal, reading: Reading): AttemptEnd {
  const { httpStatus, code } = refusal;
  switch (reading.kind) {
    case 'closes':
      return { kind: 'end', body: reading.body };
    case 'absent':
      return ended(attempt, 'not_found', { httpStatus, code });
    case 'alive':
      return ended(attempt, 'refused', { httpStatus, code, ...openFactsOf(reading.job) });
    case 'failed':
      return ended(attempt, 'refused', { httpStatus, code, retryAfterMs: retryAfterOf(reading.failure) });
  }
}

function endedBy(attempt: number, failure: PlangrepFailure): AttemptEnd {
  switch (failure.kind) {
    case 'rate_limited':
      return ended(attempt, 'rate_limited', { retryAfterMs: failure.retryAfterMs });
    case 'key_refused':
      return ended(attempt, 'key_refused');
    case 'not_sent':
      return ended(attempt, 'not_sent', { why: failure.why });
    case 'refused':
      return ended(attempt, 'refused', { httpStatus: failure.httpStatus, code: failure.code });
    case 'unknown': {
      const { why, httpStatus, retryAfterMs } = failure;
      return ended(attempt, 'unknown', { why, httpStatus, retryAfterMs });
    }
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
 * @param state under the claim of the attempt
 * @param random from 0 up to 1
 */
export function decideEnd(
  state: CancellationState,
  { body }: AttemptEnd,
  { nowMs, random, hasRead }: { readonly nowMs: number; readonly random: number; readonly hasRead: boolean },
): NextEvent {
  if (body.type === 'closed') return { kind: 'closes', body };
  if (
    body.result === 'not_found' ? isGone(state, nowMs) : body.jobStatus === undefined && isLongExpired(state, nowMs)
  ) {
    return closedAsUnknown;
  }
  const attempt = body.attempt - state.firstAttempt + 1;
  const wakeAt = toTimestamp(nowMs + delayAfterAttemptMs({ ...body, attempt }, hasRead, random));
  return { kind: 'leaves_open', body, wakeAt };
}
