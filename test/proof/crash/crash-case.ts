import { eventDoor } from '../../../infra/blueprint/bus-events.ts';
import type { FunctionName } from '../../../infra/blueprint/functions.ts';
import type { Container } from '../../../infra/local/aws/lambda/container.ts';
import type { Door } from './doors.ts';
import { readBatchFailures, readHttpEnd } from './invocations.ts';
import { allowedAfterCrash, judgeCancellation, judgeRegistration, lookAround, recover } from './judge-recovery.ts';
import { newScene, type Scene } from './scene.ts';
import type { Stage } from './stage.ts';
import type { Effect, Handle, Play } from './tap.ts';

/** Where a process dies: just before step `n` leaves it, or when `n` has happened and the answer is not there yet. */
export interface CrashPoint {
  /** 1, 2, 3 …; 0: it does not die. */
  readonly n: number;
  readonly side: 'before' | 'after';
}

export interface CrashCase extends CrashPoint {
  readonly door: Door;
  /** Whether the caller asks again. */
  readonly repeats: boolean;
}

export interface CrashResult {
  readonly steps: number;
  readonly died: boolean;
  readonly virtualMs: number;
  readonly cancelCalls: number;
  readonly wrong: readonly string[];
}

/** The reconciler asks for the wake-ups of all shards in a row, and nothing depends on one alone: they are one step. */
const SHARDS = 'Query CancellationLog due-wake-ups';
/** No steps of an invocation: a function fetches the key and prepares its reading while it starts, and the next one starts meanwhile. */
const isOfStart = ({ name, body }: Effect): boolean =>
  name === 'GetSecretValue' || (name === 'Query JobDirectory' && body.includes('warm-up#'));

/** Processes that live on: the survivors of every crash. */
export type Crew = Readonly<Record<FunctionName, Container>>;

/** @param betweenDeathAndRecovery what else happens in the dark */
export const playCrash = async (
  stage: Stage,
  crew: Crew,
  doomed: Container,
  { door, n, side, repeats }: CrashCase,
  betweenDeathAndRecovery: () => Promise<void> = async () => {},
): Promise<CrashResult> => {
  const { tap, simulator } = stage;
  const scene = newScene();
  await door.prepare(stage, scene);
  let died = false;
  const kill: Play = async (handle: Handle) => {
    if (side === 'after') await handle.forward();
    died = true;
    doomed.kill();
  };
  let steps = 0;
  let before = '';
  tap.begin((effect) => {
    if (isOfStart(effect)) return undefined;
    const { name } = effect;
    const isNext = name !== SHARDS || before !== SHARDS;
    before = name;
    if (isNext) steps += 1;
    return isNext && steps === n ? kill : undefined;
  });
  const result = await doomed.invoke(door.event(scene, 1));
  doomed.kill();
  await doomed.ended;
  await tap.idle();
  tap.begin();

  const wrong: string[] = [];
  if (died === (result.kind === 'answered')) wrong.push(`died: ${died}, yet the invocation ${result.kind}`);
  if (!died) wrong.push(...judgeAnswer(door, readEnd(door, result)));
  const atDeath = await lookAround(stage, scene);
  await betweenDeathAndRecovery();
  if (repeats && died) wrong.push(...(await repeat(crew, door, scene, 2)));
  const recovery = await recover(stage, scene, crew['reconcile-cancellations']);
  const known = await lookAround(stage, scene);
  const isAsked = repeats || !died;
  if (door.makes === 'registration') {
    wrong.push(...(await judgeRegistration(stage, scene, isAsked)));
  } else {
    if (isAsked && known.record.state === undefined) wrong.push('a request that was answered left no cancellation');
    wrong.push(...(await judgeCancellation(stage, scene, atDeath, allowedAfterCrash(atDeath), recovery)));
  }
  // Late repeats change nothing any more; a registration that died half-way is completed by one.
  if (repeats || door.makes === 'registration') wrong.push(...(await repeat(crew, door, scene, 3)));
  if (door.makes === 'registration') wrong.push(...(await judgeRegistration(stage, scene, true)));
  const cancelCalls = simulator.requests.count('cancel', scene.jobId);
  if (cancelCalls !== known.cancelCalls && known.record.state !== undefined)
    wrong.push('a late repeat called Plangrep');
  return { steps, died, virtualMs: recovery.virtualMs, cancelCalls, wrong };
};

const readEnd = (door: Door, result: Awaited<ReturnType<Container['invoke']>>): string => {
  switch (door.caller) {
    case 'https': {
      const { status, malformed } = readHttpEnd(result);
      return malformed ?? String(status);
    }
    case 'queue':
      return `${readBatchFailures(result)?.length ?? 'no'} failures`;
    case 'schedule':
      return result.kind;
  }
};

const judgeAnswer = (door: Door, end: string): string[] => {
  const good = { https: ['200', '202', '409'], queue: ['0 failures'], schedule: ['answered'] }[door.caller];
  const right = door.makes === 'registration' && door.caller === 'https' ? ['200'] : good;
  return right.includes(end) ? [] : [`answered ${end}`];
};

/** The same again, as its caller does: to a process that lives. */
const repeat = async (crew: Crew, door: Door, scene: Scene, nth: number): Promise<string[]> => {
  const end = readEnd(
    door,
    await crew[door.functionName].invoke(door.event(scene, Math.min(nth, eventDoor.maxReceives))),
  );
  if (nth > 2 && door.repeatedLate?.includes(end) === true) return [];
  return judgeAnswer(door, end).map((what) => `repeat ${nth}: ${what}`);
};
