import { posix } from 'node:path';
import { moduleSpecifiers, type Sources, targetOf } from './imports.ts';

/** A room of the project, and what its files may import. */
export interface Rule {
  readonly title: string;
  readonly room: RegExp;
  /** @param target a file of the project, or a package */
  readonly allows: (target: string) => boolean;
}

const isOurs = (target: string): boolean => /^(functions|infra|client|test)\//.test(target);
const noneOf = (pattern: RegExp) => (target: string) => !pattern.test(target);

export const CORE = 'functions/core/';
const ALLOWED_IN_CORE = new Set(['zod/mini', 'node:crypto']);

export const rules: readonly Rule[] = [
  {
    title: 'the functions never import what builds, deploys or tests them',
    room: /^functions\//,
    allows: (target) =>
      isOurs(target) ? target.startsWith('functions/') : !/^(\.|\/|file:|#)|^<computed>$/.test(target),
  },
  {
    title: 'the contract imports the core and no door',
    room: /^functions\/contract\//,
    allows: (target) => /^functions\/(contract|core)\/|^zod\/mini$/.test(target),
  },
  {
    title: 'doors import no adapters',
    room: /^functions\/doors\//,
    allows: noneOf(/^functions\/(adapters|simulator|pages|compose)\/|^functions\/[^/]+$/),
  },
  {
    title: 'adapters import no doors',
    room: /^functions\/adapters\//,
    allows: noneOf(/^functions\/(doors|contract|pages|compose)\/|^functions\/[^/]+$/),
  },
  {
    title: 'the blueprint imports no CDK, and nothing else of infra',
    room: /^infra\/blueprint\//,
    allows: noneOf(/^(aws-cdk-lib|constructs)\b|^infra\/(?!blueprint\/)/),
  },
  {
    title: 'the build imports nothing of the local run, the commands or the scenes',
    room: /^infra\/build\//,
    allows: noneOf(/^infra\/(local|cli|scenes|stacks|constructs)\//),
  },
  {
    title: 'the emulated AWS services import nothing of ours',
    room: /^infra\/local\/aws\//,
    allows: (target) => !isOurs(target) || target.startsWith('infra/local/aws/'),
  },
  {
    title: 'the stacks import nothing of the local run, the commands or the scenes',
    room: /^infra\/(stacks|constructs)\//,
    allows: noneOf(/^infra\/(local|cli|scenes)\//),
  },
  { title: 'only commands import commands', room: /^infra\/(?!cli\/)/, allows: noneOf(/^infra\/cli\//) },
  {
    title: 'what runs beside AWS’s credentials imports only Node',
    room: /^infra\/deploy\//,
    allows: (target) => /^node:|^infra\/deploy\//.test(target),
  },
  { title: 'infra imports no tests', room: /^infra\//, allows: noneOf(/^test\//) },
  { title: 'the client imports only itself', room: /^client\/src\//, allows: noneOf(/^(functions|infra|test)\//) },
];

/** @returns one line for each import that the rule does not allow */
export function violations({ room, allows }: Pick<Rule, 'room' | 'allows'>, sources: Sources): readonly string[] {
  return [...sources].flatMap(([file, source]) =>
    room.test(file)
      ? moduleSpecifiers(source)
          .filter((specifier) => !allows(nameOf(file, specifier)))
          .map((specifier) => `${file} imports ${specifier}`)
      : [],
  );
}

/** A file of the rooms by its path, another file of the project as `./package.json`, a package by its name. */
function nameOf(file: string, specifier: string): string {
  const target = targetOf(file, specifier);
  if (target === undefined) return specifier;
  return isOurs(target) ? target : `./${target}`;
}

/**
 * Follows the imports of every file of the core, through every file of `functions/` that they lead to.
 * @returns one line for each import that the core, or what it reaches, may not have
 */
export function coreViolations(sources: Sources): readonly string[] {
  const reached = new Set([...sources.keys()].filter((file) => file.startsWith(CORE)));
  const found: string[] = [];
  // A set yields what is added to it on the way.
  for (const file of reached) {
    for (const specifier of moduleSpecifiers(sources.get(file) ?? '')) {
      const target = targetOf(file, specifier);
      if (target !== undefined && sources.has(target)) reached.add(target);
      const allowed = target === undefined ? ALLOWED_IN_CORE.has(specifier) : target.startsWith(CORE);
      if (!allowed) found.push(`${file} imports ${specifier}`);
      else if (target !== undefined && !sources.has(target))
        found.push(`${file} imports ${specifier}, which is not a file`);
    }
  }
  return found;
}

/** A folder is a room. A file directly in one of these folders is a room by itself. */
export function roomOf(file: string): string {
  const folder = posix.dirname(file);
  return ['functions', 'functions/core', 'infra', 'infra/cli'].includes(folder) ? file : folder;
}
