import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { readForeignTime } from '../../functions/core/read-foreign-time.ts';

const read = (text: string): string | undefined => {
  const ms = readForeignTime(text);
  return ms === undefined ? undefined : new Date(ms).toISOString();
};

describe('One moment, as different systems write it', () => {
  test.each([
    '2024-11-02T09:00:00.000Z',
    '2024-11-02T09:00:00Z',
    '2024-11-02T09:00:00.000000000Z',
    '2024-11-02T09:00:00,0Z',
    '2024-11-02T09:00:00',
    '2024-11-02T09:00Z',
    '2024-11-02T09',
    '2024-11-02T09:00:00+00:00',
    '2024-11-02T09:00:00+0000',
    '2024-11-02T09:00:00+00',
    '2024-11-02T09:00:00-00:00',
    '2024-11-02T10:30:00.000+01:30',
    '2024-11-02T03:30:00-0530',
    '2024-11-02T03:30:00\u221205:30',
    '20241102T090000Z',
    '20241102T0900Z',
    '20241102T11+02',
    '20241102t090000.0z',
    '2024-11-02t09:00:00z',
    '2024-11-02 09:00:00+00:00',
    '2024-307T09:00:00Z',
    '2024307T090000Z',
    '2024-W44-6T09:00:00Z',
    '2024W446T090000Z',
    '2024-11-02T09,0Z',
  ])('%s', (text) => {
    expect(read(text)).toBe('2024-11-02T09:00:00.000Z');
  });

  test.each([
    ['2024-11-02', '2024-11-02T00:00:00.000Z'],
    ['20241102', '2024-11-02T00:00:00.000Z'],
    ['2024-366', '2024-12-31T00:00:00.000Z'],
    ['0004-02-29', '0004-02-29T00:00:00.000Z'],
    ['2020-W53-7', '2021-01-03T00:00:00.000Z'],
    ['2024W011', '2024-01-01T00:00:00.000Z'],
    ['2024-11-02T24:00', '2024-11-03T00:00:00.000Z'],
    ['2024-11-02T24:00:00.000Z', '2024-11-03T00:00:00.000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
    ['2016-12-31T23:59:60.75Z', '2017-01-01T00:00:00.750Z'],
    ['2017-01-01T05:29:60+05:30', '2017-01-01T00:00:00.000Z'],
    ['1969-12-31T23:59:60Z', '1970-01-01T00:00:00.000Z'],
    ['2024-11-02T09:30.5Z', '2024-11-02T09:30:30.000Z'],
    ['2024-11-02T09,75Z', '2024-11-02T09:45:00.000Z'],
    ['2024-11-02T09:00:00.9999999999999Z', '2024-11-02T09:00:00.999Z'],
  ])('%s is %s', (text, as) => {
    expect(read(text)).toBe(as);
  });
});

describe('A text that is not one moment is not read', () => {
  test.each([
    '',
    'yesterday',
    '1730538000000',
    '2024',
    '2024-11',
    '2024-W44',
    '2024-1102',
    '202411-02',
    '24-11-02',
    '+002024-11-02T09:00:00Z',
    '2024-13-01',
    '2024-00-10',
    '2024-11-00',
    '2024-11-31',
    '2023-02-29',
    '2023-366',
    '2024-000',
    '2024-W00-1',
    '2023-W53-1',
    '2024-W44-0',
    '2024-W44-8',
    '2024-W446',
    '2024-11-02T',
    '2024-11-02Z',
    '2024-11-02T25:00Z',
    '2024-11-02T24:00:01Z',
    '2024-11-02T24:30Z',
    '2024-11-02T09:60Z',
    '2024-11-02T09:00:61Z',
    '2024-11-02T09:00:60Z',
    '2016-12-31T23:59:60+01:00',
    '2024-11-02T09:0000Z',
    '2024-11-02T0900:00Z',
    '2024-11-02T09:00:00.Z',
    '2024-11-02T09:00:00+24:00',
    '2024-11-02T09:00:00+01:60',
    '2024-11-02T09:00:00+1:00',
    '2024-11-02T09:00:00Zulu',
    ' 2024-11-02T09:00:00Z',
    '2024-11-02T09:00:00Z\n',
    '２０２４-11-02',
  ])('%j', (text) => {
    expect(readForeignTime(text)).toBeUndefined();
  });
});

const twoDigits = (n: number): string => String(n).padStart(2, '0');
const FIRST = Date.parse('0001-01-01T00:00:00.000Z');
const LAST = Date.parse('9998-12-31T23:59:59.999Z');
const DAY_MS = 86_400_000;

/** The date of a moment in one of six forms, by other means than the reader's. */
function writeDate(ms: number, kind: 'calendar' | 'ordinal' | 'week', dash: string): string {
  const day = ms - (((ms % DAY_MS) + DAY_MS) % DAY_MS);
  const calendar = new Date(day).toISOString().slice(0, 10);
  const daysSince = (iso: string): number => (day - Date.parse(iso)) / DAY_MS;
  if (kind === 'calendar') return calendar.replaceAll('-', dash);
  if (kind === 'ordinal') {
    const ordinal = daysSince(`${calendar.slice(0, 4)}-01-01`) + 1;
    return `${calendar.slice(0, 4)}${dash}${String(ordinal).padStart(3, '0')}`;
  }
  // 1 January of the year 1 was a Monday.
  const weekday = ((((day - FIRST) / DAY_MS) % 7) + 7) % 7;
  const thursday = new Date(day + (3 - weekday) * DAY_MS).toISOString().slice(0, 10);
  const year = thursday.slice(0, 4);
  const week = Math.floor((Date.parse(thursday) - Date.parse(`${year}-01-01`)) / DAY_MS / 7) + 1;
  return `${year}${dash}W${twoDigits(week)}${dash}${weekday + 1}`;
}

const offsets = fc.record({ sign: fc.constantFrom(1, -1), minutes: fc.integer({ min: 0, max: 1_439 }) });
const spellings = fc.record({
  kind: fc.constantFrom('calendar', 'ordinal', 'week'),
  dash: fc.constantFrom('-', ''),
  colon: fc.constantFrom(':', ''),
  offsetColon: fc.constantFrom(':', ''),
  mark: fc.constantFrom('.', ','),
  separator: fc.constantFrom('T', 't', ' '),
  further: fc.stringMatching(/^\d{0,12}$/),
});

test('each moment is read from each form of it', () => {
  fc.assert(
    fc.property(fc.integer({ min: FIRST, max: LAST }), offsets, spellings, (ms, { sign, minutes }, form) => {
      const local = ms + sign * minutes * 60_000;
      fc.pre(local >= FIRST && local <= LAST);
      const clock = new Date(local).toISOString().slice(11, 23);
      const time = clock.replace('.', form.mark).replaceAll(':', form.colon);
      const offset = `${sign < 0 ? '-' : '+'}${twoDigits(Math.floor(minutes / 60))}${form.offsetColon}${twoDigits(minutes % 60)}`;
      const text = `${writeDate(local, form.kind, form.dash)}${form.separator}${time}${form.further}${offset}`;

      expect(readForeignTime(text)).toBe(ms);
    }),
    { numRuns: 2_000 },
  );
});

test('RFC 3339 is read as JavaScript reads it, where the day exists', () => {
  const part = (max: number) => fc.integer({ min: 0, max }).map(twoDigits);
  const parts = fc.tuple(fc.integer({ min: 0, max: 9_999 }), part(13), part(32), part(23), part(60), part(59));
  fc.assert(
    fc.property(parts, fc.constantFrom('Z', '+05:30', '-23:59'), ([year, month, day, hour, minute, second], offset) => {
      const date = `${String(year).padStart(4, '0')}-${month}-${day}`;
      const text = `${date}T${hour}:${minute}:${second}${offset}`;
      const reference = z.iso.date().safeParse(date).success ? Date.parse(text) : Number.NaN;

      expect(readForeignTime(text)).toBe(Number.isNaN(reference) ? undefined : reference);
    }),
    { numRuns: 2_000 },
  );
});

test('any other text is not read, and none takes long', () => {
  const like = fc.stringMatching(/^[0-9TtZzWw:.,+\- ]{0,40}$/);
  fc.assert(
    fc.property(like, (text) => {
      const ms = readForeignTime(text);

      expect(ms === undefined || Number.isInteger(ms)).toBe(true);
    }),
  );
  expect(readForeignTime(`2024-11-02T09:00:00.${'0'.repeat(100_000)}Z`)).toBe(Date.parse('2024-11-02T09:00:00Z'));
});
