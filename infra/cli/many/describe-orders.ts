import { renameSync, writeFileSync } from 'node:fs';
import type { ManyResult, PlannedOrder } from '../../../client/src/index.ts';
import { CannotDo } from '../command.ts';

/** An order of the file, and what became of it. */
export interface OrderReport {
  readonly externalId: string;
  readonly jobId: string | null;
  /** What the preview showed. An operator sees which of those that are not found are another partner's. */
  readonly preview: PlannedOrder['state'] | 'not_yours' | 'unknown';
  /** null: nothing was done. */
  readonly result: string | null;
  readonly jobStatus: string | null;
  readonly creditsDebited: number | null;
  readonly requestId: string | null;
  /** Of an ambiguous one. */
  readonly candidates: readonly string[];
  readonly detail: string | null;
}

/** @param others the externalIds that name jobs of other partners; undefined: not known */
export function describeOrders(
  orders: readonly PlannedOrder[],
  results: readonly ManyResult[],
  others: ReadonlySet<string> | undefined,
): readonly OrderReport[] {
  const byId = new Map(results.map(({ externalId, result }) => [externalId, result]));
  return orders.map(({ externalId, jobId, jobStatus, state, candidates }) => {
    const result = byId.get(externalId);
    const cancellation = result !== undefined && 'cancellation' in result ? result.cancellation : undefined;
    const whose = others?.has(externalId) === true ? 'not_yours' : 'unknown';
    return {
      externalId,
      jobId,
      preview: state === 'not_found' && others !== undefined ? whose : state,
      result: result?.kind ?? null,
      jobStatus: cancellation?.jobStatus ?? jobStatus,
      creditsDebited: cancellation?.creditsDebited ?? null,
      requestId: result?.requestId ?? null,
      candidates: candidates.map((candidate) => candidate.jobId),
      detail: result !== undefined && 'detail' in result ? result.detail : null,
    };
  });
}

/** How many orders have each value, the most first. */
export function countBy(
  reports: readonly OrderReport[],
  field: 'preview' | 'result',
): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const report of reports) {
    const value = report[field];
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].toSorted(([, a], [, b]) => b - a));
}

/** Refuses a name that is neither before anything is done. @throws CannotDo (2) */
export function checkResultsPath(path: string): void {
  if (!/\.(csv|json)$/.test(path)) throw new CannotDo(2, '--results takes a file that ends in .csv or .json.');
}

/** Writes one line or item for each order, all or nothing. */
export function writeResults(path: string, reports: readonly OrderReport[]): void {
  writeFileSync(`${path}.new`, path.endsWith('.csv') ? toCsv(reports) : `${JSON.stringify(reports, null, 2)}\n`, {
    mode: 0o600,
  });
  renameSync(`${path}.new`, path);
}

/** RFC 4180. Every text is exactly what it is: another program reads it. */
function toCsv(reports: readonly OrderReport[]): string {
  const columns = [
    'externalId',
    'jobId',
    'preview',
    'result',
    'jobStatus',
    'creditsDebited',
    'requestId',
    'candidates',
    'detail',
  ] as const;
  const cell = (value: OrderReport[(typeof columns)[number]]): string => {
    const text = Array.isArray(value) ? value.join(' ') : String(value ?? '');
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const rows = [columns, ...reports.map((report) => columns.map((column) => cell(report[column])))];
  return rows.map((row) => `${row.join(',')}\r\n`).join('');
}
