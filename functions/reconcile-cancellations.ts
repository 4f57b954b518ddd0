import type { Context, EventBridgeEvent } from 'aws-lambda';
import { composeAttempts } from './compose/compose-serving.ts';
import { type ReconcileSummary, reconcileDue } from './core/use-cases/reconcile-due.ts';

const ports = composeAttempts();

/** Kept free at the end of an invocation for the last put, with the SDK's repeats. */
const RESERVE_MS = 5_000;

/** Runs by the schedule, every minute. */
export const handler = (_: EventBridgeEvent<'Scheduled Event', unknown>, context: Context): Promise<ReconcileSummary> =>
  reconcileDue(ports, ports.clock.now() + context.getRemainingTimeInMillis() - RESERVE_MS);
