import { rm } from 'node:fs/promises';
import { createJobDirectory } from '../../../functions/adapters/dynamodb/job-directory.ts';
import { type LocalDynamoDb, startLocalDynamoDb } from '../../../infra/local/aws/dynamodb.ts';
import { post, requested } from '../../proof/crash/doors.ts';
import { addJob, type Past, register, writeStream } from '../../proof/crash/scene.ts';
import { openStage } from '../../proof/crash/stage.ts';
import type { PathCalls } from '../calls/calls-per-path.ts';
import { beginCounting } from '../calls/count-calls.ts';
import { documentedScene, oneOfMany } from '../calls/play-paths.ts';
import { loadEngine } from './load-engine.ts';
import { type Compared, invokeTimed, takeTurns } from '../timing.ts';
import { type TableName, tables } from '../../../infra/blueprint/tables.ts';

/** One cancel on an empty log, and on one that holds a million events. */
export interface LogGrowth {
  readonly events: number;
  readonly empty: Compared;
  readonly full: Compared;
  readonly emptyCalls: PathCalls;
  readonly fullCalls: PathCalls;
}

const DAY_MS = 86_400_000;
const closed: Past['body'] = { type: 'closed', outcome: 'cancelled', jobStatus: 'cancelled', creditsDebited: 63 };

/** Cancellations of a hundred partners, a day ago, of two events each. */
function loadLog(events: number): Promise<string> {
  return loadEngine(async ({ log }) => {
    for (let n = 0; n < events / 2; n += 1) {
      const past = oneOfMany(n);
      const { wakeInMs: _, ...first } = requested(past, DAY_MS);
      await writeStream({ log }, past, [first, { agoMs: DAY_MS - 200, body: closed }]);
    }
  });
}

/**
 * One container cancels on both logs: from one cancel to the next, only the engine behind its endpoint changes.
 * @param rounds cancels on each of the two
 */
export async function measureLogGrowth(
  events: number,
  rounds: number,
  progress: (text: string) => void,
): Promise<LogGrowth> {
  progress(`filling a log with ${events} events`);
  // On disk, like the full one.
  const emptyFolder = await loadLog(0);
  const stage = await openStage(await loadLog(events));
  // The functions have one access key, for both.
  const { accessKey } = stage.dynamodb;
  const empty = await startLocalDynamoDb({ tables, path: emptyFolder, accessKey });
  try {
    const container = await stage.start('request-cancellation');
    const cancelOn = async (dynamodb: LocalDynamoDb<TableName>): Promise<number> => {
      const { client, tableNames, url } = dynamodb;
      const scene = documentedScene();
      addJob(stage, scene, scene.jobId);
      await register({ directory: createJobDirectory(client, tableNames.JobDirectory), dynamodb }, scene, scene.jobId);
      stage.tap.direct('dynamodb', url);
      return invokeTimed(container, post()(scene, 1), 200);
    };
    const countOn = async (dynamodb: LocalDynamoDb<TableName>): Promise<PathCalls> => {
      const end = beginCounting({ tap: stage.tap, dynamodb });
      await cancelOn(dynamodb);
      return end();
    };
    progress(`${rounds} cancels on it and on an empty one`);
    const turns = { rounds, warmUp: 10, order: 'alternating' } as const;
    const [onEmpty, onFull] = await takeTurns([empty, stage.dynamodb], turns, async (dynamodb) => {
      return { ms: await cancelOn(dynamodb), requests: 0 };
    });
    if (onEmpty === undefined || onFull === undefined) throw new Error('two logs give two figures');
    const emptyCalls = await countOn(empty);
    return { events, empty: onEmpty, full: onFull, emptyCalls, fullCalls: await countOn(stage.dynamodb) };
  } finally {
    await stage.close();
    await empty.close();
    await rm(emptyFolder, { recursive: true, force: true });
  }
}
