import { type Account, beginAccount, continueAccount, type Figures, figuresOf } from './account.ts';
import type { ExternalId, JobId, PartnerId, Timestamp } from '../identifiers.ts';
import type {
  AttemptEndedBody,
  CancellationEvent,
  ClosedBody,
  EventBody,
  JobFacts,
  ObservedBody,
  Outcome,
} from './events.ts';

/** What is happening to a cancellation now. */
export type Step =
  /** An invocation holds the claim of the newest attempt. */
  | { readonly kind: 'attempting'; readonly claimedBy: string; readonly leaseUntil: Timestamp }
  /** The newest attempt has ended; the wake-up says when the cancellation is looked at again. */
  | { readonly kind: 'waiting'; readonly since: Timestamp; readonly result: AttemptEndedBody['result'] }
  | { readonly kind: 'closed'; readonly at: Timestamp; readonly outcome: Outcome; readonly figures: Figures };

/** The fold of a stream: nothing else stores state. */
export interface CancellationState {
  readonly partnerId: PartnerId;
  readonly jobId: JobId;
  /** Of the request that began it. Absent once it was erased. */
  readonly externalId?: ExternalId | undefined;
  /** Of the request that began it: the id of an API Gateway request, or of an event. */
  readonly requestId: string;
  readonly requestedAt: Timestamp;
  readonly reason?: string | undefined;
  /** The number of the newest attempt. */
  readonly attempts: number;
  /** The number of the attempt that this request began with: above 1 if an earlier one ended as `job_not_found`. */
  readonly firstAttempt: number;
  readonly escalatedAt?: Timestamp | undefined;
  readonly step: Step;
  /** What the newest job read showed. */
  readonly facts: JobFacts;
  /** The job reads in a row, up to the newest, that did not find the job. */
  readonly absence?: { readonly since: Timestamp; readonly reads: number } | undefined;
  /** By whom the time was spent so far. */
  readonly account: Account;
  /** The event that the next one is chained to. */
  readonly last: Pick<CancellationEvent, 'seq' | 'hash' | 'deleteAfter'>;
}

export interface ClosedCancellation extends CancellationState {
  readonly step: Extract<Step, { kind: 'closed' }>;
}

/** A cancellation whose externalId was not erased. A partner sees no other. */
export interface NamedCancellation extends CancellationState {
  readonly externalId: ExternalId;
}

export function isNamed(state: CancellationState): state is NamedCancellation {
  return state.externalId !== undefined;
}

export function isClosed(state: CancellationState): state is ClosedCancellation {
  return state.step.kind === 'closed';
}

/** A stream that this service does not write: with a gap, in a wrong order, or from a table that was altered. */
export class BrokenStream extends Error {
  override readonly name = 'BrokenStream';
}

/** When Plangrep accepted the cancel, if it did: from then on the job is polled, never cancelled again. */
export function acceptedAt({ step }: CancellationState): Timestamp | undefined {
  return step.kind === 'waiting' && step.result === 'accepted' ? step.since : undefined;
}

/** Whether an event may come next. */
export type NextCheck = { readonly kind: 'allowed' } | { readonly kind: 'not_allowed'; readonly why: string };

/** @param state undefined for a stream without events */
export function checkNext(state: CancellationState | undefined, body: EventBody): NextCheck {
  if (state === undefined) {
    return allowIf(body.type === 'requested' && body.attempt === 1, 'a stream begins with requested, attempt 1');
  }
  const follows = (attempt: number): NextCheck =>
    allowIf(attempt === state.attempts + 1, 'attempts are numbered 1, 2, 3 …');
  if (state.step.kind === 'closed') {
    const isReopening = body.type === 'requested' && state.step.outcome === 'job_not_found';
    return isReopening ? follows(body.attempt) : allowIf(false, 'nothing follows a closed cancellation');
  }
  switch (body.type) {
    case 'requested':
      return { kind: 'not_allowed', why: 'a job has at most one open cancellation' };
    case 'attempt_started':
      if (acceptedAt(state) === undefined) return follows(body.attempt);
      return { kind: 'not_allowed', why: 'an accepted cancel is polled, never sent again' };
    case 'attempt_ended':
      if (state.step.kind !== 'attempting') return { kind: 'not_allowed', why: 'an attempt ends once' };
      return allowIf(body.attempt === state.attempts, 'only the newest attempt can end');
    case 'observed':
      return allowIf(acceptedAt(state) !== undefined, 'only an accepted cancel is polled');
    case 'escalated':
      return allowIf(state.escalatedAt === undefined, 'a cancellation is escalated once');
    case 'closed':
      return { kind: 'allowed' };
  }
}

function allowIf(isAllowed: boolean, why: string): NextCheck {
  return isAllowed ? { kind: 'allowed' } : { kind: 'not_allowed', why };
}

/** The state after one more event. @throws BrokenStream when the event may not come next */
export function applyEvent(state: CancellationState | undefined, event: CancellationEvent): CancellationState {
  const isNext = event.seq === (state?.last.seq ?? 0) + 1;
  const check = isNext ? checkNext(state, event) : allowIf(false, 'a sequence number is missing');
  const last = { seq: event.seq, hash: event.hash, deleteAfter: event.deleteAfter };
  if (check.kind === 'allowed' && event.type === 'requested') {
    const { partnerId, jobId, externalId, requestId, at, reason, attempt, claimedBy, leaseUntil } = event;
    const step: Step = { kind: 'attempting', claimedBy, leaseUntil };
    const asked = { partnerId, jobId, externalId, requestId, requestedAt: at, reason };
    const account = beginAccount(event);
    return { ...asked, attempts: attempt, firstAttempt: attempt, step, facts: {}, account, last };
  }
  const why = check.kind === 'not_allowed' ? check.why : undefined;
  if (state === undefined || event.type === 'requested' || why !== undefined) {
    throw new BrokenStream(`${event.jobId}, event ${event.seq} (${event.type}): ${why}`);
  }
  const account = continueAccount(state.account, event);
  const before = { ...state, account, last };
  switch (event.type) {
    case 'attempt_started': {
      const { attempt, claimedBy, leaseUntil } = event;
      return { ...before, attempts: attempt, step: { kind: 'attempting', claimedBy, leaseUntil } };
    }
    case 'attempt_ended': {
      const { result, at } = event;
      return { ...before, step: { kind: 'waiting', since: at, result }, ...knownAfter(state, event) };
    }
    case 'observed':
      return { ...before, ...knownAfter(state, event) };
    case 'escalated':
      return { ...before, escalatedAt: event.at };
    case 'closed': {
      const { outcome, at } = event;
      const step: Step = { kind: 'closed', at, outcome, figures: figuresOf(account, event) };
      return { ...before, step, ...knownAfter(state, event) };
    }
  }
}

type Observation =
  | CancellationEvent<AttemptEndedBody>
  | CancellationEvent<ObservedBody>
  | CancellationEvent<ClosedBody>;

/** An event without a job read keeps what earlier reads showed; one that shows the job ends its absence. */
function knownAfter(
  { facts, absence }: CancellationState,
  event: Observation,
): Pick<CancellationState, 'facts' | 'absence'> {
  const { jobStatus, pageCount, successfulPageCount, creditsDebited, expiresAt } = event;
  if (jobStatus !== undefined) {
    const shown = { jobStatus, pageCount, successfulPageCount, creditsDebited };
    return { facts: { ...shown, expiresAt: expiresAt ?? facts.expiresAt }, absence: undefined };
  }
  const isAbsent = event.type !== 'closed' && event.result === 'not_found';
  return { facts, absence: isAbsent ? longerAbsence(absence, event.at) : absence };
}

/** What is known after one more read that did not find the job. */
export function longerAbsence(
  absence: CancellationState['absence'],
  at: Timestamp,
): NonNullable<CancellationState['absence']> {
  return { since: absence?.since ?? at, reads: (absence?.reads ?? 0) + 1 };
}

/** @returns undefined for a stream without events @throws BrokenStream */
export function foldEvents(events: readonly CancellationEvent[]): CancellationState | undefined {
  let state: CancellationState | undefined;
  for (const event of events) state = applyEvent(state, event);
  return state;
}

/** The state of a stream that is known to have begun. @throws BrokenStream when it has no event */
export function stateOf(events: readonly CancellationEvent[]): CancellationState {
  const state = foldEvents(events);
  if (state === undefined) throw new BrokenStream('a stream that was written to has no event');
  return state;
}
