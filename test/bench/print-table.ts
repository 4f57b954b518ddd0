import { type Cell, table } from '../../infra/cli/terminal.ts';
import type { Bar, BenchRow } from './part.ts';

function verdict({ met, stretch }: Bar): Cell {
  if (!met) return { text: 'missed', style: 'red' };
  return { text: stretch?.met === true ? 'met, stretch too' : 'met', style: 'green' };
}

function limits({ limit, stretch }: Bar): string {
  return stretch === undefined ? limit : `${limit}, stretch ${stretch.limit}`;
}

/** Rows under each other: what, the figure, the limit, whether it is met. */
export function layOut(rows: readonly BenchRow[]): string {
  const cells = rows.map(({ what, figure, bar }): Cell[] => [
    what,
    figure,
    ...(bar === undefined ? [] : [limits(bar), verdict(bar)]),
  ]);
  return table([], cells)
    .map((line) => `  ${line}\n`)
    .join('');
}
