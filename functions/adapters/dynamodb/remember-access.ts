import type { PartnerId } from '../../core/identifiers.ts';
import type { Clock, PartnerAccess, Partners } from '../../core/ports.ts';

/** A partner that loses a project loses its jobs after so long at the latest. */
const REMEMBERED_MS = 60_000;

/** Reads a partner's record at most once in 60 s. The memory is this process's: one entry for each partner. */
export function rememberAccess(
  readAccess: (partnerId: PartnerId) => Promise<PartnerAccess>,
  clock: Pick<Clock, 'now'>,
): Partners {
  const known = new Map<PartnerId, { readonly until: number; readonly access: PartnerAccess }>();
  return {
    async accessOf(partnerId) {
      // Measured from before the read: what it shows may be as old as that.
      const now = clock.now();
      const standing = known.get(partnerId);
      if (standing !== undefined && now < standing.until) return standing.access;
      const access = await readAccess(partnerId);
      known.set(partnerId, { until: now + REMEMBERED_MS, access });
      return access;
    },
  };
}
