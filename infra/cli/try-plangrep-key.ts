import { randomUUID } from 'node:crypto';
import { createPlangrep } from '../../functions/adapters/plangrep/plangrep-client.ts';
import { createConnections } from '../../functions/adapters/plangrep/plangrep-connections.ts';
import { keyInSecret, keyRule } from '../../functions/adapters/plangrep/plangrep-key.ts';
import { parsePlangrepOrigin } from '../../functions/adapters/plangrep/plangrep-origin.ts';
import { jobIdSchema } from '../../functions/core/identifiers.ts';

/** What trying a key showed. None of it carries the key. */
export type KeyTrial =
  | { readonly kind: 'accepted' }
  /** 401: not a key, or revoked or expired. */
  | { readonly kind: 'refused' }
  /** The value cannot be a key: it must be `rule`. */
  | { readonly kind: 'malformed'; readonly rule: string }
  | { readonly kind: 'unknown'; readonly why: string };

const TIME_LIMIT_MS = 5_000;

/**
 * Tries a secret's value with one harmless call, by the service's own client: it reads a job that does not exist. A key that is
 * told so has `jobs:read`; Plangrep has no call that tries `jobs:write` without an effect.
 * @param baseUrl Plangrep's origin
 */
export async function tryPlangrepKey(baseUrl: string, value: string): Promise<KeyTrial> {
  const found = keyInSecret(value);
  if (found.kind === 'no_key') return { kind: 'malformed', rule: keyRule };
  const get = () => Promise.resolve(found.key);
  const clock = { now: () => Date.now() };
  const plangrep = createPlangrep({
    connections: createConnections(parsePlangrepOrigin(baseUrl), clock.now),
    key: { get, renew: get },
    clock,
  });
  const nowhere = jobIdSchema.parse(`job_preflight_${randomUUID()}`);
  const answer = await plangrep.read(nowhere, clock.now() + TIME_LIMIT_MS);
  switch (answer.kind) {
    case 'not_found':
    case 'job':
      return { kind: 'accepted' };
    case 'key_refused':
      return { kind: 'refused' };
    case 'refused':
      // Plangrep does not document what it answers for an unknown job, nor to a key without the scope.
      return answer.httpStatus === 403
        ? {
            kind: 'unknown',
            why: 'Plangrep answers 403: the key has no jobs:read, or that is its answer for an unknown job',
          }
        : { kind: 'unknown', why: `Plangrep answers ${answer.httpStatus}` };
    case 'rate_limited':
      return { kind: 'unknown', why: 'Plangrep answers 429: try again later' };
    case 'not_sent':
      return { kind: 'unknown', why: `no connection to ${baseUrl}` };
    case 'unknown':
      return { kind: 'unknown', why: `no clear answer from ${baseUrl}: ${answer.httpStatus ?? answer.why}` };
  }
}
