import { beforeAll, describe, expect, test } from 'vitest';
import { callsPerPath, type Path, type PathCalls, pathNames } from '../../bench/calls/calls-per-path.ts';
import { measureCalls } from '../../bench/calls/calls.ts';
import { itemBytes } from '../../bench/calls/count-calls.ts';

let measured: Readonly<Record<Path, PathCalls>>;
beforeAll(async () => {
  measured = await measureCalls();
}, 120_000);

describe('what a path asks of the tables, Secrets Manager and Plangrep', () => {
  test('is three DynamoDB requests, none to Secrets Manager and one to Plangrep for a job that is cancelled at once', () => {
    expect(measured.cancelled.requests).toEqual({
      'Query JobDirectory': 1,
      'PutItem CancellationLog': 2,
      'Plangrep cancel': 1,
    });
  });

  test.each(pathNames)('is what the costs are calculated from: %s', (path) => {
    expect(measured[path]).toEqual(callsPerPath[path]);
  });
});

describe('an item', () => {
  test('has the size that DynamoDB counts: names and values in UTF-8, two digits a byte', () => {
    expect(itemBytes({ pk: { S: 'order ü' } })).toBe(2 + 8);
    expect(itemBytes({ seq: { N: '1' } })).toBe(3 + 2);
    expect(itemBytes({ credits: { N: '-62.50' } })).toBe(7 + 4);
    expect(itemBytes({ listed: { BOOL: true } })).toBe(6 + 1);
    expect(itemBytes({ scopes: { SS: ['a', 'bc'] } })).toBe(6 + 3);
    expect(itemBytes({ answer: { M: { body: { S: '{}' } } } })).toBe(6 + 3 + 1 + 4 + 2);
    expect(itemBytes({ projects: { L: [{ S: 'proj_1' }] } })).toBe(8 + 3 + 1 + 6);
  });
});
