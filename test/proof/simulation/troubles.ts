import type { Random } from './random.ts';

/** A stretch of virtual time, in milliseconds since the start of a schedule, or since 1970. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export const isWithin = (stretch: Stretch | undefined, at: number): boolean =>
  stretch !== undefined && at >= stretch.from && at < stretch.to;

/** How the wake-up queue behaves: each probability is a message's. */
export interface QueueMood {
  readonly lost: number;
  readonly repeated: number;
  /** It comes before its delay is over. */
  readonly early: number;
  /** It comes seconds, minutes or an hour after it. */
  readonly late: number;
  /** The queue takes every message and delivers none, in the calm at the end too. */
  readonly isDead: boolean;
}

export const goodQueue: QueueMood = { lost: 0, repeated: 0, early: 0, late: 0, isDead: false };

/** What goes wrong for a while, beside the faults of single calls. All times are from the start of the schedule. */
export interface Troubles {
  /** From then on nothing goes wrong any more, but for the queue that is dead. */
  readonly calmAfterMs: number;
  readonly keyRefused?: Stretch | undefined;
  readonly down?: Stretch | undefined;
  /** The key is another organization's: Plangrep knows no job. */
  readonly keyForeign?: Stretch | undefined;
  readonly queue: QueueMood;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

export const drawTroubles = (random: Random): Troubles => ({
  calmAfterMs: random.pick([6, 8, 12, 25]) * MINUTE,
  keyRefused: drawStretch(random, 0.1),
  down: drawStretch(random, 0.2),
  keyForeign: random.chance(0.06) ? drawAbsence(random) : undefined,
  queue: drawQueue(random),
});

export const lastTroubleMs = ({ calmAfterMs, ...stretches }: Troubles): number => {
  const { keyRefused, down, keyForeign } = stretches;
  return Math.max(calmAfterMs, ...[keyRefused, down, keyForeign].map((one) => one?.to ?? 0));
};

const drawStretch = (random: Random, probability: number): Stretch | undefined => {
  if (!random.chance(probability)) return undefined;
  const from = random.between(0, 4 * MINUTE);
  return { from, to: from + random.pick([20 * SECOND, MINUTE, 5 * MINUTE, 20 * MINUTE]) };
};

/** For how long Plangrep answers 404 for a job that is there: a deployment, or longer than an absence is believed. */
export const drawAbsence = (random: Random): Stretch => {
  const from = random.between(0, 3 * MINUTE);
  return { from, to: from + random.pick([2 * SECOND, 8 * SECOND, 40 * SECOND, 4 * MINUTE, 12 * MINUTE, 20 * MINUTE]) };
};

/** A job that is hidden now and then: once, or again and again. */
export const drawAbsences = (random: Random): readonly Stretch[] => {
  if (random.chance(0.8)) return [];
  if (random.chance(0.3)) return [drawAbsence(random)];
  const absences: Stretch[] = [];
  for (
    let from = random.between(0, MINUTE);
    absences.length < 8;
    from = (absences.at(-1)?.to ?? 0) + random.between(10 * SECOND, 3 * MINUTE)
  ) {
    absences.push({ from, to: from + random.between(2 * SECOND, 2 * MINUTE) });
  }
  return absences;
};

/** Mostly it works, and one message in many meets something. */
const drawQueue = (random: Random): QueueMood => {
  if (random.chance(0.12)) return { ...goodQueue, isDead: true };
  if (random.chance(0.3)) return goodQueue;
  const rate = random.pick([0.02, 0.1, 0.3]);
  const mood = { lost: rate, repeated: rate, early: rate, late: rate, isDead: false };
  return random.chance(0.7) ? mood : { ...goodQueue, [random.pick(['lost', 'repeated', 'early', 'late'])]: rate * 2 };
};
