import type { Random } from './random.ts';

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
});

/** Some schedules are calm, so that the common case is seen too; a few are mostly faults. */
export const drawFaults = (random: Random): FaultRates => {
  const faults = faultsAt(random.pick([0, 0.01, 0.02, 0.04, 0.04, 0.08, 0.15]));
  // Crashes alone, losses alone …: what another fault hides shows when it comes alone.
  if (random.chance(0.3)) {
    const alone = random.pick(['crash', 'lostAnswer', 'slow', 'freeze', 'refusal', 'bigSkew']);
    return { ...noFaults, [alone]: random.pick([0.05, 0.1, 0.2]) };
  }
  return faults;
};
