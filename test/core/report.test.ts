import { describe, expect, test } from 'vitest';
import { DependencyUnavailable, RecordUnreadable, type Report, reportFailure } from '../../functions/core/report.ts';
import { BrokenStream } from '../../functions/core/cancellation/state.ts';
import { given } from '../support/given.ts';
import type { PlangrepJob } from '../../functions/core/plangrep.ts';
import { acme, documentedJob } from '../support/names.ts';

const reported = (error: unknown) => {
  const lines: unknown[] = [];
  const report: Report = (code, fields) => lines.push({ code, ...fields });
  reportFailure(report, error, { requestId: 'r' });
  return lines[0];
};

describe('a failure in the log', () => {
  test('names the failed dependency and the kind of its failure, not its message', () => {
    const cause = Object.assign(new Error('secret text'), { name: 'TimeoutError' });

    expect(reported(new DependencyUnavailable('partners', cause))).toEqual({
      code: 'DEPENDENCY_UNAVAILABLE',
      requestId: 'r',
      dependency: 'partners',
      cause: 'TimeoutError',
    });
    expect(reported(new DependencyUnavailable('partners', 'secret text'))).not.toHaveProperty('cause', 'secret text');
  });

  test('names the one record that cannot be read', () => {
    const error = new RecordUnreadable('partners', 'partner#acme');

    expect(reported(error)).toEqual({
      code: 'RECORD_UNREADABLE',
      requestId: 'r',
      dependency: 'partners',
      key: 'partner#acme',
    });
    expect(error.message).toBe('partners has a record that cannot be read: partner#acme');
  });

  test('names a broken stream', () => {
    expect(reported(new BrokenStream('acme#job_1 event#000002 is not an event'))).toEqual({
      code: 'STREAM_BROKEN',
      requestId: 'r',
      why: 'acme#job_1 event#000002 is not an event',
    });
  });

  test('shows where a bug is', () => {
    expect(reported(new TypeError('x is not iterable'))).toMatchObject({
      code: 'UNEXPECTED_ERROR',
      error: 'TypeError',
      message: 'x is not iterable',
      stack: expect.stringContaining('report.test.ts'),
    });
    expect(reported('thrown text')).toMatchObject({ error: 'Error', message: 'threw a string' });
    expect(reported(Object.assign(new Error('bare'), { stack: undefined }))).toMatchObject({ message: 'bare' });
  });

  test('does not quote a text that cannot be parsed', () => {
    try {
      JSON.parse('{"apiKey": secret}');
    } catch (error) {
      expect(JSON.stringify(reported(error))).not.toContain('secret');
      expect(reported(error)).toMatchObject({ error: 'SyntaxError', message: undefined });
    }

    expect.assertions(2);
  });
});

/** The line for a cancellation whose job ends like this, a quarter of a second after the request. */
const closedLine = async (job: Omit<PlangrepJob, 'id'>) => {
  const scene = await given();
  scene.plangrepAnswers({
    cancel: (id) => {
      scene.ports.clock.advance(250);
      return { kind: 'job', job: { id, ...job } };
    },
  });
  await scene.cancel();
  return scene.ports.reported.find(({ code }) => code === 'CANCELLATION_CLOSED')?.fields;
};

describe('the line of a closed cancellation', () => {
  test('shows how long the confirmation took, and what was stopped', async () => {
    const job = { status: 'cancelled', pageCount: 204, successfulPageCount: 63, creditsDebited: 63 };

    expect(await closedLine(job)).toEqual({
      partnerId: acme,
      jobId: documentedJob,
      requestId: 'request-1',
      outcome: 'cancelled',
      attempts: 1,
      confirmedMs: 250,
      ranMs: 250,
      spentMs: { us: 0, plangrep: 250, person: 0 },
      creditsDebitedMeanwhile: undefined,
      pagesStopped: 141,
      creditsDebited: 63,
    });
  });

  test('counts no stopped page where none is known or none was stopped', async () => {
    expect((await closedLine({ status: 'cancelled', pageCount: 204 }))?.['pagesStopped']).toBeUndefined();
    expect((await closedLine({ status: 'cancelled', successfulPageCount: 4 }))?.['pagesStopped']).toBeUndefined();

    const completed = { status: 'completed', pageCount: 204, successfulPageCount: 204 };

    expect((await closedLine(completed))?.['pagesStopped']).toBeUndefined();

    const odd = { status: 'cancelled', pageCount: 1, successfulPageCount: 2 };

    expect((await closedLine(odd))?.['pagesStopped']).toBe(0);
  });
});
