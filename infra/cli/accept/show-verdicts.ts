import { type Cell, count, duration, paint, printable, table } from '../terminal.ts';
import type { Verdict } from './run-checks.ts';

/** How many had each result. */
export interface Summary {
  readonly ok: number;
  readonly failed: number;
  readonly skipped: number;
}

export function summarize(verdicts: readonly Verdict[]): Summary {
  const number = (result: Verdict['result']): number => verdicts.filter((verdict) => verdict.result === result).length;
  return { ok: number('ok'), failed: number('failed'), skipped: number('skipped') };
}

const styles = { ok: 'green', failed: 'red', skipped: 'yellow' } as const;

/** A table of all, then what is wrong with those that failed, then the sum. @param ms how long all took */
export function showVerdicts(verdicts: readonly Verdict[], url: URL, ms: number): readonly string[] {
  const rows = verdicts.map(({ id, result, ms: took, shows, why }): Cell[] => {
    const time = result === 'skipped' ? '' : `${count(took)} ms`;
    return [id, { text: result, style: styles[result] }, time, why === undefined ? shows : `${shows} (${why})`];
  });
  const { ok, failed, skipped } = summarize(verdicts);
  const sum = `${ok} ok, ${failed} failed, ${skipped} skipped in ${duration(ms)}: ${url.href}`;
  return [
    ...table(['CHECK', 'RESULT', 'TIME', 'WHAT IT SHOWS'], rows),
    ...verdicts.flatMap(showFaults),
    '',
    paint(failed === 0 ? ['bold', 'green'] : ['bold', 'red'], sum),
  ];
}

function showFaults({ id, faults = [], lookAt = '', requestIds = [] }: Verdict): readonly string[] {
  if (faults.length === 0) return [];
  const lines = faults.flatMap(({ seen, expected }) => [
    `  seen      ${printable(seen)}`,
    `  expected  ${printable(expected)}`,
  ]);
  const ids = requestIds.length > 0 ? [`  requests  ${printable(requestIds.join(', '))}`] : [];
  return ['', paint(['bold', 'red'], id), ...lines, `  look at   ${lookAt}`, ...ids];
}
