import { type Attempt, attemptCancel } from './attempt-cancel.ts';
import { sealEvent } from './chain.ts';
import type { CancellationEvent } from './events.ts';
import { toTimestamp } from './identifiers.ts';
import { delayAfterAttemptMs } from './pace.ts';
import { DependencyUnavailable, type Ports, type Stream } from './ports.ts';

/**
 * Makes the attempt whose claim is the newest event of `stream`, and appends how it ended.
 *
 * Answers the stream as it then is. Whoever took the attempt over in the meantime has fenced this one: its stream is
 * what counts. When the end cannot be written the claim's own wake-up brings the reconciler, so this never throws for
 * a broken log: the stream stays open, which is the truth.
 */
export const settleAttempt = async (
  { log, plangrep, clock, report }: Ports,
  stream: Stream,
  claim: CancellationEvent,
  attempt: Omit<Attempt, 'jobId'>,
): Promise<Stream> => {
  const { partnerId, jobId } = claim;
  const { body, retryAfterMs } = await attemptCancel(plangrep, { ...attempt, jobId });

  const now = clock.now();
  const event = sealEvent(claim, claim, body, { eventId: clock.newId(), at: toTimestamp(now) });
  const wakeAt =
    body.type === 'closed' ? undefined : toTimestamp(now + delayAfterAttemptMs(body, retryAfterMs, clock.random()));
  if (body.type === 'attempt_ended' && body.result === 'key_refused')
    report('PLANGREP_KEY_REFUSED', { partnerId, jobId });

  try {
    const appended = await log.append(event, wakeAt);
    if (appended.kind === 'lost') {
      report('ATTEMPT_FENCED', { partnerId, jobId, seq: event.seq });
      return appended.stream;
    }
  } catch (error) {
    if (!(error instanceof DependencyUnavailable)) throw error;
    report('AUDIT_WRITE_FAILED', { partnerId, jobId, seq: event.seq, type: event.type });
    return stream;
  }
  if (body.type === 'closed') report('CANCELLATION_CLOSED', { partnerId, jobId, outcome: body.outcome });
  else report('CANCELLATION_PENDING', { partnerId, jobId, result: body.result, why: body.why });
  return { events: [...stream.events, event], wakeAt };
};
