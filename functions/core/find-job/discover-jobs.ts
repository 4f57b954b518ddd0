import type { CancelRequest } from '../cancel-request.ts';
import { type ProjectId, timestampSchema, toTimestamp } from '../identifiers.ts';
import { isTerminal } from '../cancellation/job-status.ts';
import { type DirectoryEntry, newestFirst, type PlangrepJob, type Ports } from '../ports.ts';

/** As many live jobs under one externalId as are put in the directory; from two on the partner has to say which. */
const REMEMBERED = 20;

/**
 * The partner's jobs of this externalId that nobody registered: found by listing the Plangrep projects that the
 * partner's record names, and remembered. Of jobs that have ended only the newest matters: it is kept when none lives.
 * @returns newest first; nothing when a listing failed: then nobody knows, which is not the same as no job
 */
export const listJobs = async (
  ports: Ports,
  request: CancelRequest,
): Promise<readonly DirectoryEntry[] | undefined> => {
  const { partners, plangrep, report } = ports;
  const { partnerId, externalId } = request;
  const projects = await partners.projectsOf(partnerId);
  const answers = await Promise.all(projects.map((projectId) => plangrep.list(projectId, request.untilMs)));

  const matches: { job: PlangrepJob; projectId: ProjectId }[] = [];
  for (const [n, projectId] of projects.entries()) {
    const answer = answers[n];
    if (answer?.kind !== 'jobs') report('LISTING_FAILED', { partnerId, projectId, result: answer?.kind });
    // A project that Plangrep does not have holds no job; whoever named it in the partner's record is told.
    if (answer?.kind === 'not_found') continue;
    if (answer?.kind !== 'jobs') return undefined;
    for (const job of answer.jobs) if (job.externalId === externalId) matches.push({ job, projectId });
  }
  const live = matches.filter(({ job }) => !isTerminal(job.status));
  const kept = live.length > 0 ? live.slice(0, REMEMBERED) : matches.slice(0, 1);
  const entries = await Promise.all(
    kept.map(({ job, projectId }) => remember(ports, request, { ...entryOf(ports, job), projectId })),
  );
  return entries.filter((entry) => entry !== undefined).toSorted(newestFirst);
};

const entryOf = ({ clock }: Ports, { id, status, createdAt }: PlangrepJob): DirectoryEntry => ({
  jobId: id,
  registeredAt: timestampSchema.safeParse(createdAt).data ?? toTimestamp(clock.now()),
  listed: true,
  terminalStatus: isTerminal(status) ? status : undefined,
});

/** @returns nothing for a job that is another partner's, in a project that both can see */
const remember = async (
  { directory }: Ports,
  { partnerId, externalId }: CancelRequest,
  entry: DirectoryEntry,
): Promise<DirectoryEntry | undefined> => {
  const registered = await directory.register(partnerId, externalId, entry);
  return registered.kind === 'registered' ? { ...registered.entry, terminalStatus: entry.terminalStatus } : undefined;
};
