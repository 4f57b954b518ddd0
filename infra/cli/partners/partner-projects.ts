import { projectIdSchema } from '../../../functions/core/identifiers.ts';
import { sandboxProject } from '../../../functions/simulator/sandbox-jobs.ts';
import { environments } from '../../blueprint/environments.ts';
import { CannotDo, readAs, readList } from '../command.ts';
import type { Place } from '../places.ts';

/** The Plangrep projects whose jobs are a partner's; `any`: all, for an organization with one partner. */
export type Projects = 'any' | readonly string[];

/** The projects of `--projects`. @throws CannotDo (2) */
export function readProjects(value: string): Projects {
  if (value === 'any') return 'any';
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
    "--projects is required: only the jobs in its projects are a partner's. Name them, or say any.",
  );
}

export function describeProjects(projects: Projects | 'unreadable'): string {
  if (projects === 'unreadable') return 'not known: the record is malformed';
  return projects === 'any' ? 'any project' : projects.join(', ') || 'no projects';
}
