import { createHmac } from 'node:crypto';
import type { PartnerId } from '../identifiers.ts';
import type { CallbackEndpoint } from './ports.ts';

/** What every signing secret of Standard Webhooks begins with. */
export const SECRET_PREFIX = 'whsec_';

/**
 * The secret that signs a partner's callbacks. It is derived, so that it is stored nowhere: only the master is, and a
 * partner who knows one secret learns nothing about another's, or about the next version.
 * @returns `whsec_` and 32 bytes in base64
 */
export function deriveSecret(master: string, partnerId: PartnerId, version: number): string {
  return SECRET_PREFIX + createHmac('sha256', master).update(`${partnerId}#${version}`).digest('base64');
}

/**
 * The versions of a partner's secret that sign at a moment, the newest first: after a rotation the one before signs too for
 * some time, so that a receiver can change its secret without losing a callback.
 * @param nowMs milliseconds since 1970
 */
export function validVersions(
  { version, previousUntil }: Pick<CallbackEndpoint, 'version' | 'previousUntil'>,
  nowMs: number,
): readonly number[] {
  const overlaps = previousUntil !== undefined && nowMs < Date.parse(previousUntil);
  return overlaps && version > 1 ? [version, version - 1] : [version];
}
