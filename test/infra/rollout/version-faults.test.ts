import { describe, expect, test } from 'vitest';
import { BrokenStream } from '../../../functions/core/cancellation/state.ts';
import {
  type Dependency,
  DependencyUnavailable,
  RecordUnreadable,
  reportFailure,
  reportLevels,
} from '../../../functions/core/report.ts';
import { alarms } from '../../../infra/blueprint/alarms.ts';
import { versionFaultPattern } from '../../../infra/blueprint/rollout/version-alarms.ts';

/** A line of the log as Lambda writes it for an error that a function of version 17 met. */
function lineOf(error: unknown): { readonly message: Readonly<Record<string, unknown>> } {
  const lines: Readonly<Record<string, unknown>>[] = [];
  reportFailure((code, fields) => lines.push({ code, ...fields, version: '17' }), error, { requestId: 'r' });
  const [message = {}] = lines;
  return { message: JSON.parse(JSON.stringify(message)) };
}

/**
 * Whether a line matches a filter pattern of the kind that we use: `=`, `!=`, a star at the end, `&&`, `||`, parentheses.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
 */
function matches(pattern: string, line: object): boolean {
  const tokens = [...pattern.matchAll(/\$\.[\w.]+|"[^"]*"|&&|\|\||!=|[={}()]/g)].map(([token]) => token);
  const take = (): string => tokens.shift() ?? '';
  const valueAt = (path: string): unknown =>
    path
      .slice(2)
      .split('.')
      .reduce<unknown>((at, name) => Object(at)[name], line);
  const compare = (path: string, operator: string, quoted: string): boolean => {
    const [value, wanted] = [valueAt(path), quoted.slice(1, -1)];
    // A field that is not there equals nothing and differs from nothing.
    if (typeof value !== 'string') return false;
    const isEqual = wanted.endsWith('*') ? value.startsWith(wanted.slice(0, -1)) : value === wanted;
    return operator === '=' ? isEqual : !isEqual;
  };
  const term = (): boolean => {
    if (tokens[0] !== '(') return compare(take(), take(), take());
    take();
    const inside = any();
    expect(take()).toBe(')');
    return inside;
  };
  const all = (): boolean => {
    let result = term();
    while (tokens[0] === '&&') {
      take();
      result = term() && result;
    }
    return result;
  };
  const any = (): boolean => {
    let result = all();
    while (tokens[0] === '||') {
      take();
      result = all() || result;
    }
    return result;
  };
  expect(take()).toBe('{');
  const result = any();
  expect(tokens).toEqual(['}']);
  return result;
}

const named = (name: string): Error => Object.assign(new Error('of AWS'), { name });
const failed = (dependency: Dependency, cause: string) => new DependencyUnavailable(dependency, named(cause));

describe('a version is faulty', () => {
  test.each([
    ['a bug', new TypeError('x is not a function')],
    ['what was thrown is not an error', 'text'],
    ['a table that it may not read', failed('job-directory', 'AccessDeniedException')],
    ['a table that does not exist', failed('cancellation-log', 'ResourceNotFoundException')],
    ['a request that the table refuses', failed('cancellation-log', 'ValidationException')],
    ['a queue that it may not write to', failed('dead-letters', 'AwsAnswered403')],
    ['a bus whose policy refuses its event', failed('event-bus', 'NotAuthorizedForSourceException')],
    ['an event that the bus cannot read', failed('event-bus', 'MalformedDetail')],
    ['a queue that does not exist', failed('dead-letters', 'AwsAnswered400')],
  ])('by %s', (_, error) => {
    expect(lineOf(error).message).toMatchObject({ version: '17' });
    expect(reportLevels).toHaveProperty(String(lineOf(error).message['code']), 'error');
    expect(matches(versionFaultPattern, lineOf(error))).toBe(true);
  });

  test.each([
    ['a table that is down', failed('cancellation-log', 'InternalServerError')],
    ['a table that is throttled', failed('job-directory', 'ThrottlingException')],
    ['a table that does not answer in time', failed('partners', 'TimeoutError')],
    ['a bus that is down', failed('event-bus', 'InternalFailure')],
    ['a queue that is down', failed('dead-letters', 'AwsAnswered503')],
    ['a secret without a value', failed('secret', 'ResourceNotFoundException')],
    ['a secret whose value is no key', failed('secret', 'Error')],
    ['a dependency that failed for no known cause', new DependencyUnavailable('partners', undefined)],
    ['a malformed record', new RecordUnreadable('job-directory', 'key')],
    ['a broken stream', new BrokenStream('two events have one number')],
  ])('not by %s: every version fails with it', (_, error) => {
    expect(matches(versionFaultPattern, lineOf(error))).toBe(false);
  });

  test('by no line that says no more than what happened', () => {
    for (const code of Object.keys(reportLevels)) {
      expect(matches(versionFaultPattern, { message: { code, version: '17' } })).toBe(code === 'UNEXPECTED_ERROR');
    }
  });
});

/** Why each alarm rolls no release back. Before you add an alarm, think of the release that has to fix what it shows. */
const countsEveryVersion = "counts every version: an old one's fault would stop the release that fixes it";
const fromOutside = 'Plangrep, a partner or an operator is the cause, and no version of ours';
const ofLoad = 'a queue, a table or the API has no version, and load causes it';
const evidence = 'evidence comes first: a person looks before anything changes';
const whyNoRollback: Readonly<Record<string, string>> = {
  'Cancellations escalated': fromOutside,
  'Wake-ups overdue': 'takes ten minutes, and a canary five; the schedule has no version',
  'Wake-ups fail': countsEveryVersion,
  'Plangrep refuses the key': fromOutside,
  'Plangrep does not know our jobs': fromOutside,
  'Answers are 5xx': countsEveryVersion,
  'Functions fail': countsEveryVersion,
  'Events fail': countsEveryVersion,
  'Events wait': ofLoad,
  'Events pile up': ofLoad,
  'Callbacks wait': ofLoad,
  'Callbacks in the dead-letter queue': countsEveryVersion,
  'Callbacks kept': fromOutside,
  'Events undelivered': 'EventBridge and the queue’s policy are the cause, which have no version',
  'Audit trail broken': evidence,
  'Cancellation log altered': evidence,
  'Partners or job directory altered': evidence,
  'Table settings changed': evidence,
  'Cancellation log rewritten': evidence,
  'Archive altered': evidence,
  'Archive falls behind': 'takes ten minutes, and a canary five; a new version’s fault counts by itself',
  'Records not archived': 'takes a day, and a canary five minutes; a new version’s fault counts by itself',
  'Digest overdue': 'takes two hours, and a canary five minutes; a new version’s fault counts by itself',
  'Events are malformed': fromOutside,
  'Events in the dead-letter queue': countsEveryVersion,
  'Records cannot be read': 'every version meets the same record',
  'Outgoing events undelivered': 'takes an hour, and a canary five minutes; a new version’s fault counts by itself',
  'Cancelled job unknown to Plangrep': fromOutside,
  'Wake-up queue loses messages': ofLoad,
  'Reconciler runs missed': ofLoad,
  'Listings are impossible': fromOutside,
  'Listings fail': fromOutside,
  'Ownership refused': fromOutside,
  'Unexpected errors': 'counts every version; the faults of the new one count by themselves',
  'A dependency is unavailable': 'an outage: every version fails with it',
  'Functions are throttled': ofLoad,
  'Tables are throttled': ofLoad,
  'Answers are slow': 'Plangrep is the usual cause, and the API has no version',
  "Plangrep's key is over 90 days old": fromOutside,
};

test('for every alarm it was decided that it rolls no release back, with the reason', () => {
  expect(Object.keys(whyNoRollback).toSorted()).toEqual(alarms.map(({ title }) => title).toSorted());
});
