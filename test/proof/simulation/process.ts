import type { JobId } from '../../../functions/core/identifiers.ts';
import type { ReadAnswer } from '../../../functions/core/plangrep.ts';
import { type Dependency, DependencyUnavailable } from '../../../functions/core/report.ts';
import type { Container } from './container.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** What may go wrong at a port call, each with its probability. Closed union: every fault is drawn in one place. */
export interface FaultRates {
  /** The process dies before the effect, or after it: it never runs on. */
  readonly crash: number;
  /** The effect happens; the caller hears that it failed. */
  readonly lostAnswer: number;
  /** Nothing happens; the caller hears that it failed. */
  readonly failure: number;
  /** A table's put is sent twice, as the SDK does when an answer is lost on the way. */
  readonly repeat: number;
  /** The call takes seconds: the effect may come after the caller has given up. */
  readonly slow: number;
  /** The process stands still beyond its lease, and then goes on. */
  readonly freeze: number;
  /** A process's clock is wrong by up to 3 s. */
  readonly skew: number;
  /** A process's clock is wrong by up to a lease. */
  readonly bigSkew: number;
  /** Plangrep answers 429, or refuses for no reason, or cannot be connected to. */
  readonly refusal: number;
  /** A message is handed out again although it was done with. */
  readonly redelivery: number;
  /** A directory entry, or an item in the index of wake-ups, cannot be read. */
  readonly unreadable: number;
}

export const noFaults: FaultRates = {
  crash: 0,
  lostAnswer: 0,
  failure: 0,
  repeat: 0,
  slow: 0,
  freeze: 0,
  skew: 0,
  bigSkew: 0,
  refusal: 0,
  redelivery: 0,
  unreadable: 0,
};

/** Every fault at the same rate; those that end or freeze a whole process are rarer, since a process makes many calls. */
const faultsAt = (rate: number): FaultRates => ({
  crash: rate / 2,
  lostAnswer: rate,
  failure: rate,
  repeat: rate,
  slow: rate,
  freeze: rate / 4,
  skew: Math.min(1, rate * 4),
  bigSkew: rate / 4,
  refusal: rate,
  redelivery: rate,
  unreadable: rate,
});

/** Some schedules are calm, so that the common case is seen too; a few are mostly faults. */
export const drawFaults = (random: Random): FaultRates => {
  const faults = faultsAt(random.pick([0, 0.01, 0.02, 0.04, 0.04, 0.08, 0.15]));
  // Crashes alone, losses alone …: what another fault hides shows when it comes alone.
  if (random.chance(0.3)) {
    const alone = random.pick(['crash', 'lostAnswer', 'slow', 'freeze', 'refusal', 'bigSkew', 'unreadable']);
    return { ...noFaults, [alone]: random.pick([0.05, 0.1, 0.2]) };
  }
  return faults;
};

export type ProcessKind = 'https' | 'events' | 'register' | 'reader' | 'reconciler' | 'consumer';

/** As in infra/blueprint/functions.ts, stated anew so that the proof does not follow a change there unnoticed. */
const TIMEOUT_MS: Readonly<Record<ProcessKind, number>> = {
  https: 15_000,
  events: 30_000,
  register: 15_000,
  reader: 15_000,
  reconciler: 40_000,
  consumer: 15_000,
};
/** What it takes to give up: on a table three tries of 1.5 s, on the queue two within 2 s. */
const TABLE_GIVES_UP_MS = 4_500;
const QUEUE_GIVES_UP_MS = 2_000;
const played = new Error('played');

/** One invocation of a function. It dies at a crash or its timeout; a frozen one goes on later, whatever the time. */
export class Process {
  readonly id: number;
  readonly container: Container;
  readonly startedAt: number;
  state: 'running' | 'dead' | 'ended' = 'running';
  /** It stood still for longer than a lease. */
  wasFrozen = false;
  /** It called cancel. */
  hasCalled = false;
  /** How many jobs it read, and with it the other deliveries of an event. */
  reads = { count: 0 };
  /** The kind of the newest answer to a read of each job. */
  readonly heard = new Map<JobId, ReadAnswer['kind']>();
  /** A table or a queue did not answer it. */
  hasFailed = false;
  endedAt: number | undefined;
  /** The codes that it reported, each with the request it spoke of. */
  readonly reported = new Set<string>();
  private frozenUntil = 0;
  private readonly world: World;

  constructor(world: World, id: number, container: Container) {
    this.world = world;
    this.id = id;
    this.container = container;
    this.startedAt = world.scheduler.now;
    container.take(this);
  }

  get kind(): ProcessKind {
    return this.container.kind;
  }

  /** How far its clock is ahead, in milliseconds. */
  get skew(): number {
    return this.container.skew;
  }

  /** It looks at wake-ups, and does nothing else. */
  get isLooking(): boolean {
    return this.kind === 'reconciler' || this.kind === 'consumer';
  }

  get name(): string {
    return `${this.kind}-${this.id}`;
  }

  /** Its own clock. */
  now(): number {
    return this.world.scheduler.now + this.skew;
  }

  /** The time that the platform leaves it. */
  remainingMs(): number {
    return Math.max(0, this.startedAt + TIMEOUT_MS[this.kind] - this.world.scheduler.now);
  }

  die(why: string): void {
    if (this.state !== 'running') return;
    this.state = 'dead';
    this.world.note(() => `${this.name} dies: ${why}`);
    this.world.left(this);
  }

  /** Runs `act` in this process, if it still lives by then: a process that died never runs on. */
  goOn(act: () => void): void {
    const { scheduler, random, faults } = this.world;
    if (this.state === 'dead') return;
    if (scheduler.now < this.frozenUntil) {
      scheduler.after(this.frozenUntil - scheduler.now, () => this.goOn(act));
      return;
    }
    if (!this.wasFrozen && this.remainingMs() === 0) return this.die('timeout');
    if (!this.wasFrozen && random.chance(faults.freeze)) {
      const ms = random.pick([8_000, 20_000, 46_000, 60_000, 90_000, 200_000]);
      this.frozenUntil = scheduler.now + ms;
      // Shorter stops are within what the platform allows: its timeout goes on counting.
      this.wasFrozen = ms > 45_000;
      this.world.note(() => `${this.name} stands still for ${ms} ms`);
      scheduler.after(ms, () => this.goOn(act));
      return;
    }
    act();
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.world.random.chance(this.world.faults.crash)) return this.die('while it waits');
      this.world.scheduler.after(ms, () => this.goOn(resolve));
    });
  }

  /**
   * One call of a table or the queue: it travels, takes effect, and its answer travels back; each may go wrong.
   * @param effect the write or read itself; atomic
   * @param repeats whether the SDK may put it twice without being told
   */
  ask<Answer>(dependency: Dependency, what: string, effect: () => Promise<Answer>, repeats = false): Promise<Answer> {
    const { scheduler, random, faults } = this.world;
    return new Promise((resolve, reject) => {
      const give = (answer: Promise<Answer>) => () => this.goOn(() => resolve(answer));
      const fail = (how: string) => () =>
        this.goOn(() => {
          this.world.note(() => `${this.name} ${what}: unavailable (${how})`);
          this.hasFailed = true;
          reject(new DependencyUnavailable(dependency, played));
        });
      const there = this.world.latencyMs();
      const back = this.world.latencyMs();
      const fault = random.next();
      if (fault < faults.crash) {
        // In the middle of the call: whether it left is a matter of chance.
        if (random.chance(0.5)) scheduler.after(there, async () => void (await effect()));
        scheduler.after(0, () => this.die(`before the answer of ${what}`));
        return;
      }
      if (fault < faults.crash + faults.failure) return scheduler.after(there, fail('no effect'));
      const givesUpMs = dependency === 'wake-ups' ? QUEUE_GIVES_UP_MS : TABLE_GIVES_UP_MS;
      const isLost = fault < faults.crash + faults.failure + faults.lostAnswer;
      if (!isLost && there + back > givesUpMs) {
        scheduler.after(givesUpMs, fail('effect to come'));
        scheduler.after(there, async () => void (await effect()));
        return;
      }
      const isRepeated = repeats && random.chance(faults.repeat);
      scheduler.after(there, () => {
        const answer = effect();
        if (isLost) scheduler.after(back, fail('effect done'));
        else if (!isRepeated) scheduler.after(back, give(answer));
        else scheduler.after(this.world.latencyMs(), () => scheduler.after(back, give(effect())));
      });
    });
  }
}
