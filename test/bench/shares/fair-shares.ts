import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { environments } from '../../../infra/blueprint/environments.ts';
import { localPlans, type UsagePlan } from '../../../infra/blueprint/usage-plans.ts';
import { type LocalRun, startLocalRun } from '../../../infra/local/run.ts';
import { callAs } from '../../support/local-run.ts';
import { projects } from '../../../infra/scenes/stories.ts';
import { atMost, type BenchContext, type BenchPart, type BenchResult } from '../part.ts';
import { quantile, ratioOf, show } from '../timing.ts';
import type { HeavyOrder, HeavyReport, ToHeavy } from './heavy-partner.ts';

export interface FairSharesPlan {
  /** The heavy partner's. */
  readonly share: UsagePlan;
  /** How many times its share it sends. */
  readonly times: number;
  /** The other partner's cancels in a block, one every `everyMs`. */
  readonly cancels: number;
  readonly everyMs: number;
  /** Each has a block with the load and one without. */
  readonly rounds: number;
}

const wholePlan: FairSharesPlan = {
  share: environments.dev.plans.standard,
  times: 50,
  cancels: 25,
  everyMs: 60,
  rounds: 20,
};

export const fairShares: BenchPart = {
  name: 'fair-shares',
  title: 'Fair shares: cancels of one partner while another sends 50 times its share',
  run: (context) => measureFairShares(context, { ...wholePlan, rounds: context.rounds ?? wholePlan.rounds }),
};

type Mode = 'alone' | 'beside the load';
interface Block {
  /** Milliseconds to the answer, of each cancel. */
  readonly ms: readonly number[];
}

/** On one local run, blocks with the load and without take turns; every second round in the other order. */
export async function measureFairShares(context: BenchContext, plan: FairSharesPlan): Promise<BenchResult> {
  const plans = { standard: localPlans.standard, share: plan.share };
  const run = await startLocalRun({ plans, reconcileEveryMs: 0 });
  const heavy = fork(new URL('./heavy-partner.ts', import.meta.url), { execArgv: [] });
  try {
    context.progress('registering jobs');
    const others = await registerJobs(run, 'globex', (plan.rounds + 1) * 2 * plan.cancels);
    const externalIds = await registerJobs(run, 'acme', 500);
    for (const key of run.usagePlans.keys()) if (key.name.endsWith('.acme')) run.usagePlans.assign(key.id, 'share');
    const token = run.partners.find(({ partnerId }) => partnerId === 'acme')?.token ?? '';
    const requestsPerSecond = plan.times * plan.share.ratePerSecond;
    const order: HeavyOrder = { url: run.baseUrl, token, requestsPerSecond, externalIds };

    const blocks: Record<Mode, Block[]> = { alone: [], 'beside the load': [] };
    const reports: HeavyReport[] = [];
    // The round -1 only warms up.
    for (let round = -1; round < plan.rounds; round += 1) {
      const modes: readonly Mode[] = round % 2 === 0 ? ['alone', 'beside the load'] : ['beside the load', 'alone'];
      for (const mode of modes) {
        context.progress(`round ${round + 1} of ${plan.rounds}, ${mode}`);
        const mine = others.splice(0, plan.cancels);
        const block =
          mode === 'alone' ? await cancelAll(run, mine, plan) : await underLoad(() => cancelAll(run, mine, plan));
        if (round >= 0) blocks[mode].push(block);
      }
    }
    return describe(blocks, reports, plan);

    async function underLoad(act: () => Promise<Block>): Promise<Block> {
      tell(heavy, { kind: 'send', order });
      await sleep(500); // Its burst is over.
      const block = await act();
      const reported = once(heavy, 'message');
      tell(heavy, { kind: 'stop' });
      const [report] = (await reported) as [HeavyReport];
      reports.push(report);
      return block;
    }
  } finally {
    heavy.kill();
    await run.close();
  }
}

function tell(heavy: ChildProcess, message: ToHeavy): void {
  heavy.send(message);
}

/** Jobs at Plangrep that the partner has registered. @returns their externalIds */
async function registerJobs(run: LocalRun, partnerId: keyof typeof projects, count: number): Promise<string[]> {
  const externalIds = Array.from({ length: count }, (_, n) => `${partnerId} share ${n}`);
  for (const [n, externalId] of externalIds.entries()) {
    const id = `job_share_${partnerId}_${n}`;
    run.simulator?.addJob({ id, externalId, projectId: projects[partnerId] });
    const { status } = await callAs(run, partnerId, `PUT /v1/jobs/${id}`, { externalId });
    if (status >= 300) throw new Error(`registering ${id} was answered ${status}`);
  }
  return externalIds;
}

/** At a fixed pace, whatever the answers take. @throws Error when one is not cancelled at once */
async function cancelAll(run: LocalRun, externalIds: readonly string[], { everyMs }: FairSharesPlan): Promise<Block> {
  const began = performance.now();
  const cancels = externalIds.map(async (externalId, n) => {
    await sleep(Math.max(0, n * everyMs - (performance.now() - began)));
    const from = performance.now();
    const { status } = await callAs(run, 'globex', 'POST /v1/cancellations', { externalId });
    const ms = performance.now() - from;
    if (status !== 200) throw new Error(`${externalId} was answered ${status}`);
    return ms;
  });
  return { ms: await Promise.all(cancels) };
}

function describe(
  blocks: Readonly<Record<Mode, readonly Block[]>>,
  reports: readonly HeavyReport[],
  plan: FairSharesPlan,
): BenchResult {
  const sorted = (blocksOf: readonly Block[]): number[] => blocksOf.flatMap(({ ms }) => ms).toSorted((a, b) => a - b);
  const p95 = (mode: Mode): number[] => blocks[mode].map((block) => quantile(sorted([block]), 0.95));
  const figure = (mode: Mode): string => {
    const all = sorted(blocks[mode]);
    return `p50 ${quantile(all, 0.5).toFixed(1)} ms, p95 ${quantile(all, 0.95).toFixed(1)} ms, of ${all.length}`;
  };
  const ratio = ratioOf(p95('beside the load'), p95('alone'));
  const statuses = reports.flatMap((report) => Object.entries(report.statuses));
  const count = (wanted: (status: number) => boolean): number =>
    statuses.reduce((sum, [status, times]) => (wanted(Number(status)) ? sum + times : sum), 0);
  const seconds = reports.reduce((sum, report) => sum + report.seconds, 0);
  const all = count(() => true);
  const sent = `${Math.round(all / seconds)} a second (${plan.times} × ${plan.share.ratePerSecond})`;
  const refused = `${((count((status) => status === 429) / all) * 100).toFixed(1)} % answered 429`;
  const lost = count((status) => status === 0);
  return {
    rows: [
      { what: 'the other partner alone', figure: figure('alone') },
      { what: 'the other partner beside the load', figure: figure('beside the load') },
      {
        what: 'beside the load / alone, p95 by round',
        figure: show(ratio, ' ×', 2),
        bar: atMost(ratio.median, 1.5, ' ×'),
      },
      { what: 'the heavy partner sent', figure: `${sent}, ${refused}, ${lost} lost` },
    ],
    notes,
    json: { plan, blocks, reports, ratio },
  };
}

const notes = [
  'Each cancel is of a new job, at a fixed pace, on one local run. The heavy partner is a process beside it, on the same machine.',
  'Short blocks with the load and without take turns, so that what else the machine does affects both.',
];
