import * as z from 'zod/mini';
import type { Container } from '../../infra/local/aws/lambda/container.ts';
import type { Random } from '../proof/simulation/random.ts';

/** The middle of what was measured, and the bounds of its middle half. */
export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

export function spreadOf(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((a, b) => a - b);
  const [median, lower, upper] = [quantile(sorted, 0.5), quantile(sorted, 0.25), quantile(sorted, 0.75)];
  return { median, lower, upper, count: figures.length };
}

/** @param share 0.5 for the median, 0.95 for the p95; between two figures it is interpolated */
export function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** Each round's figure by the other figure of the same round: a slow round changes neither side's share. */
export function ratioOf(figures: readonly number[], others: readonly number[]): Spread {
  return spreadOf(figures.map((figure, round) => figure / (others[round] ?? Number.NaN)));
}

/** `92.4 ms (90.1 to 95.3)` */
export function show({ median, lower, upper }: Spread, unit: string, digits = 1): string {
  return `${median.toFixed(digits)}${unit} (${lower.toFixed(digits)} to ${upper.toFixed(digits)})`;
}

/** The items in another order: the same for the same seed. */
export function shuffle<Item>(items: readonly Item[], random: Random): Item[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** What is read of an answer. */
export const answerSchema = z.object({ statusCode: z.number() });

/**
 * Milliseconds from the delivery of an HTTP request to its answer.
 * @throws Error when the status is not `status`: then another path was taken than the one to measure
 */
export async function invokeTimed(container: Container, event: unknown, status: number): Promise<number> {
  const began = performance.now();
  const result = await container.invoke(event);
  const ms = performance.now() - began;
  const answered = result.kind === 'answered' ? answerSchema.parse(result.payload).statusCode : result.kind;
  if (answered !== status) throw new Error(`answered ${answered}, not ${status}: ${JSON.stringify(result)}`);
  return ms;
}

/** What was measured of one of several. */
export interface Compared {
  readonly ms: Spread;
  /** Divided by the first one's time, round by round. */
  readonly ratio: Spread;
  /** The median. */
  readonly requests: number;
}

interface Turns {
  readonly rounds: number;
  /** The first rounds only warm up: `act` gets a negative number for them. @default 1 */
  readonly warmUp?: number;
  /** `alternating`: every second round goes from the last to the first. @default 'same' */
  readonly order?: 'same' | 'alternating';
}

/** Measures each in turn, round after round, so that what slows the machine down affects all. */
export async function takeTurns<One>(
  all: readonly One[],
  { rounds, warmUp = 1, order = 'same' }: Turns,
  act: (one: One, round: number) => Promise<{ readonly ms: number; readonly requests: number }>,
): Promise<readonly Compared[]> {
  const measured = all.map((one) => ({ one, ms: [] as number[], requests: [] as number[] }));
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const { one, ms, requests } of order === 'alternating' && round % 2 !== 0 ? measured.toReversed() : measured) {
      const figures = await act(one, round);
      if (round < 0) continue;
      ms.push(figures.ms);
      requests.push(figures.requests);
    }
  }
  return measured.map(({ ms, requests }) => {
    const ratio = ratioOf(ms, measured[0]?.ms ?? []);
    return { ms: spreadOf(ms), ratio, requests: spreadOf(requests).median };
  });
}
