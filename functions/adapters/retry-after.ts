import type { IncomingHttpHeaders } from 'node:http';

/**
 * `Retry-After` of RFC 9110, 10.2.3: seconds, or a date, which counts from the answer's own `Date`, because clocks differ.
 * @param receivedAt milliseconds since 1970, for an answer without a `Date`
 * @param bounds milliseconds
 * @returns milliseconds within the bounds; undefined when the header is absent or neither seconds nor a date
 */
export function readRetryAfterMs(
  headers: IncomingHttpHeaders,
  receivedAt: number,
  bounds: { readonly min: number; readonly max: number },
): number | undefined {
  const { 'retry-after': value = '', date = '' } = headers;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : parseHttpDate(value) - (parseHttpDate(date) || receivedAt);
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, bounds.min), bounds.max);
}

/** RFC 9110, 5.6.7, in its three forms. `Date.parse` alone would accept "-1" and "soon 5". */
function parseHttpDate(value: string): number {
  if (/^[A-Za-z]{3,9}, [0-9A-Za-z :-]+ GMT$/.test(value)) return Date.parse(value);
  return /^[A-Za-z]{3} [A-Za-z]{3} [ \d]\d [\d:]{8} \d{4}$/.test(value) ? Date.parse(`${value} GMT`) : Number.NaN;
}
