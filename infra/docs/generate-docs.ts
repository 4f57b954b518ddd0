import { renderSandboxTable } from '../../functions/simulator/sandbox-jobs.ts';
import { type Conditions, resourceTitles } from '../blueprint/access/permissions.ts';
import { permissionsOf, roleNames } from '../blueprint/access/roles.ts';
import { drawArchitecture } from './draw-architecture.ts';

/**
 * Everything in `docs/` that is made from code: a picture, and tables that stand between `<!-- name -->` and
 * `<!-- /name -->`. `npm run docs` writes it; a test compares it with the committed files.
 * @param read the text of a file, by its path in the project
 * @returns by path, what the file must contain
 */
export function generateDocs(read: (path: string) => string): ReadonlyMap<string, string> {
  const table = (path: string, name: string, rows: string) => [path, replaceSection(read(path), name, rows)] as const;
  return new Map([
    ['docs/architecture.svg', drawArchitecture()],
    table('docs/roles.md', 'roles', renderRolesTable()),
    table('docs/sandbox.md', 'sandbox', renderSandboxTable()),
  ]);
}

function replaceSection(text: string, name: string, content: string): string {
  const section = new RegExp(`(?<=<!-- ${name} -->\n)[^]*?(?=<!-- /${name} -->)`);
  if (!section.test(text)) throw new Error(`there is no section ${name}`);
  return text.replace(section, () => `\n${content}\n`);
}

/** Role × action × resource. */
export function renderRolesTable(): string {
  const rows = roleNames.flatMap((role) =>
    permissionsOf(role).map(({ actions, resource, conditions }) => [
      `\`${role}\``,
      actions.map((action) => `\`${action}\``).join(', '),
      resourceTitles[resource],
      conditions === undefined ? '' : describe(conditions),
    ]),
  );
  return [['role', 'may', 'on', 'only where'], ['---', '---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
}

function describe(conditions: Conditions): string {
  return Object.entries(conditions)
    .filter(([operator]) => operator !== 'Null')
    .flatMap(([, keys]) => Object.entries(keys))
    .map(([key, values]) => `\`${key}\` in ${values.map((value) => `\`${value}\``).join(', ')}`)
    .join('; ');
}
