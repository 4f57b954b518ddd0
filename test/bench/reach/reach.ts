import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildInto } from '../../../infra/build/build.ts';
import { type Arena, openArena, type ProbedContainer } from '../contenders/arena.ts';
import { type Contender, empty, shipped } from '../contenders/contenders.ts';
import type { RoundTrips } from '../contenders/replay.ts';
import { atMost, type BenchContext, type BenchPart, type BenchResult, type BenchRow } from '../part.ts';
import { show, spreadOf } from '../timing.ts';
import { monotonicMs } from './delay-line.ts';

/** Milliseconds there and back. */
const AWS_MS = 2;
const PLANGREP_MS = [20, 100, 200] as const;
const IDLE_MS = 6_000;
const DEFAULT_ROUNDS = 9;
/** Requests without a distance, until V8 has optimized most of the hot code. */
const WARM_UP = 400;
/** More than two handshakes take, after the round trips. */
const SETTLING_MS = 500;

export const reach: BenchPart = {
  name: 'reach',
  title: 'From the invocation to the arrival of the cancel request at Plangrep',
  run: (context) => measureReach(context, { roundTrips: PLANGREP_MS, idleMs: IDLE_MS, warmUp: WARM_UP }),
};

export interface ReachPlan {
  readonly roundTrips: readonly number[];
  readonly idleMs: number;
  readonly warmUp: number;
}

/** Milliseconds, one for each round. */
interface Measured {
  readonly busy: number[];
  readonly idle: number[];
  /** The first invocation of a process that had its time between init and invocation. */
  readonly prepared: number[];
  /** From the spawn: the invocation waits for the init. */
  readonly waiting: number[];
  readonly waitingBefore: number[];
  /** How much longer the init takes than an empty handler's. */
  readonly init: number[];
}

const ours = shipped('request-cancellation');

export async function measureReach(context: BenchContext, plan: ReachPlan): Promise<BenchResult> {
  const { progress, rounds = DEFAULT_ROUNDS } = context;
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  progress('building the functions without the connection ahead');
  await buildInto(folder, { codeCaches: 'on', trimSdk: 'on', connectFirst: 'off' });
  const before: Contender = { ...ours, name: 'before', like: ours.name, directory: join(folder, ours.name) };
  const arena = await openArena({ withBaseline: false, progress }, () => [ours], { isDistant: true });
  try {
    const rows: BenchRow[] = [];
    const json: Record<string, unknown> = {};
    for (const plangrepMs of plan.roundTrips) {
      const far = await openFar(arena, plangrepMs);
      const measured: Measured = { busy: [], idle: [], prepared: [], waiting: [], waitingBefore: [], init: [] };
      progress(`${plangrepMs} ms: busy and idle`);
      await measureWarm(far, measured, { rounds, ...plan });
      for (let round = 1; round <= rounds; round += 1) {
        progress(`${plangrepMs} ms: cold, round ${round} of ${rounds}`);
        await measureCold(far, before, measured);
      }
      rows.push(...describe(plangrepMs, measured));
      json[`${plangrepMs} ms`] = measured;
    }
    return { rows, notes, json };
  } finally {
    await arena.close();
    await rm(folder, { recursive: true });
  }
}

/** The arena at a distance from Plangrep. */
interface Far {
  readonly arena: Arena;
  readonly plangrepMs: number;
  setDistance(is: 'far' | 'near'): Promise<void>;
  start(contender: Contender): Promise<ProbedContainer>;
  /** @returns when the cancel request arrived, by `monotonicMs` */
  arrivalOf(contender: Contender, container: ProbedContainer): Promise<number>;
}

async function openFar(arena: Arena, plangrepMs: number): Promise<Far> {
  const roundTrips = (aws: number, plangrep: number): RoundTrips => ({
    dynamodb: aws,
    secretsmanager: aws,
    sqs: aws,
    eventbridge: aws,
    plangrep,
  });
  const byPort = Object.entries(roundTrips(AWS_MS, plangrepMs)).map(([service, ms]) => {
    const [, url] = Object.entries(arena.urls).find(([name]) => name === service) ?? [];
    return [new URL(url ?? '').port, ms];
  });
  const environment = { ROUND_TRIPS_MS: JSON.stringify(Object.fromEntries(byPort)) };
  const setDistance = (is: 'far' | 'near'): Promise<void> =>
    arena.replay.setDistance(is === 'far' ? roundTrips(AWS_MS, plangrepMs) : roundTrips(0, 0));
  await setDistance('far');
  return {
    arena,
    plangrepMs,
    setDistance,
    start: async (contender) => {
      await arena.serve(contender);
      return arena.start(contender, environment);
    },
    async arrivalOf(contender, container) {
      const arrival = arena.replay.nextArrival();
      await arena.invoke(contender, container);
      return arrival;
    },
  };
}

async function measureWarm(far: Far, { busy, idle }: Measured, plan: ReachPlan & { rounds: number }): Promise<void> {
  const container = await far.start(ours);
  const timed = async (): Promise<number> => {
    const began = monotonicMs();
    return (await far.arrivalOf(ours, container)) - began;
  };
  await far.setDistance('near');
  for (let n = 0; n < plan.warmUp; n += 1) await far.arrivalOf(ours, container);
  await far.setDistance('far');
  for (let n = 0; n < 3 * plan.rounds; n += 1) busy.push(await timed());
  for (let n = 0; n < plan.rounds; n += 1) {
    await sleep(plan.idleMs);
    idle.push(await timed());
  }
  await end(container);
}

async function measureCold(far: Far, before: Contender, measured: Measured): Promise<void> {
  const prepared = await far.start(ours);
  await prepared.ready;
  await sleep(3 * far.plangrepMs + SETTLING_MS);
  const began = monotonicMs();
  measured.prepared.push((await far.arrivalOf(ours, prepared)) - began);
  await end(prepared);

  const waiting = async (contender: Contender): Promise<readonly [number, number]> => {
    const container = await far.start(contender);
    const spawnedAt = container.spawnedAt + monotonicMs() - performance.now();
    const arrivedAt = await far.arrivalOf(contender, container);
    const ready = await container.ready;
    await end(container);
    return [arrivedAt - spawnedAt, ready];
  };
  const nothing = await far.start(empty(far.arena.built));
  const emptyReady = await nothing.ready;
  await end(nothing);
  const [waitingBefore, ready] = await waiting(before);
  measured.waitingBefore.push(waitingBefore);
  measured.init.push(ready - emptyReady);
  const [waitingNow] = await waiting(ours);
  measured.waiting.push(waitingNow);
}

async function end(container: ProbedContainer): Promise<void> {
  container.kill();
  await container.ended;
}

function describe(plangrepMs: number, measured: Measured): BenchRow[] {
  const busyLimit = 2 * AWS_MS + plangrepMs / 2;
  const handshake = 2 * plangrepMs;
  const idleLimit = Math.max(handshake, 2 * AWS_MS) + plangrepMs / 2;
  const busy = spreadOf(measured.busy).median;
  const row = (what: string, figures: readonly number[], limit: number, times: number): BenchRow => {
    const ratio = spreadOf(figures).median / limit;
    const figure = `${show(spreadOf(figures), ' ms')}, ${ratio.toFixed(2)} × ${limit.toFixed(0)} ms`;
    return { what: `${plangrepMs} ms, ${what}`, figure, bar: atMost(ratio, times, ' ×') };
  };
  const saved = measured.waitingBefore.map((ms, round) => ms - (measured.waiting[round] ?? Number.NaN));
  const init = spreadOf(measured.init).median;
  const shorter = Math.min(handshake, init);
  const share = spreadOf(saved).median / shorter;
  const [from, to] = [measured.waitingBefore, measured.waiting].map((all) => spreadOf(all).median.toFixed(0));
  const savedFigure = `${show(spreadOf(saved), ' ms')} saved of ${from}, now ${to}; ${share.toFixed(2)} × ${shorter.toFixed(0)} ms`;
  return [
    row('busy', measured.busy, busyLimit, 1.15),
    row('idle for 6 s', measured.idle, idleLimit, 1.03),
    row('cold, init before the invocation', measured.prepared, busy, 1.2),
    {
      what: `${plangrepMs} ms, cold, invocation waits for the init`,
      figure: savedFigure,
      bar: { limit: '≥ 0.8 ×', met: share >= 0.8 },
    },
  ];
}

const notes = [
  'Medians, with the middle half. 2 ms there and back to AWS. The delays are those of a proxy and, for TCP handshakes, of the look-up.',
  "The limits: two round trips to AWS and half of one to Plangrep; idle, two round trips to Plangrep for the handshakes, beside AWS, and half of one; for a cold start with an init before, the busy figure; else the shorter of the handshakes and the init (beyond an empty handler's), saved.",
];
