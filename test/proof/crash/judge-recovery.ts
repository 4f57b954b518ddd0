import { isTerminal, outcomeOf } from '../../../functions/core/cancellation/job-status.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { LATE_MS } from '../../../functions/core/cancellation/pace.ts';
import type { Container } from '../../../infra/local/aws/lambda/container.ts';
import { type OnRecord, readRecord, type Scene } from './scene.ts';
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
    const jump = Math.max(0, first + LATE_MS - Date.now());
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

/** How things stood when a process died, or a fault ended. */
export interface AtDeath {
  readonly record: OnRecord;
  readonly cancelCalls: number;
  /** Whether Plangrep would have shown the job as ended by then. */
  readonly isJobOver: boolean;
}

export const lookAround = async (stage: Stage, scene: Scene): Promise<AtDeath> => ({
  record: await readRecord(stage, scene),
  cancelCalls: stage.simulator.requests.count('cancel', scene.jobId),
  isJobOver: isTerminal(stage.simulator.job(scene.jobId)?.status ?? 'none'),
});

/**
 * How many cancel calls there may be after a crash: one, unless the survivors, who know only what is on record, cannot
 * know what came of it, and a look at the job does not tell either.
 */
export const allowedAfterCrash = ({ record: { state }, cancelCalls, isJobOver }: AtDeath): number =>
  cancelCalls > 0 && state?.step.kind === 'attempting' && !isJobOver ? cancelCalls + 1 : Math.max(1, cancelCalls);

/** How many after a fault: one more for an attempt that is not known to have been accepted, while the job lives. */
export const allowedAfterFault = ({ record: { state }, cancelCalls, isJobOver }: AtDeath): number => {
  const isKnown = state?.step.kind === 'closed' || (state?.step.kind === 'waiting' && state.step.result === 'accepted');
  return isKnown || isJobOver ? cancelCalls : cancelCalls + 1;
};

/** @returns what is wrong, after recovery, with a cancellation that may have been interrupted anywhere */
export const judgeCancellation = async (
  stage: Stage,
  scene: Scene,
  before: AtDeath,
  allowed: number,
  { virtualMs }: Recovery,
): Promise<string[]> => {
  const { record, cancelCalls } = await lookAround(stage, scene);
  const { state, types, wakeUps, verdict } = record;
  const wrong: string[] = [];
  const expect = (holds: boolean, what: string): void => void (holds || wrong.push(what));
  if (before.record.state === undefined) expect(before.cancelCalls === 0, 'Plangrep was called without intent');
  if (state === undefined) {
    expect(cancelCalls === 0, 'Plangrep was called and nothing is on record');
    return wrong;
  }
  expect(state.step.kind === 'closed', `not closed after ${virtualMs} ms: ${types.join(', ')}`);
  expect(virtualMs <= RECOVERY_MS, `recovery took ${virtualMs} ms`);
  expect(types.filter((type) => type === 'closed').length === 1, `not one closing event: ${types.join(', ')}`);
  expect(types.filter((type) => type === 'requested').length === 1, `not one requested: ${types.join(', ')}`);
  for (const { what } of verdict.findings) wrong.push(what);
  expect(wakeUps.length === 0, `${wakeUps.length} wake-ups are left behind`);
  const status = stage.simulator.job(scene.jobId)?.status ?? 'none';
  if (state.step.kind === 'closed') {
    expect(state.step.outcome === outcomeOf(status), `closed as ${state.step.outcome}, yet the job is ${status}`);
  }
  expect(stage.simulator.requests.count('cancel', scene.otherJobId) === 0, 'another job was cancelled');
  expect(cancelCalls <= allowed, `${cancelCalls} cancel calls`);
  return wrong;
};

/** @returns what is wrong with a job's registration: it is there whole and verified, or not at all */
export const judgeRegistration = async (
  { directory }: Stage,
  { partnerId, externalId, jobId }: Scene,
  isComplete: boolean,
): Promise<string[]> => {
  const { items: entries } = await directory.find(partnerId, externalId);
  const [entry] = entries;
  const isWhole = entries.length === 1 && entry?.jobId === jobId && entry.verifiedAt !== undefined;
  if (isWhole || (entries.length === 0 && !isComplete)) return [];
  return [`the directory holds ${JSON.stringify(entries)}`];
};
