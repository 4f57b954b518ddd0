import { caughtBy, type TestedBug } from './seeded-bug.ts';

const previewing = caughtBy('core/use-cases/preview-cancellations');
const cancelling = caughtBy('client/cancel-many');

/** Plausible mistakes in what cancels many jobs at once. (The tests of the command start it as a process: they cannot be run with a bug in it.) */
export const seededBugsOfMany: readonly TestedBug[] = [
  previewing(
    'functions/core/use-cases/preview-cancellations',
    'a job that has ended would be cancelled',
    "firstCall === 'cancel' ? 'will_cancel' : 'already_ended'",
    "'will_cancel'",
  ),
  previewing(
    'functions/core/use-cases/preview-cancellations',
    'a cancellation that is open would be cancelled again',
    "step !== undefined && step.kind !== 'closed'",
    'step === undefined && events.length > 0',
  ),
  previewing(
    'functions/core/use-cases/preview-cancellations',
    'each externalId has its own reads at Plangrep',
    '{ ...request, externalId }',
    '{ ...request, externalId, previewReads: { count: JOB_READS } }',
  ),
  cancelling(
    'client/src/cancel-many',
    'the cancel does not name the job that the preview showed',
    'client.cancel({ externalId, jobId, reason, idempotencyKey }, call)',
    'client.cancel({ externalId, reason, idempotencyKey }, call)',
  ),
  cancelling('client/src/cancel-many', 'each run has other keys', '`${token}-${jobId}`', '`${Math.random()}-${jobId}`'),
  cancelling(
    'client/src/cancel-many',
    'what is under way, or has ended, is cancelled too',
    "order.state === 'will_cancel' && order.jobId !== null",
    'order.jobId !== null',
  ),
  cancelling(
    'client/src/cancel-many',
    'a run in another process begins anew',
    'new Map(earlier.map((result) => [result.externalId, result]))',
    'new Map<string, ManyResult>()',
  ),
  cancelling(
    'client/src/cancel-many',
    'an answer of something else counts as an end',
    "result === undefined || result.kind === 'pending' || !('cancellation' in result)",
    "(result?.kind ?? 'unavailable') === 'unavailable' || result?.kind === 'pending'",
  ),
];
