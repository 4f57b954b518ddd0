import type { ListAnswer } from '../../core/plangrep.ts';
import type { ProjectId } from '../../core/identifiers.ts';
import type { Clock, Plangrep } from '../../core/ports.ts';
import {
  FAILURE_REMEMBERED_MS,
  type FailedList,
  failureOf,
  IMPOSSIBLE_REMEMBERED_MS,
  LISTING_REMEMBERED_MS,
} from '../../core/find-job/list-projects.ts';

/** Of all lists together: about 300 bytes of each job are kept. */
export const MAX_JOBS_REMEMBERED = 200_000;

interface Remembered {
  readonly until: number;
  readonly answer: Promise<ListAnswer>;
  readonly jobs: number;
}

/**
 * The same Plangrep, which lists a project at most once in 30 s: a listing costs it thousands of jobs, and a partner
 * that asks for unknown externalIds would make it list without end. Callers get the remembered list meanwhile, whose
 * `listedAt` says how old it is. A list that failed is remembered for 5 s, one that will fail again for 5 minutes. The
 * memory is this process's, and bounded: the oldest lists are forgotten when all have over 200,000 jobs.
 */
export function rememberListings(plangrep: Plangrep, clock: Pick<Clock, 'now'>): Plangrep {
  /** The one that was asked for last is the last. */
  const listings = new Map<ProjectId, Remembered>();

  function keep(projectId: ProjectId, remembered: Remembered): void {
    listings.delete(projectId);
    listings.set(projectId, remembered);
    let room = MAX_JOBS_REMEMBERED;
    for (const [id, { jobs }] of [...listings].toReversed()) {
      room -= jobs;
      if (room < 0) listings.delete(id);
    }
  }

  async function list(projectId: ProjectId, untilMs: number): Promise<ListAnswer> {
    const startedAt = clock.now();
    const answer = await plangrep.list(projectId, untilMs);
    const isList = answer.kind === 'jobs';
    const until = isList ? startedAt + LISTING_REMEMBERED_MS : clock.now() + failureRememberedMs(answer);
    keep(projectId, { until, answer: Promise.resolve(answer), jobs: isList ? answer.count : 0 });
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
      keep(projectId, { until: now + LISTING_REMEMBERED_MS, answer, jobs: 0 });
      return answer;
    },
  };
}

function failureRememberedMs(answer: FailedList): number {
  return failureOf(answer) === 'impossible' ? IMPOSSIBLE_REMEMBERED_MS : FAILURE_REMEMBERED_MS;
}
