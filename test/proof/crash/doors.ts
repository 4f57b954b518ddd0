import type { Door as DoorName } from '../../../functions/core/cancellation/events.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import type { FunctionName } from '../../../infra/blueprint/functions.ts';
import { cancelRequest, envelope, registerRequest, sqsEvent, sqsRecord } from './invocations.ts';
import { addJob, nameProject, type Past, register, type Scene } from './scene.ts';
import type { Stage } from './stage.ts';
import { committed } from '../../support/committed.ts';

/** A way into the service, with what exists before a request arrives. */
export interface Door {
  readonly name: string;
  readonly functionName: FunctionName;
  /** `https`: repeats or not, as it likes. `queue`: the queue always does. `schedule`: the next run does. */
  readonly caller: 'https' | 'queue' | 'schedule';
  /** What comes of it: a cancellation, or a job in the directory. */
  readonly makes: 'cancellation' | 'registration';
  readonly prepare: (stage: Stage, scene: Scene) => Promise<void>;
  /** @param nth 1 the first time, 2 when it is repeated */
  readonly event: (scene: Scene, nth: number) => unknown;
  /** What else a repeat may be answered once the cancellation is closed. */
  readonly repeatedLate?: readonly string[];
}

const MINUTE = 60_000;
export const STAYS_MS = 60_000;

export const post = (
  more: (scene: Scene) => object = () => ({}),
  headers?: (scene: Scene) => Record<string, string[]>,
) => {
  return (scene: Scene, nth: number): unknown => {
    const { partnerId, id, externalId } = scene;
    const body = JSON.stringify({ externalId, reason: 'wrong plan', ...more(scene) });
    return cancelRequest(partnerId, `${id}-request-${nth}`, body, headers?.(scene));
  };
};
export const message = (detailType: Parameters<typeof envelope>[2], detail: (scene: Scene) => object) => {
  return (scene: Scene, nth: number): unknown =>
    sqsEvent(sqsRecord(scene.id, envelope(scene.partnerId, scene.id, detailType, detail(scene), scene.at), nth));
};

const https = { functionName: 'request-cancellation', caller: 'https', makes: 'cancellation' } as const;
const events = { functionName: 'consume-events', caller: 'queue' } as const;
export const oneJob =
  (fields: Parameters<typeof addJob>[3] = {}) =>
  async (stage: Stage, scene: Scene): Promise<void> => {
    addJob(stage, scene, scene.jobId, fields);
    await register(stage, scene, scene.jobId);
  };

/** Nobody has registered the job yet; it is in the partner's project. */
export const unregistered = async (stage: Stage, scene: Scene): Promise<void> => {
  addJob(stage, scene, scene.jobId);
  await nameProject(stage, scene);
};

/** Registered while Plangrep could not be asked. */
export const unverified = async (stage: Stage, scene: Scene): Promise<void> => {
  const { partnerId, externalId, jobId } = scene;
  await unregistered(stage, scene);
  await stage.directory.keepUnverified(partnerId, externalId, { jobId, registeredAt: toTimestamp(scene.at - MINUTE) });
};

export const requested = (scene: Scene, agoMs: number, wakeInMs?: number): Past => ({
  agoMs,
  ...(wakeInMs === undefined ? {} : { wakeInMs }),
  body: {
    type: 'requested',
    ...committed({
      door: 'https' satisfies DoorName,
      requestId: `${scene.id}-before`,
      externalId: scene.externalId,
    }),
    attempt: 1,
    claimedBy: 'who died',
    leaseUntil: toTimestamp(Date.now() - agoMs + 45_000),
  },
});
export const accepted: Past = {
  agoMs: 16_000,
  wakeInMs: -6_000,
  body: { type: 'attempt_ended', attempt: 1, result: 'accepted', jobStatus: 'processing' },
};
export const doors: readonly Door[] = [
  { ...https, name: 'POST cancel', prepare: oneJob(), event: post() },
  {
    ...https,
    name: 'POST cancel, Idempotency-Key',
    prepare: oneJob(),
    event: post(undefined, ({ id }) => ({ 'Idempotency-Key': [`key of ${id}`] })),
  },
  {
    ...https,
    name: 'POST cancel, one of two jobs lives',
    async prepare(stage, scene) {
      addJob(stage, scene, scene.otherJobId, { status: 'completed' });
      await register(stage, scene, scene.otherJobId, 2 * MINUTE);
      await oneJob()(stage, scene);
    },
    event: post(),
  },
  {
    ...https,
    name: 'POST cancel, several live, one named',
    async prepare(stage, scene) {
      addJob(stage, scene, scene.otherJobId);
      await register(stage, scene, scene.otherJobId, 2 * MINUTE);
      await oneJob()(stage, scene);
    },
    event: post(({ jobId }) => ({ jobId })),
  },
  { ...https, name: 'POST cancel, job has ended', prepare: oneJob({ status: 'completed' }), event: post() },
  { ...https, name: 'POST cancel, stays processing', prepare: oneJob({ cancelTakes: STAYS_MS }), event: post() },
  {
    ...https,
    name: 'POST cancel, found by listing',
    prepare: unregistered,
    event: post(),
    // The remembered list does not show a job that was submitted again since: for 30 s it is not known what is meant.
    repeatedLate: ['503'],
  },
  { ...https, name: 'POST cancel, not verified yet', prepare: unverified, event: post() },
  {
    ...events,
    name: 'Job Cancellation Requested',
    makes: 'cancellation',
    prepare: oneJob(),
    event: message('Job Cancellation Requested', ({ externalId }) => ({ externalId, reason: 'wrong plan' })),
  },
  {
    ...events,
    name: 'Job Registered',
    makes: 'registration',
    prepare: unregistered,
    event: message('Job Registered', ({ externalId, jobId }) => ({ externalId, jobId })),
  },
  {
    name: 'PUT job',
    functionName: 'register-job',
    caller: 'https',
    makes: 'registration',
    prepare: unregistered,
    event: ({ partnerId, id, jobId, externalId }, nth) =>
      registerRequest(partnerId, `${id}-request-${nth}`, jobId, JSON.stringify({ externalId })),
  },
];
