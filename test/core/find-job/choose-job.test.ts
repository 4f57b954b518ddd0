import { beforeEach, describe, expect, test } from 'vitest';
import { projectIdSchema, toTimestamp } from '../../../functions/core/identifiers.ts';
import { given, jobThatIs, type Scene } from '../../support/given.ts';
import { broken } from '../../support/memory-ports.ts';
import { acme, documentedJob, documentedProject, externalId, globex, jobId, order7890 } from '../../support/names.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await given();
});

const older = jobId('job_older');
const newer = jobId('job_newer');

describe('one of two jobs that Plangrep answers 404 for', () => {
  const missing = { kind: 'unresolved', retryAfterMs: 5_000 };
  const reads = () => scene.calls().filter((call) => call === `read ${newer}`).length;
  const isGone = () =>
    scene.plangrepAnswers({
      read: (id) => (id === newer ? { kind: 'not_found' } : jobThatIs('processing', { id })),
    });
  const entryOf = async (id: string) =>
    (await scene.ports.directory.find(acme, order7890)).items.find((entry) => entry.jobId === id);
  beforeEach(async () => {
    await scene.register({ jobId: newer, msAgo: 1_000 });
    isGone();
  });

  test('may be alive: the other is not taken for the one that is meant', async () => {
    expect(await scene.cancel()).toEqual(missing);
    expect(scene.ports.log.streams.size).toBe(0);

    scene.plangrepAnswers({ read: 'processing' });
    scene.ports.clock.advance(5_000);
    expect(await scene.cancel()).toMatchObject({ kind: 'ambiguous_external_id' });
  });

  test('is read again after 5 s, not sooner', async () => {
    await scene.cancel();
    scene.ports.clock.advance(4_999);

    expect(await scene.cancel()).toEqual(missing);
    expect(reads()).toBe(1);

    scene.ports.clock.advance(1);
    expect(await scene.cancel()).toEqual(missing);
    expect(reads()).toBe(2);
  });

  test('does not exist once that has lasted for 4 minutes, and is then read again after 30 s', async () => {
    await scene.cancel();
    scene.ports.clock.advance(239_999);
    expect(await scene.cancel()).toEqual(missing);
    scene.ports.clock.advance(5_000);

    expect(await scene.cancel()).toMatchObject({ state: { jobId: documentedJob } });
    const so_far = reads();
    scene.ports.clock.advance(29_999);
    await scene.cancel();
    expect(reads()).toBe(so_far);
    scene.ports.clock.advance(1);
    await scene.cancel();
    expect(reads()).toBe(so_far + 1);
  });

  test('is missing anew when it was there in between', async () => {
    await scene.cancel();
    scene.ports.clock.advance(100_000);
    scene.plangrepAnswers({ read: 'processing' });
    await scene.cancel();

    expect(await entryOf(newer)).toMatchObject({ absentAt: undefined, absentSince: undefined });

    isGone();
    scene.ports.clock.advance(200_000);
    expect(await scene.cancel()).toEqual(missing);
  });

  test('has ended if this service saw it end', async () => {
    scene.plangrepAnswers({ cancel: 'cancelled' });
    await scene.cancel({ jobId: newer });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: documentedJob } });
    expect(await entryOf(newer)).toMatchObject({ terminalStatus: 'cancelled' });
  });

  test('may be alive while its cancellation is open', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    await scene.cancel({ jobId: newer });

    expect(await scene.cancel()).toEqual(missing);
  });

  test('does not exist if Plangrep has never confirmed it', async () => {
    const unconfirmed = externalId('order-2');
    await scene.register({ jobId: older, externalId: unconfirmed });
    await scene.register({ jobId: newer, externalId: unconfirmed, isUnverified: true });

    expect(await scene.cancel({ externalId: unconfirmed })).toMatchObject({ state: { jobId: older } });
    scene.ports.clock.advance(29_999);
    await scene.cancel({ externalId: unconfirmed });
    expect(reads()).toBe(1);
  });

  test('is taken where the other is not the partner’s, and its attempt finds out', async () => {
    const unconfirmed = externalId('order-2');
    await scene.register({ jobId: jobId('job_known'), externalId: unconfirmed });
    await scene.register({ jobId: older, externalId: unconfirmed, isUnverified: true });
    scene.plangrepAnswers({ read: { kind: 'not_found' } });

    expect(await scene.cancel({ externalId: unconfirmed })).toMatchObject({ state: { jobId: 'job_known' } });
  });

  test('is no surprise after the job’s expiry, and is one before', async () => {
    const expired = externalId('order-2');
    const [registeredAt, verifiedAt] = [toTimestamp(0), toTimestamp(0)];
    const jobExpiresAt = toTimestamp(scene.ports.clock.now() + 5_000);
    const expiring = jobId('job_expiring');
    await scene.ports.directory.claim(acme, expired, { jobId: expiring, registeredAt, verifiedAt, jobExpiresAt });
    await scene.register({ jobId: older, externalId: expired });
    scene.plangrepAnswers({
      read: (id) => (id === expiring ? { kind: 'not_found' } : jobThatIs('processing', { id })),
    });

    expect(await scene.cancel({ externalId: expired })).toEqual(missing);
    scene.ports.clock.advance(5_000);
    expect(await scene.cancel({ externalId: expired })).toMatchObject({ state: { jobId: older } });
  });
});

describe('several jobs with one externalId', () => {
  beforeEach(async () => {
    await scene.register({ jobId: older, msAgo: 120_000 });
    await scene.register({ jobId: newer, msAgo: 1_000 });
  });

  test('cancels the one that is named', async () => {
    expect(await scene.cancel({ jobId: older })).toMatchObject({ state: { jobId: older } });
    expect(scene.calls()).toEqual([`cancel ${older}`]);
  });

  test('does not guess between two that are alive', async () => {
    scene.onlyTheseEnded(older);
    const end = await scene.cancel();

    expect(end).toMatchObject({
      kind: 'ambiguous_external_id',
      candidates: [
        { jobId: newer, jobStatus: 'processing' },
        { jobId: documentedJob, jobStatus: 'processing' },
      ],
    });
    expect(scene.calls().filter((call) => call.startsWith('cancel'))).toEqual([]);
    expect(scene.ports.log.refused).toMatchObject([{ why: 'ambiguous_external_id' }]);
  });

  test('takes the only one that is alive, and never reads the others again', async () => {
    scene.onlyTheseEnded(older, documentedJob);

    expect(await scene.cancel()).toMatchObject({ state: { jobId: newer } });

    scene.ports.plangrep.calls.length = 0;
    await scene.cancel();

    expect(scene.calls()).toEqual([`read ${newer}`]);
  });

  test('takes the newest when all have ended, and does not send a cancel', async () => {
    scene.onlyTheseEnded(older, documentedJob, newer);

    expect(await scene.cancel()).toMatchObject({ state: { jobId: newer, step: { outcome: 'too_late' } } });
    expect(scene.calls().filter((call) => call.startsWith('cancel'))).toEqual([]);
  });

  test('makes no decision while one of them cannot be read', async () => {
    scene.ports.plangrep.onRead = (id) =>
      id === older ? { kind: 'unknown', why: 'timeout' } : { kind: 'job', job: { id, status: 'completed' } };

    expect(await scene.cancel()).toEqual({ kind: 'unresolved' });
    expect(scene.ports.log.streams.size).toBe(0);
  });

  test('cancels even when it cannot remember which have ended', async () => {
    scene.onlyTheseEnded(older, documentedJob);
    scene.ports.directory.before = (call) => {
      if (call === 'remember') throw broken('job-directory');
    };

    expect(await scene.cancel()).toMatchObject({ state: { jobId: newer } });
    expect(scene.codes()).toContain('DEPENDENCY_UNAVAILABLE');
  });

  test('does not hide a bug in remembering', async () => {
    scene.onlyTheseEnded(older, documentedJob);
    scene.ports.directory.before = (call) => {
      if (call === 'remember') throw new TypeError('a bug');
    };

    await expect(scene.cancel()).rejects.toThrow('a bug');
  });

  test('stops reading at the second live one, for any number of jobs', async () => {
    for (let n = 0; n < 200; n++) await scene.register({ jobId: jobId(`job_${n}`), msAgo: -n });
    await scene.cancel();

    expect(scene.calls()).toHaveLength(5);
  });

  test('reads a long history of ended ones to its end, at most 18 in one request', async () => {
    for (let n = 0; n < 20; n++) await scene.register({ jobId: jobId(`job_${n}`), msAgo: -n });
    scene.onlyTheseEnded(...Array.from({ length: 20 }, (_, n) => `job_${n}`), older, newer);

    expect(await scene.cancel()).toMatchObject({ kind: 'unresolved' });
    expect(scene.calls()).toHaveLength(18);
    expect(await scene.cancel()).toMatchObject({ state: { jobId: documentedJob } });
    expect(scene.calls()).toHaveLength(18 + 5 + 1);
  });

  test('reads only until the time that its attempt needs', async () => {
    await scene.cancel({ untilMs: scene.ports.clock.now() + 10_000 });

    expect(new Set(scene.ports.plangrep.readsEndBy)).toEqual(new Set([scene.ports.clock.now() + 4_000]));
  });
});

describe('a job known to have ended', () => {
  test('is read, not cancelled', async () => {
    await scene.ports.directory.remember(acme, order7890, documentedJob, {
      terminalStatus: 'completed',
      expiresAt: '2099-01-01T00:00:00.000Z',
    });
    scene.onlyTheseEnded(documentedJob);

    expect(await scene.cancel()).toMatchObject({ state: { step: { outcome: 'too_late' } } });
    expect(scene.calls()).toEqual([`read ${documentedJob}`]);
  });
});

describe('a job that Plangrep has not confirmed', () => {
  const register = () => scene.register({ jobId: newer, msAgo: 0, isUnverified: true });
  beforeEach(async () => {
    scene = await given({ jobs: [], projects: [documentedProject] });
    await register();
  });
  const reads = (fields: object) => scene.plangrepAnswers({ read: (id) => jobThatIs('processing', { id, ...fields }) });

  test('is read, claimed and only then cancelled', async () => {
    reads({ externalId: order7890 });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: newer, step: { outcome: 'cancelled' } } });
    expect(scene.calls()).toEqual([`read ${newer}`, `cancel ${newer}`]);
    expect(await scene.ports.directory.readOwner(newer)).toMatchObject({ partnerId: acme, externalId: order7890 });
    expect((await scene.ports.directory.find(acme, order7890)).items).toMatchObject([
      { verifiedAt: expect.any(String) },
    ]);
  });

  test.each([
    ['in another project', { projectId: projectIdSchema.parse('proj_theirs') }],
    ['with another externalId', { externalId: 'theirs' }],
    ['whose externalId cannot be one', { externalId: '' }],
  ])('and is one %s is not there, whatever it is doing', async (_, fields) => {
    reads(fields);

    expect(await scene.cancel()).toEqual({ kind: 'job_not_found' });
    expect(scene.calls()).toEqual([`read ${newer}`, `list ${documentedProject}`]);
    expect(scene.ports.log.streams.size).toBe(0);
    expect(await scene.ports.directory.readOwner(newer)).toBeUndefined();
    expect(scene.ports.reported).toContainEqual({
      code: 'OWNERSHIP_REFUSED',
      fields: { partnerId: acme, jobId: newer, why: 'foreign' },
    });
  });

  test.each([
    ['Plangrep does not show its project', jobThatIs('processing', { id: newer, projectId: undefined })],
    ['Plangrep does not answer', { kind: 'unknown', why: 'timeout' } as const],
    ['Plangrep refuses to show it', { kind: 'refused', httpStatus: 403 } as const],
  ])('is not touched while %s', async (_, read) => {
    scene.plangrepAnswers({ read });

    expect(await scene.cancel()).toMatchObject({ kind: 'unresolved' });
    expect(scene.ports.log.streams.size).toBe(0);
    expect(scene.ports.log.refused).toMatchObject([{ why: 'unresolved' }]);
  });

  test('loses to a partner that owns it', async () => {
    await scene.ports.directory.claim(globex, externalId('theirs'), {
      jobId: newer,
      registeredAt: toTimestamp(0),
      verifiedAt: toTimestamp(0),
    });
    reads({});

    expect(await scene.cancel()).toEqual({ kind: 'job_not_found' });
    expect(scene.ports.reported).toContainEqual({
      code: 'OWNERSHIP_REFUSED',
      fields: { partnerId: acme, jobId: newer, why: 'taken' },
    });
  });

  test('loses to a partner that becomes its owner meanwhile', async () => {
    reads({});
    scene.ports.directory.before = async (call) => {
      if (call !== 'claim') return;
      scene.ports.directory.before = () => undefined;
      await scene.ports.directory.claim(globex, externalId('theirs'), {
        jobId: newer,
        registeredAt: toTimestamp(0),
        verifiedAt: toTimestamp(0),
      });
    };

    expect(await scene.cancel()).toEqual({ kind: 'job_not_found' });
    expect(scene.calls()).not.toContain(`cancel ${newer}`);
  });

  test('is not there when the partner owns it under another externalId', async () => {
    await scene.register({ jobId: newer, externalId: externalId('its-name') });
    reads({});

    expect(await scene.cancel()).toEqual({ kind: 'job_not_found' });
  });

  test('blocks no other: the one that Plangrep confirms is cancelled', async () => {
    await scene.register({ jobId: older });
    scene.plangrepAnswers({
      read: (id) =>
        id === newer ? jobThatIs('processing', { id, externalId: 'theirs' }) : jobThatIs('processing', { id }),
    });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: older } });
  });

  test('that has ended is answered with its outcome', async () => {
    scene.plangrepAnswers({ read: (id) => jobThatIs('completed', { id }) });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: newer, step: { outcome: 'too_late' } } });
    expect(scene.calls()).not.toContain(`cancel ${newer}`);
  });

  test('counts until its registration expires', async () => {
    const entry = {
      jobId: older,
      registeredAt: toTimestamp(0),
      expiresAt: toTimestamp(scene.ports.clock.now() + 1_000),
    };
    await scene.ports.directory.keepUnverified(acme, externalId('soon'), entry);
    reads({});
    scene.ports.clock.advance(1_000);

    expect(await scene.cancel({ externalId: externalId('soon') })).toEqual({ kind: 'job_not_found' });
    expect(scene.calls()).toEqual([`list ${documentedProject}`]);
  });
});

describe('a partner that loses a project', () => {
  beforeEach(async () => {
    scene = await given({ projects: [documentedProject] });
    scene.ports.access.set(acme, { kind: 'projects', projects: [projectIdSchema.parse('proj_another')] });
  });

  test('loses its jobs', async () => {
    expect(await scene.cancel()).toEqual({ kind: 'job_not_found' });
    expect(await scene.cancel({ jobId: documentedJob })).toEqual({ kind: 'job_not_found' });
    expect(scene.calls().filter((call) => !call.startsWith('list'))).toEqual([]);
  });

  test('loses them for a repeat of an earlier request too', async () => {
    scene.ports.access.set(acme, { kind: 'any' });
    await scene.cancel({ requestKey: 'k' });
    scene.ports.access.set(acme, { kind: 'projects', projects: [] });

    expect(await scene.cancel({ requestKey: 'k' })).toEqual({ kind: 'job_not_found' });
  });

  test('keeps a cancellation under way', async () => {
    scene.ports.access.set(acme, { kind: 'any' });
    scene.plangrepAnswers({ cancel: 'processing', read: 'cancelled' });
    await scene.cancel();
    scene.ports.access.set(acme, { kind: 'projects', projects: [] });
    await scene.reconcileAfter(16_000);

    expect(await scene.eventTypes()).toEqual(['requested', 'attempt_ended', 'closed']);
  });

  test('keeps no job whose project the directory does not know: Plangrep is asked', async () => {
    scene = await given();
    scene.ports.access.set(acme, { kind: 'projects', projects: [documentedProject] });

    await scene.cancel();

    expect(scene.calls()).toEqual([`read ${documentedJob}`, `cancel ${documentedJob}`]);
  });

  test('sees none of several candidates that Plangrep shows elsewhere by now', async () => {
    scene = await given({ projects: [documentedProject] });
    await scene.register({ jobId: newer });
    scene.plangrepAnswers({
      read: (id) =>
        jobThatIs('processing', { id, ...(id === newer && { projectId: projectIdSchema.parse('proj_moved') }) }),
    });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: documentedJob } });

    scene.plangrepAnswers({ read: (id) => jobThatIs('processing', { id, projectId: undefined }) });
    scene.ports.clock.advance(60_000);

    expect(await scene.cancel()).toMatchObject({ kind: 'unresolved' });
  });
});
