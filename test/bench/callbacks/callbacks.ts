import { setTimeout as sleep } from 'node:timers/promises';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { createCancellationLog } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import { endpointKey } from '../../../functions/adapters/dynamodb/callback-endpoints.ts';
import { toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { partnerIdSchema } from '../../../functions/core/identifiers.ts';
import { environments } from '../../../infra/blueprint/environments.ts';
import { type LocalRun, startLocalRun } from '../../../infra/local/run.ts';
import { type Arrival, startHostileReceiver } from '../../support/callbacks/hostile-receiver.ts';
import { closed } from '../../support/stored-streams.ts';
import { requested } from '../../proof/crash/doors.ts';
import { newScene, writeStream } from '../../proof/crash/scene.ts';
import { atMost, type BenchContext, type BenchPart, type BenchResult } from '../part.ts';
import { quantile, ratioOf, show } from '../timing.ts';

export interface CallbacksPlan {
  /** Of each partner in a block, one every `everyMs`. */
  readonly cancellations: number;
  readonly everyMs: number;
  /** Each has a block beside an endpoint that answers and one beside each kind that does not. */
  readonly rounds: number;
  /** How long an endpoint that does not answer has been so when the measuring begins. */
  readonly settleMs: number;
  /** Invocations of a function at the same time. */
  readonly atOnce: number;
}

const wholePlan: CallbacksPlan = {
  cancellations: 40,
  everyMs: 200,
  rounds: 4,
  settleMs: 25_000,
  atOnce: environments.prod.concurrency.callbacks,
};
/** Longer than a message is hidden that a function under too much load has not dealt with. */
const GIVE_UP_MS = 240_000;

export const callbacks: BenchPart = {
  name: 'callbacks',
  title: 'Callbacks: from the closing event to the partner, beside another partner whose endpoint is dead or slow',
  run: (context) => measureCallbacks(context, { ...wholePlan, rounds: context.rounds ?? wholePlan.rounds }),
};

/**
 * What the other partner's endpoint does: the names of the receiver's behaviours. `refused`: its port is closed. `dying`: it
 * is silent from the first callback of the block on.
 */
const others = ['ok', 'silent', 'drip', 'refused', 'dying'] as const;
type Other = (typeof others)[number];

/** On one local run, with the bundles that are deployed. Blocks take turns; every second round in the other order. */
export async function measureCallbacks(context: BenchContext, plan: CallbacksPlan): Promise<BenchResult> {
  const run = await startLocalRun({
    containersPerFunction: plan.atOnce,
    reconcileEveryMs: 60_000,
  });
  const mine = await startHostileReceiver();
  const theirs = await startHostileReceiver();
  const closedPort = await startHostileReceiver();
  await closedPort.close();
  const blocks: Record<Other, number[][]> = { ok: [], silent: [], drip: [], refused: [], dying: [] };
  const log = createCancellationLog(run.dynamodb.client, run.dynamodb.tableNames.CancellationLog);
  try {
    await setEndpoint(run, 'globex', `${mine.url}/callbacks`);
    // The round -1 only warms up.
    for (let round = -1; round < plan.rounds; round += 1) {
      for (const other of round % 2 === 0 ? others : others.toReversed()) {
        context.progress(`round ${round + 1} of ${plan.rounds}, beside ${other}`);
        // Another URL each time: nothing is known of it.
        const url = other === 'refused' ? closedPort.url : `${theirs.url}/${other === 'dying' ? 'silent' : other}`;
        await setEndpoint(run, 'acme', `${url}?block=${round}-${other}`);
        await loadFor(round < 0 || other === 'dying' ? 0 : plan.settleMs);
        const ms = await measureBlock();
        if (round >= 0) blocks[other].push(ms);
      }
    }
  } finally {
    await run.close();
    await Promise.all([mine.close(), theirs.close()]);
  }
  return describe(blocks, plan);

  async function loadFor(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (performance.now() < until) await Promise.all([close('acme'), sleep(plan.everyMs)]);
  }

  /** @returns milliseconds from each closing event to the callback's arrival */
  async function measureBlock(): Promise<number[]> {
    const before = mine.arrivals.length;
    const began = performance.now();
    const cancellations = Array.from({ length: plan.cancellations }, async (_, n) => {
      await sleep(Math.max(0, n * plan.everyMs - (performance.now() - began)));
      const [jobId] = await Promise.all([close('globex'), close('acme')]);
      return jobId;
    });
    const jobIds = await Promise.all(cancellations);
    const giveUpAt = performance.now() + GIVE_UP_MS;
    for (let told = new Map<string, number>(); ; await sleep(20)) {
      told = latenciesOf(mine.arrivals.slice(before));
      if (jobIds.every((jobId) => told.has(jobId))) return jobIds.map((jobId) => told.get(jobId) ?? Number.NaN);
      if (performance.now() > giveUpAt) throw new Error('a callback has not arrived for minutes');
    }
  }

  /** A cancellation that closes now. Its events are written as a function would. */
  async function close(partner: 'acme' | 'globex'): Promise<string> {
    const scene = { ...newScene(), partnerId: partnerIdSchema.parse(partner) };
    await writeStream({ log }, scene, [requested(scene, 1_000), { agoMs: 0, body: closed }]);
    return scene.jobId;
  }
}

async function setEndpoint({ dynamodb }: LocalRun, partner: string, url: string): Promise<void> {
  const Item = toItem({ ...endpointKey(partnerIdSchema.parse(partner)), url, version: 1 });
  await dynamodb.client.send(new PutItemCommand({ TableName: dynamodb.tableNames.Partners, Item }));
}

/** By job, of its first arrival: a callback may come again. */
function latenciesOf(arrivals: readonly Arrival[]): Map<string, number> {
  const told = arrivals.map(({ atMs, body }): [string, number] => {
    const { timestamp, data } = bodySchema.parse(JSON.parse(body));
    return [data.jobId, atMs - Date.parse(timestamp)];
  });
  return new Map(told.toReversed());
}

const bodySchema = z.object({ timestamp: z.string(), data: z.object({ jobId: z.string() }) });

function describe(blocks: Readonly<Record<Other, readonly (readonly number[])[]>>, plan: CallbacksPlan): BenchResult {
  const p95s = (other: Other): number[] => blocks[other].map((ms) => quantile(sorted(ms), 0.95));
  const all = sorted(blocks.ok.flat());
  const beside = others.map((other) => {
    const ms = sorted(blocks[other].flat());
    const figure = `p50 ${quantile(ms, 0.5).toFixed(0)} ms, p95 ${quantile(ms, 0.95).toFixed(0)} ms, of ${ms.length}`;
    return { what: `beside an endpoint that is ${other}`, figure };
  });
  const ratios = others.slice(1).map((other) => {
    const ratio = ratioOf(p95s(other), p95s('ok'));
    const bar = atMost(ratio.median, 1.05, ' ×');
    return { what: `${other} / ok, p95 by round`, figure: show(ratio, ' ×', 2), bar };
  });
  const p95 = quantile(all, 0.95);
  const intime = {
    what: 'from the closing event to the partner, p95',
    figure: `${p95.toFixed(0)} ms`,
    bar: atMost(p95, 2_000, ' ms'),
  };
  return { rows: [intime, ...beside, ...ratios], notes, json: { plan, blocks } };
}

function sorted(figures: readonly number[]): number[] {
  return figures.toSorted((a, b) => a - b);
}

const notes = [
  'Both partners have as many cancellations. What is measured is one partner’s: from the time of the closing event to the arrival at its endpoint.',
  'Before a block the other partner’s endpoint has been so for 25 s under the same load; dying: not at all. As many invocations at once as in prod.',
];
