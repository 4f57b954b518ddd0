import { describe, expect, test } from 'vitest';
import {
  groupOf,
  messageAbout,
  readCallbackMessage,
  subjectOf,
} from '../../../functions/core/callbacks/callback-message.ts';
import { nextAttempt } from '../../../functions/core/callbacks/next-attempt.ts';
import { delayToNextMs } from '../../../functions/core/callbacks/retry-schedule.ts';
import { createSlowEndpoints } from '../../../functions/core/callbacks/slow-endpoints.ts';
import { parseRefusal } from '../../../functions/core/cancellation/stream-key.ts';
import { partnerIdSchema } from '../../../functions/core/identifiers.ts';
import { acme, documentedJob, jobId } from '../../support/names.ts';

const at = '2026-11-26T12:00:00.000Z';
const nowMs = Date.parse(at);
const hour = 3_600_000;

describe('the schedule of attempts', () => {
  test('is that of Standard Webhooks, and ends', () => {
    const delays = Array.from({ length: 10 }, (_, n) => delayToNextMs(n + 1, undefined, 0));

    expect(delays).toEqual([
      5_000,
      300_000,
      1_800_000,
      ...[2, 5, 10, 14, 20, 24].map((hours) => hours * hour),
      undefined,
    ]);
  });

  test.each([
    ['up to a fifth more, so that callbacks do not return together', undefined, 0.999_999, 6_000],
    ['what the endpoint asked for, when that is longer', 60_000, 0, 60_000],
    ['not less than the schedule, when the endpoint asked for less', 1_000, 0, 5_000],
    ['a day at most, whatever the endpoint asked for', 9e9, 0, 24 * hour],
  ])('waits %s', (_, retryAfterMs, random, delayMs) => {
    expect(delayToNextMs(1, retryAfterMs, random)).toBe(delayMs);
  });
});

describe('the next attempt', () => {
  const failed = { result: 'failed', attempt: 3, nextAt: '2026-11-26T12:00:10.000Z' } as const;
  const exhausted = { result: 'failed', attempt: 10 } as const;
  const delivered = { result: 'delivered', attempt: 2 } as const;
  const paused = { result: 'paused', attempt: 4 } as const;
  const replay = { id: 'replay-1', all: false };
  const all = { ...replay, all: true };
  const begin = (by?: typeof replay) => ({ kind: 'due', attempt: 1, replay: by });
  const waits = { kind: 'waits' };
  const settled = { kind: 'settled' };

  test.each([
    ['is the first for a record that was never told', [], {}, begin()],
    ['is the first, though callbacks are paused: that it is kept goes on record', [], { isPaused: true }, begin()],
    ['waits for its time', [failed], {}, waits],
    ['is due at its time', [failed], { nowMs: nowMs + 10_000 }, { kind: 'due', attempt: 4 }],
    ['is due a second early: clocks differ', [failed], { nowMs: nowMs + 9_000 }, { kind: 'due', attempt: 4 }],
    ['does not wait while callbacks are paused', [failed], { isPaused: true }, { kind: 'due', attempt: 4 }],
    ['is not made after the last', [exhausted], {}, settled],
    ['is not made of what was delivered', [delivered], {}, settled],
    ['is not made of what was erased', [{ result: 'erased', attempt: 1 } as const], { replay }, settled],
    ['is not made while callbacks are paused', [paused], { isPaused: true, replay }, settled],
    ['is the first again, once callbacks are not paused any more', [paused], {}, begin()],
    ['is the first again when it is replayed', [exhausted], { replay }, begin(replay)],
    ['is the first again when it is replayed before its time', [failed], { replay }, begin(replay)],
    ['is not made of what was delivered by a replay of the rest', [delivered], { replay }, settled],
    ['is made of what was delivered by a replay of all', [delivered], { replay: all }, begin(all)],
    [
      'is made once by a replay that is repeated',
      [exhausted, { ...exhausted, replayId: 'replay-1' }],
      { replay: all },
      settled,
    ],
  ])('%s', (_, attempts, given, expected) => {
    expect(nextAttempt(attempts, { isPaused: false, nowMs, ...given })).toEqual(expected);
  });
});

describe('an endpoint that is slow', () => {
  function seen() {
    let ms = nowMs;
    const endpoints = createSlowEndpoints({ now: () => ms });
    return { endpoints, pass: (passed: number) => void (ms += passed) };
  }
  const [url, other] = ['https://a.example/', 'https://b.example/'];

  test('is left alone for 30 s after two slow failures in a row, and no other with it', () => {
    const { endpoints, pass } = seen();
    endpoints.note(url, false, 10_000);
    expect(endpoints.isSlow(url)).toBe(false);
    endpoints.note(url, false, 10_000);

    expect(endpoints.isSlow(url)).toBe(true);
    expect(endpoints.isSlow(other)).toBe(false);
    pass(30_000);
    expect(endpoints.isSlow(url)).toBe(false);
    // One more is enough then.
    endpoints.note(url, false, 10_000);
    expect(endpoints.isSlow(url)).toBe(true);
  });

  test.each([
    ['a success', true, 9_000],
    ['a quick failure', false, 20],
  ])('is called again after %s between the two', (_, isDelivered, tookMs) => {
    const { endpoints } = seen();
    endpoints.note(url, false, 10_000);
    endpoints.note(url, isDelivered, tookMs);
    endpoints.note(url, false, 10_000);

    expect(endpoints.isSlow(url)).toBe(false);
  });
});

describe('the group of a message', () => {
  const groups = (partnerId: string) =>
    new Set(
      Array.from({ length: 200 }, (_, n) =>
        groupOf({ partnerId: partnerIdSchema.parse(partnerId), jobId: jobId(`job_${n}`) }),
      ),
    );

  test('is one for a job, whatever the message asks', () => {
    const message = { partnerId: acme, jobId: documentedJob };

    expect(groupOf({ ...message, replay: { id: 'replay-1', all: true } })).toBe(groupOf(message));
  });

  test('is one of a few of its partner’s alone', () => {
    expect(groups('acme').size).toBe(3);
    expect(groups('acme').intersection(groups('acme-2')).size).toBe(0);
    expect(groupOf({ partnerId: acme, refused: { at, requestId: 'event-1' } })).toMatch(/^acme#[0-2]$/);
    expect(groupOf({ partnerId: acme, test: 'test-1' })).toMatch(/^acme#[0-2]$/);
  });
});

describe('a message of the callbacks queue', () => {
  test.each([
    ['a cancellation', { kind: 'job', partnerId: acme, jobId: documentedJob } as const],
    ['a refused request', { kind: 'refusal', partnerId: acme, at, requestId: 'event#1' } as const],
  ])('about %s is read as it was written', (_, subject) => {
    const replay = { id: 'replay-1', all: true };
    const read = readCallbackMessage(JSON.stringify(messageAbout(subject, replay)));

    expect(read && subjectOf(read)).toEqual(subject);
    expect(read).toHaveProperty('replay', replay);
  });

  test('that asks for a test has no subject', () => {
    const read = readCallbackMessage('{"partnerId":"acme","test":"test-1"}');

    expect(read && subjectOf(read)).toBeUndefined();
  });

  test.each([
    '',
    'null',
    '{"partnerId":"acme"}',
    '{"partnerId":"Acme!","jobId":"job"}',
    '{"partnerId":"acme","jobId":"../x"}',
  ])('is not %j', (body) => {
    expect(readCallbackMessage(body)).toBeUndefined();
  });
});

test.each([
  ['acme#refused#2026-11-26', `${at}#event#1`, { partnerId: 'acme', at, requestId: 'event#1' }],
  ['acme#job', `${at}#event`, undefined],
  ['acme#refused#2026-11-26', 'event#000001', undefined],
  ['acme#refused#2026-11-26', 'nothing', undefined],
  ['ACME#refused#2026-11-26', `${at}#event`, undefined],
])('the keys %s and %s name a refused request, or none', (partition, key, expected) => {
  expect(parseRefusal(partition, key)).toEqual(expected);
});
