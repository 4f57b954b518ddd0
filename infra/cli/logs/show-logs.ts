import { CannotDo, readList, readWholeNumber } from '../command.ts';
import { opsCommand } from '../ops-command.ts';
import type { Place } from '../places/place.ts';
import { count, table, type Terminal } from '../terminal.ts';
import { type FoundLine, runLogsQuery } from './cloudwatch-logs.ts';
import { type Asked, logsQueryFor } from './logs-query.ts';
import { type ShownLine, toRow, toShown } from './present-line.ts';
import { readKeptLines } from './read-kept-lines.ts';
import { isSearched, searchWords } from './searched.ts';

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Limit.html */
const MOST_LINES = 10_000;

export const showLogs = opsCommand({
  name: 'logs',
  summary: 'Shows the log lines with a code, an id or a status, the newest last.',
  notes: `Several, separated by commas: a line is shown when one of them fits. In AWS it is a query of CloudWatch Logs Insights over
the functions' log groups, the access log and the trail, which is billed by what it reads; in the local run, the lines that the run
keeps in .local/functions.log.`,
  argument: { hint: 'CODE[,ID…]', what: 'what to look for, see below' },
  options: {
    since: { hint: '1h', what: 'how far back: 30s, 15m, 1h, 2d, or a time like 2026-11-26T03:04:05Z (default 1h)' },
    limit: { hint: 'N', what: 'the most lines, the newest ones (default 200)' },
  },
  sections: { 'What to look for': searchWords },
  async run({ place, terminal, values, argument, now }) {
    const words = readList(argument);
    if (words.length === 0) throw new CannotDo(2, '"logs" needs a code or an id.');
    const limit = readWholeNumber('--limit', values.limit ?? '200', 1);
    if (limit > MOST_LINES) throw new CannotDo(2, `--limit must be at most ${MOST_LINES}.`);
    const { fromMs, inWords: since } = readSince(values.since ?? '1h', now);
    const lines = await findLines(place, terminal, { words, fromMs, toMs: now + 60_000, limit, keeps: 'newest' });
    const shown = lines.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).map(toShown);
    const complete = lines.length < limit;
    terminal.show({ lines: shown, complete, from: new Date(fromMs).toISOString() }, [
      ...table([], shown.map(toRow)),
      lines.length === 0
        ? `No line with ${words.join(' or ')} ${since} (${place.environment}).${hintAt(words)}`
        : summarize(shown, since, complete),
    ]);
    return lines.length === 0 ? 1 : 0;
  },
});

/** A duration, or a time in UTC. @throws CannotDo (2) */
function readSince(value: string, now: number): { readonly fromMs: number; readonly inWords: string } {
  const [, number = '', unit = ''] = /^(\d{1,4})([smhd])$/.exec(value) ?? [];
  const unitMs = unitsMs[unit];
  if (unitMs !== undefined) return { fromMs: now - Number(number) * unitMs, inWords: `in the last ${value}` };
  const fromMs = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(fromMs)) return { fromMs, inWords: `since ${value}` };
  throw new CannotDo(
    2,
    '--since must be a number with s, m, h or d, as 15m, or a time in UTC, as 2026-11-26T03:04:05Z.',
  );
}

async function findLines(place: Place, { progress }: Terminal, asked: Asked): Promise<readonly FoundLine[]> {
  const { lines } = place;
  if (lines.kind === 'kept') return readKeptLines(lines.path, asked);
  return runLogsQuery(lines.access, await logsQueryFor(place, asked), { progress });
}

/** A code that is misspelt finds nothing, which must not look like an alarm that is over. */
function hintAt(words: readonly string[]): string {
  const unknown = words.find((word) => /^[A-Z]+(_[A-Z]+)+$/.test(word) && !isSearched(word));
  return unknown === undefined ? '' : ` ${unknown} is not a code of this service: it was looked for as text.`;
}

/** How many lines there are, and whether one partner causes them. */
function summarize(lines: readonly ShownLine[], since: string, complete: boolean): string {
  const counts = new Map<string, number>();
  for (const { fields } of lines) {
    const { partnerId } = fields;
    if (typeof partnerId === 'string') counts.set(partnerId, (counts.get(partnerId) ?? 0) + 1);
  }
  const byPartner = [...counts].toSorted(([, a], [, b]) => b - a).map(([name, its]) => `${name} ${count(its)}`);
  return [
    `${count(lines.length)} ${lines.length === 1 ? 'line' : 'lines'} ${since}`,
    ...(byPartner.length === 0 ? [] : [`by partner: ${byPartner.join(', ')}`]),
    ...(complete ? [] : ['there are more before these: see --limit']),
  ].join('; ');
}
