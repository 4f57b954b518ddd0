import { messageAbout } from '../../functions/core/callbacks/callback-message.ts';
import { createSlowEndpoints } from '../../functions/core/callbacks/slow-endpoints.ts';
import type { CallbackWorld } from '../support/callbacks/memory-callbacks.ts';
import { acme } from '../support/names.ts';
import {
  bring,
  type CallbackScene,
  callbackScenes,
  openWorld,
  type Outside,
  runSchedule,
} from './crash/callback-scenes.ts';

export interface CallbackCrashes {
  readonly figures: { readonly scenes: number; readonly crashPoints: number; readonly recovered: number };
  readonly violations: readonly string[];
  readonly table: string;
}

/** Rounds of the queue and the schedule, a minute each: all attempts that the scenes need take less. */
const ROUNDS = 60;

/**
 * Crash at every step of the callbacks: the doors of announce-cancellations and deliver-callbacks die before and after every
 * call that they make outside. Then what started them comes again, as the stream, the queue and the schedule do, and the
 * partner must have all, in order, with nothing left in the index.
 */
export async function runCallbackCrashes(): Promise<CallbackCrashes> {
  const violations: string[] = [];
  const rows: string[] = [];
  let [crashPoints, recovered] = [0, 0];
  for (const scene of callbackScenes) {
    const { steps, wrong } = await play(scene, { n: 0, side: 'before' });
    for (const what of wrong) violations.push(`${scene.name}, undisturbed: ${what}`);
    for (let n = 1; n <= steps; n += 1) {
      for (const side of ['before', 'after'] as const) {
        const played = await play(scene, { n, side });
        crashPoints += 1;
        if (played.died && played.wrong.length === 0) recovered += 1;
        if (!played.died) violations.push(`${scene.name}, ${side} step ${n}: it never came to that step`);
        for (const what of played.wrong) violations.push(`${scene.name}, ${side} step ${n}: ${what}`);
      }
    }
    rows.push(`    ${scene.name.padEnd(42)} ${String(steps).padStart(5)} steps`);
  }
  return { figures: { scenes: callbackScenes.length, crashPoints, recovered }, violations, table: rows.join('\n') };
}

interface Point {
  /** 1, 2, 3 …; 0: the process does not die. */
  readonly n: number;
  readonly side: 'before' | 'after';
}

async function play(scene: CallbackScene, point: Point) {
  const { world, bus, outside } = openWorld();
  await scene.prepare?.(world);
  const process = mortal(outside, point);
  await Promise.race([scene.invoke(process.outside), process.death]);
  const died = process.hasDied();
  // A new process, which remembers nothing.
  const living = { ...outside, slowEndpoints: createSlowEndpoints(world.ports.clock) };
  // Also without a death each comes at least once, so it may come again.
  await scene.invoke(living);
  if (scene.isResumed === true) await resume(world, living);
  await passTime(world, living);
  const wrong = judge(scene, world, died ? 1 : 0);
  if (scene.name.startsWith('announce') && bus.length === 0) wrong.push('the end was not announced on the bus');
  return { steps: process.steps(), died, wrong };
}

/** Every call outside of a process that dies at a point. A dead process neither calls nor hears anything. */
function mortal(outside: Outside, { n, side }: Point) {
  const { promise: death, resolve: die } = Promise.withResolvers<void>();
  let [steps, hasDied] = [0, false];
  const call =
    <Input extends readonly unknown[], Output>(effect: (...input: Input) => Promise<Output>) =>
    async (...input: Input): Promise<Output> => {
      steps += hasDied ? 0 : 1;
      const isLast = !hasDied && steps === n;
      if (!isLast && !hasDied) return effect(...input);
      if (isLast) {
        hasDied = true;
        if (side === 'after') await effect(...input);
        die();
      }
      return new Promise(() => undefined);
    };
  const { log, endpoints, queue, bus } = outside;
  const dying: Outside = {
    ...outside,
    log: {
      shards: log.shards,
      readJob: call((subject) => log.readJob(subject)),
      readRefusal: call((subject) => log.readRefusal(subject)),
      append: call((record, place) => log.append(record, place)),
      unindex: call((record) => log.unindex(record)),
      due: call((shard, now, limit) => log.due(shard, now, limit)),
      postpone: call((due, to) => log.postpone(due, to)),
    },
    endpoints: {
      read: call((partnerId) => endpoints.read(partnerId)),
      pause: call((partnerId, url, at) => endpoints.pause(partnerId, url, at)),
      keepTest: call((partnerId, result) => endpoints.keepTest(partnerId, result)),
    },
    queue: { send: call((message) => queue.send(message)) },
    bus: { put: call((announcements) => bus.put(announcements)) },
    post: call(outside.post),
    secretOf: call(outside.secretOf),
  };
  return { outside: dying, death, steps: () => steps, hasDied: () => hasDied };
}

/** An operator gives the partner another endpoint, and replays what was kept. */
async function resume(world: CallbackWorld, living: Outside): Promise<void> {
  world.endpoints.set(acme, { url: 'https://partner.example/new', version: 1 });
  for (const subject of world.log.kept()) await bring(messageAbout(subject, { id: 'replay-9', all: false }))(living);
}

/** The queue brings what was sent, and the schedule runs, each minute. */
async function passTime(world: CallbackWorld, living: Outside): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const message of world.sent.splice(0)) await bring(message)(living);
    world.nowMs += 60_000;
    await runSchedule(living);
  }
}

/** @param again how many callbacks the partner may have twice */
function judge({ told }: CallbackScene, world: CallbackWorld, again: number): string[] {
  const wrong: string[] = [];
  const attempts = [...world.log.attempts.values()];
  const newest = new Map(attempts.map(({ record }) => [record.about, record]));
  const expected = told === 'the refusal' ? attempts.slice(0, 1).map(({ record }) => record.webhookId) : told;
  const received = world.posted.map(({ headers }) => headers['webhook-id'] ?? '');
  if ([...new Set(received)].join() !== expected.join() || expected.length === 0)
    wrong.push(`told: ${received.join()}`);
  for (const [about, { result }] of newest) if (result !== 'delivered') wrong.push(`${about} ended as ${result}`);
  const left = attempts.filter(({ place }) => place !== undefined).length;
  if (left > 0) wrong.push(`${left} attempts are left in the index`);
  const delivered = attempts.flatMap(({ record: { result, webhookId } }) =>
    result === 'delivered' ? [webhookId] : [],
  );
  if (delivered.join() !== expected.join()) wrong.push(`delivered on record: ${delivered.join()}`);
  const unrecorded = received.length - attempts.filter(({ record }) => record.httpStatus !== undefined).length;
  if (unrecorded > again) wrong.push(`${unrecorded} calls are not on record`);
  return wrong;
}
