import { toTimestamp } from '../../../functions/core/identifiers.ts';
import type { Container } from '../../../infra/local/aws/lambda/container.ts';
import { readRecord, type Scene } from './scene.ts';
import type { Stage } from './stage.ts';

/** The service recovers from every crash and every fault within this much virtual time. */
export const RECOVERY_MS = 5 * 60_000;
const MOST_RUNS = 40;

export interface Recovery {
  readonly runs: number;
  readonly virtualMs: number;
}

/**
 * Lets time pass until nothing of a scene is due any more: what is stored as due comes nearer by as much as Plangrep's
 * clock goes on, and the reconciler's own bundle looks at it.
 */
export const recover = async (stage: Stage, scene: Scene, reconciler: Container): Promise<Recovery> => {
  const { partnerId, jobId } = scene;
  let virtualMs = 0;
  for (let runs = 0; runs < MOST_RUNS; runs += 1) {
    const { wakeUps } = await readRecord(stage, scene);
    const [first] = wakeUps.map(({ wakeAt }) => Date.parse(wakeAt)).sort((a, b) => a - b);
    if (first === undefined) return { runs, virtualMs };
    const jump = Math.max(0, first - Date.now());
    if (virtualMs + jump > RECOVERY_MS) return { runs, virtualMs };
    virtualMs += jump;
    stage.advance(jump);
    for (const { seq, wakeAt } of wakeUps) {
      await stage.log.moveWakeUp({ partnerId, jobId, seq, wakeAt }, toTimestamp(Date.parse(wakeAt) - jump));
    }
    await reconciler.invoke({});
  }
  return { runs: MOST_RUNS, virtualMs };
};
