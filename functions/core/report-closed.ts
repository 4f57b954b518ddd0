import type { ClosedBody } from './cancellation/events.ts';
import type { CancellationState } from './cancellation/state.ts';
import type { Ports } from './ports.ts';

/**
 * One line for a cancellation that closed, with what the dashboard adds up: milliseconds from the request to the
 * confirmation, and the pages that were not processed for it.
 */
export const reportClosed = (
  { clock, report }: Pick<Ports, 'clock' | 'report'>,
  { partnerId, jobId, requestedAt, attempts }: CancellationState,
  { outcome, pageCount, successfulPageCount, creditsDebited }: ClosedBody,
): void => {
  const isStopped = outcome === 'cancelled' && pageCount !== undefined && successfulPageCount !== undefined;
  report('CANCELLATION_CLOSED', {
    partnerId,
    jobId,
    outcome,
    attempts,
    confirmedMs: clock.now() - Date.parse(requestedAt),
    pagesStopped: isStopped ? Math.max(0, pageCount - successfulPageCount) : undefined,
    creditsDebited,
  });
};
