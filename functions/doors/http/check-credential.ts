import { createHash, timingSafeEqual } from 'node:crypto';
import type { APIGatewayAuthorizerResult, APIGatewayTokenAuthorizerEvent } from 'aws-lambda';
import type { PartnerId, Scope } from '../../core/identifiers.ts';
import type { Clock, PartnerKey, ReadPartnerKey } from '../../core/ports.ts';

export interface CredentialPorts {
  readonly readPartnerKey: ReadPartnerKey;
  readonly clock: Pick<Clock, 'now'>;
  readonly environment: string;
}

/**
 * Answers for the whole stage, because API Gateway caches the answer by credential (at most 60 s) for every route; each
 * function checks its own scope. API Gateway answers 401 when the error's text is exactly `Unauthorized` (API Gateway
 * Developer Guide, Output from an API Gateway Lambda authorizer).
 */
export function handleAuthorization(ports: CredentialPorts) {
  return async (event: APIGatewayTokenAuthorizerEvent): Promise<APIGatewayAuthorizerResult> => {
    const credential = await checkCredential(ports, event.authorizationToken);
    if (credential.kind === 'invalid') throw new Error('Unauthorized');
    const { partnerId, keyId, scopes } = credential;
    const [api = '', stage = ''] = event.methodArn.split('/');
    return {
      principalId: partnerId,
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: `${api}/${stage}/*` }],
      },
      context: { partnerId, keyId, scopes: scopes.join(' ') },
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

/** `Bearer pcg_<environment>_<keyId>_<secret>`: the scheme in any case (RFC 9110, section 11.1), the rest exactly. */
const bearer = /^(?i:bearer) +pcg_([a-z]{1,16})_([A-Za-z0-9]{12})_([A-Za-z0-9_-]{43})$/;

/** Finds the partner of an `Authorization` header. @throws DependencyUnavailable */
export async function checkCredential(
  { readPartnerKey, clock, environment }: CredentialPorts,
  authorization: string,
): Promise<Credential> {
  const [, of, keyId, secret] = bearer.exec(authorization) ?? [];
  if (of !== environment || keyId === undefined || secret === undefined) return { kind: 'invalid' };
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
