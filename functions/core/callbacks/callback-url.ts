import { isLoopback } from '../loopback.ts';

/** Characters of a callback URL at most, as it is sent. */
const MAX_LENGTH = 2_048;

/** At least two labels of RFC 1123, the last one not a number; `_` occurs in names that are in use. */
const hostname = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** What is wrong with a callback URL, each in a sentence for the operator who sets it. */
export const callbackUrlRules = {
  malformed: 'must be an absolute URL, without spaces, backslashes and control characters',
  too_long: `must have at most ${MAX_LENGTH} characters`,
  not_https: 'must begin with https://',
  credentials: 'must not contain a user name or a password: the signature says who calls',
  fragment: 'must not contain a fragment (#…), which is never sent',
  address: 'must name a host, not an IP address',
  host: 'must have a full public host name, such as api.partner.example, without a dot at its end',
  port: 'must use port 443, or one from 1024 upwards: those below belong to other protocols',
} as const;
export type CallbackUrlProblem = keyof typeof callbackUrlRules;

export type ParsedCallbackUrl =
  | { readonly kind: 'valid'; readonly url: URL }
  | { readonly kind: 'invalid'; readonly why: CallbackUrlProblem };

/**
 * Reads the URL of a partner's endpoint. A valid one is https and names a host; whether that host's addresses are public
 * is known only when it is called.
 * @param allowsLoopback for the local run: http or https to this machine, on any port, is valid too
 * @see https://url.spec.whatwg.org/#host-parsing how `0x7f.1`, `2130706433` and full-width digits become addresses
 */
export function parseCallbackUrl(
  text: string,
  { allowsLoopback }: { readonly allowsLoopback: boolean },
): ParsedCallbackUrl {
  // The parser would drop or replace these silently: what an operator reads must be what is called.
  const url = /^[a-z]+:\/\/[^\s\\\p{Cc}]+$/iu.test(text) ? URL.parse(text) : null;
  if (url === null) return { kind: 'invalid', why: 'malformed' };
  const why = findProblem(url, allowsLoopback);
  return why === undefined ? { kind: 'valid', url } : { kind: 'invalid', why };
}

function findProblem(url: URL, allowsLoopback: boolean): CallbackUrlProblem | undefined {
  const isLocal = allowsLoopback && isLoopback(url.hostname);
  if (url.href.length > MAX_LENGTH) return 'too_long';
  if (url.protocol !== 'https:' && !(isLocal && url.protocol === 'http:')) return 'not_https';
  if (url.username !== '' || url.password !== '') return 'credentials';
  if (url.href.includes('#')) return 'fragment';
  if (isLocal) return undefined;
  if (/^\[|\.\d+$/.test(url.hostname)) return 'address';
  if (url.hostname.length > 253 || !hostname.test(url.hostname)) return 'host';
  return url.port !== '' && Number(url.port) < 1_024 ? 'port' : undefined;
}
