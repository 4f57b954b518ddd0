import { styleText } from 'node:util';
import type { Bar, BenchRow } from './part.ts';

const verdict = ({ met, stretch }: Bar): string => {
  if (!met) return styleText('red', 'missed');
  return styleText('green', stretch?.met === true ? 'met, stretch too' : 'met');
};
const limits = ({ limit, stretch }: Bar): string =>
  stretch === undefined ? limit : `${limit}, stretch ${stretch.limit}`;

/** Rows under each other: what, the figure, the limit, whether it is met. */
export const layOut = (rows: readonly BenchRow[]): string => {
  const width = (of: (row: BenchRow) => string): number => Math.max(0, ...rows.map((row) => of(row).length));
  const limitOf = ({ bar }: BenchRow): string => (bar === undefined ? '' : limits(bar));
  const [what, figure, limit] = [width((row) => row.what), width((row) => row.figure), width(limitOf)];
  const lines = rows.map((row) => {
    const cells = [row.what.padEnd(what), row.figure.padEnd(figure), limitOf(row).padEnd(limit)];
    return `  ${[...cells, row.bar === undefined ? '' : verdict(row.bar)].join('  ')}`.trimEnd();
  });
  return `${lines.join('\n')}\n`;
};
