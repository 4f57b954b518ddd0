import { createHash, timingSafeEqual } from 'node:crypto';
import type { PartnerKey, ReadPartnerKey } from '../../adapters/dynamodb/partners.ts';
import type { Clock } from '../../core/ports.ts';

/** `Bearer pcg_<environment>_<keyId>_<secret>`: the scheme in any case (RFC 9110, section 11.1), the rest exactly. */
const bearer = /^(?i:bearer) +pcg_([a-z]{1,16})_([A-Za-z0-9]{12})_([A-Za-z0-9_-]{43})$/;

export interface Credential {
  readonly partnerId: PartnerKey['partnerId'];
  readonly keyId: string;
  readonly scopes: PartnerKey['scopes'];
}

/**
 * The partner behind an `Authorization` header; nothing when it is malformed, unknown, wrong, of another environment,
 * expired or revoked, without a word on which. Only the secret's SHA-256 is stored, and compared in constant time.
 * @throws DependencyUnavailable
 */
export const checkCredential = async (
  {
    readPartnerKey,
    clock,
    environment,
  }: { readPartnerKey: ReadPartnerKey; clock: Pick<Clock, 'now'>; environment: string },
  authorization: string,
): Promise<Credential | undefined> => {
  const [, of, keyId, secret] = bearer.exec(authorization) ?? [];
  if (of !== environment || keyId === undefined || secret === undefined) return undefined;
  const key = await readPartnerKey(keyId);
  if (key === undefined) return undefined;
  const given = createHash('sha256').update(secret).digest();
  const isLive =
    key.revokedAt === undefined && (key.expiresAt === undefined || Date.parse(key.expiresAt) > clock.now());
  if (!timingSafeEqual(given, Buffer.from(key.secretHash, 'hex')) || !isLive) return undefined;
  return { partnerId: key.partnerId, keyId, scopes: key.scopes };
};
