import { createHash, timingSafeEqual } from 'node:crypto';
import type { PlangrepKey } from '../adapters/plangrep/plangrep-key.ts';
import type { Clock } from '../core/ports.ts';

/** A wrong key makes the simulator look for a newer right one no more often than this, however many come. */
const REFETCH_EVERY_MS = 5_000;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const isBearerOf = (key: string, authorization: string): boolean =>
  timingSafeEqual(digest(`Bearer ${key}`), digest(authorization));

/**
 * Whether an `Authorization` header carries the key that the service sends, which is the one in its own secret. A key
 * that has just been put there is taken, so that the service and the simulator need not be told at the same moment.
 * @throws DependencyUnavailable when Secrets Manager has no key
 */
export const createApiKeyCheck = (key: PlangrepKey, clock: Pick<Clock, 'now'>) => {
  let refetchedAt = -Infinity;
  return async (authorization: string | undefined): Promise<boolean> => {
    if (authorization === undefined) return false;
    if (isBearerOf(await key.get(), authorization)) return true;
    const now = clock.now();
    if (now - refetchedAt < REFETCH_EVERY_MS) return false;
    refetchedAt = now;
    return isBearerOf(await key.refetch(), authorization);
  };
};
