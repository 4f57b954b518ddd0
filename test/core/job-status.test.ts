import { describe, expect, test } from 'vitest';
import { factsOf, isTerminal, outcomeOf } from '../../functions/core/cancellation/job-status.ts';
import { documentedJob } from '../support/names.ts';

describe('a job status', () => {
  test('is terminal only where Plangrep documents it', () => {
    const terminal = ['completed', 'completed_with_errors', 'failed', 'cancelled', 'expired'];
    const alive = ['provisioning', 'awaiting_uploads', 'uploading', 'preflighting', 'processing', 'constructor', ''];

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
});
