import * as z from 'zod/mini';
import { externalIdSchema, jobIdSchema, partnerIdSchema } from '../../../functions/core/identifiers.ts';
import type { Container } from '../../../infra/local/aws/lambda/container.ts';
import { accepted, requested } from '../../proof/crash/doors.ts';
import { addJob, type Scene, writeStream } from '../../proof/crash/scene.ts';
import { openStage, type Stage } from '../../proof/crash/stage.ts';
import { documentedScene } from '../calls/play-paths.ts';
import { loadEngine } from './load-engine.ts';
import { takeTurns } from './growth-timing.ts';
import { ratioOf, type Spread, spreadOf } from '../timing.ts';

/** How the reconciler fares among so many open cancellations. */
export interface BacklogGrowth {
  readonly open: number;
  /** A run that finds {@link FEW} due and all others not. */
  readonly fewDueMs: Spread;
  readonly fewDueRatio: Spread;
  readonly fewDueRequests: number;
  /** Runs that find all of them due: per cancellation, since each run has the same time. */
  readonly allDueMs: Spread;
  readonly allDueRatio: Spread;
  readonly allDueRequests: number;
}

const FEW = 20;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The cancel was accepted, the job still runs: what most open cancellations wait for. */
const openStream = (scene: Scene, dueInMs: number) => {
  const { wakeInMs: _, ...first } = requested(scene, 17_000);
  return [first, { ...accepted, wakeInMs: dueInMs }];
};

const waitingScene = (scene: Scene, n: number): Scene => {
  const number = String(n).padStart(6, '0');
  return {
    ...scene,
    partnerId: partnerIdSchema.parse(`partner-${n % 100}`),
    externalId: externalIdSchema.parse(`order-${number}`),
    jobId: jobIdSchema.parse(`job_01hy3m8qtn2e5r7k9p0w${number}`),
  };
};

/** @param dueInMs of the first; each later one a little after the one before */
const openBacklog = async (open: number, dueInMs: number): Promise<Stage> => {
  const scene = documentedScene();
  const scenes = Array.from({ length: open }, (_, n) => waitingScene(scene, n));
  const path = await loadEngine(async ({ log }) => {
    for (const [n, one] of scenes.entries()) await writeStream({ log }, one, openStream(one, dueInMs + n / 10));
  });
  const stage = await openStage(path);
  for (const one of scenes) addJob(stage, one, one.jobId, { status: 'cancelled' });
  return stage;
};

const summarySchema = z.object({ looked: z.number(), failed: z.number() });

const run = async (stage: Stage, container: Container) => {
  stage.tap.begin();
  const began = performance.now();
  const result = await container.invoke({});
  const ms = performance.now() - began;
  if (result.kind !== 'answered') throw new Error(`the reconciler ${JSON.stringify(result)}`);
  const { looked, failed } = summarySchema.parse(result.payload);
  if (failed > 0) throw new Error(`${failed} of ${looked} failed`);
  return { ms, looked, requests: stage.tap.effects.length };
};

interface Backlog {
  readonly stage: Stage;
  readonly container: Container;
}

/** Opens a backlog of each size, and closes them whatever comes. */
const withBacklogs = async <Result>(
  sizes: readonly number[],
  dueInMs: number,
  use: (backlogs: readonly Backlog[]) => Promise<Result>,
): Promise<Result> => {
  const backlogs: Backlog[] = [];
  try {
    for (const open of sizes) {
      const stage = await openBacklog(open, dueInMs);
      backlogs.push({ stage, container: await stage.start('reconcile-cancellations') });
    }
    return await use(backlogs);
  } finally {
    for (const { stage } of backlogs) await stage.close();
  }
};

const addDue = async (stage: Stage, count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) {
    const scene = documentedScene();
    addJob(stage, scene, scene.jobId, { status: 'cancelled' });
    await writeStream(stage, scene, openStream(scene, -1_000));
  }
};

const lookAtFew = async ({ stage, container }: Backlog) => {
  await addDue(stage, FEW);
  const { ms, looked, requests } = await run(stage, container);
  if (looked !== FEW) throw new Error(`${looked} were due, not ${FEW}`);
  return { ms, requests };
};

/** What was dealt with comes anew, so that every run finds as many. */
const lookAtAll = async ({ stage, container }: Backlog) => {
  const { ms, looked, requests } = await run(stage, container);
  await addDue(stage, looked);
  return { ms: ms / looked, requests: requests / looked };
};

/**
 * Measures the reconciler's real bundle on the real engine.
 * @param sizes how many open cancellations there are, smallest first: what the others are compared with
 */
export const measureBacklogGrowth = async (
  sizes: readonly number[],
  progress: (text: string) => void,
): Promise<readonly BacklogGrowth[]> => {
  progress('backlogs of which few are due');
  const few = await withBacklogs(sizes, HOUR, (backlogs) => takeTurns(backlogs, 7, lookAtFew));
  progress('backlogs of which all are due');
  const all = await withBacklogs(sizes, -HOUR, (backlogs) => takeTurns(backlogs, 2, lookAtAll));
  const [firstFew, firstAll] = [few[0]?.ms ?? [], all[0]?.ms ?? []];
  return sizes.map((open, n) => ({
    open,
    fewDueMs: spreadOf(few[n]?.ms ?? []),
    fewDueRatio: ratioOf(few[n]?.ms ?? [], firstFew),
    fewDueRequests: spreadOf(few[n]?.requests ?? []).median,
    allDueMs: spreadOf(all[n]?.ms ?? []),
    allDueRatio: ratioOf(all[n]?.ms ?? [], firstAll),
    allDueRequests: spreadOf(all[n]?.requests ?? []).median,
  }));
};
