import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { writeWakeUpMessage } from '../../../functions/core/wake-up-message.ts';
import { accepted, type Door, oneJob, requested, STAYS_MS } from './doors.ts';
import { sqsEvent, sqsRecord } from './invocations.ts';
import { type Past, type Scene, writeStream } from './scene.ts';

const MINUTE = 60_000;

const reconciler = {
  functionName: 'reconcile-cancellations',
  caller: 'schedule',
  makes: 'cancellation',
  event: () => ({}),
} as const;

/** A message for the second event of the scene's stream. @param nth how often it has been handed out */
export const wakeUpMessage = ({ id, partnerId, jobId, at }: Scene, nth: number): unknown =>
  sqsEvent(sqsRecord(id, writeWakeUpMessage({ partnerId, jobId, seq: 2, wakeAt: toTimestamp(at) }), nth));

const wakeUp = {
  functionName: 'consume-wake-ups',
  caller: 'queue',
  makes: 'cancellation',
  event: wakeUpMessage,
} as const;

export const unknown = (agoMs: number): Past => ({
  agoMs,
  wakeInMs: -6_000,
  body: { type: 'attempt_ended', attempt: 1, result: 'unknown', why: 'timeout' },
});

/** The doors of time: the schedule, and the messages of the wake-up queue. */
export const lookingDoors: readonly Door[] = [
  {
    ...wakeUp,
    name: 'wake-up: tries again, not cancelled yet',
    async prepare(stage, scene) {
      await oneJob()(stage, scene);
      await writeStream(stage, scene, [requested(scene, 10_000), unknown(9_000)]);
    },
  },
  {
    ...wakeUp,
    name: 'wake-up: tries again, stays processing',
    async prepare(stage, scene) {
      await oneJob({ cancelTakes: STAYS_MS })(stage, scene);
      await writeStream(stage, scene, [requested(scene, 10_000), unknown(9_000)]);
    },
  },
  {
    ...wakeUp,
    name: 'wake-up: polls, now cancelled',
    async prepare(stage, scene) {
      await oneJob({ status: 'cancelled' })(stage, scene);
      await writeStream(stage, scene, [requested(scene, 17_000), accepted]);
    },
  },
  {
    ...wakeUp,
    name: 'wake-up: escalates, and sends a message',
    async prepare(stage, scene) {
      await oneJob()(stage, scene);
      await writeStream(stage, scene, [requested(scene, 16 * MINUTE), unknown(15 * MINUTE)]);
    },
  },
  {
    ...reconciler,
    name: 'reconciler: takes over, nothing sent',
    async prepare(stage, scene) {
      await oneJob()(stage, scene);
      await writeStream(stage, scene, [requested(scene, MINUTE, -15_000)]);
    },
  },
  {
    ...reconciler,
    name: 'reconciler: takes over, stays processing',
    async prepare(stage, scene) {
      await oneJob({ cancelTakes: STAYS_MS })(stage, scene);
      await writeStream(stage, scene, [requested(scene, MINUTE, -15_000)]);
    },
  },
  {
    ...reconciler,
    name: 'reconciler: takes over, cancelled unheard',
    async prepare(stage, scene) {
      await oneJob({ status: 'cancelled' })(stage, scene);
      await writeStream(stage, scene, [requested(scene, MINUTE, -15_000)]);
    },
  },
  {
    ...reconciler,
    name: 'reconciler: polls, now cancelled',
    async prepare(stage, scene) {
      await oneJob({ status: 'cancelled' })(stage, scene);
      await writeStream(stage, scene, [requested(scene, 17_000), accepted]);
    },
  },
  {
    ...reconciler,
    name: 'reconciler: polls, completed first',
    async prepare(stage, scene) {
      await oneJob({ status: 'completed' })(stage, scene);
      await writeStream(stage, scene, [requested(scene, 17_000), accepted]);
    },
  },
  {
    ...reconciler,
    name: 'reconciler: escalates, tries again',
    async prepare(stage, scene) {
      await oneJob()(stage, scene);
      await writeStream(stage, scene, [requested(scene, 16 * MINUTE), unknown(15 * MINUTE)]);
    },
  },
  {
    ...reconciler,
    name: 'reconciler: cleans up after a close',
    async prepare(stage, scene) {
      await oneJob({ status: 'cancelled' })(stage, scene);
      const closed: Past = { agoMs: 59_000, body: { type: 'closed', outcome: 'cancelled', jobStatus: 'cancelled' } };
      await writeStream(stage, scene, [requested(scene, MINUTE, -15_000), closed]);
    },
  },
];
