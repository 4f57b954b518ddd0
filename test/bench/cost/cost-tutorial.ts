import type { PathCalls } from '../calls/calls-per-path.ts';
import { startContainer } from '../../../infra/local/aws/lambda/container.ts';
import { openStage } from '../../proof/crash/stage.ts';
import { beginCounting } from '../calls/calls-measure.ts';
import { buildContenders } from '../contenders/build-contenders.ts';
import { baseline, defineContainer } from '../contenders/contenders.ts';
import { installBaseline } from '../contenders/install-baseline.ts';
import { createBaselineTables } from '../contenders/baseline-tables.ts';
import { isHappy } from '../contenders/happy-paths.ts';

/** What the tutorial stack asks of its tables for one cancel, warm: counted like ours. */
export const measureTutorialCalls = async (progress: (text: string) => void): Promise<PathCalls> => {
  await installBaseline(progress);
  const built = await buildContenders({ withBaseline: true });
  const stage = await openStage();
  try {
    const [contender] = baseline(built);
    if (contender === undefined) throw new Error('the tutorial stack was not built');
    await createBaselineTables(stage.dynamodb.client);
    const container = await startContainer(defineContainer(contender, stage.tap.urls, built.bootstrap));
    try {
      const walk = async (event: unknown): Promise<void> => {
        const result = await container.invoke(event);
        if (result.kind !== 'answered' || !isHappy(result.payload)) {
          throw new Error(`the tutorial stack: ${JSON.stringify(result)}`);
        }
      };
      await walk(await contender.path(stage));
      const event = await contender.path(stage);
      const end = beginCounting(stage);
      await walk(event);
      return await end();
    } finally {
      container.kill();
      await container.ended;
    }
  } finally {
    await stage.close();
    await built.remove();
  }
};
