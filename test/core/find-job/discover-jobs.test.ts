import { beforeEach, describe, expect, test } from 'vitest';
import { projectIdSchema, toTimestamp } from '../../../functions/core/identifiers.ts';
import type { PlangrepJob } from '../../../functions/core/plangrep.ts';
import { given, jobThatIs, type Scene } from '../../support/given.ts';
import { acme, documentedProject, externalId, globex, jobId, order7890 } from '../../support/names.ts';
import { listOf } from '../../support/job-lists.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await given({ jobs: [], projects: [documentedProject] });
});
const job = (id: string, status = 'processing', more: Partial<PlangrepJob> = {}): PlangrepJob => ({
  id: jobId(id),
  status,
  externalId: order7890,
  ...more,
});
const listed = (...jobs: PlangrepJob[]) => {
  scene.ports.plangrep.onList = () => listOf(jobs, scene.ports.clock.now());
};
const list = `list ${documentedProject}`;

describe('an unregistered job', () => {
  test('is found by listing the partner’s projects, remembered, and cancelled', async () => {
    listed(job('job_other', 'processing', { externalId: 'order-78900' }), job('job_1'));

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_1', step: { outcome: 'cancelled' } } });
    expect(scene.calls()).toEqual([list, 'cancel job_1']);
    expect((await scene.ports.directory.find(acme, order7890)).items).toMatchObject([{ jobId: 'job_1', listed: true }]);
  });

  test('has the age that Plangrep gives', async () => {
    listed(job('job_1', 'processing', { createdAt: '2024-11-02T09:00:00.000Z' }));
    await scene.cancel();

    expect((await scene.ports.directory.find(acme, order7890)).items).toMatchObject([
      { registeredAt: '2024-11-02T09:00:00.000Z' },
    ]);
  });

  test('whose creation Plangrep does not show is as old as its last change, so that an event after that reaches it', async () => {
    listed(job('job_1', 'processing', { updatedAt: '2026-11-23T10:00:00.000Z' }));

    expect(await scene.cancel({ eventTime: '2026-11-23T10:00:01.000Z' })).toMatchObject({ state: { jobId: 'job_1' } });
  });

  test('whose creation Plangrep does not show is not reached by an event from before its last change', async () => {
    listed(job('job_1', 'processing', { updatedAt: '2026-11-23T10:00:00.000Z' }));

    expect(await scene.cancel({ eventTime: '2026-11-23T09:00:00.000Z' })).toEqual({ kind: 'job_not_found' });
  });

  test('whose externalId was erased is not found again, though Plangrep still shows it, and a new one is', async () => {
    listed(job('job_1'));
    await scene.cancel();
    scene.ports.directory.erase(jobId('job_1'));
    scene.ports.log.erase({ partnerId: acme, jobId: jobId('job_1') });
    scene.ports.clock.advance(60_000);

    expect(await scene.cancel()).toEqual({ kind: 'job_not_found' });
    expect((await scene.ports.directory.find(acme, order7890)).items).toEqual([]);

    listed(job('job_1', 'cancelled'), job('job_2'));
    scene.ports.clock.advance(60_000);
    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_2', externalId: order7890 } });
  });

  test('is not searched for a partner without projects', async () => {
    expect(await scene.cancel({ partnerId: globex })).toEqual({ kind: 'job_not_found' });
    expect(scene.calls()).toEqual([]);
  });

  test('is not found when no project has it', async () => {
    listed();

    expect(await scene.cancel()).toEqual({ kind: 'job_not_found' });
  });

  test('may be named by its jobId', async () => {
    listed(job('job_1'), job('job_2'));

    expect(await scene.cancel({ jobId: jobId('job_2') })).toMatchObject({ state: { jobId: 'job_2' } });
  });

  test('is not taken from the partner that registered it', async () => {
    const taken = { jobId: jobId('job_1'), registeredAt: toTimestamp(0), verifiedAt: toTimestamp(0) };
    await scene.ports.directory.claim(globex, externalId('theirs'), taken);
    listed(job('job_1'));

    expect(await scene.cancel()).toEqual({ kind: 'job_not_found' });
  });

  test('is refused after the same calls whether Plangrep has no such job or another partner owns it', async () => {
    const asked: string[] = [];
    const taken = { jobId: jobId('job_1'), registeredAt: toTimestamp(0), verifiedAt: toTimestamp(0) };
    await scene.ports.directory.claim(globex, externalId('theirs'), taken);
    scene.ports.directory.before = (call) => void asked.push(call);
    listed(job('job_1'));
    await scene.cancel();
    listed();
    await scene.cancel();

    expect(asked).toEqual(['find', 'readOwner', 'keepRefusal', 'find', 'readOwner', 'keepRefusal']);
  });

  test('is answered with its outcome when it has ended', async () => {
    listed(job('job_2', 'failed'), job('job_1', 'completed'));
    scene.plangrepAnswers({ read: 'failed' });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_2', step: { outcome: 'too_late' } } });
  });

  test('is the newest of those that have ended, in whatever order they are listed', async () => {
    const [older, newer] = ['2026-11-20T10:00:00.000Z', '2026-11-21T10:00:00.000Z'];
    listed(job('job_old', 'completed', { createdAt: older }), job('job_new', 'failed', { createdAt: newer }));
    scene.plangrepAnswers({ read: 'failed' });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_new' } });
  });

  test('is the newest of those that have ended, whichever project it is in', async () => {
    const [first, second] = [documentedProject, projectIdSchema.parse('proj_second')];
    scene = await given({ jobs: [], projects: [first, second] });
    const older = job('job_old', 'completed', { createdAt: '2026-11-20T10:00:00.000Z' });
    const newer = job('job_new', 'failed', { createdAt: '2026-11-21T10:00:00.000Z', projectId: second });
    scene.ports.plangrep.onList = (projectId) => listOf([projectId === first ? older : newer], scene.ports.clock.now());
    scene.plangrepAnswers({ read: 'failed' });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_new' } });
  });

  test('without a date counts as the newest of those that have ended', async () => {
    listed(job('job_dated', 'completed', { createdAt: '2026-11-20T10:00:00.000Z' }), job('job_undated', 'failed'));
    scene.plangrepAnswers({ read: 'failed' });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_undated' } });
  });

  test('is the newest by its last change where Plangrep shows no creation', async () => {
    const [older, newer] = ['2026-11-20T10:00:00.000Z', '2026-11-21T10:00:00.000Z'];
    listed(job('job_old', 'completed', { updatedAt: older }), job('job_new', 'failed', { createdAt: newer }));
    scene.plangrepAnswers({ read: 'failed' });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_new' } });
  });

  test('is not taken from a listing that shows it in a project that is not the partner’s', async () => {
    listed(job('job_1', 'processing', { projectId: projectIdSchema.parse('proj_theirs') }));

    expect(await scene.cancel()).toEqual({ kind: 'job_not_found' });
    expect(scene.codes()).toContain('OWNERSHIP_REFUSED');
  });

  test('is in the project that was listed when Plangrep shows null for its project', async () => {
    listed(job('job_1', 'processing', { projectId: undefined }));

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_1' } });
  });

  test('stays unknown for as long as a list is remembered', async () => {
    const { clock, plangrep } = scene.ports;
    const listedAt = clock.now();
    plangrep.onList = () => listOf([], listedAt);
    clock.advance(29_000);

    expect(await scene.cancel()).toEqual({ kind: 'job_not_found' });
  });

  test('is cancelled from an old list that shows it alive', async () => {
    const { clock, plangrep } = scene.ports;
    const listedAt = clock.now();
    plangrep.onList = () => listOf([job('job_1')], listedAt);
    clock.advance(29_000);

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_1' } });
  });

  test('is not guessed among several that are alive', async () => {
    listed(job('job_1'), job('job_2'), job('job_3', 'completed'));

    expect(await scene.cancel()).toMatchObject({ kind: 'ambiguous_external_id', candidates: { length: 2 } });
  });

  test('is found among 20,000 in a project, and the directory stays small', async () => {
    listed(...Array.from({ length: 20_000 }, (_, n) => job(`job_${n}`, n === 777 ? 'uploading' : 'completed')));

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_777' } });
    expect((await scene.ports.directory.find(acme, order7890)).items).toHaveLength(1);
  });
});

describe('an unverified registration of a job that is not the partner’s', () => {
  test('does not hide a listed job that was submitted again', async () => {
    listed(job('job_1', 'completed', { createdAt: '2026-11-23T10:00:00.000Z' }));
    scene.plangrepAnswers({ read: (id) => jobThatIs('completed', { id }) });
    await scene.cancel();
    await scene.register({ jobId: jobId('job_squat'), msAgo: 0, isUnverified: true });
    listed(job('job_1', 'completed'), job('job_2', 'processing', { createdAt: '2026-11-23T11:00:00.000Z' }));
    scene.plangrepAnswers({
      read: (id) => (id === 'job_squat' ? { kind: 'not_found' } : jobThatIs('processing', { id })),
    });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_2' } });
  });
});

describe('a listed job that was submitted again under its externalId', () => {
  const first = job('job_1', 'processing', { createdAt: '2026-11-23T10:00:00.000Z' });
  const second = job('job_2', 'processing', { createdAt: '2026-11-23T11:00:00.000Z' });

  test('is found although the first one is in the directory', async () => {
    listed(first);
    await scene.cancel();
    listed(second, { ...first, status: 'cancelled' });
    scene.ports.plangrep.onRead = (id) => ({
      kind: 'job',
      job: { id, status: id === 'job_1' ? 'cancelled' : 'processing', projectId: documentedProject },
    });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_2' } });
  });

  test('is waited for when the list was made before it may have been submitted', async () => {
    const { clock, plangrep } = scene.ports;
    const listedAt = clock.now();
    plangrep.onList = () => listOf([first], listedAt);
    await scene.cancel();
    clock.advance(10_000);

    expect(await scene.cancel()).toEqual({ kind: 'unresolved', retryAfterMs: 20_000 });
  });

  test('is found although the directory knows that the first one ended', async () => {
    listed({ ...first, status: 'completed' });
    scene.ports.plangrep.onRead = (id) => ({
      kind: 'job',
      job: { id, status: id === 'job_1' ? 'completed' : 'processing', projectId: documentedProject },
    });
    await scene.cancel();
    await scene.ports.directory.remember(acme, order7890, jobId('job_1'), {
      terminalStatus: 'completed',
      expiresAt: '2099-01-01T00:00:00.000Z',
    });
    listed(second, { ...first, status: 'completed' });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_2' } });
  });

  test('is not looked for while the first one’s cancellation is open, nor by a request that names its job', async () => {
    listed(first);
    scene.plangrepAnswers({ cancel: 'processing' });
    await scene.cancel();
    scene.ports.plangrep.calls.length = 0;
    await scene.cancel();
    await scene.cancel({ jobId: jobId('job_1') });

    expect(scene.calls()).toEqual([]);
  });

  test('is not reached by a late duplicate of the first request', async () => {
    listed(first);
    await scene.cancel({ requestKey: 'k' });
    listed(second, { ...first, status: 'cancelled' });

    expect(await scene.cancel({ requestKey: 'k' })).toMatchObject({ state: { jobId: 'job_1' } });
  });

  test('is not reached by an older event', async () => {
    listed(second, { ...first, status: 'cancelled' });
    scene.plangrepAnswers({ read: 'cancelled' });

    expect(await scene.cancel({ eventTime: '2026-11-23T10:30:00.000Z' })).toMatchObject({ state: { jobId: 'job_1' } });
    expect(scene.calls()).toEqual([list, 'read job_1']);
  });
});
