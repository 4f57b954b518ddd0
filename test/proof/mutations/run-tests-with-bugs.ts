import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { startVitest, type Vite } from 'vitest/node';
import type { TestedBug } from './seeded-bug.ts';

const root = join(import.meta.dirname, '../../..');
/** The tests as they are, with no bug seeded. */
const AS_IT_IS = 'no bug seeded';

export interface TestedBugs {
  /** The first test that failed with each bug. */
  readonly caught: readonly { readonly bug: string; readonly test: string }[];
  /** A bug that no test caught, or a test that fails without any. */
  readonly violations: readonly string[];
}

/** Seeded bugs that tests catch: runs, for each bug, the tests of its file with the bug in the production code. */
export async function runTestsWithBugs(bugs: readonly TestedBug[]): Promise<TestedBugs> {
  checkSeeds(bugs);
  const ran = new Set<string>();
  const failed = new Map<string, string>();
  const broken: string[] = [];
  const projects = [undefined, ...bugs].map((bug) => ({
    extends: false as const,
    root,
    plugins: bug === undefined ? [] : [seedBug(bug)],
    test: {
      name: bug?.name ?? AS_IT_IS,
      include: [...new Set((bug === undefined ? bugs : [bug]).map(({ test }) => `test/${test}.test.ts`))],
    },
  }));
  const vitest = await startVitest('test', [], {
    root,
    config: false,
    watch: false,
    // A transform with a bug must not be found there by another run.
    fsModuleCache: false,
    projects,
    reporters: [
      {
        onTestCaseResult(test) {
          const { name } = test.project;
          if (test.result().state === 'failed' && !failed.has(name)) failed.set(name, test.fullName);
        },
        onTestModuleEnd(module) {
          ran.add(module.project.name);
          for (const { message } of module.errors()) broken.push(`${module.project.name}: ${message}`);
        },
      },
    ],
  });
  await vitest.close();
  // That tests failed is what was wanted.
  process.exitCode = undefined;
  const missed = bugs.filter(({ name }) => !failed.has(name));
  const left = [AS_IT_IS, ...bugs.map(({ name }) => name)].filter((name) => !ran.has(name));
  const failedAsItIs = failed.get(AS_IT_IS);
  return {
    caught: bugs.flatMap(({ name }) => {
      const test = failed.get(name);
      return test === undefined ? [] : [{ bug: name, test }];
    }),
    violations: [
      ...broken,
      ...left.map((name) => `no test ran: ${name}`),
      ...missed.map(({ name, test }) => `not caught by test/${test}.test.ts: ${name}`),
      ...(failedAsItIs === undefined ? [] : [`${AS_IT_IS}: “${failedAsItIs}” fails`]),
    ],
  };
}

/** Vite would show a missing text as a test that fails, and so as a bug that is caught. @throws Error */
export function checkSeeds(bugs: readonly TestedBug[]): void {
  for (const bug of bugs) seed(readFileSync(join(root, bug.file), 'utf8'), bug);
}

function seedBug(bug: TestedBug): Vite.Plugin {
  return {
    name: 'seeded-bug',
    enforce: 'pre',
    transform: (code, id) => (relative(root, id).replaceAll(sep, '/') === bug.file ? seed(code, bug) : undefined),
  };
}

function seed(code: string, { name, file, from, to }: TestedBug): string {
  const parts = code.split(from);
  if (parts.length !== 2) throw new Error(`“${name}”: its text is in ${file} ${parts.length - 1} times, not once`);
  return parts.join(to);
}
