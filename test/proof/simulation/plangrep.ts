import type { JobId, ProjectId } from '../../../functions/core/identifiers.ts';
import type { ListAnswer, PlangrepFailure, PlangrepJob } from '../../../functions/core/plangrep.ts';
import type { Plangrep } from '../../../functions/core/ports.ts';
import { listOf } from '../../support/job-lists.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** As functions/adapters/plangrep/plangrep-client.ts has it: a call's deadline, and the least time that one is begun with. */
const CALL_MS = 5_000;
const MIN_CALL_MS = 100;

type Called<Answer> = {
  readonly what: string;
  readonly untilMs: number;
  readonly effect: () => Answer;
  /** The call is about to be made. */
  readonly begun?: () => void;
  /** The process has heard the answer. */
  readonly heard?: (answer: Answer | PlangrepFailure) => void;
};

/** What Plangrep, or the way to it, makes of a call by chance; nothing: the call goes through. */
const drawFailure = (world: World): PlangrepFailure | undefined => {
  const { random, faults } = world;
  if (world.isIn('keyRefused')) return { kind: 'key_refused' };
  if (world.isIn('down')) {
    const retryAfterMs = random.pick([undefined, undefined, 2_000, 20_000, 60_000]);
    return { kind: 'unknown', why: 'server_error', httpStatus: retryAfterMs === undefined ? 500 : 503, retryAfterMs };
  }
  if (!random.chance(faults.refusal)) return undefined;
  return random.pick<PlangrepFailure>([
    { kind: 'rate_limited' },
    { kind: 'rate_limited', retryAfterMs: random.pick([1_000, 5_000, 30_000, 120_000, 900_000]) },
    {
      kind: 'unknown',
      why: 'server_error',
      httpStatus: 503,
      retryAfterMs: random.pick([1_000, 3_000, 30_000, 120_000]),
    },
    { kind: 'not_sent', why: random.pick(['no_connection', 'no_key']) },
    { kind: 'refused', httpStatus: random.pick([400, 403, 409, 422]) },
  ]);
};

const lostAs = ({ random }: World): PlangrepFailure => ({
  kind: 'unknown',
  why: random.pick(['connection_lost', 'server_error', 'redirect', 'unreadable_answer', 'oversized_answer']),
});

/** One call to Plangrep: it travels, takes effect, and its answer travels back; each may go wrong. Never rejects. */
const call = <Answer>(
  world: World,
  process: Process,
  { what, untilMs, effect, begun, heard }: Called<Answer>,
): Promise<Answer | PlangrepFailure> => {
  const { scheduler, random, faults } = world;
  return new Promise((resolve) => {
    const give = (answer: Answer | PlangrepFailure) => () =>
      process.goOn(() => {
        world.note(() => `${process.name} ${what}: hears ${JSON.stringify(answer)}`);
        heard?.(answer);
        resolve(answer);
      });
    const ms = Math.min(CALL_MS, untilMs - process.now());
    if (!(ms >= MIN_CALL_MS)) return scheduler.after(0, give({ kind: 'not_sent', why: 'no_time' }));
    begun?.();
    const takeEffect = (): Answer => {
      const answer = effect();
      world.note(() => `${process.name} ${what}: effect, ${JSON.stringify(answer)}`);
      return answer;
    };
    const there = world.latencyMs();
    const back = world.latencyMs();
    if (random.chance(faults.crash)) {
      if (random.chance(0.5)) scheduler.after(there, () => void takeEffect());
      return scheduler.after(0, () => process.die(`before the answer of ${what}`));
    }
    const failure = drawFailure(world);
    const hasEffect = failure === undefined || (failure.kind === 'unknown' && random.chance(0.2));
    const isLost = random.chance(faults.lostAnswer);
    if (there + back >= ms) {
      scheduler.after(ms, give({ kind: 'unknown', why: 'timeout' }));
      if (hasEffect) scheduler.after(there, () => void takeEffect());
      return;
    }
    scheduler.after(there, () => {
      const answer = hasEffect ? takeEffect() : undefined;
      scheduler.after(back, give(failure ?? (isLost || answer === undefined ? lostAs(world) : answer)));
    });
  });
};

/** Plangrep as one process reaches it. */
export const createPlangrep = (world: World, process: Process): Plangrep => {
  const { plangrep, judge } = world;
  return {
    cancel: (id: JobId, untilMs: number) =>
      call(world, process, {
        what: `cancel ${id}`,
        untilMs,
        effect: () => plangrep.cancel(id),
        begun: () => {
          world.figures.cancelCalls += 1;
          judge.calls.cancelCalled(process, id);
        },
        heard: (answer) => judge.calls.cancelHeard(process, id, answer),
      }),
    read: (id: JobId, untilMs: number) =>
      call(world, process, {
        what: `read ${id}`,
        untilMs,
        effect: () => plangrep.read(id),
        begun: () => {
          world.figures.reads += 1;
          judge.calls.readCalled(process, id);
        },
        heard: (answer) => {
          judge.calls.readHeard(process, id, answer);
          if (answer.kind === 'job') process.container.shown.set(id, answer.job);
        },
      }),
    list: (id: ProjectId, untilMs: number) => {
      // By its own clock, before the call.
      const listedAt = process.now();
      let jobs: readonly PlangrepJob[] = [];
      return call<ListAnswer>(world, process, {
        what: `list ${id}`,
        untilMs,
        effect: () => {
          if (plangrep.isKeyForeign()) return { kind: 'not_found' };
          jobs = plangrep.list(id);
          return listOf(jobs, listedAt);
        },
        heard: (answer) => {
          if (answer.kind !== 'jobs') return;
          for (const job of jobs) process.container.shown.set(job.id, job);
        },
      });
    },
  };
};
