import { atMost, type Bar, type BenchContext, type BenchPart, type BenchResult, markdownTable } from '../part.ts';
import { quantile } from '../timing.ts';
import { faults, moods } from './faults.ts';
import { type Played, playCancels, type Scene } from './play-cancels.ts';

const SPREAD_MS = 120_000;
/** Measured in the same way on the version whose reconciler looked once a minute, with 100 cancels of each. */
const before = 'median 25 s, p95 52 s, worst 58 s';

export const lateness: BenchPart = {
  name: 'lateness',
  title: 'Lateness: from the request to the cancel call that took effect, when Plangrep fails once',
  run: (context) => measureLateness(context, context.rounds ?? 200),
};

/**
 * On local runs as `npm start` makes them, and then on runs whose wake-up queue loses everything, with the other moods beside.
 * @param cancels of each fault
 */
export async function measureLateness(
  { progress }: Pick<BenchContext, 'progress'>,
  cancels: number,
  spreadMs = SPREAD_MS,
): Promise<BenchResult> {
  const all = { faults, cancels, spreadMs, run: {}, follows: true, patienceMs: 60_000 } satisfies Scene;
  progress(`${cancels} cancels of each fault`);
  const delivered = await playCancels(all);
  progress('the same, and the queue loses everything');
  const [lost, followed] = await Promise.all([
    playCancels({ ...all, run: { wakeUps: 'lost' }, follows: false, patienceMs: 150_000 }),
    // A call without an answer keeps its container for seconds.
    playCancels({ ...all, faults: moods, run: { containersPerFunction: 8 }, cancels: Math.ceil(cancels / 10) }),
  ]);
  return describeLateness({ delivered, followed, lost });
}

interface Figures {
  readonly delivered: readonly Played[];
  readonly followed: readonly Played[];
  readonly lost: readonly Played[];
}

export function describeLateness({ delivered, followed, lost }: Figures): BenchResult {
  const lostMs = lost.map(({ lateMs }) => lateMs).toSorted((a, b) => p95(b) - p95(a))[0] ?? [];
  const rows = [
    ...delivered.map((played) => ({ what: played.fault.what, figure: show(played.lateMs), bar: barOf(played) })),
    { what: 'before, of the first four faults', figure: before },
    closedRow('closed', [...delivered, ...followed]),
    newsRow([...delivered, ...followed]),
    {
      what: 'the queue loses everything, the slowest fault',
      figure: show(lostMs),
      bar: atMost(seconds(p95(lostMs)), 75, ' s'),
    },
    closedRow('the queue loses everything, closed', lost),
  ];
  const cells = delivered.map(({ fault, lateMs }, n) => [fault.what, show(lateMs), show(lost[n]?.lateMs ?? [])]);
  const table = markdownTable(['fault', 'the queue delivers', 'the queue loses everything'], cells, 3);
  return { rows, table, notes, json: { delivered, followed, lost } };
}

const p95 = (lateMs: readonly number[]): number =>
  quantile(
    lateMs.toSorted((a, b) => a - b),
    0.95,
  );
const seconds = (ms: number): number => Math.round(ms / 10) / 100;

function show(lateMs: readonly number[]): string {
  const sorted = lateMs.toSorted((a, b) => a - b);
  const [median, high, worst] = [0.5, 0.95, 1].map((share) => `${seconds(quantile(sorted, share)).toFixed(2)} s`);
  return `median ${median}, p95 ${high}, worst ${worst}`;
}

function barOf({ fault: { askedMs }, lateMs }: Played): Bar {
  if (askedMs === undefined) return atMost(seconds(p95(lateMs)), 4, ' s');
  return atMost(seconds(p95(lateMs) - askedMs), 1.5, ' s beyond what Plangrep asked');
}

function closedRow(what: string, all: readonly Played[]): BenchResult['rows'][number] {
  const closed = all.reduce((sum, played) => sum + played.closed, 0);
  const count = all.reduce((sum, { cancels }) => sum + cancels, 0);
  return { what, figure: `${closed} of ${count}`, bar: { limit: 'all', met: closed === count } };
}

function newsRow(all: readonly Played[]): BenchResult['rows'][number] {
  const made = all.reduce((sum, { looks }) => sum + looks.made, 0);
  const withNews = all.reduce((sum, { looks }) => sum + looks.withNews, 0);
  const share = (withNews / made) * 100;
  return {
    what: 'callers who come back after Retry-After find more than they knew',
    figure: `${share.toFixed(1)} % of ${made} looks`,
    bar: { limit: '≥ 95 %', met: share >= 95 },
  };
}

const notes = [
  'Local runs as "npm start" makes them: the bundles, the wake-up queue, the schedule of a minute. All faults at the same time.',
  'A cancel takes effect when its call arrives at the simulator. Ten cancels at once meet a refused connection; the others come one by one.',
  `Those who follow Retry-After meet these too: ${moods.map(({ what }) => what).join('; ')}.`,
];
