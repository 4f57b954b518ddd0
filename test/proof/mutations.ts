import { buildMutant } from './mutations/build-mutant.ts';
import type { SeededBug } from './mutations/seeded-bug.ts';
import { seededBugs } from './mutations/seeded-bugs.ts';

export { seededBugs } from './mutations/seeded-bugs.ts';

export interface MutationOptions {
  /** The most schedules that may be needed to catch one bug. */
  readonly schedules: number;
  readonly seed: number;
  readonly bugs?: readonly SeededBug[];
  readonly onProgress?: (done: number) => void;
}

export interface CaughtBug {
  readonly bug: string;
  /** The first invariant that it broke. */
  readonly invariant: string;
  readonly detail: string;
  /** The seed of the schedule that caught it, and its number in the order of play. */
  readonly seed: number;
  readonly schedules: number;
}

export interface MutationResult {
  readonly schedules: number;
  readonly steps: number;
  /** A bug that nothing caught, or a violation by the unchanged code with the same seeds. */
  readonly violations: readonly string[];
  readonly figures: { readonly bugs: number; readonly caught: readonly CaughtBug[]; readonly mostSchedules: number };
}

/**
 * Seeded bugs: puts one after another into the production code, and plays schedules until an invariant breaks. The code
 * as it is plays the same schedules, as many as any bug took, and must break none.
 */
export const runMutations = async (options: MutationOptions): Promise<MutationResult> => {
  const { schedules, seed, bugs = seededBugs, onProgress } = options;
  const caught: CaughtBug[] = [];
  const violations: string[] = [];
  let played = 0;
  let steps = 0;
  for (const [n, bug] of bugs.entries()) {
    const runMutant = await buildMutant(bug);
    const result = await runMutant({ schedules, seed, stopAfter: 1 });
    played += result.schedules;
    steps += result.steps;
    const [first] = result.violations;
    if (first === undefined) violations.push(`not caught within ${schedules} schedules: ${bug.name}`);
    else {
      const { invariant, detail } = first;
      caught.push({ bug: bug.name, invariant, detail, seed: first.seed, schedules: result.schedules });
    }
    onProgress?.(n + 1);
  }
  const mostSchedules = Math.max(0, ...caught.map((one) => one.schedules));
  const runAsItIs = await buildMutant(undefined);
  const asItIs = await runAsItIs({ schedules: mostSchedules, seed });
  for (const { seed: own, invariant } of asItIs.violations) violations.push(`seed ${own}, no bug seeded: ${invariant}`);
  return {
    schedules: played + asItIs.schedules,
    steps: steps + asItIs.steps,
    violations,
    figures: { bugs: bugs.length, caught, mostSchedules },
  };
};
