import * as z from 'zod/mini';
import { callsPerPath, type Outgoing, type Path, type PathCalls } from './calls-per-path.ts';
import type { Scene } from '../../proof/crash/scene.ts';
import { openStage, type Stage } from '../../proof/crash/stage.ts';
import type { Effect } from '../../proof/crash/tap.ts';
import { documentedScene, type PlayedPath, paths } from './play-paths.ts';
import { measureUnits } from './count-calls.ts';

const plangrepCalls: Readonly<Record<string, Outgoing>> = {
  'POST cancel': 'Plangrep cancel',
  'GET job': 'Plangrep read',
  'GET list': 'Plangrep list',
};
/** The effect's name as the table of calls has it: an index by its own name, a put without what was put. */
const nameOf = ({ service, name }: Effect): string => {
  if (service === 'plangrep') return plangrepCalls[name] ?? name;
  const [operation = '', table = '', index] = name.split(' ');
  if (operation === 'Query' && index !== undefined) return `Query ${index}`;
  return service === 'dynamodb' ? `${operation} ${table}` : operation;
};

/** From now until `end`, everything that functions send is counted and weighed. */
export const beginCounting = ({ tap, dynamodb }: Pick<Stage, 'tap' | 'dynamodb'>) => {
  const requests: Record<string, number> = {};
  let [writeUnits, readUnits, storedBytes] = [0, 0, 0];
  tap.begin((effect) => async ({ forward, answer }) => {
    const name = nameOf(effect);
    requests[name] = (requests[name] ?? 0) + 1;
    if (effect.service !== 'dynamodb') return answer(await forward());
    let answered: Awaited<ReturnType<typeof forward>> | undefined;
    const [operation = ''] = name.split(' ');
    const consumed = await measureUnits(dynamodb.client, operation, effect.body, async () => {
      answered = await forward();
      return answered.body;
    });
    writeUnits += consumed.writeUnits;
    readUnits += consumed.readUnits;
    storedBytes += consumed.storedBytes;
    if (answered !== undefined) answer(answered);
  });
  return async (): Promise<PathCalls> => {
    await tap.idle();
    tap.begin();
    return { requests, writeUnits, readUnits, storedBytes };
  };
};

const answerSchema = z.object({ statusCode: z.optional(z.number()) });

const measurePath = async (stage: Stage, { functionName, isCold, isRepeat, ...path }: PlayedPath) => {
  const { prepare = () => undefined, event, status } = path;
  const prepared = async (): Promise<Scene> => {
    const scene = documentedScene();
    await prepare(stage, scene);
    return scene;
  };
  // What a container asks for while it starts is part of its first path.
  const endCold = isCold === undefined ? undefined : beginCounting(stage);
  const container = await stage.start(functionName);
  const invoke = async (input: unknown): Promise<number | undefined> => {
    const result = await container.invoke(input);
    if (result.kind !== 'answered') throw new Error(`${functionName} ${JSON.stringify(result)}`);
    return answerSchema.parse(result.payload).statusCode;
  };
  if (endCold === undefined) await invoke(event(await prepared(), 1));
  const scene = await prepared();
  if (isRepeat !== undefined) await invoke(event(scene, 1));

  const end = endCold ?? beginCounting(stage);
  const answered = await invoke(event(scene, isRepeat === undefined ? 1 : 2));
  const calls = await end();
  container.kill();
  if (status !== answered) throw new Error(`${functionName} answered ${answered}, not ${status}`);
  return calls;
};

const isPath = (name: string): name is Path => Object.hasOwn(callsPerPath, name);
export const pathNames: readonly Path[] = Object.keys(callsPerPath).filter(isPath);

/**
 * Takes every path, each through a process of its own of the real bundle on the real engine.
 * @throws when a path does not end as it is called
 */
export const measureCalls = async (): Promise<Readonly<Record<Path, PathCalls>>> => {
  const measured: Partial<Record<Path, PathCalls>> = {};
  for (const name of pathNames) {
    // A world of its own: no path meets what another one left to the reconciler.
    const stage = await openStage();
    try {
      measured[name] = await measurePath(stage, paths[name]);
    } finally {
      await stage.close();
    }
  }
  return measured as Record<Path, PathCalls>;
};
