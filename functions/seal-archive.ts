import type { Context, EventBridgeEvent } from 'aws-lambda';
import { composeSealing } from './compose/compose-archive.ts';
import { type SealSummary, sealArchive } from './core/archive/seal-archive.ts';
import { reportFailure } from './core/report.ts';

const ports = composeSealing();

/** Kept free at the end of an invocation: for a digest of a day with many objects. */
const RESERVE_MS = 5 * 60_000;

/** Runs by the schedule, every hour. */
export const handler = async (
  _: EventBridgeEvent<'Scheduled Event', unknown>,
  context: Context,
): Promise<SealSummary> => {
  try {
    return await sealArchive(ports, ports.clock.now() + context.getRemainingTimeInMillis() - RESERVE_MS);
  } catch (error) {
    reportFailure(ports.report, error, {});
    throw error;
  }
};
