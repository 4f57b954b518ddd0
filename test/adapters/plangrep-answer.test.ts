import { describe, expect, test } from 'vitest';
import {
  type PlangrepAnswer,
  readCancelAnswer,
  readJobAnswer,
} from '../../functions/adapters/plangrep/plangrep-answer.ts';
import { createListingReader } from '../../functions/adapters/plangrep/read-listing.ts';
import { documentedJob } from '../support/names.ts';

const KEY = 'pgk_live-canary.never"shown\\1';
const receivedAt = Date.parse('2026-11-02T09:00:00.000Z');
const job = { id: documentedJob, status: 'processing' };

const answered = (status: number, body: unknown, more: Partial<PlangrepAnswer> = {}): PlangrepAnswer => ({
  kind: 'answer',
  status,
  headers: {},
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  interrupted: undefined,
  key: KEY,
  receivedAt,
  ...more,
});
const readers = {
  cancel: (answer: PlangrepAnswer) => readCancelAnswer(answer, documentedJob),
  read: (answer: PlangrepAnswer) => readJobAnswer(answer, documentedJob),
  list: (answer: PlangrepAnswer) => {
    const reader = createListingReader({ jobs: 10 });
    reader.take(answer.body);
    return reader.finish(answer, 0, true);
  },
} as const;
const names = ['cancel', 'read', 'list'] as const;
const good = { job, jobs: [job] };

describe.each(names)('The status of the answer to a %s decides', (name) => {
  const success =
    name === 'list'
      ? { kind: 'jobs', count: 1, unreadable: 0, listedAt: 0, jobsOf: expect.any(Function) }
      : { kind: 'job', job };
  const unknown = (why: string, httpStatus: number) => ({ kind: 'unknown', why, httpStatus });
  const refused = (httpStatus: number) => ({ kind: 'refused', httpStatus, code: undefined });
  const notFound = name === 'cancel' ? refused(404) : { kind: 'not_found' };

  test.each([
    [100, unknown('server_error', 100)],
    [199, unknown('server_error', 199)],
    [200, success],
    [201, success],
    [202, success],
    [299, success],
    [300, unknown('redirect', 300)],
    [301, unknown('redirect', 301)],
    [399, unknown('redirect', 399)],
    [400, refused(400)],
    [401, { kind: 'key_refused' }],
    [402, refused(402)],
    [403, refused(403)],
    [404, notFound],
    [405, refused(405)],
    [407, refused(407)],
    [408, unknown('timeout', 408)],
    [409, refused(409)],
    [410, refused(410)],
    [424, refused(424)],
    [425, unknown('timeout', 425)],
    [426, refused(426)],
    [428, refused(428)],
    [429, { kind: 'rate_limited', retryAfterMs: undefined }],
    [430, refused(430)],
    [499, refused(499)],
    [500, unknown('server_error', 500)],
    [599, unknown('server_error', 599)],
    [600, unknown('server_error', 600)],
  ])('what %i means, whatever job its body shows', (status, meaning) => {
    expect(readers[name](answered(status, good))).toEqual(meaning);
  });

  test.each([401, 404, 408, 425, 429, 300, 409, 500])(
    'what %i means, also when its body is cut short, too large, unreadable, or repeats the key',
    (status) => {
      const meaning = readers[name](answered(status, ''));
      const odd = [
        answered(status, '{"code":"a', { interrupted: 'connection_lost' }),
        answered(status, 'x', { interrupted: 'oversized_answer' }),
        answered(status, '', { interrupted: 'unreadable_answer' }),
        answered(status, { code: KEY }),
        answered(status, { code: 'a', message: KEY }),
      ];
      for (const answer of odd) expect(readers[name](answer)).toEqual(meaning);
    },
  );

  test.each(['timeout', 'connection_lost', 'oversized_answer', 'unreadable_answer'] as const)(
    'nothing when it is 200 and the body was not whole: %s',
    (interrupted) => {
      expect(readers[name](answered(200, good, { interrupted }))).toEqual(unknown(interrupted, 200));
    },
  );
});

describe('What is read of an answer', () => {
  test('is its code, also when the connection was lost after it', () => {
    const answer = answered(409, { code: 'job_already_terminal' }, { interrupted: 'connection_lost' });

    expect(readers.cancel(answer)).toEqual({ kind: 'refused', httpStatus: 409, code: 'job_already_terminal' });
  });

  test.each([
    ['x'.repeat(64), 'x'.repeat(64)],
    ['x'.repeat(65), undefined],
  ])('is its code of at most 64 characters: %s', (code, shown) => {
    expect(readers.cancel(answered(409, { code }))).toEqual({ kind: 'refused', httpStatus: 409, code: shown });
  });

  test('is a status of at most 64 characters that can be shown', () => {
    const read = (status: string) => readers.read(answered(200, { job: { ...job, status } }));

    for (const status of ['x'.repeat(64), 'in review', 'geprüft: ok', '審査中']) {
      expect(read(status)).toMatchObject({ kind: 'job', job: { status } });
    }
    for (const status of ['x'.repeat(65), '', 'a\nb', 'a\u200bb', '\ud800']) {
      expect(read(status)).toMatchObject({ why: 'unreadable_answer' });
    }
  });

  test('is nothing when its externalId is not UTF-8, since another one could look the same', () => {
    const body = Buffer.from(JSON.stringify({ job: { ...job, externalId: 'é' } }), 'latin1');

    expect(readers.read(answered(200, '', { body }))).toMatchObject({ why: 'unreadable_answer' });
    expect(readers.read(answered(200, { job: { ...job, externalId: '\ufffd' } }))).toMatchObject({ kind: 'job' });
  });

  test('is nothing when a name in it is not UTF-8, which could be that of its externalId', () => {
    const body = Buffer.from(JSON.stringify({ job: { ...job, 'externalI\xe4': 'order-1' } }), 'latin1');

    expect(readers.read(answered(200, '', { body }))).toMatchObject({ why: 'unreadable_answer' });
  });

  test('is a job that has a file name which is not UTF-8', () => {
    const files = [{ fileName: 'Grundriß.pdf' }];
    const body = Buffer.from(JSON.stringify({ job: { ...job, externalId: 'order-1', files } }), 'latin1');

    expect(readers.read(answered(200, '', { body }))).toMatchObject({ kind: 'job', job: { externalId: 'order-1' } });
  });
});

describe('Retry-After', () => {
  test.each([
    ['0', 1_000],
    ['1', 1_000],
    ['2', 2_000],
    ['899', 899_000],
    ['900', 900_000],
    ['901', 900_000],
    ['Mon, 02 Nov 2026 09:00:00 GMT', 1_000],
    ['Mon, 02 Nov 2026 09:00:02 GMT', 2_000],
    ['Mon, 02 Nov 2026 09:14:59 GMT', 899_000],
    ['Mon, 02 Nov 2026 09:15:01 GMT', 900_000],
    ['Monday, 02-Nov-26 09:00:05 GMT', 5_000],
    ['Mon Nov  2 09:00:06 2026', 6_000],
    ['Mon Nov 02 09:00:07 2026', 7_000],
    ['Mon Nov  2 09:00:06 2026 +1', undefined],
    ['~Mon Nov  2 09:00:06 2026', undefined],
    [' 5', undefined],
    ['5 ', undefined],
    ['5s', undefined],
    ['Mon, 02 Nov 2026 09:00:02', undefined],
    ['2026-11-02T09:00:02Z', undefined],
    ['Mon, 02 Nov 2026 09:00:02 GMT+1', undefined],
    ['~Mon, 02 Nov 2026 09:00:02 GMT', undefined],
    ['1234567890123456', 900_000],
  ])('%j is %s ms, from 1 s to 15 min', (value, retryAfterMs) => {
    const wait = { headers: { 'retry-after': value } };

    for (const name of names) {
      expect(readers[name](answered(429, '', wait))).toEqual({ kind: 'rate_limited', retryAfterMs });
      expect(readers[name](answered(503, '', wait))).toEqual({
        kind: 'unknown',
        why: 'server_error',
        httpStatus: 503,
        retryAfterMs,
      });
    }
  });

  test.each([
    ['its clock is an hour fast', 'Mon, 02 Nov 2026 10:00:00 GMT', 'Mon, 02 Nov 2026 10:00:05 GMT', 5_000],
    ['its clock is an hour slow', 'Mon, 02 Nov 2026 08:00:00 GMT', 'Mon, 02 Nov 2026 08:00:05 GMT', 5_000],
    ['its Date is malformed', 'today', 'Mon, 02 Nov 2026 09:00:05 GMT', 5_000],
    ['it says seconds', 'Mon, 02 Nov 2026 08:00:00 GMT', '5', 5_000],
  ])('counts from the Date of the answer when %s', (_, date, value, retryAfterMs) => {
    const answer = answered(503, '', { headers: { date, 'retry-after': value } });

    expect(readers.cancel(answer)).toMatchObject({ retryAfterMs });
  });

  test.each([302, 408, 413, 425, 500, 502, 504])('is not read of a %i', (status) => {
    const answer = answered(status, '', { headers: { 'retry-after': '5' } });

    expect(readers.cancel(answer)).not.toHaveProperty('retryAfterMs');
  });
});

describe('An answer that repeats the key', () => {
  /** Each of the key's characters as a JSON escape. */
  const escaped = KEY.replace(/./g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const quoted = JSON.stringify(KEY).slice(1, -1);
  const spellings = {
    'as it is': quoted,
    'in escapes': escaped,
    'in capital escapes': escaped.replace(/[a-f]/g, (digit) => digit.toUpperCase()).replaceAll('\\U', '\\u'),
    'with one escape': quoted.replace('-', '\\u002d'),
    'inside a longer text': `Bearer ${quoted.replace('_', '\\u005f')} was refused`,
  };
  const places = {
    'a field that is read': (text: string) => `"externalId":"${text}"`,
    'a field that is dropped': (text: string) => `"message":"${text}"`,
    'the name of a field': (text: string) => `"${text}":1`,
    'a list in an object in a list': (text: string) => `"files":[{"names":["a","${text}"]}]`,
    'an object named __proto__': (text: string) => `"__proto__":{"toJSON":"${text}"}`,
  };
  const cases = Object.entries(spellings).flatMap(([spelling, text]) =>
    Object.entries(places).map(([place, fieldWith]) => [spelling, place, fieldWith(text)] as const),
  );

  test.each(cases)('%s, in %s, goes no further', (_spelling, _place, field) => {
    const json = JSON.stringify(job).replace('}', `,${field}}`);
    const body = `{"job":${json},"jobs":[${json}]}`;
    expect(JSON.stringify(JSON.parse(body))).toContain(quoted);

    for (const name of ['cancel', 'read'] as const) {
      expect(readers[name](answered(200, body))).toEqual({
        kind: 'unknown',
        why: 'unreadable_answer',
        httpStatus: 200,
      });
    }
    expect(readers.cancel(answered(409, `{"code":"no",${field}}`))).toEqual({
      kind: 'refused',
      httpStatus: 409,
      code: undefined,
    });
  });

  test('as a number goes no further', () => {
    const key = '1234567890123456';
    const body = `{"job":{"id":"${documentedJob}","status":"failed","pageCount":1234567890123456.0}}`;

    expect(readers.read(answered(200, body, { key }))).toMatchObject({ why: 'unreadable_answer' });
  });

  test.each([
    ['the key without its last character', KEY.slice(0, -1)],
    ['the key in capital letters', KEY.toUpperCase()],
  ])('is not one that shows %s', (_, message) => {
    expect(readers.read(answered(200, { job: { ...job, message } }))).toEqual({ kind: 'job', job });
  });

  test('is refused as unreadable when it is nested too deeply to be searched', () => {
    const body = `{"job":${JSON.stringify(job)},"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;

    expect(readers.read(answered(200, body))).toMatchObject({ why: 'unreadable_answer' });
  });
});

test.each([
  ['2026-11-20T10:00:00.000Z', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20T10:00:00Z', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20T11:30:00.1234+01:30', '2026-11-20T10:00:00.123Z'],
  ['20261120T100000,5', '2026-11-20T10:00:00.500Z'],
  ['0000-01-01', '0000-01-01T00:00:00.000Z'],
  ['0000-01-01T00:00:00+23:59', undefined],
  ['9999-12-31T23:59:59-01:00', undefined],
  ['yesterday', undefined],
  [null, undefined],
])('A job created at %s is as old as one created at %s: texts of times are compared', (createdAt, as) => {
  const answer = readJobAnswer(answered(200, { job: { ...job, createdAt } }), documentedJob);

  expect(answer).toMatchObject({ kind: 'job', job: { createdAt: as } });
});
