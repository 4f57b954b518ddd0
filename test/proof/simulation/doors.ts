import type { Context, SQSEvent } from 'aws-lambda';
import type { CancelRequest } from '../../../functions/core/cancel-request.ts';
import type { ExternalId, JobId, PartnerId } from '../../../functions/core/identifiers.ts';
import { DependencyUnavailable } from '../../../functions/core/report.ts';
import { JOBS_SHOWN, readCancellationsOf } from '../../../functions/core/use-cases/read-cancellations.ts';
import { reconcileDue } from '../../../functions/core/use-cases/reconcile-due.ts';
import { registerJob } from '../../../functions/core/use-cases/register-job.ts';
import { requestCancellation } from '../../../functions/core/use-cases/request-cancellation.ts';
import { handleEvents } from '../../../functions/doors/eventbridge/handle-events.ts';
import { followRetryAfter } from './followers.ts';
import type { World } from './world.ts';

/** As the blueprint has it, stated here again: the simulation imports nothing of `infra/`. A test compares them. */
export const MAX_RECEIVES = 6;
const VISIBILITY_MS = 60_000;
const HTTPS_WORK_MS = 10_000;
const RECONCILER_WORK_MS = 35_000;
const MINUTE_MS = 60_000;

export interface CancelPlan {
  readonly partnerId: PartnerId;
  readonly externalId: ExternalId;
  readonly jobId?: JobId | undefined;
  readonly reason?: string | undefined;
}
export interface RegisterPlan {
  readonly partnerId: PartnerId;
  readonly externalId: ExternalId;
  readonly jobId: JobId;
}

export interface HttpsOptions {
  /** The `Idempotency-Key`. */
  readonly key?: string | undefined;
  /** The job that the request must reach: nothing is at fault any more. */
  readonly mustReach?: JobId | undefined;
  /** `Prefer: wait`, in seconds. */
  readonly waitSeconds?: number | undefined;
}

/** `POST /v1/cancellations`, once. */
export const requestOverHttps = (
  world: World,
  plan: CancelPlan,
  requestId: string,
  { key, mustReach, waitSeconds }: HttpsOptions = {},
): void => {
  world.spawn('https', async (ports, by) => {
    const requestKey = key === undefined ? undefined : `idempotency-key:${key}`;
    const request: CancelRequest = {
      ...plan,
      requestKey,
      requestId,
      door: 'https',
      keyId: 'key',
      refusal: 'final',
      untilMs: by.now() + HTTPS_WORK_MS,
      waitUntilMs: waitSeconds === undefined ? undefined : by.now() + waitSeconds * 1000,
    };
    world.judge.requests.begun(by, request);
    try {
      const end = await requestCancellation(ports, request);
      world.judge.requests.answered(by, end);
      world.judge.ownership.answered(by, plan, end);
      if (mustReach !== undefined) world.judge.ownership.mustReach(by, plan, mustReach, end);
      if (end.kind === 'open') followRetryAfter(world, end.state.jobId, end, end.retryAfterMs);
    } catch (error) {
      if (!(error instanceof DependencyUnavailable)) throw error;
      world.judge.requests.unavailable(by);
    }
  });
};

/** `PUT /v1/jobs/{jobId}`, once. */
export const registerOverHttps = (world: World, plan: RegisterPlan, requestId: string): void => {
  world.spawn('register', async (ports, by) => {
    const registeredAt = new Date(by.now()).toISOString();
    try {
      const call = { registeredAt, door: 'https', requestId, untilMs: by.now() + HTTPS_WORK_MS } as const;
      world.judge.ownership.registered(by, plan, plan.jobId, await registerJob(ports, { ...plan, ...call }));
    } catch (error) {
      if (!(error instanceof DependencyUnavailable)) throw error;
    }
  });
};

/** `GET /v1/cancellations?externalId=`, once. */
export const readOverHttps = (world: World, { partnerId, externalId }: Omit<RegisterPlan, 'jobId'>): void => {
  world.spawn('reader', async (ports, by) => {
    try {
      const page = { limit: JOBS_SHOWN, maxBytes: Number.MAX_SAFE_INTEGER, bytesOf: () => 1 };
      const found = await readCancellationsOf(ports, { partnerId, externalId, ...page });
      world.judge.ownership.found(by, { partnerId, externalId }, found);
    } catch (error) {
      if (!(error instanceof DependencyUnavailable)) throw error;
    }
  });
};

interface Message {
  readonly id: string;
  /** When the partner says that it happened: whole seconds. */
  readonly time: string;
  readonly body: string;
  /** The cancel request in it, if it is one. */
  readonly cancel?: CancelPlan | undefined;
  readonly reads: { count: number };
  /** When it truly happened, and when the queue took it: milliseconds since 1970. */
  readonly emittedAt: number;
  readonly sentAt: number;
  receives: number;
  isDeleted: boolean;
}

const messageOf = (
  detailType: 'Job Cancellation Requested' | 'Job Registered',
  { partnerId, ...detail }: CancelPlan | RegisterPlan,
  id: string,
  { emittedAt, clockMs = 0 }: Emission,
  sentAt: number,
): Message => {
  const time = `${new Date(emittedAt + clockMs).toISOString().slice(0, 19)}Z`;
  const body = JSON.stringify({ partnerId, id, time, detailType, detail });
  return { id, time, body, emittedAt, sentAt, reads: { count: 0 }, receives: 0, isDeleted: false };
};

/** One handing-out of a message; unless it is done with, the queue hands it out again after a minute, 6 times in all. */
const receive = (world: World, message: Message): void => {
  if (message.isDeleted) return;
  message.receives += 1;
  const isLastTry = message.receives >= MAX_RECEIVES;
  world.scheduler.after(VISIBILITY_MS, () => {
    if (!isLastTry) receive(world, message);
  });
  world.spawn('events', async (ports, by) => {
    const { id, body, cancel, reads } = message;
    by.reads = reads;
    if (cancel !== undefined) {
      const { emittedAt, time, sentAt } = message;
      // A sender's clock that is ahead of the queue's shows.
      const eventTime = new Date(Math.min(Date.parse(time), sentAt - (sentAt % 1000))).toISOString();
      const delivery = { ...cancel, requestKey: `event-id:${id}`, eventTime, emittedAt, requestId: id };
      world.judge.requests.begun(by, delivery);
    }
    const attributes = {
      ApproximateReceiveCount: String(message.receives),
      SentTimestamp: String(message.sentAt),
    };
    const event = { Records: [{ messageId: id, body, attributes }] } as unknown as SQSEvent;
    const context = { getRemainingTimeInMillis: () => by.remainingMs() } as Context;
    // Every simulated event is one of the contract.
    const setAside = () => Promise.reject(new Error('an event of the contract was set aside'));
    const handle = handleEvents(ports, { maxReceives: MAX_RECEIVES, setAside });
    const { batchItemFailures } = await handle(event, context);
    if (batchItemFailures.length === 0) {
      message.isDeleted = !world.random.chance(world.faults.redelivery);
      if (cancel !== undefined) world.judge.requests.handled(by);
    } else if (isLastTry && cancel !== undefined) world.judge.requests.givenUp(by);
  });
};

/** An event of the partner's, on its way since then. */
export interface Emission {
  /** Milliseconds since 1970. */
  readonly emittedAt: number;
  /** How far the clock of its sender is ahead, in milliseconds. */
  readonly clockMs?: number | undefined;
}

export const emitCancel = (world: World, plan: CancelPlan, id: string, emission: Emission): void =>
  receive(world, {
    ...messageOf('Job Cancellation Requested', plan, id, emission, world.scheduler.now),
    cancel: plan,
  });
export const emitRegistration = (world: World, plan: RegisterPlan, id: string, emission: Emission): void =>
  receive(world, messageOf('Job Registered', plan, id, emission, world.scheduler.now));

/** The rule: every minute one run of the reconciler, now and then two. A run that would find nothing due is left out. */
export const scheduleReconciler = (world: World): void => {
  const { scheduler, random, store } = world;
  const tick = (): void => {
    const soonest = store.soonestWakeUp();
    // Nothing waits, and nothing is on its way that could come to wait.
    if (soonest === undefined && scheduler.waiting === 0) return;
    scheduler.after(MINUTE_MS, tick);
    const horizon = scheduler.now + (world.faults.bigSkew > 0 ? 45_000 : 3_000);
    if (soonest === undefined || Date.parse(soonest) > horizon) return;
    const runs = random.chance(0.25) ? 2 : 1;
    for (let n = 0; n < runs; n++) {
      scheduler.after(n === 0 ? 0 : random.pick([0, 1, 5, 40, 700, 20_000]), () => {
        world.spawn('reconciler', async (ports, by) => {
          try {
            await reconcileDue(ports, by.now() + RECONCILER_WORK_MS);
          } catch (error) {
            // The next run comes in a minute.
            if (!(error instanceof DependencyUnavailable)) throw error;
          }
        });
      });
    }
  };
  scheduler.after(random.between(0, MINUTE_MS), tick);
};
