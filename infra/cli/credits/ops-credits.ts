import type { SpentMs } from '../../../functions/core/cancellation/account.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { scanLog } from '../audit/scan-log.ts';
import { CannotDo } from '../command.ts';
import { environmentOption, opsCommand, readPartner } from '../ops-command.ts';
import { type Cell, count, duration, paint, printable, table } from '../terminal.ts';
import { createMonthlySums, type Month, type MonthlySums, OPEN_SHOWN, type Sums } from './add-up.ts';

export const addUpCredits = opsCommand({
  name: 'credits',
  summary: 'Adds up by partner what the cancellations of a month took and cost.',
  notes: `A cancellation belongs to the month (UTC) in which it closed. Those that are still open are listed apart.
RAN is how long the jobs ran after the request. US, PLANGREP and A PERSON are by whom the time until the confirmation was
spent. CREDITS were debited meanwhile, as far as job reads told: at least these.
It reads the whole cancellation log (dynamodb:DescribeTable and Scan), whose figures are as true as "npm run verify-audit" finds it.`,
  options: {
    month: { hint: '2026-11', what: 'the month, in UTC', required: true },
    partner: { hint: 'acme', what: 'this partner alone (default: all)' },
  },
  async run({ place, terminal, values, now }) {
    const month = readMonth(values.month, now);
    const partner = values.partner === undefined ? undefined : readPartner(values.partner);
    const logTable = await place.table('CancellationLog');
    const sums = createMonthlySums(month, partner);
    const onProgress = (items: number, total = 0): void =>
      terminal.progress.show(`${count(items)}${total > items ? ` of about ${count(total)}` : ''} items read …`);
    const log = { client: place.dynamodb, table: logTable, place: place.where, onProgress };
    for await (const page of scanLog(log)) for (const record of page) sums.take(record);
    terminal.progress.clear();
    const found = sums.end();
    const { partners, total, open, broken } = found;
    const shown = {
      month: values.month,
      ...month,
      partners: [...partners].map(([partnerId, of]) => ({ partnerId, ...of })),
      total,
      open,
      broken,
    };
    terminal.show(shown, describe(found, `${values.month} (${place.environment})`, environmentOption(place)));
    return partners.size === 0 ? 1 : 0;
  },
});

/** @throws CannotDo (2) for what is not a month, or one that has not begun */
function readMonth(value: string, nowMs: number): Month {
  const [, year, month] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(value) ?? [];
  if (year === undefined) throw new CannotDo(2, `--month takes a month like 2026-11, not ${JSON.stringify(value)}.`);
  const startOf = (number: number): number => Date.UTC(Number(year), number);
  const from = startOf(Number(month) - 1);
  if (from > nowMs) throw new CannotDo(2, `--month ${value} has not begun.`);
  return { from: toTimestamp(from), until: toTimestamp(startOf(Number(month))) };
}

const headings = [
  'PARTNER',
  'CLOSED',
  'CANCELLED',
  'TOO LATE',
  'NOT FOUND',
  'RAN',
  'US',
  'PLANGREP',
  'A PERSON',
  'CREDITS',
  'PAGES STOPPED',
  'OPEN',
];

function describe({ partners, total, open, broken }: MonthlySums, month: string, environment: string): string[] {
  const rows = [...partners].map(([partnerId, sums]) => toRow(partnerId, sums));
  const all = partners.size > 1 ? [toRow('all', total)] : [];
  const credits = `Job reads told the credits of ${count(total.creditsToldBy)} of ${count(total.closed)} cancellations.`;
  const sums = partners.size === 0 ? [`No cancellation closed in ${month}.`] : table(headings, [...rows, ...all]);
  return [
    ...sums,
    ...(total.closed > 0 ? [paint('dim', credits)] : []),
    ...describeOpen(open, total.open, environment),
    ...broken.map((stream) => paint('red', `Not counted, because it does not fold: ${printable(stream)}`)),
  ];
}

function toRow(name: string, sums: Sums): Cell[] {
  const { closed, outcomes, ranMs, spentMs, creditsDebitedMeanwhile, pagesStopped, open } = sums;
  const parties: readonly (keyof SpentMs)[] = ['us', 'plangrep', 'person'];
  return [
    name,
    count(closed),
    ...[outcomes.cancelled, outcomes.too_late, outcomes.job_not_found].map(count),
    duration(ranMs),
    ...parties.map((party) => duration(spentMs[party])),
    count(creditsDebitedMeanwhile),
    count(pagesStopped),
    count(open),
  ];
}

function describeOpen(open: MonthlySums['open'], total: number, environment: string): string[] {
  if (open.length === 0) return [];
  const rows = open.map(({ partnerId, jobId, requestedAt, attempts }) => [
    partnerId,
    jobId,
    requestedAt,
    String(attempts),
  ]);
  const more = `The ${OPEN_SHOWN} oldest of ${count(total)}: npm run ops -- cancellations open${environment}`;
  const listed = table(['STILL OPEN', 'JOB', 'REQUESTED', 'ATTEMPTS'], rows);
  return ['', ...listed, ...(total > open.length ? [more] : [])];
}
