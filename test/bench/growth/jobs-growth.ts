import { jobIdSchema, toTimestamp } from '../../../functions/core/identifiers.ts';
import type { Container } from '../../../infra/local/aws/lambda/container.ts';
import { post } from '../../proof/crash/doors.ts';
import { addJob, nameProject, register, type Scene } from '../../proof/crash/scene.ts';
import { openStage, type Stage } from '../../proof/crash/stage.ts';
import { documentedScene } from '../calls/play-paths.ts';
import { loadEngine } from './load-engine.ts';
import { answerSchema, type Compared, invokeTimed, type Spread, spreadOf, takeTurns } from '../timing.ts';

function numbered({ jobId }: Pick<Scene, 'jobId'>, n: number): Scene['jobId'] {
  return jobIdSchema.parse(`${jobId.slice(0, -10)}${jobId.slice(-4)}${String(n).padStart(6, '0')}`);
}

const HOUR_MS = 3_600_000;
const MAX_TRIES = 100;

/** One cancel of the newest of so many jobs behind one externalId. */
export interface BehindGrowth extends Compared {
  readonly jobs: number;
  /** Requests of the first cancel, which reads every job and remembers which ones have ended, over all its tries. */
  readonly firstRequests: number;
  readonly firstTries: number;
}

/** @param sizes how many jobs there are: all but the newest have ended */
export async function measureJobsBehind(sizes: readonly number[], rounds: number): Promise<readonly BehindGrowth[]> {
  const scenes = sizes.map(documentedScene);
  const path = await loadEngine(async ({ directory }) => {
    for (const [at, { partnerId, externalId, ...scene }] of scenes.entries()) {
      for (let n = 0; n < (sizes[at] ?? 0) - 1; n += 1) {
        const registeredAt = toTimestamp(Date.now() - HOUR_MS);
        await directory.claim(partnerId, externalId, {
          jobId: numbered(scene, n),
          projectId: scene.projectId,
          registeredAt,
          verifiedAt: registeredAt,
        });
      }
    }
  });
  const stage = await openStage(path);
  try {
    const container = await stage.start('request-cancellation');
    const first: { firstRequests: number; firstTries: number }[] = [];
    for (const [at, scene] of scenes.entries()) {
      const ended = Array.from({ length: (sizes[at] ?? 0) - 1 }, (_, n) => numbered(scene, n));
      for (const jobId of ended) addJob(stage, scene, jobId, { status: 'cancelled' });
      await submit(stage, scene, 0);
      stage.tap.begin();
      first.push({ firstTries: await cancelPatiently(container, scene), firstRequests: stage.tap.effects.length });
    }
    const cancelNewest = async (scene: Scene, round: number) => {
      // An externalId with a single job is a new one in each round.
      const order = scene === scenes[0] ? documentedScene() : scene;
      await submit(stage, order, round + 2);
      stage.tap.begin();
      const ms = await invokeTimed(container, post()(order, round + 2), 200);
      return { ms, requests: stage.tap.effects.length };
    };
    const compared = await takeTurns(scenes, { rounds }, cancelNewest);
    return compared.map((one, n) => ({ jobs: sizes[n] ?? 0, firstRequests: 0, firstTries: 0, ...one, ...first[n] }));
  } finally {
    await stage.close();
  }
}

async function submit(stage: Stage, scene: Scene, nth: number): Promise<void> {
  const jobId = numbered(scene, 900_000 + nth);
  addJob(stage, scene, jobId);
  await register(stage, scene, jobId, 0);
}

/** A request reads at most 18 jobs; a repeat continues after them, since what was read is remembered. @returns how many tries it took */
async function cancelPatiently(container: Container, scene: Scene): Promise<number> {
  for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
    const result = await container.invoke(post()(scene, tries));
    if (result.kind === 'answered' && answerSchema.parse(result.payload).statusCode === 200) return tries;
  }
  throw new Error(`${MAX_TRIES} tries did not cancel the job`);
}

/** One cancel of a job that is not registered, in a project with so many jobs, which Plangrep lists. */
export interface ListingGrowth extends Compared {
  readonly jobs: number;
  /** The time that Plangrep's simulator took to list them: not part of `ms`. */
  readonly plangrepMs: Spread;
}

/** @param sizes how many jobs the project has */
export async function measureListing(sizes: readonly number[], rounds: number): Promise<readonly ListingGrowth[]> {
  const stage = await openStage();
  try {
    const projects = sizes.map(documentedScene);
    for (const [at, project] of projects.entries()) fillProject(stage, project, (sizes[at] ?? 0) - rounds - 1);
    const listed = projects.map(() => [] as number[]);
    const cancelUnregistered = async (project: Scene, round: number) => {
      const scene = { ...documentedScene(), projectId: project.projectId };
      addJob(stage, scene, scene.jobId);
      await nameProject(stage, scene);
      // A container remembers a project's list: each cancel starts another container, with open connections.
      const container = await startWarm(stage);
      let plangrepMs = 0;
      stage.tap.begin(({ name }) => {
        if (name !== 'GET list') return undefined;
        return async ({ forward, answer }) => {
          const began = performance.now();
          const answered = await forward();
          plangrepMs = performance.now() - began;
          answer(answered);
        };
      });
      const ms = await invokeTimed(container, post()(scene, round), 200);
      container.kill();
      if (round >= 0) listed[projects.indexOf(project)]?.push(plangrepMs);
      return { ms: ms - plangrepMs, requests: stage.tap.effects.length };
    };
    const compared = await takeTurns(projects, { rounds }, cancelUnregistered);
    return compared.map((one, n) => ({ jobs: sizes[n] ?? 0, ...one, plangrepMs: spreadOf(listed[n] ?? []) }));
  } finally {
    await stage.close();
  }
}

async function startWarm(stage: Stage): Promise<Container> {
  const container = await stage.start('request-cancellation');
  const scene = documentedScene();
  addJob(stage, scene, scene.jobId);
  await register(stage, scene, scene.jobId, 0);
  await invokeTimed(container, post()(scene, 1), 200);
  return container;
}

function fillProject({ simulator }: Stage, { projectId, jobId }: Scene, jobs: number): void {
  for (let n = 0; n < jobs; n += 1) {
    simulator.addJob({ id: `${jobId}${n}`, externalId: `other order ${n}`, projectId });
  }
}
