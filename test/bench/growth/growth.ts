import { areSameCalls, type PathCalls } from '../calls/calls-per-path.ts';
import { measureBacklogGrowth } from './backlog-growth.ts';
import { measureJobsBehind, measureListing } from './jobs-growth.ts';
import { measureLogGrowth } from './log-growth.ts';
import { atMost, type BenchPart, type BenchRow, markdownTable } from '../part.ts';
import { type Compared, show } from '../timing.ts';

const EVENTS = 1_000_000;
const OPEN = [1_000, 10_000, 100_000] as const;
const JOBS_BEHIND = [1, 10, 1_000] as const;
const LISTED = [10, 1_000, 20_000] as const;

/** The most that noise may add to a time that does not grow; requests may not differ at all. */
const FLAT = 1.5;

/** The same work costs the same, however much else is stored. */
export const growth: BenchPart = {
  name: 'growth',
  title: 'time and requests as the log, the open cancellations and the jobs grow',
  async run({ rounds = 150, progress }) {
    const log = await measureLogGrowth(EVENTS, rounds, progress);
    const backlogs = await measureBacklogGrowth(OPEN, progress);
    progress('cancels with many jobs behind an externalId');
    const behind = await measureJobsBehind(JOBS_BEHIND, 20);
    progress('cancels found by listing');
    const listing = await measureListing(LISTED, 7);

    const most = backlogs.at(-1);
    const unlike = areSameCalls(log.emptyCalls, log.fullCalls) ? 0 : 1;
    const fewRequests = backlogs.map(({ fewDue }) => fewDue.requests);
    const allRequests = backlogs.map(({ allDue }) => allDue.requests);
    const allRatio = Math.max(...allRequests) / Math.min(...allRequests);
    const flat = (what: string, compared: Compared | undefined): BenchRow[] =>
      compared === undefined
        ? []
        : [{ what, figure: show(compared.ratio, ' ×', 2), bar: atMost(compared.ratio.median, FLAT, ' ×') }];
    return {
      rows: [
        ...flat(`one cancel on a log of ${count(EVENTS)} events, by one on an empty log`, log.full),
        { what: 'requests or units that differ between the two', figure: `${unlike}`, bar: atMost(unlike, 0) },
        ...flat('20 due among 100,000 open, by 20 due among 1,000', most?.fewDue),
        {
          what: 'their requests, at 1,000, 10,000 and 100,000 open',
          figure: fewRequests.join(', '),
          bar: atMost(new Set(fewRequests).size, 1, ' figure'),
        },
        ...flat('a due one of 100,000 due, by a due one of 1,000 due', most?.allDue),
        {
          what: 'its requests, at most by at least',
          figure: `${allRatio.toFixed(3)} ×`,
          bar: atMost(allRatio, 1.05, ' ×'),
        },
      ],
      table: [
        markdownTable(
          ['one cancel', 'time', 'requests, write units, read units'],
          [
            ['on an empty log', milliseconds(log.empty), summary(log.emptyCalls)],
            [`on a log of ${count(EVENTS)} events`, milliseconds(log.full), summary(log.fullCalls)],
          ],
        ),
        markdownTable(
          ['open cancellations', 'a run with 20 due', 'its requests', 'all due: time for each', 'requests for each'],
          backlogs.map(({ open, fewDue, allDue }) => [
            count(open),
            milliseconds(fewDue),
            fewDue.requests,
            milliseconds(allDue),
            allDue.requests.toFixed(2),
          ]),
        ),
        markdownTable(
          ['jobs behind the externalId', 'one cancel', 'its requests', 'requests of the first one', 'tries'],
          behind.map((one) => [count(one.jobs), milliseconds(one), one.requests, one.firstRequests, one.firstTries]),
        ),
        markdownTable(
          ['jobs in the listed project', 'one cancel, without the time that Plangrep lists', 'its requests'],
          listing.map((one) => [count(one.jobs), milliseconds(one), one.requests]),
        ),
      ].join('\n'),
      notes: [
        'The functions are the real bundles. Tables, Secrets Manager and Plangrep are the local run’s: of the times, only the ratios count.',
        'The service’s own adapters wrote the log and the backlogs into the engine’s files.',
        'The first cancel among many jobs reads each and remembers which have ended. If its time runs out, the answer is 503, and a repeat continues.',
      ],
      json: { log, backlogs, behind, listing },
    };
  },
};

function summary({ requests, writeUnits, readUnits }: PathCalls): string {
  return `${Object.values(requests).reduce((sum, n) => sum + n, 0)}, ${writeUnits}, ${readUnits}`;
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}

function milliseconds({ ms }: Compared): string {
  return show(ms, ' ms');
}
