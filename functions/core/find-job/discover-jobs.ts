import type { CancelRequest } from '../cancel-request.ts';
import { isTerminal } from '../cancellation/job-status.ts';
import { jobIdSchema, type Timestamp, toTimestamp } from '../identifiers.ts';
import type { PlangrepJob } from '../plangrep.ts';
import { type DirectoryEntry, newestFirst } from '../job-directory.ts';
import type { PartnerAccess, Ports } from '../ports.ts';
import { LISTING_REMEMBERED_MS, listProjects, type Unlisted } from './list-projects.ts';
import { claimJob, terminalStatusOf } from './verify-job.ts';

/** At most so many live jobs of one externalId go into the directory: from two on the partner must name one anyway. */
const REMEMBERED = 20;

export type Discovery =
  | {
      readonly kind: 'discovered';
      readonly entries: readonly DirectoryEntry[];
      /** Milliseconds since 1970: the lists show every job that existed then. */
      readonly listedAt: number;
      /** Milliseconds until the projects are listed again, if the list was made before this request. */
      readonly listedAgainInMs?: number | undefined;
    }
  | Unlisted;

/**
 * Finds the partner's unregistered jobs with this externalId: lists the Plangrep projects that the partner's record
 * names, and claims the matches, newest first. If no match is alive, only the newest is kept.
 * @param before an event's second: of the matches from before it, which bear its externalId, as many are kept as of all
 */
export async function discoverJobs(
  ports: Ports,
  request: CancelRequest,
  access: PartnerAccess,
  before?: Timestamp,
): Promise<Discovery> {
  const projects = access.kind === 'projects' ? access.projects : [];
  const { clock } = ports;
  const arrivedMs = clock.now();
  const listed = await listProjects(ports, request, projects);
  if (listed.kind !== 'listed') return listed;
  const { matches, listedAt } = listed;
  const isOlder = (job: PlangrepJob) => before !== undefined && (createdBy(job) ?? before) < before;
  const kept = [...new Set([...worthKeeping(matches), ...worthKeeping(matches.filter(isOlder))])];
  const entries = await Promise.all(kept.map((job) => claim(ports, request, access, job)));
  // So that the time of a 404 does not show whether another partner owns a job of this externalId.
  if (kept.length === 0) await ports.directory.readOwner(noJob);
  const listedAgainInMs = listedAt < arrivedMs ? listedAt + LISTING_REMEMBERED_MS - clock.now() : undefined;
  return { kind: 'discovered', entries: entries.flat().toSorted(newestFirst), listedAt, listedAgainInMs };
}

function worthKeeping(matches: readonly PlangrepJob[]): readonly PlangrepJob[] {
  const live = matches.filter(({ status }) => !isTerminal(status));
  return live.length > 0 ? live.slice(0, REMEMBERED) : matches.toSorted(newestCreatedFirst).slice(0, 1);
}

/** Over all projects. A job without a readable date counts as the newest, as in the directory. */
function newestCreatedFirst(a: PlangrepJob, b: PlangrepJob): number {
  return (createdBy(b) ?? '9').localeCompare(createdBy(a) ?? '9');
}

/**
 * When the job existed for certain. A job whose creation Plangrep does not show was created before it changed last: taken
 * as created then, it may seem newer than it is, and never older, so no event reaches a job that was created after it.
 */
function createdBy({ createdAt, updatedAt }: PlangrepJob): Timestamp | undefined {
  return createdAt ?? updatedAt;
}

/** No job of Plangrep's has this id. */
const noJob = jobIdSchema.parse('-');

/** @returns no entry for a job that another partner owns, in a project that both can see */
async function claim(
  ports: Ports,
  request: CancelRequest,
  access: PartnerAccess,
  job: PlangrepJob,
): Promise<readonly DirectoryEntry[]> {
  const registeredAt = createdBy(job) ?? toTimestamp(ports.clock.now());
  const entry = { jobId: job.id, registeredAt, listed: true };
  const owner = await ports.directory.readOwner(job.id);
  const claimed = await claimJob(ports, request, access, { entry, job, owner });
  return claimed.kind === 'owned' ? [{ ...claimed.entry, terminalStatus: terminalStatusOf(job) }] : [];
}
