import { describe, expect, test } from 'vitest';
import { endOf, factsOf, isTerminal, outcomeOf } from '../../../functions/core/cancellation/job-status.ts';
import { documentedJob } from '../../support/names.ts';

describe('a job status', () => {
  test('is terminal only where Plangrep documents it', () => {
    const terminal = ['completed', 'completed_with_errors', 'failed', 'cancelled', 'expired'];
    const starting = ['provisioning', 'awaiting_uploads', 'uploading', 'preflighting'];
    const alive = [...starting, 'processing', 'blocked_insufficient_credits', 'constructor', ''];

    expect(terminal.every(isTerminal)).toBe(true);
    expect(alive.some(isTerminal)).toBe(false);
    expect(outcomeOf('constructor')).toBeUndefined();
  });

  test('has figures only where they are valid', () => {
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

  test('has an end where Plangrep tells one that is not before its beginning', () => {
    const job = { id: documentedJob, status: 'cancelled' };
    const [earlier, later] = ['2024-11-02T09:00:00.000Z', '2024-11-02T09:22:17.000Z'];

    expect(endOf(job)).toBeUndefined();
    expect(endOf({ ...job, completedAt: later })).toBe(later);
    expect(endOf({ ...job, createdAt: earlier, completedAt: later })).toBe(later);
    expect(endOf({ ...job, createdAt: later, completedAt: earlier })).toBeUndefined();
  });
});
