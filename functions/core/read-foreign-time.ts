const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const date = String.raw`(?<year>\d{4})(?<dash>-?)(?:(?<month>\d\d)\k<dash>(?<day>\d\d)|(?<dayOfYear>\d{3})|W(?<week>\d\d)\k<dash>(?<weekday>[1-7]))`;
const time = String.raw`(?<hour>[01]\d|2[0-4])(?:(?<colon>:?)(?<minute>[0-5]\d)(?:\k<colon>(?<second>[0-5]\d|60))?)?(?:[.,](?<decimals>\d+))?`;
const offset = String.raw`Z|(?<sign>[+\-\u2212])(?<offsetHour>[01]\d|2[0-3])(?::?(?<offsetMinute>[0-5]\d))?`;
const iso8601 = new RegExp(`^${date}(?:[T ]${time}(?:${offset})?)?$`, 'i');

type Parts = Readonly<Record<string, string | undefined>>;

/**
 * The moment that a text names in any form of ISO 8601-1:2019 (5.2 to 5.4): a calendar, ordinal or week date, basic or
 * extended, alone or with a time down to the hour, minute or second, with decimals after a point or a comma. A space may
 * stand for the `T` (RFC 3339, 5.6). A time without an offset is in UTC; a date alone is its first moment there. A month
 * or a year alone is not read: it is too long to be taken for a moment.
 * @returns milliseconds since 1970, further decimals cut off; undefined for another form, and for a day that does not exist
 */
export function readForeignTime(text: string): number | undefined {
  const parts: Parts | undefined = iso8601.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const ofDay = timeOf(parts);
  const ms = dayOf(parts) + ofDay - offsetOf(parts);
  if (Number.isNaN(ms) || (parts['hour'] === '24' && ofDay !== DAY_MS)) return undefined;
  // A leap second ends a day of UTC. Unix time does not count it: there it is the first second of the next day.
  const sinceMidnight = ((ms % DAY_MS) + DAY_MS) % DAY_MS;
  return parts['second'] === '60' && sinceMidnight >= SECOND_MS ? undefined : ms;
}

/** When the day begins; NaN for a day that does not exist. */
function dayOf({ year, month, day, dayOfYear, week, weekday }: Parts): number {
  const [inYear, inMonth] = [Number(year), Number(month) - 1];
  if (day !== undefined) {
    const at = startOf(inYear, inMonth, Number(day));
    return new Date(at).getUTCMonth() === inMonth ? at : Number.NaN;
  }
  if (dayOfYear !== undefined) return ifIn(inYear, startOf(inYear, 0, Number(dayOfYear)));
  // Week 1 has 4 January in it, and a week belongs to the year that its Thursday is in.
  const fourth = startOf(inYear, 0, 4);
  const monday = fourth - ((new Date(fourth).getUTCDay() + 6) % 7) * DAY_MS + (Number(week) - 1) * 7 * DAY_MS;
  return ifIn(inYear, monday + 3 * DAY_MS) + (Number(weekday) - 4) * DAY_MS;
}

/** `Date.UTC` would take the years 0 to 99 for those of the 20th century. */
function startOf(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month, day);
}

function ifIn(year: number, at: number): number {
  return new Date(at).getUTCFullYear() === year ? at : Number.NaN;
}

/** Milliseconds since the day began. The decimals are those of its last part, as in `09:30,5` for 30 s after half past nine. */
function timeOf({ hour = '0', minute, second, decimals = '' }: Parts): number {
  const lastPartMs = minute === undefined ? HOUR_MS : second === undefined ? MINUTE_MS : SECOND_MS;
  // Nine digits times an hour's milliseconds is still a whole number, so nothing is rounded up.
  const fractionMs = Math.floor((Number(decimals.slice(0, 9).padEnd(9, '0')) * lastPartMs) / 1e9);
  return Number(hour) * HOUR_MS + Number(minute ?? 0) * MINUTE_MS + Number(second ?? 0) * SECOND_MS + fractionMs;
}

function offsetOf({ sign, offsetHour = '0', offsetMinute = '0' }: Parts): number {
  const ms = Number(offsetHour) * HOUR_MS + Number(offsetMinute) * MINUTE_MS;
  return sign === '+' ? ms : -ms;
}
