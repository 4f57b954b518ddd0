import * as z from 'zod/mini';
import { LATE_MS } from '../../../functions/core/cancellation/pace.ts';
import type { Container } from '../../../infra/local/aws/lambda/container.ts';
import { accepted, requested } from '../../proof/crash/doors.ts';
import { addJob, type Past, type Scene, writeStream } from '../../proof/crash/scene.ts';
import { openStage, type Stage } from '../../proof/crash/stage.ts';
import { documentedScene, oneOfMany } from '../calls/play-paths.ts';
import { loadEngine } from './load-engine.ts';
import { type Compared, takeTurns } from '../timing.ts';

/** The reconciler among so many open cancellations. */
export interface BacklogGrowth {
  readonly open: number;
  /** A run that finds {@link FEW} due and the others not. */
  readonly fewDue: Compared;
  /** Runs that find all of them due: for each cancellation, since every run has the same time. */
  readonly allDue: Compared;
}

const FEW = 20;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * Measures the reconciler's real bundle on the real engine.
 * @param sizes how many cancellations are open, the smallest first: the others are compared with it
 */
export async function measureBacklogGrowth(
  sizes: readonly number[],
  progress: (text: string) => void,
): Promise<readonly BacklogGrowth[]> {
  progress('backlogs of which few are due');
  const few = await withBacklogs(sizes, HOUR, (backlogs) => takeTurns(backlogs, { rounds: 7 }, lookAtFew));
  progress('backlogs of which all are due');
  const all = await withBacklogs(sizes, -HOUR, (backlogs) => takeTurns(backlogs, { rounds: 2 }, lookAtAll));
  return sizes.flatMap((open, n) => {
    const [fewDue, allDue] = [few[n], all[n]];
    return fewDue === undefined || allDue === undefined ? [] : [{ open, fewDue, allDue }];
  });
}

interface Backlog {
  readonly stage: Stage;
  readonly container: Container;
}

/** Opens a backlog of each size, and closes them in any case. */
async function withBacklogs<Result>(
  sizes: readonly number[],
  dueInMs: number,
  use: (backlogs: readonly Backlog[]) => Promise<Result>,
): Promise<Result> {
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
}

/** @param dueInMs of the first; each later one a little after the one before */
async function openBacklog(open: number, dueInMs: number): Promise<Stage> {
  const scene = documentedScene();
  const scenes = Array.from({ length: open }, (_, n) => oneOfMany(n, scene));
  const path = await loadEngine(async ({ log }) => {
    for (const [n, one] of scenes.entries()) await writeStream({ log }, one, openStream(one, dueInMs + n / 10));
  });
  const stage = await openStage(path);
  for (const one of scenes) addJob(stage, one, one.jobId, { status: 'cancelled' });
  return stage;
}

/** The cancel was accepted and the job still runs, as for most open cancellations. */
function openStream(scene: Scene, dueInMs: number): Past[] {
  const { wakeInMs: _, ...first } = requested(scene, 17_000);
  return [first, { ...accepted, wakeInMs: dueInMs }];
}

async function addDue(stage: Stage, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const scene = documentedScene();
    addJob(stage, scene, scene.jobId, { status: 'cancelled' });
    // The reconciler leaves what is not late to the wake-up queue.
    await writeStream(stage, scene, openStream(scene, -LATE_MS - 1_000));
  }
}

async function lookAtFew({ stage, container }: Backlog) {
  await addDue(stage, FEW);
  const { ms, looked, requests } = await run(stage, container);
  if (looked !== FEW) throw new Error(`${looked} were due, not ${FEW}`);
  return { ms, requests };
}

/** As many as were closed are added, so that every run finds as many. */
async function lookAtAll({ stage, container }: Backlog) {
  const { ms, looked, requests } = await run(stage, container);
  await addDue(stage, looked);
  return { ms: ms / looked, requests: requests / looked };
}

const summarySchema = z.object({ looked: z.number(), failed: z.number() });

async function run(stage: Stage, container: Container) {
  stage.tap.begin();
  const began = performance.now();
  const result = await container.invoke({});
  const ms = performance.now() - began;
  if (result.kind !== 'answered') throw new Error(`the reconciler ${JSON.stringify(result)}`);
  const { looked, failed } = summarySchema.parse(result.payload);
  if (failed > 0) throw new Error(`${failed} of ${looked} failed`);
  return { ms, looked, requests: stage.tap.effects.length };
}
