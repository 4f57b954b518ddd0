import type { ListAnswer } from '../../core/plangrep.ts';
import type { ProjectId } from '../../core/identifiers.ts';
import type { Clock, Plangrep } from '../../core/ports.ts';
import { LISTING_REMEMBERED_MS } from '../../core/find-job/discover-jobs.ts';

/** A listing that failed is asked for again after Plangrep's floor for reads of one job. */
const FAILURE_REMEMBERED_MS = 5_000;

interface Listing {
  readonly until: number;
  readonly answer: Promise<ListAnswer>;
}

/**
 * The same Plangrep, which lists a project at most once in 30 s: a listing costs it thousands of jobs, and a partner
 * that asks for unknown externalIds would make it list without end. Callers get the remembered list meanwhile, whose
 * `listedAt` says how old it is. The memory is this process's, and small: a list is forgotten after 30 s.
 */
export function rememberListings(plangrep: Plangrep, clock: Pick<Clock, 'now'>): Plangrep {
  const listings = new Map<ProjectId, Listing>();

  function keep(projectId: ProjectId, answer: Promise<ListAnswer>, forMs: number): void {
    listings.set(projectId, { until: clock.now() + forMs, answer });
  }

  async function list(projectId: ProjectId, untilMs: number): Promise<ListAnswer> {
    const answer = await plangrep.list(projectId, untilMs);
    if (answer.kind !== 'jobs') keep(projectId, Promise.resolve(answer), FAILURE_REMEMBERED_MS);
    return answer;
  }

  return {
    cancel: (...call) => plangrep.cancel(...call),
    read: (...call) => plangrep.read(...call),
    async list(projectId, untilMs) {
      const now = clock.now();
      for (const [id, { until }] of listings) if (until <= now) listings.delete(id);
      const known = listings.get(projectId);
      if (known !== undefined) return known.answer;
      const answer = list(projectId, untilMs);
      keep(projectId, answer, LISTING_REMEMBERED_MS);
      return answer;
    },
  };
}
