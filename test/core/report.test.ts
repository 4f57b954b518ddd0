import { describe, expect, it } from 'vitest';
import { DependencyUnavailable, type Report } from '../../functions/core/report.ts';
import { reportFailure } from '../../functions/core/report.ts';

const reported = (error: unknown) => {
  const lines: unknown[] = [];
  const report: Report = (code, fields) => lines.push({ code, ...fields });
  reportFailure(report, error, { requestId: 'r' });
  return lines[0];
};

describe('a failure in the log', () => {
  it('names the broken dependency and the kind of its failure, not what it said', () => {
    const cause = Object.assign(new Error('secret text'), { name: 'TimeoutError' });
    expect(reported(new DependencyUnavailable('partners', cause))).toEqual({
      code: 'DEPENDENCY_UNAVAILABLE',
      requestId: 'r',
      dependency: 'partners',
      cause: 'TimeoutError',
    });
    expect(reported(new DependencyUnavailable('partners', 'secret text'))).not.toHaveProperty('cause', 'secret text');
  });

  it('shows where a bug is', () => {
    expect(reported(new TypeError('x is not iterable'))).toMatchObject({
      code: 'UNEXPECTED_ERROR',
      error: 'TypeError',
      message: 'x is not iterable',
      stack: expect.stringContaining('report.test.ts'),
    });
    expect(reported('thrown text')).toMatchObject({ error: 'Error', message: 'threw a string' });
    expect(reported(Object.assign(new Error('bare'), { stack: undefined }))).toMatchObject({ message: 'bare' });
  });

  it('does not quote a text that could not be parsed', () => {
    try {
      JSON.parse('{"apiKey": secret}');
    } catch (error) {
      expect(JSON.stringify(reported(error))).not.toContain('secret');
      expect(reported(error)).toMatchObject({ error: 'SyntaxError', message: undefined });
    }
    expect.assertions(2);
  });
});
