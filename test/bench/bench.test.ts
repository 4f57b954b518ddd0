import { spawnSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { CannotDo } from '../../infra/cli/command.ts';
import { measureCallbacks } from './callbacks/callbacks.ts';
import { serviceFunctions } from '../../infra/blueprint/functions.ts';
import { cold } from './contenders/cold.ts';
import { isFunctionName } from './contenders/contenders.ts';
import { benchParts, readOptions } from './options.ts';
import { areSameCalls } from './calls/calls-per-path.ts';
import { measureBacklogGrowth } from './growth/backlog-growth.ts';
import { measureJobsBehind, measureListing } from './growth/jobs-growth.ts';
import { measureLogGrowth } from './growth/log-growth.ts';
import { atMost, type BenchPart } from './part.ts';
import { faults } from './lateness/faults.ts';
import { describeLateness } from './lateness/lateness.ts';
import { playCancels } from './lateness/play-cancels.ts';
import { runBench } from './run-bench.ts';
import { measurePages } from './pages/time-pages.ts';
import { browserPath } from '../support/pages/browser.ts';
import { measureReach } from './reach/reach.ts';
import { measureTimeTo404 } from './refusals/time-to-404.ts';
import { measureFairShares } from './shares/fair-shares.ts';
import { ratioOf, spreadOf } from './timing.ts';
import { measureWarm } from './contenders/warm.ts';

const context = {
  seed: 1,
  rounds: 1,
  functions: ['authorize-partner'],
  withBaseline: false,
  progress: () => undefined,
} as const;

function bench(...args: string[]) {
  return spawnSync(process.execPath, ['test/bench/bench.ts', ...args], { encoding: 'utf8' });
}

describe('npm run bench', () => {
  test.each([
    { args: ['--only', 'cold,lukewarm'], why: '--only takes some of' },
    { args: ['--only', ''], why: '--only takes some of' },
    { args: ['--functions', 'cancel'], why: '--functions takes some of' },
    { args: ['--rounds', '0'], why: '--rounds takes a whole number from 1, not "0".' },
    { args: ['--seed', 'x'], why: '--seed takes a whole number from 0, not "x".' },
    { args: ['--loud'], why: `Unknown option '--loud'. See "npm run bench -- --help".` },
    { args: ['cold'], why: '"bench" takes no argument.' },
  ])('rejects what it does not know, in one line: $args', ({ args, why }) => {
    expect(() => readOptions(args)).toThrow(CannotDo);
    expect(() => readOptions(args)).toThrow(why);
    expect(() => readOptions(args)).not.toThrow('\n');
  });

  test('then exits with 2 and measures nothing', () => {
    const { status, stdout, stderr } = bench('--only', 'lukewarm');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test('prints its usage, which says that a missed bar is not a failure', () => {
    const { status, stdout } = bench('--help');
    expect(status).toBe(0);
    expect(stdout).toContain(benchParts.map(({ name }) => name).join(', '));
    expect(stdout).toMatch(/whether or not a bar was met/);
  });

  const part: BenchPart = {
    name: 'fake',
    title: 'A part',
    run: async ({ rounds }) => ({
      rows: [
        { what: 'slow', figure: '3.00 ×', bar: atMost(3, 2.6, ' ×') },
        { what: 'quick and small', figure: '2.00 ×', bar: atMost(2, 2.6, ' ×', 2.2) },
        { what: 'nearly', figure: '2.50 ×', bar: atMost(2.5, 2.6, ' ×', 2.2) },
      ],
      notes: ['What it means.'],
      json: { rounds },
    }),
  };
  const options = { ...context, parts: [part] };

  test('prints its figures beside their limits', async () => {
    const said: string[] = [];
    await runBench({ ...options, json: false }, { write: (text) => said.push(text) });
    const text = stripVTControlCharacters(said.join(''));
    expect(text.split('\n').filter((line) => /×|means/.test(line))).toEqual([
      '  slow             3.00 ×  ≤ 2.6 ×                   missed',
      '  quick and small  2.00 ×  ≤ 2.6 ×, stretch ≤ 2.2 ×  met, stretch too',
      '  nearly           2.50 ×  ≤ 2.6 ×, stretch ≤ 2.2 ×  met',
      '  What it means.',
    ]);
    expect(text).toContain('2 of 3 bars met');
  });

  test('prints one line of JSON with --json', async () => {
    const said: string[] = [];
    await runBench({ ...options, json: true }, { write: (text) => said.push(text) });
    expect(said).toHaveLength(1);
    const { parts } = JSON.parse(said.join(''));
    expect(parts).toMatchObject([{ name: 'fake', figures: { rounds: 1 }, rows: [{ bar: { met: false } }, {}, {}] }]);
  });

  test('reads the parts, functions and rounds from its options', () => {
    const chosen = readOptions(['--only', 'warm,cold', '--functions', 'register-job', '--rounds', '3']);
    expect(chosen).toMatchObject({ rounds: 3, functions: ['register-job'], withBaseline: true });
    expect(chosen).toMatchObject({ parts: [{ name: 'cold' }, { name: 'warm' }] });
    expect(readOptions(['--no-baseline'])).toMatchObject({ withBaseline: false });
  });
});

describe('a spread', () => {
  test('is the median and the bounds of the middle half', () => {
    expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ median: 3, lower: 2, upper: 4, count: 5 });
    expect(spreadOf([1, 2]).median).toBe(1.5);
  });

  test('of ratios compares within each round, so that a slow round changes neither side', () => {
    expect(ratioOf([20, 200, 30], [10, 100, 10])).toMatchObject({ median: 2, upper: 2.5 });
  });
});

describe('the parts that time the bundles, with few rounds', () => {
  test('cold: each measured function takes its path, from the spawn to the first answer, beside an empty handler', async () => {
    const { rows, json } = await cold.run({ ...context, functions: undefined });
    const measured = json as Record<string, { ms: { median: number }; cpuMs: { median: number; count: number } }>;
    const names = Object.keys(serviceFunctions).filter(isFunctionName);
    expect(names).toContain('announce-cancellations');
    expect(rows.map(({ what }) => what)).toEqual([
      'empty handler',
      ...names,
      ...names.map((name) => `${name} / empty handler`),
    ]);
    expect(rows.find(({ what }) => what === 'authorize-partner / empty handler')?.bar?.limit).toBe('≤ 2.2 ×');
    for (const name of ['empty handler', ...names]) {
      expect(measured[name]?.cpuMs.count).toBe(1);
      expect(measured[name]?.cpuMs.median).toBeGreaterThan(0);
      expect(measured[name]?.ms.median).toBeGreaterThan(0);
    }
  });

  test('growth: a cancel, the late wake-ups and the jobs behind an externalId, on small stores', async () => {
    const log = await measureLogGrowth(200, 2, context.progress);
    const [few, more] = await measureBacklogGrowth([5, 20], context.progress);
    const [alone, behind] = await measureJobsBehind([1, 3], 2);
    const listing = await measureListing([5, 10], 2);

    expect(areSameCalls(log.emptyCalls, log.fullCalls)).toBe(true);
    expect(more?.fewDue.requests).toBe(few?.fewDue.requests);
    expect(alone?.requests).toBeGreaterThan(0);
    expect(behind?.jobs).toBe(3);
    expect(listing).toHaveLength(2);
  }, 120_000);

  test('fair-shares: one partner beside another that is over its share', async () => {
    const share = { ratePerSecond: 2, burst: 2, requestsPerDay: 1_000 };
    const plan = { share, times: 50, cancels: 3, everyMs: 10, rounds: 1 };
    const { rows, json } = await measureFairShares(context, plan);
    expect(rows.map(({ bar }) => bar?.limit)).toEqual([undefined, undefined, '≤ 1.5 ×', undefined]);
    expect(rows.at(-1)?.figure).toMatch(/ answered 429, 0 lost$/);
    const { reports } = json as { reports: { statuses: Record<string, number> }[] };
    expect(reports.at(-1)?.statuses['429']).toBeGreaterThan(0);
  });

  test.skipIf(browserPath === undefined)('pages: each, until it can be used', { timeout: 60_000 }, async () => {
    const { rows } = await measurePages(context, 1);
    expect(rows.map(({ what }) => what)).toEqual(['/', '/docs', '/problems', '/console']);
    expect(new Set(rows.map(({ bar }) => bar?.limit))).toEqual(new Set(['≤ 1000 ms']));
  });

  test('time-to-404: at each door, for each reason', async () => {
    const { rows, table } = await measureTimeTo404(context, 1);
    expect(rows.map(({ bar }) => bar?.limit)).toEqual(['≤ 10 %', '≤ 10 %', '≤ 10 %', undefined, undefined]);
    expect(table).toMatch(/^\| door \| unknown \| foreign \| taken \|/);
  });

  test('lateness: each fault is met, and then the cancel takes effect', async () => {
    const scene = { faults, cancels: 1, spreadMs: 100, run: {}, follows: true, patienceMs: 60_000 };
    const played = await playCancels(scene);
    expect(played.map(({ fault }) => fault.what).toSorted()).toEqual(faults.map(({ what }) => what).toSorted());
    for (const { fault, lateMs, closed } of played) {
      expect([closed, lateMs.length <= 1]).toEqual([1, true]);
      for (const ms of lateMs) expect(ms).toBeGreaterThanOrEqual(fault.askedMs ?? 0);
    }
    const { rows } = describeLateness({ delivered: played, followed: [], lost: played });
    expect(rows.filter(({ what }) => what.includes('closed')).map(({ figure, bar }) => [figure, bar?.met])).toEqual([
      ['6 of 6', true],
      ['6 of 6', true],
    ]);
    expect(rows.map(({ bar }) => bar?.limit)).toContain('≤ 1.5 s beyond what Plangrep asked');
  });

  test('callbacks: of one partner, beside another whose endpoint answers, is silent, drips, is closed or dies', async () => {
    const plan = { cancellations: 3, everyMs: 50, rounds: 1, settleMs: 100, atOnce: 5 };
    const { rows } = await measureCallbacks(context, plan);
    expect(rows.map(({ bar }) => bar?.limit)).toEqual([
      '≤ 2000 ms',
      ...Array.from({ length: 5 }, () => undefined),
      ...Array.from({ length: 4 }, () => '≤ 1.05 ×'),
    ]);
    expect(rows.map(({ figure }) => figure).join()).not.toMatch(/NaN|Infinity/);
  }, 120_000);

  test('reach: from the invocation to the cancel request, busy, idle and cold', async () => {
    const { rows, json } = await measureReach(context, { roundTrips: [10], idleMs: 1, warmUp: 2 });
    expect(rows.map(({ what, bar }) => [what, bar?.limit])).toEqual([
      ['10 ms, busy', '≤ 1.15 ×'],
      ['10 ms, idle for 6 s', '≤ 1.03 ×'],
      ['10 ms, cold, init before the invocation', '≤ 1.2 ×'],
      ['10 ms, cold, invocation waits for the init', '≥ 0.8 ×'],
    ]);
    const { '10 ms': measured } = json as Record<string, Record<string, number[]>>;
    // Two round trips of 2 ms to AWS and half of one to Plangrep are the least that the proxies allow.
    for (const name of ['busy', 'idle', 'prepared', 'waiting', 'waitingBefore']) {
      expect(Math.min(...(measured?.[name] ?? [])), name).toBeGreaterThan(9);
    }
  }, 120_000);

  test('warm: CPU for each request beside an empty handler and bare https, and memory', async () => {
    const plan = { firstLook: 20, warmUp: 40, block: 20, blocks: 2, lastLook: 120 };
    const { rows } = await measureWarm(context, plan);
    const what = rows.map((row) => row.what);
    expect(what.slice(0, 4)).toEqual(['request-cancellation', 'bare https', 'the SDK alone', 'empty handler']);
    expect(what.slice(-2)).toEqual([
      'request-cancellation, heap after 20 and 120 requests',
      'request-cancellation, resident set after 20 and 120 requests',
    ]);
    expect(rows.map(({ figure }) => figure).join()).not.toMatch(/NaN|Infinity/);
  });
});
