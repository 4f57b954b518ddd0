import * as z from 'zod/mini';
import { isTerminal } from '../../../functions/core/cancellation/job-status.ts';
import type { Container, InvocationResult } from '../../../infra/local/aws/lambda/container.ts';
import type { FaultInput } from '../../../infra/local/plangrep/plangrep-faults.ts';
import { type HttpEnd, readBatchFailures, readHttpEnd } from '../crash/invocations.ts';
import { allowedAfterFault, type AtDeath, judgeCancellation, lookAround, recover } from '../crash/judge-recovery.ts';
import { newScene, type Scene } from '../crash/scene.ts';
import type { Stage } from '../crash/stage.ts';
import type { Disturb, Play } from '../crash/tap.ts';
import { awsFaults, endFaults, type FaultName, plangrepFaults } from './faults.ts';
import type { Hop } from './hops.ts';

/** What came of one fault at one hop. */
export interface CellResult {
  /** `503, then 200`: the answers; for the reconciler how its run ended. */
  readonly shown: string;
  /** Present when this cannot happen: why. */
  readonly why?: string;
  readonly wrong: readonly string[];
}

/** Processes without a fault of their own. */
export interface Helpers {
  readonly repeater: Container;
  readonly reconciler: Container;
}

/** @param startWorker the process that meets the fault: it starts into it where the hop is part of a start */
export const playCell = async (
  stage: Stage,
  { repeater, reconciler }: Helpers,
  startWorker: () => Promise<Container>,
  hop: Hop,
  fault: FaultName,
): Promise<CellResult> => {
  const { tap } = stage;
  const scene = newScene();
  const started = hop.isCold === true ? undefined : await startWorker();
  await hop.prepare(stage, scene);
  const why = arm(stage, scene, hop, fault);
  if (why !== undefined) return { shown: '–', why, wrong: [] };
  const requests = tap.effects;
  const worker = started ?? (await startWorker());
  const result = await worker.invoke(hop.event(scene, 1));
  const jobStatus = stage.simulator.job(scene.jobId)?.status ?? 'none';
  await endFaults(stage);
  await tap.idle();
  const before = await lookAround(stage, scene);

  const wrong: string[] = [];
  const shown: string[] = [];
  if (!isMet(hop, fault, requests)) wrong.push('the hop was never come to');
  if (hop.functionName === 'request-cancellation') {
    const end = readHttpEnd(result);
    shown.push(String(end.status));
    wrong.push(...(await judgeEnd(stage, scene, end, before, jobStatus)));
    if (end.status === 503) {
      const again = readHttpEnd(await repeater.invoke(hop.event(scene, 2)));
      shown.push(String(again.status));
      if (![200, 202, 409].includes(again.status))
        wrong.push(`repeated, it was answered ${again.status} ${again.code}`);
    }
  } else {
    shown.push(endOf(hop, result));
  }
  const recovery = await recover(stage, scene, reconciler);
  const { state, types } = (await lookAround(stage, scene)).record;
  if (state === undefined) wrong.push(`nothing is on record in the end: ${types.length}`);
  wrong.push(...(await judgeCancellation(stage, scene, before, allowedAfterFault(before), recovery)));
  return { shown: shown.join('→'), wrong };
};

const summarySchema = z.object({ failed: z.number() });

/** How the reconciler's run ended, or the look at a message, by its own account. */
const endOf = ({ functionName }: Hop, result: InvocationResult): string => {
  if (result.kind !== 'answered') return result.kind;
  if (functionName === 'consume-wake-ups') return readBatchFailures(result)?.length === 0 ? 'done' : 'again';
  const { failed } = summarySchema.parse(result.payload);
  return failed === 0 ? 'ran' : `failed ${failed}`;
};

/** Makes the hop misbehave. @returns why it cannot */
const arm = (stage: Stage, scene: Scene, hop: Hop, fault: FaultName): string | undefined => {
  const { tap, simulator } = stage;
  if (fault === 'refused') {
    armRefusal(stage, hop);
    return undefined;
  }
  if (hop.on === undefined) {
    const of = awsFaults[fault];
    const play = typeof of === 'string' ? of : of(hop);
    if (typeof play === 'string') return play;
    tap.begin((effect) => (hop.isHit(effect) ? play : undefined));
    return undefined;
  }
  const of = plangrepFaults[fault];
  if (typeof of === 'string') return of;
  tap.begin();
  const input = of(hop, stage);
  if (typeof input === 'string') return input;
  // Of several jobs the one that lives is hard to read.
  const jobId = hop.on === 'list' ? {} : { jobId: scene.jobId };
  if (input !== undefined) simulator.faults.add({ ...input, ...jobId, on: hop.on } as FaultInput);
  return undefined;
};

/** No server listens from the moment that the hop is next. */
const armRefusal = ({ tap }: Stage, { service, comesAfter }: Hop): void => {
  if (comesAfter === undefined) {
    tap.begin();
    tap.refuse(service);
    return;
  }
  let isRefused = false;
  const last: Play = async ({ forward, answer }) => {
    const forwarded = await forward();
    tap.refuse(service);
    answer(forwarded);
  };
  const disturb: Disturb = (effect) => {
    if (isRefused || !comesAfter(effect)) return undefined;
    isRefused = true;
    return last;
  };
  tap.begin(disturb);
};

/** A fault that no request met proves nothing. A refused connection shows by the effect that is missing. */
const isMet = ({ isHit, comesAfter }: Hop, fault: FaultName, effects: Stage['tap']['effects']): boolean =>
  fault === 'refused'
    ? (comesAfter === undefined || effects.some(comesAfter)) && !effects.some(isHit)
    : effects.some(isHit);

/** The design's table of answers, under a fault. */
const judgeEnd = async (
  stage: Stage,
  scene: Scene,
  { status, code, outcome, malformed }: HttpEnd,
  { cancelCalls }: AtDeath,
  jobStatus: string,
): Promise<string[]> => {
  const { events } = await stage.log.read(scene.partnerId, scene.jobId);
  const [first] = events;
  const isOurs = first?.type === 'requested' && first.requestId === `${scene.id}-request-1`;
  const wrong: string[] = [];
  if (malformed !== undefined) wrong.push(`${status} is not an answer of the contract: ${malformed}`);
  if (isOurs && ![200, 202, 409].includes(status)) wrong.push(`${status}, though requested is on record`);
  if (!isOurs && ![200, 202, 409, 503].includes(status)) wrong.push(`${status} ${code}`);
  if (status === 503 && cancelCalls > 0) wrong.push('503, though Plangrep was called');
  if (outcome === 'cancelled' && jobStatus !== 'cancelled')
    wrong.push(`answered cancelled, and the job is ${jobStatus}`);
  if (outcome === 'too_late' && !isTerminal(jobStatus)) wrong.push(`answered too_late, and the job is ${jobStatus}`);
  if (outcome === 'job_not_found') wrong.push('answered job_not_found, and the job is there');
  return wrong;
};
