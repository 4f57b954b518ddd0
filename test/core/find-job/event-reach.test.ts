import { beforeEach, describe, expect, test } from 'vitest';
import { projectIdSchema, toTimestamp } from '../../../functions/core/identifiers.ts';
import type { PlangrepJob } from '../../../functions/core/plangrep.ts';
import type { DirectoryEntry } from '../../../functions/core/job-directory.ts';
import { given, jobThatIs, type Scene } from '../../support/given.ts';
import { acme, documentedProject, jobId, order7890 } from '../../support/names.ts';
import { listOf } from '../../support/job-lists.ts';

/** The scene's clock shows noon; the event happened an hour before. */
const eventTime = '2026-11-23T11:00:00.000Z';
const list = `list ${documentedProject}`;
let scene: Scene;
beforeEach(async () => {
  scene = await given({ jobs: [] });
});

const ofDay = (time: string) => `2026-11-23T${time.padEnd(12, '.000')}Z`;
/** A job that Plangrep has confirmed to be acme's. */
const registered = (id: string, time: string, more: Partial<DirectoryEntry> = {}) =>
  scene.ports.directory.claim(acme, order7890, {
    jobId: jobId(id),
    registeredAt: ofDay(time),
    projectId: documentedProject,
    verifiedAt: ofDay(time),
    ...more,
  });
const unverified = (id: string, time: string, more: Partial<DirectoryEntry> = {}) =>
  scene.ports.directory.keepUnverified(acme, order7890, { jobId: jobId(id), registeredAt: ofDay(time), ...more });
const job = (id: string, createdAt: string, status = 'processing'): PlangrepJob => ({
  id: jobId(id),
  status,
  externalId: order7890,
  createdAt: ofDay(createdAt),
});
const listed = (listedAt: number, ...jobs: readonly PlangrepJob[]) => {
  scene.ports.plangrep.onList = () => listOf(jobs, listedAt);
};
const reaches = (id: string) => ({ state: { jobId: id } });
const notFound = { kind: 'job_not_found' };

describe('an event means', () => {
  test('the job that was registered before it', async () => {
    await registered('job_1', '10:59:59.999');

    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_1'));
  });

  test.each(['11:00:00', '11:00:00.999', '11:00:03', '11:05:00.999'])(
    'a job registered at %s, in its second or up to 5 minutes after it, where none is older',
    async (time) => {
      await registered('job_1', time);

      expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_1'));
      expect(scene.calls()).toEqual(['cancel job_1']);
    },
  );

  test('no job that was registered more than 5 minutes after it, unless it names that', async () => {
    await registered('job_1', '11:05:01');

    expect(await scene.cancel({ eventTime })).toEqual(notFound);
    expect(await scene.cancel({ eventTime, jobId: jobId('job_1') })).toMatchObject(reaches('job_1'));
  });

  test('of several later jobs the first', async () => {
    await registered('job_2', '11:00:10');
    await registered('job_1', '11:00:03.100');
    await registered('job_3', '11:00:03.900');

    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_1'));
  });

  test('none of two that registrations with whole seconds put into the same one', async () => {
    await registered('job_1', '11:00:03');
    await registered('job_2', '11:00:03.500');

    expect(await scene.cancel({ eventTime })).toMatchObject({ kind: 'ambiguous_external_id' });

    scene.onlyTheseEnded('job_2');
    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_1'));
  });

  test('a later job for a redelivery hours later too, although it reached none at first', async () => {
    const redelivery = { eventTime, requestKey: 'event-id:1' };
    expect(await scene.cancel({ ...redelivery, sentAt: ofDay('11:00:00.100') })).toEqual(notFound);
    await registered('job_1', '11:00:03');

    scene.ports.clock.advance(5 * 3_600_000);
    const sentAt = toTimestamp(scene.ports.clock.now());
    expect(await scene.cancel({ ...redelivery, sentAt })).toMatchObject(reaches('job_1'));
  });
});

describe('an older job keeps the event from a job that was submitted again', () => {
  beforeEach(() => registered('job_again', '11:00:02'));

  test('also from one whose registration, in whole seconds, is of the event’s second', async () => {
    await registered('job_at_once', '11:00:00');
    await registered('job_1', '10:00:00', { terminalStatus: 'completed' });
    scene.plangrepAnswers({ read: 'completed' });

    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_1'));
  });

  test('registered in the second before', async () => {
    await registered('job_1', '10:59:59.999');

    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_1'));
  });

  test('ended', async () => {
    await registered('job_1', '10:00:00', { terminalStatus: 'completed' });
    scene.plangrepAnswers({ read: 'completed' });

    expect(await scene.cancel({ eventTime })).toMatchObject({
      state: { jobId: 'job_1', step: { outcome: 'too_late' } },
    });
  });

  test('lost with its project', async () => {
    scene.ports.access.set(acme, { kind: 'projects', projects: [documentedProject] });
    await registered('job_1', '10:00:00', { projectId: projectIdSchema.parse('proj_lost') });

    expect(await scene.cancel({ eventTime })).toEqual(notFound);
    expect(scene.calls()).toEqual([list]);
  });

  test('released by an operator', async () => {
    await unverified('job_1', '10:00:00', { releasedAt: ofDay('11:30:00'), expiresAt: ofDay('11:30:00') });

    expect(await scene.cancel({ eventTime })).toEqual(notFound);
    expect(scene.calls()).toEqual([]);
  });

  test('verified once, and another’s at Plangrep now', async () => {
    await registered('job_1', '10:00:00');
    await registered('job_2', '10:01:00');
    scene.plangrepAnswers({ read: (id) => jobThatIs('processing', { id, externalId: 'another' }) });

    expect(await scene.cancel({ eventTime })).toEqual(notFound);
  });

  test('unverified, as soon as Plangrep confirms it; until then nothing is known', async () => {
    await unverified('job_1', '10:00:00');
    scene.plangrepAnswers({ read: { kind: 'unknown', why: 'timeout' } });

    expect(await scene.cancel({ eventTime })).toEqual({ kind: 'unresolved' });

    scene.plangrepAnswers({ read: (id) => jobThatIs('processing', { id }) });
    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_1'));
  });

  test.each([
    ['another’s', jobThatIs('processing', { externalId: 'another' })],
    ['unknown to Plangrep', { kind: 'not_found' } as const],
  ])('but not an unverified one that is %s', async (_, read) => {
    await unverified('job_1', '10:00:00');
    scene.plangrepAnswers({ read });

    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_again'));
  });

  test('nor an unverified one that has expired', async () => {
    await unverified('job_1', '10:00:00', { expiresAt: ofDay('11:59:00') });

    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_again'));
  });

  test('nor one that was created only after the event, whatever the clock of its registration showed', async () => {
    await unverified('job_slow', '10:00:00');
    scene.plangrepAnswers({ read: (id) => jobThatIs('processing', { id, createdAt: ofDay('11:00:07.500') }) });

    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_again'));
    expect((await scene.ports.directory.find(acme, order7890)).items).toMatchObject([
      { jobId: 'job_slow', registeredAt: ofDay('11:00:07') },
      { jobId: 'job_again' },
    ]);
  });

  test('a record that cannot be read may be an older job', async () => {
    scene.ports.directory.unreadable.push('acme#job#sha256:0 job_bad');

    expect(await scene.cancel({ eventTime })).toEqual({ kind: 'unresolved' });
    expect(scene.calls()).toEqual([]);
  });
});

describe('an older job that only a listing shows', () => {
  const now = () => scene.ports.clock.now();
  beforeEach(async () => {
    scene.ports.access.set(acme, { kind: 'projects', projects: [documentedProject] });
    await registered('job_again', '11:00:02');
  });

  test('is the one that is meant', async () => {
    listed(now(), job('job_again', '11:00:01'), job('job_1', '10:00:00'));

    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_1'));
    expect(scene.calls()).toEqual([list, 'cancel job_1']);
  });

  test('is so too when it has ended and others are alive', async () => {
    listed(now(), job('job_again', '11:00:01'), job('job_2', '11:00:09'), job('job_1', '10:00:00', 'failed'));
    scene.plangrepAnswers({ read: 'failed' });

    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_1'));
    expect(scene.calls()).toEqual([list, 'read job_1']);
  });

  test('is not one that shows no date: it may be newer', async () => {
    listed(now(), { ...job('job_undated', '10:00:00'), createdAt: undefined }, job('job_again', '11:00:01'));

    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_again'));
  });

  test('is looked for before a later one is chosen', async () => {
    listed(now(), job('job_again', '11:00:01'));

    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_again'));
    expect(scene.calls()).toEqual([list, 'cancel job_again']);
  });

  test('is not one whose age Plangrep does not show', async () => {
    listed(now(), job('job_again', '11:00:01'), { ...job('job_undated', '10:00:00'), createdAt: undefined });

    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_again'));
  });

  test('is not looked for where a job was registered in the event’s own second', async () => {
    await registered('job_at_once', '11:00:00.500');

    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_at_once'));
    expect(scene.calls()).toEqual(['cancel job_at_once']);
  });

  test('may be missing in a list from before the event was sent', async () => {
    listed(now() - 10_000, job('job_again', '11:00:01'));

    expect(await scene.cancel({ eventTime })).toEqual({ kind: 'unresolved', retryAfterMs: 20_000 });
    expect(await scene.cancel({ eventTime, sentAt: ofDay('11:00:01') })).toMatchObject(reaches('job_again'));
  });

  test('is in an old list already', async () => {
    listed(now() - 10_000, job('job_again', '11:00:01'), job('job_1', '10:00:00'));

    expect(await scene.cancel({ eventTime })).toMatchObject(reaches('job_1'));
  });

  test('may exist while no listing succeeds', async () => {
    scene.ports.plangrep.onList = () => ({ kind: 'unknown', why: 'timeout' });

    expect(await scene.cancel({ eventTime })).toEqual({ kind: 'unresolved', listing: 'failed' });
  });
});

describe('an event whose clock is fast', () => {
  /** Two hours ahead. */
  const fast = { eventTime: ofDay('13:00:00'), requestKey: 'event-id:1' };
  beforeEach(() => registered('job_1', '10:00:00', { terminalStatus: 'completed' }));

  test('counts from when the queue took it', async () => {
    await registered('job_again', '11:00:02');

    expect(await scene.cancel({ ...fast, sentAt: ofDay('11:00:00.500') })).toMatchObject(reaches('job_1'));
  });

  test('counts from when it first came, however late it is sent again, even if nothing was known then', async () => {
    scene.ports.directory.unreadable.push('acme#job#sha256:0 job_bad');
    expect(await scene.cancel({ ...fast, sentAt: ofDay('11:00:00.500') })).toEqual({ kind: 'unresolved' });
    scene.ports.directory.unreadable.length = 0;
    await registered('job_again', '11:00:02');

    expect(await scene.cancel({ ...fast, sentAt: ofDay('12:00:00') })).toMatchObject(reaches('job_1'));
  });
});
