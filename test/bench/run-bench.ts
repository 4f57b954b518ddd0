import { availableParallelism } from 'node:os';
import { type Cell, createProgress, paint, table } from '../../infra/cli/terminal.ts';
import type { BenchOptions } from './options.ts';
import type { Bar, BenchPart, BenchResult, BenchRow } from './part.ts';

/** Milliseconds between two lines of progress where a line cannot be written over. */
const QUIET_MS = 5_000;

interface Measured extends Pick<BenchPart, 'name' | 'title'> {
  readonly seconds: number;
  readonly result: BenchResult;
}

/** Runs the chosen parts one after the other. @param output takes the result, as text or as one line of JSON */
export async function runBench(
  options: BenchOptions,
  output: { readonly isTTY?: boolean; write(text: string): unknown },
): Promise<void> {
  const { seed, parts, functions, rounds, withBaseline, json } = options;
  const began = performance.now();
  const say = (text: string): void => {
    if (!json) output.write(text);
  };
  say(`seed ${seed}, Node ${process.versions.node}, ${availableParallelism()} cores\n\n`);
  const measured: Measured[] = [];
  for (const { name, title, run } of parts) {
    const started = performance.now();
    const line = createProgress({ isTTY: output.isTTY === true, write: say }, { lineEveryMs: QUIET_MS });
    const progress = (what: string): void => line.show(`${name}: ${what}`);
    const result = await run({ seed, rounds, functions, withBaseline, progress });
    line.clear();
    const seconds = secondsSince(started);
    measured.push({ name, title, seconds, result });
    say(`${name.padEnd(8)} done in ${seconds} s\n`);
  }
  const seconds = secondsSince(began);
  if (json) {
    const shown = measured.map(({ result: { rows, json: figures }, ...part }) => ({ ...part, rows, figures }));
    output.write(`${JSON.stringify({ seed, seconds, node: process.versions.node, parts: shown })}\n`);
    return;
  }
  for (const one of measured) say(describe(one));
  const bars = measured.flatMap(({ result }) => result.rows.flatMap(({ bar }) => (bar === undefined ? [] : [bar])));
  const met = bars.filter((bar) => bar.met).length;
  say(`\n${met} of ${bars.length} bars met, in ${seconds} s; again with --seed ${seed}\n`);
}

function secondsSince(started: number): number {
  return Math.round((performance.now() - started) / 100) / 10;
}

function describe({ title, result: { rows, table: ownTable, notes = [] } }: Measured): string {
  return [
    `\n${paint('bold', title)}\n\n`,
    ...table([], rows.map(cellsOf)).map((line) => `  ${line}\n`),
    ...(ownTable === undefined ? [] : [`\n${ownTable.trimEnd()}\n`]),
    ...notes.map((note) => `  ${paint('dim', note)}\n`),
  ].join('');
}

/** What was measured, the figure, the limit, and whether it is met. */
function cellsOf({ what, figure, bar }: BenchRow): Cell[] {
  if (bar === undefined) return [what, figure];
  const { limit, stretch } = bar;
  return [what, figure, stretch === undefined ? limit : `${limit}, stretch ${stretch.limit}`, verdict(bar)];
}

function verdict({ met, stretch }: Bar): Cell {
  if (!met) return { text: 'missed', style: 'red' };
  return { text: stretch?.met === true ? 'met, stretch too' : 'met', style: 'green' };
}
