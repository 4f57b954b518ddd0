import { serviceFunctions } from '../../../infra/blueprint/functions.ts';
import { type Arena, openArena } from './arena.ts';
import type { BuiltContenders } from './build-contenders.ts';
import { baseline, type Contender, empty, isFunctionName, shipped } from './contenders.ts';
import { atMost, type BenchContext, type BenchPart, type BenchResult, type BenchRow } from '../part.ts';
import { ratioOf, show, shuffle, spreadOf } from '../timing.ts';
import { Random } from '../../proof/simulation/random.ts';

interface ColdStart {
  /** Milliseconds from the spawn to the first answer. */
  readonly ms: number;
  /** Milliseconds of CPU in that time, of all threads. */
  readonly cpuMs: number;
}

/** The first rounds fill the page cache. */
const UNMEASURED = 2;
const DEFAULT_ROUNDS = 25;

export const cold: BenchPart = { name: 'cold', title: 'Cold start', run: measure };

async function measure(context: BenchContext): Promise<BenchResult> {
  const { seed, rounds = DEFAULT_ROUNDS, functions: chosen, progress } = context;
  const names = Object.keys(serviceFunctions).filter(isFunctionName);
  const ours = names.filter((name) => chosen?.includes(name) ?? true);
  const senders = (built: BuiltContenders): Contender[] => [...baseline(built), ...ours.map(shipped)];
  const arena = await openArena(context, senders);
  try {
    const contenders = [empty(arena.built), ...senders(arena.built)];
    const random = new Random(seed);
    const starts = new Map<string, ColdStart[]>(contenders.map(({ name }) => [name, []]));
    for (let round = 1 - UNMEASURED; round <= rounds; round += 1) {
      for (const contender of shuffle(contenders, random)) {
        const start = await startCold(arena, contender);
        if (round > 0) starts.get(contender.name)?.push(start);
      }
      progress(round > 0 ? `round ${round} of ${rounds}` : 'unmeasured rounds');
    }
    return describe(starts);
  } finally {
    await arena.close();
  }
}

async function startCold(arena: Arena, contender: Contender): Promise<ColdStart> {
  await arena.serve(contender);
  const container = await arena.start(contender);
  try {
    await arena.invoke(contender, container);
    const ms = performance.now() - container.spawnedAt;
    return { ms, cpuMs: await container.cpuMs() };
  } finally {
    container.kill();
    await container.ended;
  }
}

function describe(starts: ReadonlyMap<string, readonly ColdStart[]>): BenchResult {
  const times = (name: string): number[] => (starts.get(name) ?? []).map(({ ms }) => ms);
  const cpu = (name: string): number[] => (starts.get(name) ?? []).map(({ cpuMs }) => cpuMs);
  const rows: BenchRow[] = [];
  for (const name of starts.keys()) {
    const figure = `${show(spreadOf(times(name)), ' ms')}, CPU ${show(spreadOf(cpu(name)), ' ms')}`;
    rows.push({ what: name, figure });
  }
  const compare = (name: string, other: string, limit: number, stretch?: number): void => {
    const ratio = ratioOf(times(name), times(other));
    const byCpu = ratioOf(cpu(name), cpu(other)).median.toFixed(2);
    const figure = `${show(ratio, ' ×', 2)}, CPU ${byCpu} ×`;
    rows.push({ what: `${name} / ${other}`, figure, bar: atMost(ratio.median, limit, ' ×', stretch) });
  };
  for (const name of [...starts.keys()].filter(isFunctionName)) {
    const isCancel = name === 'request-cancellation';
    compare(name, 'empty handler', name === 'authorize-partner' ? 2.2 : 2.6, isCancel ? 2.2 : undefined);
    if (isCancel && starts.has('tutorial baseline')) compare(name, 'tutorial baseline', 0.45, 0.35);
  }
  const median = (name: string): number => spreadOf(times(name)).median;
  const json = Object.fromEntries(
    [...starts].map(([name, measured]) => [
      name,
      {
        ms: spreadOf(times(name)),
        cpuMs: spreadOf(cpu(name)),
        mediansByEmpty: median(name) / median('empty handler'),
        mediansByBaseline: median(name) / median('tutorial baseline'),
        rounds: measured,
      },
    ]),
  );
  return { rows, notes, json };
}

const notes = [
  'From the spawn to the first answer: the medians, and the bounds of the middle half. A ratio is taken in each round.',
  'Memory sizes cannot be set here. Lambda gives CPU in proportion to memory, a whole core at 1,769 MB: the CPU figure × 1,769 / memory is about the start there.',
];
