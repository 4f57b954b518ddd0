import { availableParallelism } from 'node:os';
import { createProgress, paint } from '../../infra/cli/terminal.ts';
import type { BenchOptions } from './options.ts';
import type { BenchResult } from './part.ts';
import { layOut } from './print-table.ts';

/** Between two lines of progress, where they cannot be written over. */
const QUIET_MS = 5_000;

/** Runs the chosen parts one after the other. @param output takes the result, as text or as one line of JSON */
export const runBench = async (
  options: BenchOptions,
  output: { readonly isTTY?: boolean; write(text: string): unknown },
): Promise<void> => {
  const { seed, parts, functions, rounds, withBaseline, json } = options;
  const began = performance.now();
  const say = (text: string): void => {
    if (!json) output.write(text);
  };
  say(`seed ${seed}, Node ${process.versions.node}, ${availableParallelism()} cores\n\n`);
  const measured: {
    readonly name: string;
    readonly title: string;
    readonly seconds: number;
    readonly result: BenchResult;
  }[] = [];
  for (const { name, title, run } of parts) {
    const started = performance.now();
    const line = createProgress({ isTTY: output.isTTY === true, write: say }, { lineEveryMs: QUIET_MS });
    const progress = (what: string): void => line.show(`${name}: ${what}`);
    const result = await run({ seed, rounds, functions, withBaseline, progress });
    line.clear();
    measured.push({ name, title, seconds: secondsSince(started), result });
    say(`${name.padEnd(8)} done in ${secondsSince(started)} s\n`);
  }
  const seconds = secondsSince(began);
  if (json) {
    const shown = measured.map(({ result: { rows, json: figures }, ...part }) => ({ ...part, rows, figures }));
    output.write(`${JSON.stringify({ seed, seconds, node: process.versions.node, parts: shown })}\n`);
    return;
  }
  for (const { title, result } of measured) {
    say(`\n${paint('bold', title)}\n\n${layOut(result.rows)}`);
    if (result.table !== undefined) say(`\n${result.table.trimEnd()}\n`);
    for (const note of result.notes ?? []) say(`  ${paint('dim', note)}\n`);
  }
  const bars = measured.flatMap(({ result }) => result.rows.flatMap(({ bar }) => (bar === undefined ? [] : [bar])));
  say(
    `\n${bars.filter(({ met }) => met).length} of ${bars.length} bars met, in ${seconds} s; again with --seed ${seed}\n`,
  );
};

const secondsSince = (started: number): number => Math.round((performance.now() - started) / 100) / 10;
