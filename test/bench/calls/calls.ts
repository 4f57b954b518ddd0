import * as z from 'zod/mini';
import type { Scene } from '../../proof/crash/scene.ts';
import { openStage, type Stage } from '../../proof/crash/stage.ts';
import { atMost, type BenchPart, markdownTable } from '../part.ts';
import {
  areSameCalls,
  callsPerPath,
  isDynamoDb,
  type Path,
  type PathCalls,
  pathNames,
  requestsTo,
} from './calls-per-path.ts';
import { beginCounting } from './count-calls.ts';
import { documentedScene, paths, type PlayedPath } from './play-paths.ts';

export const calls: BenchPart = {
  name: 'calls',
  title: 'requests to DynamoDB, Secrets Manager and Plangrep on every path',
  async run({ progress }) {
    progress(`${pathNames.length} paths`);
    const measured = await measureCalls();
    const unlike = pathNames.filter(
      (path) =>
        !areSameCalls(measured[path], callsPerPath[path]) ||
        measured[path].storedBytes !== callsPerPath[path].storedBytes,
    );
    const warm = requestsTo(measured.cancelled);
    return {
      rows: [
        { what: 'cancelled, warm: to DynamoDB', figure: `${warm.dynamoDb}`, bar: atMost(warm.dynamoDb, 3) },
        { what: 'to Secrets Manager', figure: `${warm.secretsManager}`, bar: atMost(warm.secretsManager, 0) },
        { what: 'to Plangrep', figure: `${warm.plangrep}`, bar: atMost(warm.plangrep, 1) },
        {
          what: `paths unlike test/bench/calls/calls-per-path.ts, of ${pathNames.length}`,
          figure: unlike.join(', ') || '0',
          bar: atMost(unlike.length, 0),
        },
      ],
      table: renderCalls(measured),
      json: measured,
    };
  },
};

/**
 * Plays every path, each with a new process of the real bundle on the real engine.
 * @throws Error when a path does not end as its name says
 */
export async function measureCalls(): Promise<Readonly<Record<Path, PathCalls>>> {
  const measured: Partial<Record<Path, PathCalls>> = {};
  for (const name of pathNames) {
    // A stage for each, so that no path meets what another one left to the reconciler.
    const stage = await openStage();
    try {
      measured[name] = await measurePath(stage, paths[name]);
    } finally {
      await stage.close();
    }
  }
  return measured as Record<Path, PathCalls>;
}

async function measurePath(stage: Stage, path: PlayedPath): Promise<PathCalls> {
  const { functionName, prepare, event, status, container: when = 'warm', isRepeat = false } = path;
  // One partner, whose record the container has read when it is warm.
  const { partnerId, projectId } = documentedScene();
  const partner = path.isPartnersFirst === true ? {} : { partnerId, projectId };
  const prepared = async (): Promise<Scene> => {
    const scene = { ...documentedScene(), ...partner };
    await prepare?.(stage, scene);
    return scene;
  };
  // What a container asks for while it starts is part of its first path.
  const endCold = when === 'cold' ? beginCounting(stage) : undefined;
  const container = await stage.start(functionName);
  const invoke = async (input: unknown): Promise<number | undefined> => {
    const result = await container.invoke(input);
    if (result.kind !== 'answered') throw new Error(`${functionName} ${JSON.stringify(result)}`);
    return answerSchema.parse(result.payload).statusCode;
  };
  if (when === 'warm') await invoke(event(await prepared(), 1));
  const scene = await prepared();
  if (isRepeat) await invoke(event(scene, 1));

  const end = endCold ?? beginCounting(stage);
  const answered = await invoke(event(scene, isRepeat ? 2 : 1));
  const counted = await end();
  container.kill();
  if (status !== answered) throw new Error(`${functionName} answered ${answered}, not ${status}`);
  return counted;
}

const answerSchema = z.object({ statusCode: z.optional(z.number()) });

/** What every path asks of its dependencies, as a table. */
function renderCalls(byPath: Readonly<Record<Path, PathCalls>>): string {
  const head = ['path', 'requests', 'write units', 'read units', 'bytes stored'];
  const rows = pathNames.map((path) => {
    const { writeUnits, readUnits, storedBytes } = byPath[path];
    return [path, inWords(byPath[path]), writeUnits, readUnits, storedBytes];
  });
  return markdownTable(head, rows, 2);
}

/** `1 Query JobDirectory, 2 PutItem CancellationLog`. */
function inWords({ requests }: PathCalls): string {
  const order = (request: string): number => (isDynamoDb(request) ? 1 : request === 'GetSecretValue' ? 2 : 3);
  const words = Object.entries(requests)
    .toSorted(([a], [b]) => order(a) - order(b))
    .map(([request, times]) => `${times} ${request}`);
  return words.join(', ') || 'none';
}
