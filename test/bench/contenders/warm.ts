import { Random } from '../../proof/simulation/random.ts';
import { type Arena, openArena } from './arena.ts';
import { bareHttps, baseline, type Contender, empty, sdkAlone, shipped } from './contenders.ts';
import type { ProbedContainer } from './probe-container.ts';
import type { Memory } from './probe.ts';
import { atMost, type BenchContext, type BenchPart, type BenchResult, type BenchRow } from '../part.ts';
import { shuffle } from '../shuffle.ts';
import { ratioOf, show, spreadOf } from '../timing.ts';
import type { WireRequest } from './exchange.ts';

/** How many requests there are of each kind. */
export interface WarmPlan {
  /** Until memory is looked at first; whole blocks, fewer than `warmUp`. */
  readonly firstLook: number;
  /** Until it is measured: by then V8 has compiled most of what is hot. */
  readonly warmUp: number;
  /** In a block, the unit that is interleaved. */
  readonly block: number;
  readonly blocks: number;
  /** Until memory is looked at again: of `request-cancellation` alone. */
  readonly lastLook: number;
}

const wholePlan: WarmPlan = { firstLook: 1_000, warmUp: 2_000, block: 250, blocks: 16, lastLook: 10_000 };

interface Block {
  /** Milliseconds of CPU a request, of all threads. */
  readonly cpuMs: number;
  /** Milliseconds from handing over the event to the answer. */
  readonly ms: number;
}

interface Running {
  readonly contender: Contender;
  readonly container: ProbedContainer;
  readonly blocks: Block[];
}

const OURS = 'request-cancellation';

/** Not measured at the start of a block: they open again what was closed while the others had their turn. */
const REOPENING = 5;

const invokeTimes = async (
  arena: Arena,
  contender: Contender,
  container: ProbedContainer,
  times: number,
): Promise<void> => {
  for (let n = 0; n < times; n += 1) await arena.invoke(contender, container);
};

const runBlock = async (arena: Arena, { contender, container, blocks }: Running, plan: WarmPlan): Promise<void> => {
  await arena.serve(contender);
  await invokeTimes(arena, contender, container, REOPENING);
  const requests = plan.block - REOPENING;
  const cpuBefore = await container.cpuMs();
  const began = performance.now();
  await invokeTimes(arena, contender, container, requests);
  const ms = performance.now() - began;
  blocks.push({ cpuMs: ((await container.cpuMs()) - cpuBefore) / requests, ms: ms / requests });
};

/** A warm process has Plangrep's key already. */
const whatIsSentWarm = (arena: Arena, ours: Contender): WireRequest[] =>
  arena
    .recordingOf(ours)
    .exchanges.filter(({ service }) => service !== 'secretsmanager')
    .map(({ service, head: { method, url, headers }, body }) => ({
      url: arena.urls[service] + url,
      method,
      headers,
      body: Buffer.from(body).toString(),
    }));

/** Every contender in one process of its own, blocks of requests interleaved. */
export const measureWarm = async (context: BenchContext, plan: WarmPlan): Promise<BenchResult> => {
  const { seed, progress } = context;
  const ours = shipped(OURS);
  const arena = await openArena(context, (built) => [ours, ...baseline(built)]);
  try {
    const { built } = arena;
    await built.giveRequests(whatIsSentWarm(arena, ours));
    const running: Running[] = [];
    for (const contender of [ours, bareHttps(built), sdkAlone(built), empty(built), ...baseline(built)]) {
      running.push({ contender, container: await arena.start(contender), blocks: [] });
    }
    const [own] = running;
    if (own === undefined) throw new Error('there is nothing to measure');
    const random = new Random(seed);
    /** A turn of so many requests for each, in any order: who is always first meets colder counterparts. */
    const takeTurns = async (requests: number): Promise<void> => {
      for (const { contender, container } of shuffle(running, random)) {
        await arena.serve(contender);
        await invokeTimes(arena, contender, container, requests);
      }
    };
    let atFirst: Memory | undefined;
    for (let done = 0; done < plan.warmUp; done += plan.block) {
      progress(`warming up: request ${done} of ${plan.warmUp}`);
      if (done === plan.firstLook) atFirst = await own.container.memory();
      await takeTurns(plan.block);
    }
    for (let block = 1; block <= plan.blocks; block += 1) {
      for (const one of shuffle(running, random)) await runBlock(arena, one, plan);
      progress(`block ${block} of ${plan.blocks}, ${plan.block} requests each`);
    }
    progress(`${OURS} alone, until request ${plan.lastLook}`);
    await arena.serve(ours);
    await invokeTimes(arena, ours, own.container, plan.lastLook - plan.warmUp - plan.blocks * plan.block);
    if (atFirst === undefined) throw new Error('the first look at memory is no whole number of blocks away');
    return describe(running, { atFirst, atLast: await own.container.memory() }, plan);
  } finally {
    await arena.close();
  }
};

interface Grown {
  readonly atFirst: Memory;
  readonly atLast: Memory;
}

const describe = (running: readonly Running[], memory: Grown, plan: WarmPlan): BenchResult => {
  const blocksOf = (name: string): readonly Block[] =>
    running.find(({ contender }) => contender.name === name)?.blocks ?? [];
  const cpu = (name: string): number[] => blocksOf(name).map(({ cpuMs }) => cpuMs);
  const rows: BenchRow[] = running.map(({ contender: { name }, blocks }) => {
    const spread = spreadOf(cpu(name));
    const perCore = Math.round(1000 / spread.median);
    const ms = spreadOf(blocks.map((block) => block.ms)).median.toFixed(2);
    const figure = `CPU ${show(spread, ' ms', 3)}, ${perCore} requests/s a core, ${ms} ms to the answer`;
    return { what: name, figure };
  });
  const compare = (other: string, limit?: number): void => {
    if (blocksOf(other).length === 0) return;
    const ratio = ratioOf(cpu(OURS), cpu(other));
    const bar = limit === undefined ? undefined : atMost(ratio.median, limit, ' ×');
    rows.push({ what: `${OURS} / ${other}, CPU`, figure: show(ratio, ' ×', 2), bar });
  };
  compare('empty handler');
  compare('tutorial baseline', 0.55);
  compare('bare https', 2.6);
  compare('the SDK alone');
  const { atFirst, atLast } = memory;
  for (const [what, from, to] of [
    ['heap', atFirst.heapUsed, atLast.heapUsed],
    ['resident set', atFirst.rss, atLast.rss],
  ] as const) {
    const figure = `${megabytes(from)} and ${megabytes(to)}: ${(to / from).toFixed(2)} ×`;
    const looks = `after ${plan.firstLook} and ${plan.lastLook} requests`;
    rows.push({ what: `${OURS}, ${what} ${looks}`, figure, bar: atMost(to / from, 1.1, ' ×') });
  }
  const contenders = running.map(({ contender: { name }, blocks }) => [name, { cpuMs: spreadOf(cpu(name)), blocks }]);
  return { rows, notes, json: { plan, ...Object.fromEntries(contenders), memory } };
};

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

const notes = [
  'The happy path, one request after the other in one process: CPU of all its threads, the runtime loop included (the empty handler is that loop alone).',
  'The heap is taken after a full garbage collection, the resident set as it stands.',
];

export const warm: BenchPart = {
  name: 'warm',
  title: 'Warm: POST /v1/cancellations, cancelled at once',
  run: (context) => measureWarm(context, { ...wholePlan, blocks: context.rounds ?? wholePlan.blocks }),
};
