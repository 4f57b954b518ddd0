import type { CancelRequest } from '../cancel-request.ts';
import { isTerminal } from '../cancellation/job-status.ts';
import type { JobId, ProjectId } from '../identifiers.ts';
import type { JobList, ListAnswer, PlangrepJob } from '../plangrep.ts';
import type { Ports } from '../ports.ts';
import type { ReportCode, ReportFields } from '../report.ts';

/** A project is listed at most once in so long: callers get the remembered list meanwhile. */
export const LISTING_REMEMBERED_MS = 30_000;
/** A list that failed is asked for again after Plangrep's floor for reads of one job. */
export const FAILURE_REMEMBERED_MS = 5_000;
/** A list that will fail again: a look costs Plangrep its whole length, and only a person can change its end. */
export const IMPOSSIBLE_REMEMBERED_MS = 5 * 60_000;

export type ListedProjects =
  | {
      readonly kind: 'listed';
      /** The jobs of the externalId, each once. */
      readonly matches: readonly PlangrepJob[];
      /** Milliseconds since 1970, of the oldest list. */
      readonly listedAt: number;
    }
  /** It is not known whether there is such a job. */
  | Unlisted;

/**
 * `impossible`: the same request fails again, until someone has changed something. Registering its job helps now: a
 * registered job is found without a list.
 */
export interface Unlisted {
  readonly kind: 'unresolved';
  readonly listing: 'failed' | 'impossible';
  readonly retryAfterMs?: number | undefined;
}

/** An answer without a list. */
export type FailedList = Exclude<ListAnswer, JobList>;

/** Looks for the jobs of the request's externalId in these projects. Reports what failed and what cannot be read. */
export async function listProjects(
  { plangrep, clock, report }: Pick<Ports, 'plangrep' | 'clock' | 'report'>,
  { partnerId, externalId, untilMs }: CancelRequest,
  projects: readonly ProjectId[],
): Promise<ListedProjects> {
  const arrivedMs = clock.now();
  const answers = await Promise.all(
    projects.map(async (projectId) => ({ projectId, answer: await plangrep.list(projectId, untilMs) })),
  );
  const matches = new Map<JobId, PlangrepJob>();
  const failures = new Set<Unlisted['listing']>();
  let listedAt = arrivedMs;
  for (const { projectId, answer } of answers) {
    const reportOne = (code: ReportCode, more: ReportFields) => report(code, { partnerId, projectId, ...more });
    if (answer.kind !== 'jobs') {
      const failure = failureOf(answer);
      reportOne(failure === 'impossible' ? 'LISTING_IMPOSSIBLE' : 'LISTING_FAILED', resultOf(answer));
      if (failure !== undefined) failures.add(failure);
      continue;
    }
    const { count, unreadable } = answer;
    const isFresh = answer.listedAt >= arrivedMs;
    if (isFresh) reportOne('PROJECT_LISTED', { jobs: count, unreadable, ms: clock.now() - answer.listedAt });
    const { jobs, isWhole } = answer.jobsOf(externalId);
    if (!isWhole) {
      reportOne('LISTING_IMPOSSIBLE', { result: 'unreadable_job' });
      failures.add('impossible');
    }
    listedAt = Math.min(listedAt, answer.listedAt);
    for (const job of jobs) addOnce(matches, { ...job, projectId: job.projectId ?? projectId });
  }
  if (failures.has('impossible')) {
    return { kind: 'unresolved', listing: 'impossible', retryAfterMs: IMPOSSIBLE_REMEMBERED_MS };
  }
  if (failures.has('failed')) return { kind: 'unresolved', listing: 'failed' };
  return { kind: 'listed', matches: [...matches.values()], listedAt };
}

/** A job that moved while Plangrep wrote its list may be in it twice. How it ended does not change any more. */
function addOnce(matches: Map<JobId, PlangrepJob>, job: PlangrepJob): void {
  const known = matches.get(job.id);
  if (known === undefined || !isTerminal(known.status)) matches.set(job.id, job);
}

/**
 * What does not depend on the moment fails again: what Plangrep refuses, and what is too long or has another form than
 * documented. Undefined for a project that Plangrep does not know, which has no jobs: the report tells the operator who
 * named it in the partner's record.
 */
export function failureOf(answer: FailedList): Unlisted['listing'] | undefined {
  switch (answer.kind) {
    case 'not_found':
      return undefined;
    case 'refused':
      return 'impossible';
    case 'unknown':
      return answer.why === 'oversized_answer' || answer.why === 'unreadable_answer' ? 'impossible' : 'failed';
    case 'rate_limited':
    case 'key_refused':
    case 'not_sent':
      return 'failed';
  }
}

function resultOf(answer: FailedList): ReportFields {
  switch (answer.kind) {
    case 'refused':
      return { result: answer.kind, httpStatus: answer.httpStatus };
    case 'unknown':
      return { result: answer.why, httpStatus: answer.httpStatus };
    case 'not_sent':
      return { result: answer.why };
    case 'not_found':
    case 'rate_limited':
    case 'key_refused':
      return { result: answer.kind };
  }
}
