import { beforeEach, describe, expect, test } from 'vitest';
import { projectIdSchema, toTimestamp } from '../../../functions/core/identifiers.ts';
import type { PartnerAccess } from '../../../functions/core/ports.ts';
import { type JobRegistration, registerJob } from '../../../functions/core/use-cases/register-job.ts';
import { judgeOwnership } from '../../../functions/core/find-job/verify-job.ts';
import { given, jobThatIs, type Scene } from '../../support/given.ts';
import { acme, documentedJob, documentedProject, externalId, globex, jobId, order7890 } from '../../support/names.ts';

const theirs = projectIdSchema.parse('proj_theirs');
let scene: Scene;
beforeEach(async () => {
  scene = await given({ jobs: [], projects: [documentedProject] });
});

function register(fields: Partial<JobRegistration> = {}) {
  return registerJob(scene.ports, {
    partnerId: acme,
    externalId: order7890,
    jobId: documentedJob,
    registeredAt: toTimestamp(scene.ports.clock.now()),
    door: 'https',
    requestId: 'r',
    untilMs: Number.MAX_SAFE_INTEGER,
    ...fields,
  });
}
const entries = async () => (await scene.ports.directory.find(acme, order7890)).items;

describe('whose job it is', () => {
  const any: PartnerAccess = { kind: 'any' };
  const own: PartnerAccess = { kind: 'projects', projects: [documentedProject] };
  const none: PartnerAccess = { kind: 'projects', projects: [] };

  test.each([
    [
      'one of the partner’s projects, and the same externalId',
      own,
      { projectId: documentedProject, externalId: 'x' },
      'owned',
    ],
    ['one of the partner’s projects, and no externalId', own, { projectId: documentedProject }, 'owned'],
    ['any project, for the one partner of an organization', any, { projectId: theirs, externalId: 'x' }, 'owned'],
    ['no project shown, for the one partner of an organization', any, {}, 'owned'],
    ['another project', own, { projectId: theirs, externalId: 'x' }, 'foreign'],
    ['no project shown', own, { externalId: 'x' }, 'not_confirmed'],
    ['another externalId', own, { projectId: documentedProject, externalId: 'y' }, 'foreign'],
    ['another externalId, for the one partner of an organization', any, { externalId: 'X' }, 'foreign'],
    [
      'an externalId that differs in normalization',
      own,
      { projectId: documentedProject, externalId: 'x\u0301' },
      'foreign',
    ],
    ['a partner without projects', none, { projectId: documentedProject, externalId: 'x' }, 'foreign'],
    ['a partner without projects, and no project shown', none, {}, 'not_confirmed'],
  ] as const)('%s: %s, %o: %s', (_, access, job, ownership) => {
    expect(judgeOwnership(access, 'x', job)).toBe(ownership);
  });
});

describe('registering a job', () => {
  test('asks Plangrep once, and makes the partner its owner', async () => {
    const end = await register();

    expect(end).toMatchObject({ kind: 'registered', entry: { jobId: documentedJob, projectId: documentedProject } });
    expect(scene.calls()).toEqual([`read ${documentedJob}`]);
    expect(await entries()).toMatchObject([{ verifiedAt: toTimestamp(scene.ports.clock.now()) }]);
    expect(await scene.ports.directory.readOwner(documentedJob)).toMatchObject({ partnerId: acme });
  });

  test('keeps when Plangrep will stop showing the job', async () => {
    const expiresAt = '2026-11-30T12:00:00.000Z';
    scene.plangrepAnswers({ read: jobThatIs('processing', { expiresAt }) });
    await register();

    expect(await entries()).toEqual([expect.objectContaining({ jobExpiresAt: expiresAt })]);
  });

  test('is idempotent: the first time stays', async () => {
    const first = await register();
    scene.ports.clock.advance(60_000);

    expect(await register()).toEqual(first);
    expect(await entries()).toHaveLength(1);
  });

  test('believes Plangrep about the project, not the partner', async () => {
    expect(await register({ projectId: theirs })).toMatchObject({ entry: { projectId: documentedProject } });
  });

  test.each([
    ['Plangrep has no such job', () => scene.plangrepAnswers({ read: { kind: 'not_found' } })],
    ['it is in another project', () => scene.plangrepAnswers({ read: jobThatIs('processing', { projectId: theirs }) })],
    ['it has another externalId', () => scene.plangrepAnswers({ read: jobThatIs('processing', { externalId: 'y' }) })],
    [
      'another partner owns it',
      () =>
        scene.ports.directory.claim(globex, externalId('y'), {
          jobId: documentedJob,
          registeredAt: toTimestamp(0),
          verifiedAt: toTimestamp(0),
        }),
    ],
    ['the partner has no project', () => scene.ports.access.delete(acme)],
  ] as readonly [string, () => unknown][])(
    'is refused in the same way when %s, and leaves nothing',
    async (_, arrange) => {
      await Promise.resolve(arrange());

      expect(await register()).toEqual({ kind: 'job_not_found' });
      expect(await entries()).toEqual([]);
      // The same calls in every case: the time does not show the reason.
      expect(scene.calls()).toEqual([`read ${documentedJob}`]);
    },
  );

  test('tells the partner when it has registered the job under another externalId', async () => {
    await register({ externalId: externalId('first') });

    expect(await register()).toEqual({ kind: 'registered_otherwise' });
  });

  test('tells it nothing of a job whose project it has lost since', async () => {
    await register({ externalId: externalId('first') });
    scene.ports.access.set(acme, { kind: 'projects', projects: [theirs] });

    expect(await register()).toEqual({ kind: 'job_not_found' });
    expect(scene.calls()).toEqual([`read ${documentedJob}`, `read ${documentedJob}`]);
  });

  test('of a job whose externalId was erased is refused as one of another partner’s is, under any name', async () => {
    await register();
    scene.ports.directory.erase(documentedJob);

    expect(await register()).toEqual({ kind: 'job_not_found' });
    expect(await register({ externalId: externalId('another') })).toEqual({ kind: 'job_not_found' });
    expect(await register({ partnerId: globex })).toEqual({ kind: 'job_not_found' });
    expect(await entries()).toEqual([]);
  });

  test('is refused too when the externalId is erased just then', async () => {
    await register({ externalId: externalId('first') });
    scene.ports.directory.erase(documentedJob);
    const erased = scene.ports.directory.owners.get(documentedJob);
    scene.ports.directory.owners.clear();
    scene.ports.directory.before = (call) => {
      if (call === 'claim' && erased !== undefined) scene.ports.directory.owners.set(documentedJob, erased);
    };

    expect(await register()).toEqual({ kind: 'job_not_found' });
  });

  test('tells so too when both registrations come at once', async () => {
    scene.ports.directory.before = async (call) => {
      if (call !== 'claim') return;
      scene.ports.directory.before = () => undefined;
      await register({ externalId: externalId('first') });
    };

    expect(await register()).toEqual({ kind: 'registered_otherwise' });
  });
});

describe('a registration while Plangrep cannot be asked', () => {
  beforeEach(() => scene.plangrepAnswers({ read: { kind: 'unknown', why: 'timeout' } }));

  test('is kept for 7 days and claims nothing, even of a job that another partner owns', async () => {
    await scene.ports.directory.claim(globex, externalId('y'), {
      jobId: documentedJob,
      registeredAt: toTimestamp(0),
      verifiedAt: toTimestamp(0),
    });
    const end = await register();

    expect(end).toMatchObject({ kind: 'registered', entry: { expiresAt: '2026-11-30T12:00:00.000Z' } });
    expect((await entries()).map(({ verifiedAt }) => verifiedAt)).toEqual([undefined]);
    expect(await scene.ports.directory.readOwner(documentedJob)).toMatchObject({ partnerId: globex });
    expect(scene.ports.reported.at(-1)).toMatchObject({ code: 'JOB_REGISTERED', fields: { result: 'unverified' } });
  });

  test('is verified by the next one, with the time of the first', async () => {
    const registeredAt = toTimestamp(scene.ports.clock.now());
    await register();
    scene.ports.clock.advance(60_000);
    scene.plangrepAnswers({ read: 'processing' });

    expect(await register()).toMatchObject({ entry: { registeredAt, verifiedAt: expect.any(String) } });
  });

  test('counts anew after it has expired', async () => {
    await register();
    scene.ports.clock.advance(7 * 86_400_000);
    const registeredAt = toTimestamp(scene.ports.clock.now());

    expect(await register()).toMatchObject({ entry: { registeredAt } });
  });

  test('leaves a verified one as it is', async () => {
    scene.plangrepAnswers({ read: 'processing' });
    const first = await register();
    scene.plangrepAnswers({ read: { kind: 'unknown', why: 'timeout' } });

    expect(await register()).toEqual(first);
  });

  test('is refused for a job in a project that the partner has lost', async () => {
    scene.plangrepAnswers({ read: 'processing' });
    await register();
    scene.plangrepAnswers({ read: { kind: 'unknown', why: 'timeout' } });
    scene.ports.access.set(acme, { kind: 'projects', projects: [theirs] });

    expect(await register()).toEqual({ kind: 'job_not_found' });
  });
});

describe('twenty jobs under one externalId', () => {
  beforeEach(async () => {
    for (let n = 0; n < 20; n++) await scene.register({ jobId: jobId(`job_${n}`), msAgo: 1_000 * (n + 1) });
  });

  test('are the most that have not ended, and telling so takes at most 20 reads', async () => {
    expect(await register()).toEqual({ kind: 'too_many_jobs' });
    expect(scene.calls()).toHaveLength(20);
    expect(await entries()).toHaveLength(20);
  });

  test('let a registered one be registered again', async () => {
    expect(await register({ jobId: jobId('job_3') })).toMatchObject({ kind: 'registered' });
  });

  test.each([
    ['has ended', 'job_19', 'completed'],
    ['is unknown to Plangrep', 'job_17', undefined],
  ])('make room when one %s', async (_, ended, status) => {
    scene.plangrepAnswers({
      read: (id) => {
        if (id !== ended) return jobThatIs('processing', { id });
        return status === undefined ? { kind: 'not_found' } : jobThatIs(status, { id });
      },
    });

    expect(await register()).toMatchObject({ kind: 'registered' });
    expect(scene.calls()).toHaveLength(5 + 1);
  });

  test('make room without a read when one is known to have ended', async () => {
    await scene.ports.directory.remember(acme, order7890, jobId('job_3'), {
      terminalStatus: 'failed',
      expiresAt: '2099-01-01T00:00:00.000Z',
    });

    expect(await register()).toMatchObject({ kind: 'registered' });
    expect(scene.calls()).toEqual([`read ${documentedJob}`]);
  });

  test('leave it open whether there is room while Plangrep cannot be asked', async () => {
    scene.plangrepAnswers({ read: { kind: 'unknown', why: 'timeout' } });

    expect(await register()).toEqual({ kind: 'unresolved' });
    expect(await entries()).toHaveLength(20);
  });
});
