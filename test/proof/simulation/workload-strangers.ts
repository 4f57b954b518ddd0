import {
  type ExternalId,
  type PartnerId,
  type ProjectId,
  projectIdSchema,
} from '../../../functions/core/identifiers.ts';
import type { PartnerAccess } from '../../../functions/core/ports.ts';
import { acme, externalId, globex } from '../../support/names.ts';
import {
  type CancelPlan,
  emitCancel,
  emitRegistration,
  readOverHttps,
  registerOverHttps,
  requestOverHttps,
} from './doors.ts';
import type { JobPlan } from './plangrep-model.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 86_400_000;

/** At this time, relative to the start of a schedule, this happens. */
export interface Action {
  readonly atMs: number;
  readonly act: (world: World) => void | Promise<void>;
}

/** A job, and the partner that submitted it and calls it so. */
export interface SubmittedJob {
  readonly partnerId: PartnerId;
  readonly name: ExternalId;
  readonly plan: JobPlan;
  readonly atMs: number;
  /** The partner registers it under this name alone. */
  readonly hasOneName: boolean;
}

export const projects = {
  acme: projectIdSchema.parse('proj_acme'),
  globex: projectIdSchema.parse('proj_globex'),
  shared: projectIdSchema.parse('proj_shared'),
};
/** What a stranger calls what is not its own. */
const loot = externalId('loot');

export const ownProject = (partnerId: PartnerId) => (partnerId === acme ? projects.acme : projects.globex);
export const otherPartner = (partnerId: PartnerId): PartnerId => (partnerId === acme ? globex : acme);

/** Mostly each partner has its own project; now and then one that both have, or one partner is the whole company. */
export const drawAccess = (random: Random): ReadonlyMap<PartnerId, PartnerAccess> => {
  if (random.chance(0.08)) return new Map([[acme, { kind: 'any' }]]);
  return eachItsOwn(...(random.chance(0.15) ? [projects.shared] : []));
};

export const eachItsOwn = (...more: readonly ProjectId[]): ReadonlyMap<PartnerId, PartnerAccess> =>
  new Map([acme, globex].map((id) => [id, { kind: 'projects', projects: [ownProject(id), ...more] }]));

/** Now and then a partner loses its project: for a while, for good, or to the other partner. */
export const drawLoss = (random: Random, access: ReadonlyMap<PartnerId, PartnerAccess>): Action[] => {
  if (!random.chance(0.2)) return [];
  const partnerId = random.pick([acme, acme, globex]);
  const before = access.get(partnerId);
  if (before === undefined) return [];
  const lostMs = random.between(0, 6 * MINUTE);
  const projectsLeft = before.kind === 'any' ? [] : before.projects.filter((id) => id !== ownProject(partnerId));
  const set = (atMs: number, to: PartnerAccess, whose = partnerId): Action => ({
    atMs,
    act: (world) => {
      world.partners.set(whose, to);
      world.note(() => `the record of ${whose} is now ${JSON.stringify(to)}`);
    },
  });
  const loss = set(lostMs, { kind: 'projects', projects: projectsLeft });
  const backMs = lostMs + random.pick([10 * SECOND, 40 * SECOND, 90 * SECOND, 5 * MINUTE]);
  const both: PartnerAccess = { kind: 'projects', projects: [projects.acme, projects.globex] };
  return random.pick([[loss], [loss, set(lostMs, both, otherPartner(partnerId))], [loss, set(backMs, before)]]);
};

/** The other partner registers a job, before or after its owner does, and asks for its cancel and its state. */
export const drawSquat = (random: Random, job: SubmittedJob, startMs: number): Action[] => {
  const { plan, atMs } = job;
  const partnerId = otherPartner(job.partnerId);
  const name = random.pick([job.name, job.name, loot]);
  const actions: Action[] = [];
  const id = `squat-${plan.id}`;
  let lastMs = 0;
  for (let n = random.pick([1, 1, 2]); n > 0; n--) {
    const registeredMs = Math.max(0, atMs + random.pick([-5 * SECOND, 0, 200, 2 * SECOND, 20 * SECOND, 2 * MINUTE]));
    const registration = { partnerId, externalId: name, jobId: plan.id };
    const overEvents = random.chance(0.3);
    lastMs = Math.max(lastMs, registeredMs);
    actions.push({
      atMs: registeredMs,
      act: (world) =>
        overEvents
          ? emitRegistration(world, registration, `${id}-${n}`, { emittedAt: startMs + registeredMs })
          : registerOverHttps(world, registration, `${id}-${n}`),
    });
  }
  for (let n = random.pick([1, 2, 3]); n > 0; n--) {
    const askedMs = Math.max(0, lastMs + random.pick([-SECOND, 50, SECOND, 10 * SECOND, MINUTE, 3 * MINUTE]));
    const asked: CancelPlan = { partnerId, externalId: name, ...(random.chance(0.4) ? { jobId: plan.id } : {}) };
    const shape = random.pick(['key', 'event', 'plain']);
    actions.push({
      atMs: askedMs,
      act: (world) =>
        shape === 'event'
          ? emitCancel(world, asked, `${id}-ask-${n}`, { emittedAt: startMs + askedMs })
          : requestOverHttps(world, asked, `${id}-ask-${n}`, { key: shape === 'key' ? id : undefined }),
    });
    actions.push(drawReading(random, partnerId, name, askedMs));
  }
  return actions;
};

export const drawReading = (random: Random, partnerId: PartnerId, name: ExternalId, aboutMs: number): Action => ({
  atMs: aboutMs + random.pick([20, SECOND, 30 * SECOND, 3 * MINUTE]),
  act: (world) => readOverHttps(world, { partnerId, externalId: name }),
});

/** A registration from before the schedule, never verified. DynamoDB deletes it some days after its 7 days. */
export const unverifiedRegistration = ({ partnerId, name, plan }: SubmittedJob, madeAt: number): Action => ({
  atMs: 0,
  act: ({ store }) =>
    store.directory.keepUnverified(partnerId, name, {
      jobId: plan.id,
      registeredAt: new Date(madeAt).toISOString(),
      expiresAt: new Date(madeAt + 7 * DAY).toISOString(),
    }),
});

/**
 * In the end, with nothing at fault, every partner registers its jobs once more and names them: each request reaches its
 * job, unless that is not the partner's, or may be another's as well.
 */
export const reachAll = (jobs: readonly SubmittedJob[], atMs: number): Action[] =>
  jobs.flatMap(({ partnerId, name, plan, hasOneName }, n) => {
    const isWanted = ({ partners, plangrep }: World): boolean => {
      const isKnown = plangrep.statusOf(plan.id) !== undefined;
      const isNamed = plan.externalId === undefined || plan.externalId === name;
      const isTheirs = partners.hasAllSince(partnerId, plan.projectId, plangrep.now() - 2 * MINUTE);
      const mayBeOthers = partners.hadSince(otherPartner(partnerId), plan.projectId, 0);
      return isKnown && isNamed && isTheirs && !mayBeOthers && hasOneName;
    };
    const owned = { partnerId, externalId: name, jobId: plan.id };
    return [
      { atMs, act: (world) => void (isWanted(world) && registerOverHttps(world, owned, `last-register-${n}`)) },
      {
        atMs: atMs + 10 * SECOND,
        act: (world) =>
          void (isWanted(world) && requestOverHttps(world, owned, `last-request-${n}`, { mustReach: plan.id })),
      },
    ];
  });
