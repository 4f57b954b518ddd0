import type { CancelRequest } from '../cancel-request.ts';
import { isTerminal } from '../cancellation/job-status.ts';
import { type ProjectId, timestampSchema, toTimestamp } from '../identifiers.ts';
import type { PlangrepJob } from '../plangrep.ts';
import { type DirectoryEntry, newestFirst, type Ports } from '../ports.ts';

/** At most so many live jobs of one externalId go into the directory: from two on the partner must name one anyway. */
const REMEMBERED = 20;

/** `unknown`: a listing failed, which does not mean that there is no job. */
export type Discovery =
  | { readonly kind: 'discovered'; readonly entries: readonly DirectoryEntry[] }
  | { readonly kind: 'unknown' };

/**
 * Finds the partner's unregistered jobs with this externalId: lists the Plangrep projects that the partner's record
 * names, and remembers the matches, newest first. If no match is alive, only the newest is kept.
 */
export async function discoverJobs(ports: Ports, request: CancelRequest): Promise<Discovery> {
  const { partners, plangrep, report } = ports;
  const { partnerId, externalId } = request;
  const projects = await partners.projectsOf(partnerId);
  const answers = await Promise.all(projects.map((projectId) => plangrep.list(projectId, request.untilMs)));

  const matches: { job: PlangrepJob; projectId: ProjectId }[] = [];
  for (const [n, projectId] of projects.entries()) {
    const answer = answers[n];
    if (answer?.kind !== 'jobs') report('LISTING_FAILED', { partnerId, projectId, result: answer?.kind });
    // A project that Plangrep does not know has no jobs. The report tells the operator who named it in the record.
    if (answer?.kind === 'not_found') continue;
    if (answer?.kind !== 'jobs') return { kind: 'unknown' };
    for (const job of answer.jobs) if (job.externalId === externalId) matches.push({ job, projectId });
  }
  const live = matches.filter(({ job }) => !isTerminal(job.status));
  const kept = live.length > 0 ? live.slice(0, REMEMBERED) : matches.slice(0, 1);
  const entries = await Promise.all(
    kept.map(({ job, projectId }) => remember(ports, request, { ...entryOf(ports, job), projectId })),
  );
  return { kind: 'discovered', entries: entries.flat().toSorted(newestFirst) };
}

function entryOf({ clock }: Ports, { id, status, createdAt }: PlangrepJob): DirectoryEntry {
  return {
    jobId: id,
    registeredAt: timestampSchema.safeParse(createdAt).data ?? toTimestamp(clock.now()),
    listed: true,
    terminalStatus: isTerminal(status) ? status : undefined,
  };
}

/** @returns no entry for a job that another partner has registered, in a project that both can see */
async function remember(
  { directory }: Ports,
  { partnerId, externalId }: CancelRequest,
  entry: DirectoryEntry,
): Promise<readonly DirectoryEntry[]> {
  const registered = await directory.register(partnerId, externalId, entry);
  return registered.kind === 'registered' ? [{ ...registered.entry, terminalStatus: entry.terminalStatus }] : [];
}
