import { documentedProject, globex } from '../../support/names.ts';
import { scheduleReconciler } from './doors.ts';
import { drawFaults } from './faults.ts';
import type { Violation } from './journal.ts';
import { Random } from './random.ts';
import { drawWorkload } from './workload.ts';
import { type Figures, type Stretch, World } from './world.ts';

const MINUTE = 60_000;
/** What Plangrep may ask us to stay away for, with jitter; then the next looks. */
const LONGEST_WAIT = 20 * MINUTE;

export interface ScheduleResult {
  readonly violations: readonly Violation[];
  readonly steps: number;
  readonly virtualMs: number;
  readonly figures: Figures;
}

const drawStretch = (random: Random, probability: number): Stretch | undefined => {
  if (!random.chance(probability)) return undefined;
  const from = random.between(0, 4 * MINUTE);
  return { from, to: from + random.pick([20_000, MINUTE, 5 * MINUTE, 20 * MINUTE]) };
};

/**
 * Plays one schedule from its seed: workload, faults, and the calm after them, until everything has come to its end.
 * The seed alone decides everything. Stops at the first violation.
 * @param trace is given a line for every step
 */
export const runSchedule = async (seed: number, trace?: string[]): Promise<ScheduleResult> => {
  const random = new Random(seed);
  const calmAfterMs = random.pick([6, 8, 12, 25]) * MINUTE;
  const world = new World(
    random,
    {
      faults: drawFaults(random),
      calmAfterMs,
      keyRefused: drawStretch(random, 0.1),
      down: drawStretch(random, 0.1),
      projects: new Map([[globex, [documentedProject]]]),
    },
    trace,
  );
  const { scheduler, judge } = world;
  const workload = drawWorkload(random, scheduler.now);
  for (const { atMs, act } of workload.actions) scheduler.after(atMs, () => act(world));
  const limitMs = Math.max(calmAfterMs, workload.lastEndMs) + 3 * LONGEST_WAIT;
  scheduleReconciler(world);
  await scheduler.run(() => judge.journal.violations.length > 0 || world.elapsedMs > limitMs);
  if (judge.journal.violations.length === 0) judge.streams.finish();
  return {
    violations: judge.journal.violations,
    steps: scheduler.steps,
    virtualMs: world.elapsedMs,
    figures: world.figures,
  };
};
