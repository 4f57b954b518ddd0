import type { ExternalId, JobId, ProjectId } from '../../../functions/core/identifiers.ts';
import type {
  CancelAnswer,
  ListAnswer,
  PlangrepFailure,
  PlangrepJob,
  ReadAnswer,
} from '../../../functions/core/plangrep.ts';
import type { Plangrep } from '../../../functions/core/ports.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';
import { listOf } from '../../support/job-lists.ts';

/** A job's life as chance has laid it out; only a cancel changes it. */
export interface JobPlan {
  readonly id: JobId;
  /** As it was submitted. */
  readonly externalId: ExternalId | undefined;
  readonly projectId: ProjectId;
  readonly createdAt: number;
  readonly endsAt: number;
  readonly endStatus: 'completed' | 'completed_with_errors' | 'failed' | 'expired';
  /** From a cancel to its effect; nothing: it never comes to it, the job ends as it would have. */
  readonly cancelTakesMs: number | undefined;
  /** What a cancel of the job answers once it is terminal. */
  readonly refusal: number;
  /** From then on Plangrep does not know the job any more. */
  readonly goneAt?: number | undefined;
}

interface Job extends JobPlan {
  cancelledAt?: number;
}

/** Plangrep's jobs, and what its three calls do to them (Plangrep's API reference, Jobs), without any fault. */
export class PlangrepModel {
  private readonly jobs = new Map<JobId, Job>();
  readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  create(plan: JobPlan): void {
    this.jobs.set(plan.id, { ...plan });
  }

  forget(id: JobId): void {
    this.jobs.delete(id);
  }

  /** What was submitted, whether Plangrep still knows it or not. */
  planOf(id: JobId): JobPlan | undefined {
    return this.jobs.get(id);
  }

  /** Those that live now, of every partner. */
  liveJobsAs(externalId: ExternalId): readonly JobPlan[] {
    return [...this.jobs.values()].filter((job) => job.externalId === externalId && this.isAlive(job.id));
  }

  private find(id: JobId): Job | undefined {
    const job = this.jobs.get(id);
    return job?.goneAt !== undefined && this.now() >= job.goneAt ? undefined : job;
  }

  /** @returns nothing for a job that Plangrep does not know; a terminal status never changes again */
  statusOf(id: JobId): string | undefined {
    return this.find(id) === undefined ? undefined : this.lastStatusOf(id);
  }

  /** The status that Plangrep shows, or showed until it forgot the job. */
  lastStatusOf(id: JobId): string | undefined {
    const job = this.jobs.get(id);
    if (job === undefined) return undefined;
    const { cancelledAt = Number.POSITIVE_INFINITY, endsAt, endStatus, createdAt, goneAt } = job;
    const at = Math.min(this.now(), goneAt ?? Number.POSITIVE_INFINITY);
    if (at >= Math.min(cancelledAt, endsAt)) return cancelledAt < endsAt ? 'cancelled' : endStatus;
    return at - createdAt < 2_000 ? 'uploading' : 'processing';
  }

  isAlive(id: JobId): boolean {
    const status = this.statusOf(id);
    return status === 'uploading' || status === 'processing';
  }

  cancel(id: JobId): CancelAnswer {
    const job = this.find(id);
    if (job === undefined) return { kind: 'refused', httpStatus: 404 };
    if (!this.isAlive(id)) return { kind: 'refused', httpStatus: job.refusal, code: 'job_terminal' };
    if (job.cancelTakesMs !== undefined) job.cancelledAt ??= this.now() + job.cancelTakesMs;
    return { kind: 'job', job: this.show(job) };
  }

  read(id: JobId): ReadAnswer {
    const job = this.find(id);
    return job === undefined ? { kind: 'not_found' } : { kind: 'job', job: this.showShort(job) };
  }

  list(projectId: ProjectId): readonly PlangrepJob[] {
    const jobs = [...this.jobs.values()].filter((job) => job.projectId === projectId && this.find(job.id) === job);
    return jobs.toSorted((a, b) => b.createdAt - a.createdAt).map((job) => this.show(job));
  }

  /** Some job reads show less than a listing, as some documented examples do. */
  private showShort(job: Job): PlangrepJob {
    return /[13579]$/.test(job.id) ? { ...this.show(job), createdAt: undefined } : this.show(job);
  }

  private show({ id, externalId, projectId, createdAt }: Job): PlangrepJob {
    const status = this.statusOf(id) ?? 'processing';
    return { id, status, externalId, projectId, pageCount: 204, createdAt: new Date(createdAt).toISOString() };
  }
}

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
const drawFailure = ({ random, faults, isKeyRefused, isDown }: World): PlangrepFailure | undefined => {
  if (isKeyRefused()) return { kind: 'key_refused' };
  if (isDown()) return { kind: 'unknown', why: 'server_error', httpStatus: random.pick([500, 502, 503]) };
  if (!random.chance(faults.refusal)) return undefined;
  return random.pick<PlangrepFailure>([
    { kind: 'rate_limited' },
    { kind: 'rate_limited', retryAfterMs: random.pick([1_000, 5_000, 30_000, 120_000, 900_000]) },
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
          if (answer.kind === 'job' || answer.kind === 'not_found') process.learned.add(id);
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
