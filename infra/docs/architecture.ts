import { documentationRoutes, partnerAuthorizer, routes } from '../blueprint/api.ts';
import { closedEvent, eventDoor } from '../blueprint/bus-events.ts';
import { type FunctionDefinition, functions, reconcilerSchedule } from '../blueprint/functions.ts';
import { permissionsOf, type Resource, type RoleName, roleNames } from '../blueprint/roles.ts';
import { tables } from '../blueprint/tables.ts';

/** What starts a function, or what a role's owner does with events. */
export type Trigger =
  | { readonly kind: 'authorizer' }
  | { readonly kind: 'routes'; readonly routes: readonly string[] }
  | { readonly kind: 'events'; readonly detailTypes: readonly string[] }
  | { readonly kind: 'schedule'; readonly everyMinutes: number }
  | { readonly kind: 'stream'; readonly announces: string }
  | { readonly kind: 'sandbox' };

export type Access = 'reads' | 'writes' | 'reads and writes' | 'calls';

/** A role, what starts its owner, and what it may do with each thing that it reaches. */
export interface Row {
  readonly role: RoleName;
  readonly trigger: Trigger;
  readonly access: ReadonlyMap<string, Access>;
}

/** What functions keep, and what they call. The permissions on an index or a stream count for its table. */
const reached: Readonly<Partial<Record<Resource, string>>> = {
  ...Object.fromEntries(Object.keys(tables).map((name) => [name, wordsOf(name)])),
  WakeUps: wordsOf('CancellationLog'),
  CancellationLogStream: wordsOf('CancellationLog'),
  PlangrepKey: "Plangrep's key",
};
export const plangrep = 'Plangrep';
/** Everything that a row can reach, in the order of the picture. */
export const things: readonly string[] = [
  ...['Partners', 'JobDirectory', 'CancellationLog'].map(wordsOf),
  ...Object.keys(tables).map(wordsOf),
  "Plangrep's key",
  plangrep,
].filter((name, index, all) => all.indexOf(name) === index);

/** The service as infra/blueprint describes it: one row for each function, and one for the pipe. */
export function describeArchitecture(): readonly Row[] {
  return roleNames.map((role) => ({ role, trigger: triggerOf(role), access: accessOf(role) }));
}

/** @throws when nothing starts the function: the picture would be wrong */
function triggerOf(role: RoleName): Trigger {
  if (role === 'closed-events') return { kind: 'stream', announces: closedEvent.detailType };
  if (role === 'simulate-plangrep') return { kind: 'sandbox' };
  if (role === partnerAuthorizer.function) return { kind: 'authorizer' };
  if (role === eventDoor.function) return { kind: 'events', detailTypes: eventDoor.detailTypes };
  if (role === reconcilerSchedule.function) {
    return { kind: 'schedule', everyMinutes: reconcilerSchedule.everyMinutes };
  }
  const own = [...routes, ...documentationRoutes].filter((route) => route.function === role);
  if (own.length === 0) throw new Error(`infra/docs/architecture.ts knows nothing that starts ${role}`);
  return { kind: 'routes', routes: own.map(({ method, path }) => `${method} ${path}`) };
}

function accessOf(role: RoleName): ReadonlyMap<string, Access> {
  const access = new Map<string, Access>();
  for (const { actions, resource } of permissionsOf(role)) {
    const thing = reached[resource];
    if (thing === undefined) continue;
    const kinds = [access.get(thing), ...actions.map(kindOf)];
    access.set(thing, union(kinds.filter((kind) => kind !== undefined)));
  }
  if (role !== 'closed-events' && callsPlangrep(functions[role])) access.set(plangrep, 'calls');
  return access;
}

function callsPlangrep({ environment }: FunctionDefinition<string>): boolean {
  return environment.includes('PLANGREP_BASE_URL');
}

function kindOf(action: string): Access {
  return /:(Put|Update)/.test(action) ? 'writes' : 'reads';
}

function union(kinds: readonly Access[]): Access {
  const [first = 'reads'] = kinds;
  return kinds.every((kind) => kind === first) ? first : 'reads and writes';
}

/** `JobDirectory` → `Job directory`. */
export function wordsOf(name: string): string {
  const words = name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
