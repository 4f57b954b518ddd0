import type { Random } from './random.ts';

interface Step {
  readonly at: number;
  /** Chance decides between steps of the same millisecond. */
  readonly order: number;
  readonly act: () => void | Promise<void>;
}

const isSooner = (a: Step, b: Step): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Lets everything run that can run without another step: all promises that are settled have been heard. */
const settled = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Virtual time, and the one thread that everything in a simulation shares: one step at a time, in order of time. */
export class Scheduler {
  now: number;
  steps = 0;
  private readonly random: Random;
  /** A binary heap: the soonest step first. */
  private readonly heap: Step[] = [];

  constructor(random: Random, startMs: number) {
    this.random = random;
    this.now = startMs;
  }

  /** Steps to come. */
  get waiting(): number {
    return this.heap.length;
  }

  /** @param delayMs of virtual time from now */
  after(delayMs: number, act: () => void | Promise<void>): void {
    const step = { at: this.now + Math.max(0, delayMs), order: this.random.next(), act };
    let place = this.heap.push(step) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.heap[above];
      if (parent === undefined || !isSooner(step, parent)) break;
      this.heap[place] = parent;
      place = above;
    }
    this.heap[place] = step;
  }

  /** Runs step after step, until there is none, or `isOver` says so before the next one. */
  async run(isOver: () => boolean): Promise<void> {
    for (let step = this.take(); step !== undefined; step = this.take()) {
      this.now = step.at;
      if (isOver()) return;
      this.steps += 1;
      await step.act();
      await settled();
    }
  }

  private take(): Step | undefined {
    const [soonest] = this.heap;
    const last = this.heap.pop();
    if (last === undefined || soonest === undefined || this.heap.length === 0) return soonest;
    let place = 0;
    for (let below = 1; below < this.heap.length; below = place * 2 + 1) {
      const left = this.heap[below];
      const right = this.heap[below + 1];
      if (left === undefined) break;
      const isRight = right !== undefined && isSooner(right, left);
      const child = isRight ? right : left;
      if (!isSooner(child, last)) break;
      this.heap[place] = child;
      place = isRight ? below + 1 : below;
    }
    this.heap[place] = last;
    return soonest;
  }
}
