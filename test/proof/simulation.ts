import { scheduleReconciler } from './simulation/doors.ts';
import type { Figures } from './simulation/figures.ts';
import type { Violation } from './simulation/journal.ts';
import { drawFaults } from './simulation/process.ts';
import { Random } from './simulation/random.ts';
import { drawWorkload } from './simulation/workload.ts';
import { reachAll } from './simulation/workload-strangers.ts';
import { drawTroubles, lastTroubleMs } from './simulation/troubles.ts';
import { World } from './simulation/world.ts';

export interface SimulationOptions {
  readonly schedules: number;
  /** Schedule n has the seed `seed + n`: a violation is played again by its own seed and `schedules: 1`. */
  readonly seed: number;
  /** Stop at this many violations. */
  readonly stopAfter?: number;
  readonly onProgress?: (done: number) => void;
}

export interface BrokenSchedule {
  readonly seed: number;
  readonly invariant: string;
  readonly detail: string;
  /** One line a step. */
  readonly trace: readonly string[];
}

export interface SimulationResult {
  readonly schedules: number;
  readonly steps: number;
  readonly violations: readonly BrokenSchedule[];
  readonly figures: Figures & { readonly virtualHours: number; readonly schedulesPerSecond: number };
}

/**
 * Interleavings: plays random schedules of doors, reconcilers, crashes, lost answers, late effects, frozen processes
 * and wrong clocks on the production core, and judges every effect of each.
 */
export const runSimulation = async (options: SimulationOptions): Promise<SimulationResult> => {
  const { schedules, seed, stopAfter = 5, onProgress } = options;
  const began = performance.now();
  const violations: BrokenSchedule[] = [];
  const totals: Record<string, number> = {};
  let steps = 0;
  let virtualMs = 0;
  let done = 0;
  while (done < schedules && violations.length < stopAfter) {
    const own = seed + done;
    const result = await runSchedule(own);
    const [first] = result.violations;
    if (first !== undefined) violations.push({ seed: own, ...first, trace: await traceOf(own) });
    for (const [name, count] of Object.entries(result.figures)) totals[name] = (totals[name] ?? 0) + count;
    steps += result.steps;
    virtualMs += result.virtualMs;
    done += 1;
    if (done % 500 === 0) onProgress?.(done);
  }
  const unkept = whyNotHonest(totals as unknown as Figures);
  if (unkept !== undefined) {
    violations.push({ seed, invariant: 'Retry-After is when there is more to see', detail: unkept, trace: [] });
  }
  const schedulesPerSecond = Math.round(done / ((performance.now() - began) / 1000));
  const figures = {
    ...(totals as unknown as Figures),
    virtualHours: Math.round(virtualMs / 3_600_000),
    schedulesPerSecond,
  };
  return { schedules: done, steps, violations, figures };
};

/** Where nothing but Plangrep is at fault, 95 of 100 callers that return when they are told find more. */
const whyNotHonest = ({ followed, foundMore }: Figures): string | undefined =>
  followed >= 50 && foundMore < followed * 0.95 ? `${foundMore} of ${followed} callers found more` : undefined;

/** Plays a schedule again, this time in words: only a broken one is worth them. */
const traceOf = async (seed: number): Promise<readonly string[]> => {
  const trace: string[] = [];
  await runSchedule(seed, trace);
  return trace;
};

/** A violation as it is printed: what broke, how it came to that, and how to see it again. */
export const describeViolation = ({ seed, invariant, detail, trace }: BrokenSchedule): string =>
  [...trace, '', `Broken: ${invariant}`, `        ${detail}`, `Again:  --seed ${seed}`].join('\n');

const MINUTE = 60_000;
/** What Plangrep may ask us to stay away for, with jitter; then the next looks. */
const LONGEST_WAIT = 20 * MINUTE;

export interface ScheduleResult {
  readonly violations: readonly Violation[];
  readonly steps: number;
  readonly virtualMs: number;
  readonly figures: Figures;
}

/**
 * Plays one schedule from its seed: workload, faults, and the calm after them, until everything has come to its end.
 * The seed alone decides everything. Stops at the first violation.
 * @param trace is given a line for every step
 */
export const runSchedule = async (seed: number, trace?: string[]): Promise<ScheduleResult> => {
  const random = new Random(seed);
  const troubles = drawTroubles(random);
  const world = new World(random, { ...troubles, faults: drawFaults(random) }, trace);
  const { scheduler, judge } = world;
  const { access, actions, jobs, lastEndMs, hiddenUntilMs } = drawWorkload(random, scheduler.now);
  for (const [partnerId, standing] of access) world.partners.set(partnerId, standing);
  const troubleEndsMs = Math.max(lastTroubleMs(troubles), hiddenUntilMs, ...actions.map(({ atMs }) => atMs));
  const last = reachAll(jobs, troubleEndsMs + 3 * MINUTE);
  for (const { atMs, act } of [...actions, ...last]) scheduler.after(atMs, () => act(world));
  const limitMs = Math.max(troubleEndsMs, lastEndMs) + 3 * LONGEST_WAIT;
  scheduleReconciler(world);
  await scheduler.run(() => judge.journal.violations.length > 0 || world.elapsedMs > limitMs);
  if (judge.journal.violations.length === 0) judge.streams.finish();
  if (judge.journal.violations.length === 0) judge.wakeUps.finish();
  return {
    violations: judge.journal.violations,
    steps: scheduler.steps,
    virtualMs: world.elapsedMs,
    figures: world.figures,
  };
};
