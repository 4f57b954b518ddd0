import type { StoredEndpoint } from '../../../functions/adapters/dynamodb/callback-endpoints.ts';

type Test = NonNullable<StoredEndpoint['test']>;

/** What an operator tells the partner. Without an entry, the word that is on record says it. */
const reasons: { readonly [Why in NonNullable<Test['why']>]?: string } = {
  address_refused: 'the host has an address that is not public',
  not_resolved: 'the host has no address',
  not_connected: 'the address takes no connection',
  tls: 'the certificate is not valid, or not for this host',
  timeout: 'no complete answer within 10 s',
  closed_early: 'the connection ended before the answer did',
  too_large: 'the answer has more than 64 KB',
  http_status: 'only an answer of 2xx counts',
  endpoint_slow: 'not called, because it was too slow twice: try again in 30 s',
};

/** How a test of an endpoint ended, in words, with the code that the timeline has too. */
export function describeTest({ isDelivered, why, httpStatus }: Test): string {
  const status = httpStatus === undefined ? '' : `, HTTP ${httpStatus}`;
  if (isDelivered) return `delivered${status}`;
  const reason = why === undefined ? undefined : reasons[why];
  return `not delivered: ${why ?? 'unknown'}${status}${reason === undefined ? '' : ` (${reason})`}`;
}
