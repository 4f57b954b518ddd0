import { type Conditions, permissionsOf, resourceTitles, roleNames } from '../blueprint/roles.ts';

/** Role × action × resource, as Markdown: the table of docs/roles.md. */
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
  return Object.values(conditions)
    .flatMap((keys) => Object.entries(keys))
    .map(([key, values]) => `\`${key}\` in ${values.map((value) => `\`${value}\``).join(', ')}`)
    .join('; ');
}
