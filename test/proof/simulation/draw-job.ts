import type { ExternalId, JobId, PartnerId } from '../../../functions/core/identifiers.ts';
import { externalId } from '../../support/names.ts';
import type { JobPlan } from './plangrep-model.ts';
import type { Random } from './random.ts';
import { drawAbsences } from './troubles.ts';
import { otherPartner, ownProject, projects } from './workload-strangers.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** What is the same for everything under one externalId. */
export interface Topic {
  readonly random: Random;
  readonly partnerId: PartnerId;
  readonly name: ExternalId;
  readonly startMs: number;
}

/** Mostly in the partner's own project under its own name for it; but Plangrep may have it otherwise. */
export const drawJob = ({ random, partnerId, name, startMs }: Topic, id: JobId, createdMs: number): JobPlan => {
  const createdAt = startMs + createdMs;
  const blockedAt = createdAt + random.pick([0, 5 * SECOND, MINUTE]);
  const goneAt = random.chance(0.08)
    ? createdAt + random.pick([2 * SECOND, 20 * SECOND, 3 * MINUTE, 9 * MINUTE])
    : undefined;
  const hidden = drawAbsences(random).map(({ from, to }) => ({ from: createdAt + from, to: createdAt + to }));
  const isElsewhere = random.chance(0.15);
  const elsewhere = random.pick([projects.shared, projects.shared, ownProject(otherPartner(partnerId))]);
  return {
    id,
    externalId: random.chance(0.2) ? undefined : random.chance(0.06) ? externalId('another name') : name,
    projectId: isElsewhere ? elsewhere : ownProject(partnerId),
    createdAt,
    endsAt:
      createdAt +
      random.pick([
        random.between(SECOND, 30 * SECOND),
        random.between(10 * SECOND, 3 * MINUTE),
        random.between(MINUTE, 8 * MINUTE),
        random.between(5 * MINUTE, 35 * MINUTE),
      ]),
    endStatus: random.pick(['completed', 'completed', 'completed_with_errors', 'failed', 'expired']),
    cancelTakesMs: random.pick<number | undefined>([
      0,
      0,
      0,
      random.between(100, 30 * SECOND),
      random.between(SECOND, 10 * MINUTE),
      undefined,
    ]),
    refusal: random.pick([400, 404, 409, 410, 422]),
    goneAt,
    // Mostly Plangrep says how long it shows a job, and shows it somewhat longer.
    expiresAt: random.chance(0.3) ? undefined : (goneAt ?? createdAt + 7 * DAY) - random.pick([0, 0, SECOND, MINUTE]),
    hidden,
    cancelFails: hidden.length > 1 && random.chance(0.4),
    blocked: random.chance(0.08)
      ? { from: blockedAt, to: blockedAt + random.pick([20 * SECOND, 3 * MINUTE]) }
      : undefined,
  };
};
