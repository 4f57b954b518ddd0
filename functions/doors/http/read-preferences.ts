import type { APIGatewayProxyEvent } from 'aws-lambda';
import { LONGEST_WAIT_SECONDS } from '../../contract/requests.ts';
import { headerValues } from './read-input.ts';

/** A part of a header up to this separator, which counts for nothing within a quoted string. */
const listItem = /(?:[^",]|"(?:[^"\\]|\\.)*"?)+/g;
const beforeParameters = /^(?:[^";]|"(?:[^"\\]|\\.)*"?)*/;

/**
 * The preferences of a request, by name in lower case; one without a value has the empty one. The first of several with one
 * name counts, over all header lines. Parameters mean nothing here.
 * @see RFC 7240, section 2
 */
export function readPreferences(event: APIGatewayProxyEvent): ReadonlyMap<string, string> {
  const preferences = new Map<string, string>();
  for (const item of headerValues(event, 'prefer').join(',').match(listItem) ?? []) {
    const [preference = ''] = beforeParameters.exec(item) ?? [];
    const [name = '', ...value] = preference.split('=');
    const key = name.trim().toLowerCase();
    if (key !== '' && !preferences.has(key)) preferences.set(key, unquote(value.join('=').trim()));
  }
  return preferences;
}

function unquote(word: string): string {
  return /^".*"$/s.test(word) ? word.slice(1, -1).replaceAll(/\\(.)/gs, '$1') : word;
}

/**
 * The seconds of `Prefer: wait=N` (RFC 7240, section 4.3), at most {@link LONGEST_WAIT_SECONDS}. A value that is not a
 * whole number is ignored, as the RFC wants of a preference that a server cannot follow.
 */
export function preferredWaitSeconds(event: APIGatewayProxyEvent): number | undefined {
  const wait = readPreferences(event).get('wait') ?? '';
  return /^\d+$/.test(wait) ? Math.min(Number(wait), LONGEST_WAIT_SECONDS) : undefined;
}
