import { beforeEach, describe, expect, test } from 'vitest';
import { attemptCancel } from '../../../functions/core/use-cases/attempt.ts';
import type { PlangrepFailure, PlangrepJob } from '../../../functions/core/plangrep.ts';
import { ScriptedPlangrep } from '../../support/memory-ports.ts';
import { documentedJob } from '../../support/names.ts';

const cancel = `cancel ${documentedJob}`;
const read = `read ${documentedJob}`;
const jobThatIs = (status: string, more: Partial<PlangrepJob> = {}) => ({
  kind: 'job' as const,
  job: { id: documentedJob, status, ...more },
});
const refused = { kind: 'refused', httpStatus: 409, code: 'job_terminal' } as const;

let plangrep: ScriptedPlangrep;
beforeEach(() => {
  plangrep = new ScriptedPlangrep();
});
const makeAttempt = (firstCall: 'read' | 'cancel' = 'cancel') =>
  attemptCancel(plangrep, {
    jobId: documentedJob,
    attempt: firstCall === 'read' ? 2 : 1,
    firstCall,
    untilMs: Number.MAX_VALUE,
  });

describe('a first attempt', () => {
  test('closes as cancelled, by one call, when Plangrep answers the job cancelled', async () => {
    plangrep.onCancel = () => jobThatIs('cancelled', { pageCount: 204, successfulPageCount: 63, creditsDebited: 63 });

    expect(await makeAttempt()).toEqual({
      kind: 'end',
      hasRead: false,
      body: {
        type: 'closed',
        outcome: 'cancelled',
        jobStatus: 'cancelled',
        pageCount: 204,
        successfulPageCount: 63,
        creditsDebited: 63,
      },
    });
    expect(plangrep.calls).toEqual([cancel]);
  });

  test.each(['processing', 'blocked_insufficient_credits', 'a_status_of_tomorrow'])(
    'ends as accepted when Plangrep answers the job still %s',
    async (status) => {
      plangrep.onCancel = () => jobThatIs(status);
      expect((await makeAttempt()).body).toMatchObject({
        type: 'attempt_ended',
        result: 'accepted',
        jobStatus: status,
      });
      expect(plangrep.calls).toEqual([cancel]);
    },
  );

  test.each(['completed', 'completed_with_errors', 'failed', 'expired'])(
    'closes as too_late when the answer shows the job %s',
    async (status) => {
      plangrep.onCancel = () => jobThatIs(status);
      expect((await makeAttempt()).body).toMatchObject({ type: 'closed', outcome: 'too_late', jobStatus: status });
    },
  );

  test.each([
    ['cancelled', 'cancelled'],
    ['completed', 'too_late'],
  ])('decides by the job, not by the error, when the cancel is refused and the job is %s', async (status, outcome) => {
    plangrep.onCancel = () => refused;
    plangrep.onRead = () => jobThatIs(status);

    expect((await makeAttempt()).body).toMatchObject({ type: 'closed', outcome, jobStatus: status });
    expect(plangrep.calls).toEqual([cancel, read]);
  });

  test('stays open as not_found when the cancel is refused and no such job can be read', async () => {
    plangrep.onCancel = () => ({ kind: 'refused', httpStatus: 404 });
    plangrep.onRead = () => ({ kind: 'not_found' });

    const { body, hasRead } = await makeAttempt();

    expect(body).toMatchObject({ type: 'attempt_ended', result: 'not_found', httpStatus: 404 });
    expect(hasRead).toBe(true);
  });

  test('stays open, with what Plangrep answered, when the cancel is refused and the job is alive', async () => {
    plangrep.onCancel = () => refused;

    expect((await makeAttempt()).body).toMatchObject({
      type: 'attempt_ended',
      result: 'refused',
      httpStatus: 409,
      code: 'job_terminal',
      jobStatus: 'processing',
    });
  });

  test('stays open as refused when the cancel is refused and the job cannot be read', async () => {
    plangrep.onCancel = () => refused;
    plangrep.onRead = () => ({ kind: 'unknown', why: 'timeout' });

    expect((await makeAttempt()).body).toMatchObject({ type: 'attempt_ended', result: 'refused', httpStatus: 409 });
  });

  test('keeps the wait that Plangrep asks for', async () => {
    plangrep.onCancel = () => ({ kind: 'rate_limited', retryAfterMs: 7_000 });

    expect(await makeAttempt()).toMatchObject({ body: { result: 'rate_limited', retryAfterMs: 7_000 } });
  });

  const failures: [PlangrepFailure, object][] = [
    [{ kind: 'rate_limited' }, { result: 'rate_limited' }],
    [{ kind: 'key_refused' }, { result: 'key_refused' }],
    [
      { kind: 'not_sent', why: 'no_key' },
      { result: 'not_sent', why: 'no_key' },
    ],
    [
      { kind: 'unknown', why: 'timeout' },
      { result: 'unknown', why: 'timeout' },
    ],
    [
      { kind: 'unknown', why: 'server_error', httpStatus: 503 },
      { result: 'unknown', why: 'server_error', httpStatus: 503 },
    ],
  ];
  test.each(failures)('does not take a failure for a terminal job: %o', async (failure, expected) => {
    plangrep.onCancel = () => failure;

    expect((await makeAttempt()).body).toMatchObject({ type: 'attempt_ended', attempt: 1, ...expected });
    expect(plangrep.calls).toEqual([cancel]);
  });
});

describe('an attempt that begins by reading', () => {
  test.each([
    ['cancelled', 'cancelled'],
    ['completed', 'too_late'],
  ])('closes without a cancel call when the job is %s', async (status, outcome) => {
    plangrep.onRead = () => jobThatIs(status);

    expect((await makeAttempt('read')).body).toMatchObject({ type: 'closed', outcome });
    expect(plangrep.calls).toEqual([read]);
  });

  test('stays open as not_found without a cancel call when there is no such job', async () => {
    plangrep.onRead = () => ({ kind: 'not_found' });

    expect((await makeAttempt('read')).body).toMatchObject({ type: 'attempt_ended', result: 'not_found' });
    expect(plangrep.calls).toEqual([read]);
  });

  test('goes by a reading that was just made', async () => {
    const alive = { kind: 'alive', job: jobThatIs('processing').job } as const;
    const attempt = { jobId: documentedJob, attempt: 2, firstCall: alive, untilMs: Number.MAX_VALUE };

    expect(await attemptCancel(plangrep, attempt)).toMatchObject({ body: { outcome: 'cancelled' }, hasRead: true });
    expect(plangrep.calls).toEqual([cancel]);
  });

  test('reads once: a refusal of a job that was alive is looked into by the next attempt', async () => {
    plangrep.onCancel = () => refused;

    expect((await makeAttempt('read')).body).toMatchObject({ result: 'refused', jobStatus: 'processing' });
    expect(plangrep.calls).toEqual([read, cancel]);
  });

  test('cancels when the job is alive', async () => {
    expect((await makeAttempt('read')).body).toMatchObject({ type: 'closed', outcome: 'cancelled' });
    expect(plangrep.calls).toEqual([read, cancel]);
  });

  const failures: PlangrepFailure[] = [
    { kind: 'rate_limited' },
    { kind: 'key_refused' },
    { kind: 'not_sent', why: 'no_connection' },
    { kind: 'refused', httpStatus: 403 },
    { kind: 'unknown', why: 'connection_lost' },
  ];
  test.each(failures)('sends no cancel while the job cannot be read: %o', async (failure) => {
    plangrep.onRead = () => failure;

    expect((await makeAttempt('read')).body).toMatchObject({ type: 'attempt_ended', attempt: 2, result: failure.kind });
    expect(plangrep.calls).toEqual([read]);
  });
});
