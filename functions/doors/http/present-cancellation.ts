import type { CancellationEvent, JoinedRecord } from '../../core/cancellation/events.ts';
import type { CancellationState } from '../../core/cancellation/state.ts';
import type { CancellationView } from '../../core/use-cases/read-cancellations.ts';
import type { CancellationAnswer, CancellationWithTimeline, TimelineEntry } from '../../contract/answers.ts';

/** A cancellation as partners see it: what is not known is null, never left out. */
export function presentCancellation(state: CancellationState): CancellationAnswer {
  const { jobId, externalId, attempts, requestedAt, step, facts } = state;
  return {
    jobId,
    externalId,
    state: step.kind === 'closed' ? 'closed' : 'open',
    outcome: step.kind === 'closed' ? step.outcome : null,
    jobStatus: facts.jobStatus ?? null,
    pageCount: facts.pageCount ?? null,
    successfulPageCount: facts.successfulPageCount ?? null,
    creditsDebited: facts.creditsDebited ?? null,
    attempts,
    requestedAt,
    escalatedAt: state.escalatedAt ?? null,
    closedAt: step.kind === 'closed' ? step.at : null,
  };
}

export function presentWithTimeline({ state, events, joined }: CancellationView): CancellationWithTimeline {
  const timeline = [...events.map(presentEvent), ...joined.map(presentJoined)];
  return { ...presentCancellation(state), timeline: timeline.toSorted((a, b) => (a.at < b.at ? -1 : 1)) };
}

function presentEvent(event: CancellationEvent): TimelineEntry {
  const { at, type, seq } = event;
  switch (event.type) {
    case 'requested': {
      const { attempt, requestId, keyId, reason } = event;
      return { at, type, seq, attempt, requestId, keyId, reason };
    }
    case 'attempt_started':
      return { at, type, seq, attempt: event.attempt };
    case 'attempt_ended': {
      const { attempt, result, why, httpStatus, jobStatus } = event;
      return { at, type, seq, attempt, result, why, httpStatus, jobStatus };
    }
    case 'escalated':
      return { at, type, seq };
    case 'closed':
      return { at, type, seq, outcome: event.outcome, jobStatus: event.jobStatus };
  }
}

function presentJoined({ at, type, requestId, keyId, reason }: JoinedRecord): TimelineEntry {
  return { at, type, requestId, keyId, reason };
}
