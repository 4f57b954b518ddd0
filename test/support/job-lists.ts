import type { JobList, PlangrepJob } from '../../functions/core/plangrep.ts';

/**
 * A list of these jobs, as the client hands it to the core.
 * @param unreadable the externalIds of entries that cannot be read: undefined for one that may have any
 */
export function listOf(
  jobs: readonly PlangrepJob[],
  listedAt: number,
  unreadable: readonly (string | undefined)[] = [],
): JobList {
  return {
    kind: 'jobs',
    listedAt,
    count: jobs.length + unreadable.length,
    unreadable: unreadable.length,
    jobsOf: (externalId) => ({
      jobs: jobs.filter((job) => job.externalId === externalId),
      isWhole: !unreadable.some((name = externalId) => name === externalId),
    }),
  };
}
