import { Random } from '../../proof/simulation/random.ts';
import { type Arena, openArena, type ProbedContainer } from './arena.ts';
import { bareHttps, baseline, type Contender, empty, sdkAlone, shipped } from './contenders.ts';
import type { Memory } from './probe.ts';
import { atMost, type BenchContext, type BenchPart, type BenchResult, type BenchRow } from '../part.ts';
import { ratioOf, show, shuffle, spreadOf } from '../timing.ts';
import type { WireRequest } from './replay.ts';

/** How many requests there are of each kind. */
export interface WarmPlan {
  /** Until the first measurement of memory: whole blocks, fewer than `warmUp`. */
  readonly firstLook: number;
  /** Until the first block: by then V8 has optimized most of the hot code. */
  readonly warmUp: number;
  /** In a block: the contenders take turns by blocks. */
  readonly block: number;
  readonly blocks: number;
  /** Until the second measurement of memory: by `request-cancellation` alone. */
  readonly lastLook: number;
}

const wholePlan: WarmPlan = { firstLook: 1_000, warmUp: 2_000, block: 250, blocks: 16, lastLook: 10_000 };

export const warm: BenchPart = {
  name: 'warm',
  title: 'Warm: POST /v1/cancellations, cancelled at once',
  run: (context) => measureWarm(context, { ...wholePlan, blocks: context.rounds ?? wholePlan.blocks }),
};

interface Block {
  /** Milliseconds of CPU for each request, of all threads. */
  readonly cpuMs: number;
  /** Milliseconds from the delivery of the event to the answer. */
  readonly ms: number;
}

interface Running {
  readonly contender: Contender;
  readonly container: ProbedContainer;
  readonly blocks: Block[];
}

const OURS = 'request-cancellation';
/** Requests at the start of a block that are not measured: they reopen the connections that closed meanwhile. */
const REOPENING = 5;

/** Runs every contender in a separate process, and lets them take turns by blocks of requests. */
export async function measureWarm(context: BenchContext, plan: WarmPlan): Promise<BenchResult> {
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
    if (own === undefined) throw new Error('nothing to measure');
    const random = new Random(seed);
    let atFirst: Memory | undefined;
    for (let done = 0; done < plan.warmUp; done += plan.block) {
      progress(`warming up: request ${done} of ${plan.warmUp}`);
      if (done === plan.firstLook) atFirst = await own.container.memory();
      // In random order: a contender that is always first would be compared with colder ones.
      for (const one of shuffle(running, random)) {
        await arena.serve(one.contender);
        await invokeTimes(arena, one, plan.block);
      }
    }
    for (let block = 1; block <= plan.blocks; block += 1) {
      for (const one of shuffle(running, random)) await runBlock(arena, one, plan);
      progress(`block ${block} of ${plan.blocks}, ${plan.block} requests each`);
    }
    progress(`${OURS} alone, until request ${plan.lastLook}`);
    await arena.serve(ours);
    await invokeTimes(arena, own, plan.lastLook - plan.warmUp - plan.blocks * plan.block);
    if (atFirst === undefined) throw new Error('the first look at memory is not a whole number of blocks away');
    return describe(running, { atFirst, atLast: await own.container.memory() }, plan);
  } finally {
    await arena.close();
  }
}

async function runBlock(arena: Arena, one: Running, plan: WarmPlan): Promise<void> {
  await arena.serve(one.contender);
  await invokeTimes(arena, one, REOPENING);
  const requests = plan.block - REOPENING;
  const cpuBefore = await one.container.cpuMs();
  const began = performance.now();
  await invokeTimes(arena, one, requests);
  const ms = performance.now() - began;
  one.blocks.push({ cpuMs: ((await one.container.cpuMs()) - cpuBefore) / requests, ms: ms / requests });
}

async function invokeTimes(arena: Arena, { contender, container }: Running, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) await arena.invoke(contender, container);
}

/** What was recorded, without the request for Plangrep's key, which a warm process has already. */
function whatIsSentWarm(arena: Arena, ours: Contender): WireRequest[] {
  return arena
    .recordingOf(ours)
    .exchanges.filter(({ service }) => service !== 'secretsmanager')
    .map(({ service, head: { method, url, headers }, body }) => ({
      url: arena.urls[service] + url,
      method,
      headers,
      body: Buffer.from(body).toString(),
    }));
}

function describe(
  running: readonly Running[],
  memory: { readonly atFirst: Memory; readonly atLast: Memory },
  plan: WarmPlan,
): BenchResult {
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
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}

const notes = [
  'The happy path, one request after the other in one process: CPU of all its threads, the runtime loop included (the empty handler is that loop alone).',
  'The heap is measured after a full garbage collection, the resident set as it is.',
];
