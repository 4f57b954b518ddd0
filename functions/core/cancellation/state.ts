import type { AttemptEndedBody, CancellationEvent, EventBody, JobFacts, Outcome } from './events.ts';
import type { ExternalId, JobId, PartnerId, Timestamp } from '../identifiers.ts';

/** What is going on with a cancellation right now. */
export type Step =
  /** Somebody holds the claim of this attempt. */
  | { readonly kind: 'attempting'; readonly claimedBy: string; readonly leaseUntil: Timestamp }
  /** Nobody does; the wake-up says when it is looked at again. */
  | { readonly kind: 'waiting'; readonly since: Timestamp; readonly result: AttemptEndedBody['result'] }
  | { readonly kind: 'closed'; readonly at: Timestamp; readonly outcome: Outcome };

/** The fold of a stream: nothing else stores state. */
export interface CancellationState {
  readonly partnerId: PartnerId;
  readonly jobId: JobId;
  readonly externalId: ExternalId;
  readonly requestedAt: Timestamp;
  readonly reason?: string | undefined;
  /** The number of the newest attempt. */
  readonly attempts: number;
  readonly escalatedAt?: Timestamp | undefined;
  readonly step: Step;
  /** What the newest job read told. */
  readonly facts: JobFacts;
  /** Where the next event is chained to. */
  readonly last: Pick<CancellationEvent, 'seq' | 'hash'>;
}

/** A stream that no run of this service writes: a gap, a wrong order, a mixed-up table. */
export class BrokenStream extends Error {
  override readonly name = 'BrokenStream';
}

/** When Plangrep took the cancel, if it did: from then on the job is polled, never cancelled again. */
export const acceptedAt = ({ step }: CancellationState): Timestamp | undefined =>
  step.kind === 'waiting' && step.result === 'accepted' ? step.since : undefined;

/**
 * What may follow what.
 * @returns why `body` may not come next, or nothing when it may
 */
export const whyNotNext = (state: CancellationState | undefined, body: EventBody): string | undefined => {
  if (state === undefined) {
    return body.type === 'requested' && body.attempt === 1 ? undefined : 'a stream begins with requested, attempt 1';
  }
  if (state.step.kind === 'closed') return 'nothing follows a closed cancellation';
  switch (body.type) {
    case 'requested':
      return 'a cancellation is requested once';
    case 'attempt_started':
      if (acceptedAt(state) !== undefined) return 'an accepted cancel is polled, never sent again';
      return body.attempt === state.attempts + 1 ? undefined : 'attempts are numbered 1, 2, 3 …';
    case 'attempt_ended':
      if (state.step.kind !== 'attempting') return 'an attempt ends once';
      return body.attempt === state.attempts ? undefined : 'only the newest attempt can end';
    case 'escalated':
      return state.escalatedAt === undefined ? undefined : 'a cancellation is escalated once';
    case 'closed':
      return undefined;
  }
};

const factsIn = ({ jobStatus, pageCount, successfulPageCount, creditsDebited }: JobFacts): JobFacts => ({
  jobStatus,
  pageCount,
  successfulPageCount,
  creditsDebited,
});

/** The state after one more event. @throws BrokenStream when the event may not come next */
export const applyEvent = (state: CancellationState | undefined, event: CancellationEvent): CancellationState => {
  const last = { seq: event.seq, hash: event.hash };
  const why = event.seq === (state?.last.seq ?? 0) + 1 ? whyNotNext(state, event) : 'a sequence number is missing';
  if (state === undefined && event.type === 'requested' && why === undefined) {
    const { partnerId, jobId, externalId, at, reason, claimedBy, leaseUntil } = event;
    const step: Step = { kind: 'attempting', claimedBy, leaseUntil };
    return { partnerId, jobId, externalId, requestedAt: at, reason, attempts: 1, step, facts: {}, last };
  }
  if (state === undefined || event.type === 'requested' || why !== undefined) {
    throw new BrokenStream(`${event.jobId}, event ${event.seq} (${event.type}): ${why}`);
  }
  switch (event.type) {
    case 'attempt_started': {
      const { attempt, claimedBy, leaseUntil } = event;
      return { ...state, attempts: attempt, step: { kind: 'attempting', claimedBy, leaseUntil }, last };
    }
    case 'attempt_ended': {
      const { result, at } = event;
      const facts = event.jobStatus === undefined ? state.facts : factsIn(event);
      return { ...state, step: { kind: 'waiting', since: at, result }, facts, last };
    }
    case 'escalated':
      return { ...state, escalatedAt: event.at, last };
    case 'closed': {
      const facts = event.jobStatus === undefined ? state.facts : factsIn(event);
      return { ...state, step: { kind: 'closed', at: event.at, outcome: event.outcome }, facts, last };
    }
  }
};

/** The state that a stream's events add up to; nothing for an empty one. @throws BrokenStream */
export const foldEvents = (events: readonly CancellationEvent[]): CancellationState | undefined => {
  let state: CancellationState | undefined;
  for (const event of events) state = applyEvent(state, event);
  return state;
};

/** The state of a stream that is known to have begun. @throws BrokenStream when it has no event */
export const stateOf = (events: readonly CancellationEvent[]): CancellationState => {
  const state = foldEvents(events);
  if (state === undefined) throw new BrokenStream('a stream that was written to has no event');
  return state;
};
