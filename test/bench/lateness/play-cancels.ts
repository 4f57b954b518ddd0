import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalRunOptions } from '../../../infra/local/run.ts';
import { callAs, itemsOf } from '../../support/local-run.ts';
import type { Fault } from './faults.ts';
import { followRetryAfter, type Looks } from './follow-retry-after.ts';
import { type Stage, startStage } from './stage.ts';

export interface Scene {
  readonly faults: readonly Fault[];
  /** Of each fault. */
  readonly cancels: number;
  /** The cancels of a fault are spread evenly over so many milliseconds. */
  readonly spreadMs: number;
  readonly run: LocalRunOptions;
  /** Whether each caller comes back when `Retry-After` says, until the cancellation is closed. */
  readonly follows: boolean;
  /** The longest that the last one may take. */
  readonly patienceMs: number;
}

export interface Played {
  readonly fault: Fault;
  /**
   * Milliseconds from each request to the arrival of the cancel call that took effect. Without the few that met no fault,
   * because a container that had just started had the new key.
   */
  readonly lateMs: readonly number[];
  readonly cancels: number;
  readonly closed: number;
  readonly looks: Looks;
}

interface Cancel {
  readonly jobId: string;
  readonly sentAt: number;
  readonly status: number;
  readonly looks: Looks;
}

/** Plays the faults at the same time, those that disturb all of Plangrep each on a local run apart. */
export async function playCancels(scene: Scene): Promise<readonly Played[]> {
  const stages = Map.groupBy(scene.faults, ({ stage }) => stage);
  const played = [...stages.values()].map(async (faults) => {
    const stage = await startStage(scene.run);
    try {
      return await playOn(stage, { ...scene, faults });
    } finally {
      await stage.close();
    }
  });
  return (await Promise.all(played)).flat();
}

async function playOn(stage: Stage, scene: Scene): Promise<readonly Played[]> {
  const named = scene.faults.map((fault, number) => ({ fault, jobIds: namesOf(number, scene.cancels) }));
  for (const { fault, jobIds } of named) {
    for (const jobId of jobIds) await stage.addJob(jobId, fault.job);
  }
  // Its containers start before.
  await Promise.all(
    ['job_warm_1', 'job_warm_2'].map(async (externalId) => {
      await stage.addJob(externalId);
      await callAs(stage.run, 'acme', 'POST /v1/cancellations', { externalId });
    }),
  );
  const began = performance.now();
  const sent = await Promise.all(
    named.map(async ({ fault, jobIds }, number) => {
      // Faults that share a run take turns.
      const startMs = began + (number * scene.spreadMs) / scene.cancels / named.length;
      return { fault, cancels: await sendAll(stage, scene, { fault, jobIds, startMs }) };
    }),
  );
  const jobIds = named.flatMap((one) => one.jobIds);
  const closed = await waitUntilClosed(stage, jobIds, scene.patienceMs);
  // The last looks still remove their wake-ups: the tables' engine must not be closed in the middle of a write.
  await sleep(1_000);
  return sent.map(({ fault, cancels }) => judge(stage, { fault, cancels, closed }));
}

const namesOf = (fault: number, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `job_late_${fault}_${n}`);

/** @param plan its `startMs` is when the first is sent, as `performance.now()` counts */
async function sendAll(
  stage: Stage,
  { spreadMs, cancels, follows }: Scene,
  { fault, jobIds, startMs }: { readonly fault: Fault; readonly jobIds: readonly string[]; readonly startMs: number },
): Promise<readonly Cancel[]> {
  const { atOnce = 1, arm, disarm } = fault;
  const all: Promise<Cancel>[] = [];
  for (let n = 0; n < jobIds.length; n += atOnce) {
    await sleep(Math.max(0, startMs + (n * spreadMs) / cancels - performance.now()));
    const some = jobIds.slice(n, n + atOnce);
    // What disturbs all of Plangrep begins once.
    for (const jobId of disarm === undefined ? some : some.slice(0, 1)) await arm?.(stage, jobId);
    const answered = some.map((jobId) => send(stage, jobId));
    if (disarm !== undefined) await Promise.all(answered).then(() => disarm(stage));
    all.push(...answered.map((sent) => (follows ? follow(stage, sent) : sent)));
  }
  return Promise.all(all);
}

type Sent = Cancel & { readonly answer: Awaited<ReturnType<typeof callAs>> };

async function send({ run }: Stage, jobId: string): Promise<Sent> {
  const sentAt = Date.now();
  const answer = await callAs(run, 'acme', 'POST /v1/cancellations', { externalId: jobId });
  return { jobId, sentAt, status: answer.status, answer, looks: { made: 0, withNews: 0 } };
}

async function follow({ run }: Stage, sending: Promise<Sent>): Promise<Cancel> {
  const sent = await sending;
  return { ...sent, looks: await followRetryAfter(run, sent.jobId, sent.answer) };
}

async function waitUntilClosed({ run }: Stage, jobIds: readonly string[], patienceMs: number): Promise<Set<unknown>> {
  for (const until = performance.now() + patienceMs; ; await sleep(1_000)) {
    const records = await itemsOf(run, 'CancellationLog');
    const closed = new Set(records.filter(({ type }) => type === 'closed').map(({ jobId }) => jobId));
    if (jobIds.every((jobId) => closed.has(jobId)) || performance.now() > until) return closed;
  }
}

function judge(
  { simulator }: Stage,
  { fault, cancels, closed }: { fault: Fault; cancels: readonly Cancel[]; closed: ReadonlySet<unknown> },
): Played {
  const calls = Map.groupBy(
    simulator.requests.all().filter(({ kind }) => kind === 'cancel'),
    ({ jobId }) => jobId,
  );
  const lateMs = cancels.flatMap(({ jobId, sentAt, status }) => {
    const all = calls.get(jobId) ?? [];
    const effective = all.find((call) => call.authorized && call.fault === undefined);
    if (effective === undefined) return Number.POSITIVE_INFINITY;
    const hasMetFault = status === 202 || all[0] !== effective;
    return hasMetFault ? Date.parse(effective.at) - sentAt : [];
  });
  const looks = cancels.map((cancel) => cancel.looks);
  return {
    fault,
    lateMs,
    cancels: cancels.length,
    closed: cancels.filter(({ jobId }) => closed.has(jobId)).length,
    looks: {
      made: looks.reduce((sum, { made }) => sum + made, 0),
      withNews: looks.reduce((sum, { withNews }) => sum + withNews, 0),
    },
  };
}
