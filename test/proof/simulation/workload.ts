import type { PartnerId } from '../../../functions/core/identifiers.ts';
import type { PartnerAccess } from '../../../functions/core/ports.ts';
import { acme, externalId, globex, jobId } from '../../support/names.ts';
import {
  type CancelPlan,
  emitCancel,
  emitRegistration,
  registerOverHttps,
  type RegisterPlan,
  requestOverHttps,
} from './doors.ts';
import { drawJob, type Topic } from './draw-job.ts';
import type { JobPlan } from './plangrep-model.ts';
import type { Random } from './random.ts';
import {
  type Action,
  drawAccess,
  drawLoss,
  drawReading,
  drawSquat,
  eachItsOwn,
  projects,
  type SubmittedJob,
  unverifiedRegistration,
} from './workload-strangers.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What chance lays out before a schedule begins. */
export interface Workload {
  /** The partners' records at the start. */
  readonly access: ReadonlyMap<PartnerId, PartnerAccess>;
  readonly actions: readonly Action[];
  readonly jobs: readonly SubmittedJob[];
  /** By then every job has ended. */
  readonly lastEndMs: number;
  /** By then Plangrep shows every job that is there. */
  readonly hiddenUntilMs: number;
}

/** How far the clock of an event's sender is ahead, in milliseconds. */
const drawClock = (random: Random): number => (random.chance(0.4) ? 0 : random.between(-MINUTE, MINUTE));

/** A job's registrations, over events or HTTPS; now and then under a second name. */
const drawRegistrations = ({ random, partnerId, name, startMs }: Topic, job: SubmittedJob): Action[] => {
  const { id } = job.plan;
  const isRegistered = random.chance(partnerId === globex ? 0.3 : 0.95);
  const times = isRegistered ? random.pick([1, 1, 1, 2]) : 0;
  const overEvents = random.chance(0.4);
  const actions: Action[] = [];
  for (let n = 0; n < times; n++) {
    const emittedMs = job.atMs + random.pick([0, 5, 300, 2 * SECOND]);
    const delay = random.pick([0, 0, 20, SECOND, 40 * SECOND, 150 * SECOND]);
    const registration: RegisterPlan = { partnerId, externalId: name, jobId: id };
    const requestId = `register-${id}-${n}`;
    const clockMs = drawClock(random);
    actions.push({
      atMs: emittedMs + delay,
      act: (world) =>
        overEvents
          ? emitRegistration(world, registration, requestId, { emittedAt: startMs + emittedMs, clockMs })
          : registerOverHttps(world, registration, requestId),
    });
  }
  if (!job.hasOneName) {
    const second: RegisterPlan = { partnerId, externalId: externalId('second name'), jobId: id };
    const atMs = job.atMs + random.pick([0, 100, 10 * SECOND]);
    actions.push({ atMs, act: (world) => registerOverHttps(world, second, `second-${id}`) });
  }
  return actions;
};

/** One request to cancel, with its repeats. */
const drawRequest = (
  { random, partnerId, name, startMs }: Topic,
  jobs: readonly [SubmittedJob, ...SubmittedJob[]],
  nth: number,
): Action[] => {
  const about = random.pick(jobs);
  const emittedMs = about.atMs + random.pick([10, 500, SECOND, 10 * SECOND, 10 * SECOND, MINUTE, 200 * SECOND]);
  // Now and then it names a job with another externalId, which may be another partner's.
  const namedId = random.chance(0.1) ? jobId(`${random.pick(['order-1', 'order-2'])}-job-1`) : about.plan.id;
  const named = random.chance(0.2) ? { jobId: namedId } : {};
  const plan: CancelPlan = { partnerId, externalId: name, ...named };
  const shape = random.pick(['key', 'key', 'event', 'event', 'plain', 'plain']);
  const key = `key-${nth}`;
  const repeats = random.pick([0, 0, 1, 1, 2, 3]);
  const waitSeconds = random.pick([undefined, undefined, 2, 10]);
  const clockMs = drawClock(random);
  let deliveredMs = emittedMs + (shape === 'event' ? random.pick([0, 0, 30, 5 * SECOND, 100 * SECOND]) : 0);
  const actions: Action[] = random.chance(0.2) ? [drawReading(random, partnerId, name, deliveredMs)] : [];
  for (let n = 0; n <= repeats; n++) {
    const requestId = `request-${nth}-${n}`;
    // The same key for another request, now and then.
    const sent = n > 0 && random.chance(0.04) ? { ...plan, reason: 'another' } : plan;
    actions.push({
      atMs: deliveredMs,
      act: (world) =>
        shape === 'event'
          ? emitCancel(world, sent, key, { emittedAt: startMs + emittedMs, clockMs })
          : requestOverHttps(world, sent, requestId, { key: shape === 'key' ? key : undefined, waitSeconds }),
    });
    deliveredMs += random.pick([0, 1, 10, 40, SECOND, 5 * SECOND, 45 * SECOND, 70 * SECOND, 200 * SECOND]);
  }
  return actions;
};

/** One or two externalIds: jobs submitted one after another under each, their registrations, and requests to cancel. */
export const drawWorkload = (random: Random, startMs: number): Workload => {
  const access = drawAccess(random);
  if (random.chance(0.02)) return { access, ...drawCrowd(random, startMs) };
  if (random.chance(0.02)) return { access: eachItsOwn(), ...drawCrowdOfStrangers(random, startMs) };
  const actions = drawLoss(random, access);
  const jobs: SubmittedJob[] = [];
  let requests = 0;
  for (const text of random.chance(0.35) ? ['order-1', 'order-2'] : ['order-1']) {
    const name = externalId(text);
    const partnerId = random.chance(0.3) ? globex : acme;
    const topic: Topic = { random, partnerId, name, startMs };
    const own: SubmittedJob[] = [];
    const isTarget = random.chance(0.3);
    let atMs = random.between(0, 30 * SECOND);
    for (let left = random.pick([1, 1, 2, 2, 3]); left > 0; left--) {
      const plan = drawJob(topic, jobId(`${text}-job-${own.length + 1}`), atMs);
      const job: SubmittedJob = { partnerId, name, plan, atMs, hasOneName: !random.chance(0.05) };
      own.push(job);
      // Now and then one that never comes to be.
      if (!random.chance(0.05)) actions.push({ atMs, act: (world) => world.plangrep.create(plan) });
      actions.push(...drawRegistrations(topic, job));
      if (isTarget) actions.push(...drawSquat(random, job, startMs));
      if (random.chance(0.05)) actions.push(unverifiedRegistration(job, startMs - 8 * DAY));
      atMs += random.pick([500, 5 * SECOND, random.between(20 * SECOND, 4 * MINUTE)]);
    }
    jobs.push(...own);
    for (let left = random.pick([1, 2, 2, 3, 4]); left > 0; left--) {
      actions.push(...drawRequest(topic, own as [SubmittedJob, ...SubmittedJob[]], ++requests));
    }
  }
  return { access, actions, jobs, ...lastTimesOf(jobs, startMs) };
};

/** One externalId with more jobs than a request may read: most of them end before it comes. */
const drawCrowd = (random: Random, startMs: number): Omit<Workload, 'access'> => {
  const topic: Topic = { random, partnerId: acme, name: externalId('order-1'), startMs };
  const { partnerId, name } = topic;
  const jobs: SubmittedJob[] = [];
  const actions: Action[] = [];
  const isLong = random.between(0, 50);
  for (let n = 0; n < 40; n++) {
    const atMs = random.between(0, 2 * SECOND);
    const drawn = drawJob(topic, jobId(`order-1-job-${n}`), atMs);
    const endsAt = startMs + (n === isLong ? 20 * MINUTE : random.between(8 * SECOND, 15 * SECOND));
    const plan: JobPlan = {
      ...drawn,
      externalId: name,
      projectId: projects.acme,
      goneAt: undefined,
      hidden: [],
      endsAt,
    };
    jobs.push({ partnerId, name, plan, atMs, hasOneName: true });
    const registration: RegisterPlan = { partnerId, externalId: name, jobId: plan.id };
    const registeredMs = random.chance(0.9) ? 3 * SECOND : random.between(3 * SECOND, 2 * MINUTE);
    actions.push({ atMs, act: (world) => world.plangrep.create(plan) });
    actions.push({ atMs: registeredMs, act: (world) => registerOverHttps(world, registration, `register-${n}`) });
  }
  const asked = jobs as unknown as [SubmittedJob, ...SubmittedJob[]];
  for (let n = 1; n <= 4; n++) actions.push(...drawRequest(topic, asked, n));
  return { actions, jobs: [], ...lastTimesOf(jobs, startMs) };
};

/** One externalId with up to 20 registrations of jobs that are another's, kept while Plangrep was down, and own jobs unregistered. */
const drawCrowdOfStrangers = (random: Random, startMs: number): Omit<Workload, 'access'> => {
  const topic: Topic = { random, partnerId: acme, name: externalId('order-1'), startMs };
  const { partnerId, name } = topic;
  const jobs: SubmittedJob[] = [];
  const actions: Action[] = [];
  const strangers = random.pick([16, 17, 18, 20]);
  for (let n = 0; n < strangers + 6; n++) {
    const isOwn = n >= strangers;
    const drawn = drawJob(topic, jobId(`order-1-job-${n}`), 0);
    const where = { externalId: name, projectId: isOwn ? projects.acme : projects.globex };
    const plan: JobPlan = { ...drawn, ...where, goneAt: undefined, hidden: [], endsAt: startMs + 10 * MINUTE };
    const job: SubmittedJob = { partnerId, name, plan, atMs: 0, hasOneName: true };
    jobs.push(job);
    actions.push({ atMs: 0, act: (world) => world.plangrep.create(plan) });
    if (!isOwn) actions.push(unverifiedRegistration(job, startMs - HOUR));
  }
  const asked = jobs as unknown as [SubmittedJob, ...SubmittedJob[]];
  for (let n = 1; n <= 4; n++) actions.push(...drawRequest(topic, asked, n));
  return { actions, jobs, ...lastTimesOf(jobs, startMs) };
};

const lastTimesOf = (
  jobs: readonly SubmittedJob[],
  startMs: number,
): Pick<Workload, 'lastEndMs' | 'hiddenUntilMs'> => ({
  lastEndMs: Math.max(...jobs.map(({ plan }) => plan.endsAt - startMs)),
  hiddenUntilMs: Math.max(0, ...jobs.map(({ plan }) => (plan.hidden.at(-1)?.to ?? 0) - startMs)),
});
