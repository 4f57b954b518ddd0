/** The middle of what was seen, and between which bounds the middle half lay. */
export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

/** @param share 0.5 for the median; between two figures it lies on the line through both */
const quantile = (sorted: readonly number[], share: number): number => {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
};

export const spreadOf = (figures: readonly number[]): Spread => {
  const sorted = figures.toSorted((a, b) => a - b);
  const [median, lower, upper] = [quantile(sorted, 0.5), quantile(sorted, 0.25), quantile(sorted, 0.75)];
  return { median, lower, upper, count: figures.length };
};

/** Each round's figure by the same round's other: what slows a whole round down weighs on neither side. */
export const ratioOf = (figures: readonly number[], others: readonly number[]): Spread =>
  spreadOf(figures.map((figure, round) => figure / (others[round] ?? Number.NaN)));

/** `92.4 ms (90.1 to 95.3)` */
export const show = ({ median, lower, upper }: Spread, unit: string, digits = 1): string =>
  `${median.toFixed(digits)}${unit} (${lower.toFixed(digits)} to ${upper.toFixed(digits)})`;
