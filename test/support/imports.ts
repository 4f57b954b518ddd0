import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseAst } from 'vitest/node';

const root = join(import.meta.dirname, '../..');

/** Source texts by path, relative to the project, with forward slashes: `functions/core/cancellation/events.ts`. */
export type Sources = ReadonlyMap<string, string>;

/** Paths of all files in a folder and below, sorted. */
export function listFiles(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/node_modules|\/dist\b/.test(entry.parentPath))
    .map((entry) => posix.join(folder, posix.relative(join(root, folder), join(entry.parentPath, entry.name))))
    .sort();
}

export function readSources(...folders: readonly string[]): Sources {
  const files = folders.flatMap(listFiles).filter((path) => /\.[cm]?[jt]s$/.test(path));
  return new Map(files.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

/** Stands for a module whose name is worked out at run time. */
export const COMPUTED = '<computed>';

/**
 * Every module that a source names: imports and re-exports, of types too, `import()` in code and in types, and the two
 * ways around them, `require` and `process.getBuiltinModule`. Read from the syntax tree, so comments and texts do not count.
 */
export function moduleSpecifiers(source: string): readonly string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if (isRecord(node)) found.push(...namedModules(node));
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(source, { lang: 'ts', sourceType: 'module' }));
  return found;
}

function namedModules(node: Readonly<Record<string, unknown>>): readonly string[] {
  switch (node['type']) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return [literalText(node['source'])];
    case 'ExportNamedDeclaration':
      return node['source'] === null ? [] : [literalText(node['source'])];
    case 'TSExternalModuleReference':
      return [literalText(node['expression'])];
    case 'CallExpression':
      return ['require', 'getBuiltinModule'].includes(calledName(node['callee']))
        ? [literalText(Array.isArray(node['arguments']) ? node['arguments'][0] : undefined)]
        : [];
    default:
      return [];
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function literalText(node: unknown): string {
  return isRecord(node) && typeof node['value'] === 'string' ? node['value'] : COMPUTED;
}

/** `f` of `f()`, `a.f()`, `a['f']()`. */
function calledName(callee: unknown): string {
  if (!isRecord(callee)) return '';
  const name = callee['type'] === 'MemberExpression' ? callee['property'] : callee;
  if (!isRecord(name)) return '';
  return typeof name['name'] === 'string' ? name['name'] : literalText(name);
}

/** The project's file that a relative specifier means; undefined for a package, a built-in or an absolute path. */
export function targetOf(file: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : undefined;
}

/**
 * Groups of rooms that reach each other by imports, where a room is what `roomOf` makes of a file.
 * @returns each group as `a <-> b`
 */
export function findCycles(sources: Sources, roomOf: (file: string) => string): readonly string[] {
  const imports = new Map<string, Set<string>>();
  for (const [file, source] of sources) {
    const from = roomOf(file);
    const targets = imports.get(from) ?? new Set();
    imports.set(from, targets);
    for (const specifier of moduleSpecifiers(source)) {
      const target = targetOf(file, specifier);
      if (target !== undefined && sources.has(target) && roomOf(target) !== from) targets.add(roomOf(target));
    }
  }
  const reach = (from: string): ReadonlySet<string> => {
    const reached = new Set(imports.get(from));
    // A set yields what is added to it on the way.
    for (const room of reached) for (const next of imports.get(room) ?? []) reached.add(next);
    return reached;
  };
  const reached = new Map([...imports.keys()].map((room) => [room, reach(room)]));
  const cycles = [...reached].flatMap(([room, rooms]) =>
    rooms.has(room) ? [[...rooms].filter((other) => reached.get(other)?.has(room) === true).sort()] : [],
  );
  return [...new Set(cycles.map((rooms) => rooms.join(' <-> ')))];
}
