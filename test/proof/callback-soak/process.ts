import { type Dependency, DependencyUnavailable } from '../../../functions/core/report.ts';
import { functions } from '../../../infra/blueprint/functions.ts';
import type { Random } from '../simulation/random.ts';
import type { Scheduler } from '../simulation/scheduler.ts';

/** What may go wrong at a call of a table, the queue or the secret, each with its probability. */
export interface CallFaults {
  /** The process dies in the middle of a call: whether that took effect is a matter of chance. */
  readonly crash: number;
  /** Nothing happens; the caller hears that it failed. */
  readonly failure: number;
  /** The effect happens; the caller hears that it failed. */
  readonly lostAnswer: number;
}

const TIMEOUT_MS = functions['deliver-callbacks'].timeoutSeconds * 1_000;

/** One invocation of deliver-callbacks: it dies at a crash, or at its timeout, and never runs on. */
export class SoakProcess {
  isDead = false;
  private readonly startedAt: number;
  private readonly scheduler: Scheduler;
  private readonly random: Random;
  private readonly faults: CallFaults;

  private readonly onCrash: () => void;

  constructor(scheduler: Scheduler, random: Random, faults: CallFaults, onCrash: () => void) {
    this.scheduler = scheduler;
    this.random = random;
    this.faults = faults;
    this.onCrash = onCrash;
    this.startedAt = scheduler.now;
  }

  remainingMs(): number {
    return Math.max(0, this.startedAt + TIMEOUT_MS - this.scheduler.now);
  }

  /** Runs `act` later, if the process still lives by then. */
  later(ms: number, act: () => void): void {
    this.scheduler.after(ms, () => {
      if (this.remainingMs() === 0) this.isDead = true;
      if (!this.isDead) act();
    });
  }

  mayCrash(): boolean {
    if (this.isDead || !this.random.chance(this.faults.crash)) return this.isDead;
    this.onCrash();
    this.isDead = true;
    return true;
  }

  /** One call: it travels, takes effect, and its answer travels back. */
  ask<Answer>(dependency: Dependency, effect: () => Promise<Answer>): Promise<Answer> {
    const { failure, lostAnswer } = this.faults;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const fault = this.random.next();
    const fail = (): void => reject(new DependencyUnavailable(dependency, new Error('played')));
    if (this.mayCrash()) {
      if (this.random.chance(0.5)) this.scheduler.after(5, async () => void (await effect()));
      return promise;
    }
    if (fault < failure) {
      this.later(this.random.between(2, 1_500), fail);
      return promise;
    }
    this.scheduler.after(this.random.between(2, 10), () => {
      const answer = effect();
      if (fault < failure + lostAnswer) this.later(1_500, fail);
      else this.later(2, () => resolve(answer));
    });
    return promise;
  }
}
