import type { ExternalId, JobId } from '../../../functions/core/identifiers.ts';
import { acme, documentedProject, externalId, globex, jobId } from '../../support/names.ts';
import {
  type CancelPlan,
  emitCancel,
  emitRegistration,
  registerOverHttps,
  type RegisterPlan,
  requestOverHttps,
} from './doors.ts';
import type { JobPlan } from './plangrep.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** What chance lays out before a schedule begins: at these times, relative to its start, these things happen. */
export interface Workload {
  readonly actions: readonly { readonly atMs: number; readonly act: (world: World) => void }[];
  /** By then every job has ended. */
  readonly lastEndMs: number;
}

const drawJob = (random: Random, id: JobId, name: ExternalId, startMs: number, createdMs: number): JobPlan => ({
  id,
  externalId: name,
  projectId: documentedProject,
  createdAt: startMs + createdMs,
  endsAt:
    startMs +
    createdMs +
    random.pick([
      random.between(SECOND, 30 * SECOND),
      random.between(10 * SECOND, 3 * MINUTE),
      random.between(MINUTE, 8 * MINUTE),
      random.between(5 * MINUTE, 35 * MINUTE),
    ]),
  endStatus: random.pick(['completed', 'completed', 'completed_with_errors', 'failed', 'expired']),
  cancelTakesMs: random.pick<number | undefined>([
    0,
    0,
    0,
    random.between(100, 30 * SECOND),
    random.between(SECOND, 10 * MINUTE),
    undefined,
  ]),
  refusal: random.pick([400, 404, 409, 410, 422]),
});

/** One externalId: jobs submitted one after another under it, their registrations, and requests to cancel. */
export const drawWorkload = (random: Random, startMs: number): Workload => {
  const actions: { atMs: number; act: (world: World) => void }[] = [];
  let lastEndMs = 0;
  let requests = 0;
  const names = random.chance(0.35) ? ['order-1', 'order-2'] : ['order-1'];
  for (const text of names) {
    const name = externalId(text);
    const partnerId = random.chance(0.3) ? globex : acme;
    const jobs: { id: JobId; atMs: number }[] = [];
    let atMs = random.between(0, 30 * SECOND);
    for (let left = random.pick([1, 1, 2, 2, 3]); left > 0; left--) {
      const id = jobId(`${text}-job-${jobs.length + 1}`);
      jobs.push({ id, atMs });
      const plan = drawJob(random, id, name, startMs, atMs);
      if (!random.chance(0.05)) {
        lastEndMs = Math.max(lastEndMs, plan.endsAt - startMs);
        actions.push({ atMs, act: (world) => world.plangrep.create(plan) });
      }
      const isRegistered = random.chance(partnerId === globex ? 0.3 : 0.95);
      const times = isRegistered ? random.pick([1, 1, 1, 2]) : 0;
      const overEvents = random.chance(0.4);
      for (let n = 0; n < times; n++) {
        const emittedMs = atMs + random.pick([0, 5, 300, 2 * SECOND]);
        const registration: RegisterPlan = { partnerId, externalId: name, jobId: id };
        const delay = random.pick([0, 0, 20, SECOND, 40 * SECOND, 150 * SECOND]);
        const requestId = `register-${id}-${n}`;
        actions.push({
          atMs: emittedMs + delay,
          act: (world) =>
            overEvents
              ? emitRegistration(world, registration, requestId, startMs + emittedMs)
              : registerOverHttps(world, registration, requestId),
        });
      }
      atMs += random.pick([500, 5 * SECOND, random.between(20 * SECOND, 4 * MINUTE)]);
    }
    for (let left = random.pick([1, 2, 2, 3, 4]); left > 0; left--) {
      const about = random.pick(jobs as [(typeof jobs)[number], ...typeof jobs]);
      const emittedMs = about.atMs + random.pick([10, 500, SECOND, 10 * SECOND, 10 * SECOND, MINUTE, 200 * SECOND]);
      // Now and then it names a job with another externalId, which may be another partner's.
      const namedId = random.chance(0.1) ? jobId(`${random.pick(['order-1', 'order-2'])}-job-1`) : about.id;
      const named = random.chance(0.2) ? { jobId: namedId } : {};
      const plan: CancelPlan = { partnerId, externalId: name, ...named };
      const shape = random.pick(['key', 'key', 'event', 'event', 'plain', 'plain']);
      const key = `key-${++requests}`;
      const repeats = random.pick([0, 0, 1, 1, 2, 3]);
      let deliveredMs = emittedMs + (shape === 'event' ? random.pick([0, 0, 30, 5 * SECOND, 100 * SECOND]) : 0);
      for (let n = 0; n <= repeats; n++) {
        const requestId = `request-${requests}-${n}`;
        // The same key for another request, now and then.
        const sent = n > 0 && random.chance(0.04) ? { ...plan, reason: 'another' } : plan;
        actions.push({
          atMs: deliveredMs,
          act: (world) =>
            shape === 'event'
              ? emitCancel(world, sent, key, startMs + emittedMs)
              : requestOverHttps(world, sent, requestId, shape === 'key' ? key : undefined),
        });
        deliveredMs += random.pick([0, 1, 10, 40, SECOND, 5 * SECOND, 45 * SECOND, 70 * SECOND, 200 * SECOND]);
      }
    }
  }
  return { actions, lastEndMs };
};
