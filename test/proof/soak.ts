import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { CancellationEvent, JoinedRecord, RefusedRecord } from '../../functions/core/cancellation/events.ts';
import { acme, documentedProject, externalId, jobId } from '../support/names.ts';
import { registerOverHttps, requestOverHttps, scheduleReconciler } from './simulation/doors.ts';
import type { Figures } from './simulation/figures.ts';
import { type FaultRates, noFaults } from './simulation/process.ts';
import { Random } from './simulation/random.ts';
import type { QueueMood } from './simulation/troubles.ts';
import { World } from './simulation/world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Arrivals in virtual time: what one run of the reconciler a minute keeps up with. */
const EVERY_MS = 400;
/** A caller that heard nothing good asks again after this. */
const REPEAT_MS = 30 * SECOND;
/** Longer than anything of a closed cancellation can still be on its way. */
const WATCHED_MS = 10 * MINUTE;
/** The heap after the second half may be this much larger than after the first. */
const HEAP_BOUND = { factor: 1.2, moreMb: 10 };

/** One call in twenty meets a fault. A crash takes all that its process had at hand along, so it is one in a thousand. */
const fivePercent: FaultRates = {
  ...noFaults,
  crash: 0.001,
  lostAnswer: 0.015,
  failure: 0.015,
  repeat: 0.015,
  slow: 0.002,
  freeze: 0.0002,
  refusal: 0.015,
  skew: 0.05,
};

const fivePercentQueue: QueueMood = { lost: 0.015, repeated: 0.015, early: 0.01, late: 0.01, isDead: false };

export interface SoakOptions {
  readonly cancellations: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
  /** Receives every record of the log, when it is written. */
  readonly onRecord?: (record: CancellationEvent | JoinedRecord | RefusedRecord) => void;
  /** What the names of jobs and orders begin with, so that several runs have none in common. @default '' */
  readonly prefix?: string;
}

export interface SoakResult {
  readonly cancellations: number;
  readonly steps: number;
  readonly violations: readonly string[];
  readonly figures: Figures & {
    /** Asked for and not closed in the end. */
    readonly lost: number;
    readonly perSecond: number;
    readonly virtualMinutes: number;
    /** In use after a collection, at 30, 50, 75 and 100 % of the arrivals. */
    readonly heapMb: readonly number[];
  };
}

/**
 * Soak: one long run of cancellations with faults, each of its own job, on the memory store. What has closed is
 * verified and then forgotten, so memory stays flat unless something is lost. A caller repeats until its request is on
 * record, as a real one would.
 */
export const runSoak = async ({
  cancellations,
  seed,
  onProgress,
  onRecord,
  prefix = '',
}: SoakOptions): Promise<SoakResult> => {
  const began = performance.now();
  const random = new Random(seed);
  const arriveForMs = cancellations * EVERY_MS;
  const plan = { faults: fivePercent, calmAfterMs: arriveForMs + 5 * MINUTE, queue: fivePercentQueue };
  const world = new World(random, { ...plan, isSwift: true });
  const { scheduler, plangrep, store, judge } = world;
  if (onRecord !== undefined) {
    world.onAppended = onRecord;
    world.onBeside = onRecord;
  }
  world.partners.set(acme, { kind: 'any' });
  const { journal } = judge;
  const sampleAt = new Set([0.3, 0.5, 0.75, 1].map((share) => Math.ceil(cancellations * share)));
  const heapMb: number[] = [];
  let verified = 0;

  const arrive = (n: number): void => {
    if (sampleAt.has(n)) heapMb.push(measureHeapMb());
    if (n % 10_000 === 0 && n > 0) onProgress?.(n);
    if (n >= cancellations) return;
    const id = jobId(`job_${prefix}${n}`);
    const name = externalId(`order-${prefix}${n}`);
    const requestIds: string[] = [];
    plangrep.create({
      id,
      externalId: name,
      projectId: documentedProject,
      createdAt: scheduler.now,
      endsAt: scheduler.now + random.pick([random.between(SECOND, MINUTE), random.between(MINUTE, 10 * MINUTE)]),
      endStatus: random.pick(['completed', 'completed_with_errors', 'failed', 'expired']),
      cancelTakesMs: random.pick<number | undefined>([0, 0, 0, random.between(100, 90 * SECOND), undefined]),
      refusal: random.pick([400, 409, 410, 422]),
      hidden: [],
    });
    const register = (): void => {
      if (store.directory.owners.has(id)) return;
      registerOverHttps(world, { partnerId: acme, externalId: name, jobId: id }, `register-${prefix}${n}`);
      scheduler.after(REPEAT_MS, register);
    };
    const ask = (): void => {
      if (journal.streams.has(id)) return;
      const requestId = `request-${prefix}${n}-${requestIds.length}`;
      requestIds.push(requestId);
      requestOverHttps(world, { partnerId: acme, externalId: name }, requestId);
      scheduler.after(REPEAT_MS, ask);
    };
    const watch = (): void =>
      scheduler.after(judge.streams.isSettled(id) ? WATCHED_MS : MINUTE, judge.streams.isSettled(id) ? forget : watch);
    const forget = (): void => {
      verified += 1;
      store.forget(acme, name, id);
      journal.streams.delete(id);
      plangrep.forget(id);
      judge.requests.forget(id, requestIds);
      judge.wakeUps.forget(id);
    };
    register();
    scheduler.after(random.between(200, 3 * SECOND), ask);
    watch();
    scheduler.after(EVERY_MS, () => arrive(n + 1));
  };
  arrive(0);
  scheduleReconciler(world);
  await scheduler.run(() => journal.violations.length > 0 || world.elapsedMs > arriveForMs + 180 * MINUTE);

  judge.streams.finish();
  const violations = journal.violations.map(({ invariant, detail }) => `${invariant}: ${detail}`);
  const lost = cancellations - verified;
  if (lost > 0) violations.push(`${lost} of ${cancellations} cancellations were not seen to their end`);
  const [, firstHalf = 0, , secondHalf = 0] = heapMb;
  if (secondHalf > firstHalf * HEAP_BOUND.factor + HEAP_BOUND.moreMb) {
    violations.push(`memory is not flat: ${heapMb.join(', ')} MB`);
  }
  const perSecond = Math.round(cancellations / ((performance.now() - began) / 1000));
  const virtualMinutes = Math.round(world.elapsedMs / MINUTE);
  const figures = { ...world.figures, lost, perSecond, virtualMinutes, heapMb };
  return { cancellations, steps: scheduler.steps, violations, figures };
};

/** The collector as `node --expose-gc` gives it; switched on here, so that the soak needs no flag. */
const collectGarbage = (): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
};

let collect: (() => void) | undefined;

/** What is in use after everything that can go is gone, in MB. */
export const measureHeapMb = (): number => {
  collect ??= collectGarbage();
  collect();
  return Math.round((process.memoryUsage().heapUsed / 1024 / 1024) * 10) / 10;
};
