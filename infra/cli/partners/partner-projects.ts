import { projectIdSchema } from '../../../functions/core/identifiers.ts';
import { sandboxProject } from '../../../functions/simulator/sandbox-jobs.ts';
import { environments } from '../../blueprint/environments.ts';
import { CannotDo, readAs, readList } from '../command.ts';
import type { OpsRequest } from '../ops-command.ts';
import type { Place } from '../places/place.ts';
import { readPartners, type StoredPartner } from './read-partners.ts';

/** The Plangrep projects whose jobs are a partner's; `any`: all, for an organization with one partner. */
export type Projects = 'any' | readonly string[];

/** The projects of `--projects`; `none` for a partner that reaches no job. @throws CannotDo (2) */
export function readProjects(value: string): Projects {
  if (value === 'any') return 'any';
  if (value === 'none') return [];
  return readList(value).map((project) => readAs(projectIdSchema, '--projects', project));
}

/** Where the simulator takes Plangrep's place. */
const sandboxes = new Set([
  'local',
  ...Object.values(environments).flatMap(({ name, sandbox }) => (sandbox === true ? [name] : [])),
]);

/** In a sandbox every job is in one project. @throws CannotDo (2) elsewhere: a partner without projects reaches no job */
export function projectsOfNewPartner({ environment }: Pick<Place, 'environment'>, given: string | undefined): Projects {
  if (given !== undefined) return readProjects(given);
  if (sandboxes.has(environment)) return [sandboxProject];
  throw new CannotDo(
    2,
    "--projects is required: only the jobs in its projects are a partner's. Name them, or say any, or none.",
  );
}

export function describeProjects(projects: Projects | 'unreadable'): string {
  if (projects === 'unreadable') return 'not known: the record is malformed';
  return projects === 'any' ? 'any project' : projects.join(', ') || 'no projects';
}

/**
 * Asks before a partner gets a project that another one has: there, a job is whichever partner's registers it first. In a
 * sandbox all have the sandbox's. @throws CannotDo (1) when the answer is no
 */
export async function confirmShared(
  { place, terminal, now }: Pick<OpsRequest, 'place' | 'terminal' | 'now'>,
  partnerId: string,
  given: Projects,
): Promise<void> {
  const others = [...(await readPartners(place, now))].filter(([id]) => id !== partnerId);
  const shared = others.flatMap(([id, { projects }]) => {
    const both = overlap(given, projects);
    return both === '' ? [] : [`${both} (${id})`];
  });
  if (shared.length === 0) return;
  await terminal.confirm(
    `Others have the same projects: ${shared.join(', ')}. A job there belongs to whichever partner registers it first. Give them to ${partnerId} (${place.environment}) too?`,
  );
}

/** What two partners would share, in words: '' for nothing. */
function overlap(given: Projects, others: StoredPartner['projects']): string {
  if (given.length === 0 || others.length === 0 || others === 'unreadable') return '';
  if (given === 'any') return others === 'any' ? others : others.join(', ');
  const both = others === 'any' ? given : given.filter((project) => others.includes(project));
  return both.filter((project) => project !== sandboxProject).join(', ');
}
