import { createHash, timingSafeEqual } from 'node:crypto';
import type { APIGatewayAuthorizerResult, APIGatewayTokenAuthorizerEvent } from 'aws-lambda';
import { readAuthorization } from '../../contract/credential.ts';
import type { PartnerId, Scope } from '../../core/identifiers.ts';
import type { Clock, PartnerKey, ReadPartnerKey } from '../../core/ports.ts';
import { type Report, reportFailure } from '../../core/report.ts';
import { usageKeyOf } from './usage-key.ts';

export interface CredentialPorts {
  readonly readPartnerKey: ReadPartnerKey;
  readonly clock: Pick<Clock, 'now'>;
  readonly environment: string;
}

/**
 * Answers for the whole stage, because API Gateway caches the answer by credential (at most 60 s) for every route; each
 * function checks its own scope. The usage key leads API Gateway to the partner's plan. A wrong credential is denied by a
 * policy (`ACCESS_DENIED`, which answers 401) and not by an error: that would be a line of level ERROR with a stack for
 * every caller's mistake, and is not cached (API Gateway Developer Guide, Output from an API Gateway Lambda authorizer). An error
 * answers 503 (`AUTHORIZER_FAILURE`): a credential that cannot be checked lets no one in.
 */
export function handleAuthorization(ports: CredentialPorts & { readonly report: Report }) {
  return async (event: APIGatewayTokenAuthorizerEvent): Promise<APIGatewayAuthorizerResult> => {
    const credential = await checkCredential(ports, event.authorizationToken).catch((error: unknown) => {
      reportFailure(ports.report, error, {});
      throw error;
    });
    const [api = '', stage = ''] = event.methodArn.split('/');
    const policyFor = (Effect: 'Allow' | 'Deny') => ({
      Version: '2012-10-17',
      Statement: [{ Effect, Action: 'execute-api:Invoke', Resource: `${api}/${stage}/*` }],
    });
    if (credential.kind === 'invalid') return { principalId: 'unknown', policyDocument: policyFor('Deny') };
    const { partnerId, keyId, scopes } = credential;
    return {
      principalId: partnerId,
      policyDocument: policyFor('Allow'),
      context: { partnerId, keyId, scopes: scopes.join(' ') },
      usageIdentifierKey: usageKeyOf(ports.environment, partnerId),
    };
  };
}

/** `invalid`: malformed, unknown, wrong, of another environment, expired or revoked; callers never learn which. */
export type Credential =
  | {
      readonly kind: 'valid';
      readonly partnerId: PartnerId;
      readonly keyId: string;
      readonly scopes: readonly Scope[];
    }
  | { readonly kind: 'invalid' };

/** Finds the partner of an `Authorization` header. @throws DependencyUnavailable */
export async function checkCredential(
  { readPartnerKey, clock, environment }: CredentialPorts,
  authorization: string,
): Promise<Credential> {
  const sent = readAuthorization(authorization);
  if (sent?.environment !== environment) return { kind: 'invalid' };
  const { keyId, secret } = sent;
  const key = await readPartnerKey(keyId);
  if (key === undefined || !isSecretOf(key, secret) || !isLive(key, clock.now())) return { kind: 'invalid' };
  return { kind: 'valid', partnerId: key.partnerId, keyId, scopes: key.scopes };
}

/** Only the SHA-256 of a secret is stored; the comparison takes constant time. */
function isSecretOf({ secretHash }: PartnerKey, secret: string): boolean {
  return timingSafeEqual(createHash('sha256').update(secret).digest(), Buffer.from(secretHash, 'hex'));
}

function isLive({ revokedAt, expiresAt }: PartnerKey, now: number): boolean {
  return revokedAt === undefined && (expiresAt === undefined || Date.parse(expiresAt) > now);
}
