import { appendEvent, type Standing } from './append-event.ts';
import { attemptCancel } from './attempt-cancel.ts';
import { toTimestamp } from '../identifiers.ts';
import { delayAfterAttemptMs } from '../cancellation/pace.ts';
import type { AttemptPorts } from '../ports.ts';
import { DependencyUnavailable, reportClosed } from '../report.ts';

/**
 * Makes the attempt whose claim is the newest event, and appends how it ended.
 *
 * Answers how the cancellation then stands. Whoever took the attempt over in the meantime has fenced this one: what
 * that one wrote is what counts. When the end cannot be written the claim's own wake-up brings the reconciler, so this
 * never throws for a broken log: the cancellation stays open, which is the truth.
 * @param claimed the cancellation under this attempt's claim
 */
export const settleAttempt = async (
  ports: AttemptPorts,
  claimed: Standing,
  { readFirst, untilMs }: { readonly readFirst: boolean; readonly untilMs: number },
): Promise<Standing> => {
  const { plangrep, clock, report } = ports;
  const { partnerId, jobId, attempts: attempt } = claimed.state;
  const { body, retryAfterMs } = await attemptCancel(plangrep, { jobId, attempt, readFirst, untilMs });
  if (body.type === 'attempt_ended' && body.result === 'key_refused') {
    report('PLANGREP_KEY_REFUSED', { partnerId, jobId });
  }
  const wakeAt =
    body.type === 'closed'
      ? undefined
      : toTimestamp(clock.now() + delayAfterAttemptMs(body, retryAfterMs, clock.random()));
  try {
    const { kind, standing } = await appendEvent(ports, claimed.state, claimed.state, body, wakeAt);
    if (kind === 'lost') report('ATTEMPT_FENCED', { partnerId, jobId, attempt });
    else if (body.type === 'closed') reportClosed(ports, claimed.state, body);
    else report('CANCELLATION_PENDING', { partnerId, jobId, result: body.result, why: body.why });
    return standing;
  } catch (error) {
    if (!(error instanceof DependencyUnavailable)) throw error;
    report('AUDIT_WRITE_FAILED', { partnerId, jobId, type: body.type });
    return claimed;
  }
};
