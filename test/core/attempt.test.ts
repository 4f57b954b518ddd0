import { beforeEach, describe, expect, it } from 'vitest';
import { attemptCancel } from '../../functions/core/use-cases/attempt.ts';
import { factsOf, isTerminal, outcomeOf } from '../../functions/core/cancellation/job-status.ts';
import { delayAfterAttemptMs, pollDelayMs } from '../../functions/core/cancellation/pace.ts';
import type { PlangrepFailure, PlangrepJob } from '../../functions/core/ports.ts';
import { ScriptedPlangrep } from '../support/memory-ports.ts';
import { documentedJob } from '../support/names.ts';

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
  it('closes as cancelled, by one call, when Plangrep answers the job cancelled', async () => {
    plangrep.onCancel = () => jobThatIs('cancelled', { pageCount: 204, successfulPageCount: 63, creditsDebited: 63 });
    expect(await makeAttempt()).toEqual({
      kind: 'end',
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

  it.each(['processing', 'blocked_insufficient_credits', 'a_status_of_tomorrow'])(
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

  it.each(['completed', 'completed_with_errors', 'failed', 'expired'])(
    'closes as too_late when the answer shows the job %s',
    async (status) => {
      plangrep.onCancel = () => jobThatIs(status);
      expect((await makeAttempt()).body).toMatchObject({ type: 'closed', outcome: 'too_late', jobStatus: status });
    },
  );

  it.each([
    ['cancelled', 'cancelled'],
    ['completed', 'too_late'],
  ])('goes by the job, not by the error, when the cancel is refused and the job is %s', async (status, outcome) => {
    plangrep.onCancel = () => refused;
    plangrep.onRead = () => jobThatIs(status);
    expect((await makeAttempt()).body).toMatchObject({ type: 'closed', outcome, jobStatus: status });
    expect(plangrep.calls).toEqual([cancel, read]);
  });

  it('closes as job_not_found when the cancel is refused and no such job can be read', async () => {
    plangrep.onCancel = () => ({ kind: 'refused', httpStatus: 404 });
    plangrep.onRead = () => ({ kind: 'not_found' });
    expect((await makeAttempt()).body).toEqual({ type: 'closed', outcome: 'job_not_found' });
  });

  it('stays open, with what Plangrep said, when the cancel is refused though the job lives', async () => {
    plangrep.onCancel = () => refused;
    expect((await makeAttempt()).body).toMatchObject({
      type: 'attempt_ended',
      result: 'refused',
      httpStatus: 409,
      code: 'job_terminal',
      jobStatus: 'processing',
    });
  });

  it('stays open as refused when the cancel is refused and the read tells nothing either', async () => {
    plangrep.onCancel = () => refused;
    plangrep.onRead = () => ({ kind: 'unknown', why: 'timeout' });
    expect((await makeAttempt()).body).toMatchObject({ type: 'attempt_ended', result: 'refused', httpStatus: 409 });
  });

  it('carries how long Plangrep asked to stay away', async () => {
    plangrep.onCancel = () => ({ kind: 'rate_limited', retryAfterMs: 7_000 });
    expect(await makeAttempt()).toMatchObject({ body: { result: 'rate_limited' }, retryAfterMs: 7_000 });
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
  it.each(failures)('never reads a failure as an end: %o', async (failure, expected) => {
    plangrep.onCancel = () => failure;
    expect((await makeAttempt()).body).toMatchObject({ type: 'attempt_ended', attempt: 1, ...expected });
    expect(plangrep.calls).toEqual([cancel]);
  });
});

describe('an attempt that begins by reading', () => {
  it.each([
    ['cancelled', 'cancelled'],
    ['completed', 'too_late'],
  ])('closes without a cancel call when the job is %s', async (status, outcome) => {
    plangrep.onRead = () => jobThatIs(status);
    expect((await makeAttempt('read')).body).toMatchObject({ type: 'closed', outcome });
    expect(plangrep.calls).toEqual([read]);
  });

  it('closes as job_not_found without a cancel call when there is no such job', async () => {
    plangrep.onRead = () => ({ kind: 'not_found' });
    expect((await makeAttempt('read')).body).toMatchObject({ outcome: 'job_not_found' });
    expect(plangrep.calls).toEqual([read]);
  });

  it('cancels when the job lives', async () => {
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
  it.each(failures)('sends no cancel while the job cannot be read: %o', async (failure) => {
    plangrep.onRead = () => failure;
    expect((await makeAttempt('read')).body).toMatchObject({ type: 'attempt_ended', attempt: 2, result: failure.kind });
    expect(plangrep.calls).toEqual([read]);
  });
});

describe('job statuses', () => {
  it('are terminal only where Plangrep documents it', () => {
    const terminal = ['completed', 'completed_with_errors', 'failed', 'cancelled', 'expired'];
    const alive = ['provisioning', 'awaiting_uploads', 'uploading', 'preflighting', 'processing', 'constructor', ''];
    expect(terminal.every(isTerminal)).toBe(true);
    expect(alive.some(isTerminal)).toBe(false);
    expect(outcomeOf('constructor')).toBeUndefined();
  });

  it('come with figures only where the figures make sense', () => {
    const job = { id: documentedJob, status: 'failed' };
    expect(factsOf({ ...job, pageCount: 1.5, successfulPageCount: -1, creditsDebited: 1e300 })).toEqual({
      jobStatus: 'failed',
      pageCount: undefined,
      successfulPageCount: undefined,
      creditsDebited: undefined,
    });
    expect(factsOf({ ...job, pageCount: 0, creditsDebited: 0.1 + 0.2 })).toMatchObject({
      pageCount: 0,
      creditsDebited: 0.3,
    });
  });
});

describe('the pace', () => {
  it('polls after 15, 20, 30, 60, 120 and then every 300 s', () => {
    const delays: number[] = [];
    for (let since = 0, polls = 0; polls < 8; polls++) {
      delays.push(pollDelayMs(since) / 1000);
      since += pollDelayMs(since);
    }
    expect(delays).toEqual([15, 20, 30, 60, 120, 300, 300, 300]);
  });

  it('does not hurry when a poll came late', () => {
    expect(pollDelayMs(36_000)).toBe(60_000);
  });

  it('retries ever more slowly, up to a fifth later than the schedule and never sooner', () => {
    const delay = (attempt: number, random: number, result: 'unknown' | 'not_sent' | 'refused' = 'unknown') =>
      delayAfterAttemptMs({ attempt, result }, undefined, random) / 1000;
    expect([1, 2, 3, 4, 5, 6, 7, 8, 1000].map((n) => delay(n, 0))).toEqual([10, 15, 20, 30, 60, 120, 300, 300, 300]);
    expect([delay(2, 0, 'not_sent'), delay(3, 0, 'refused')]).toEqual([15, 20]);
    expect(delay(1, 0.999999)).toBeCloseTo(12);
  });

  it('stays away at least as long as a 429 asks, and as long as the schedule', () => {
    const delay = (ms?: number) => delayAfterAttemptMs({ attempt: 1, result: 'rate_limited' }, ms, 0);
    expect([delay(), delay(1_000), delay(900_000)]).toEqual([10_000, 10_000, 900_000]);
  });

  it('gives a person time to mend a refused key', () => {
    expect(delayAfterAttemptMs({ attempt: 1, result: 'key_refused' }, undefined, 0)).toBe(60_000);
  });

  it('polls an accepted cancel at Plangrep’s pace', () => {
    expect(delayAfterAttemptMs({ attempt: 3, result: 'accepted' }, undefined, 0)).toBe(15_000);
  });
});
