import { beforeEach, describe, expect, test } from 'vitest';
import { projectIdSchema } from '../../../functions/core/identifiers.ts';
import type { ListAnswer, PlangrepJob } from '../../../functions/core/plangrep.ts';
import { given, type Scene } from '../../support/given.ts';
import { listOf } from '../../support/job-lists.ts';
import { documentedProject, jobId, order7890 } from '../../support/names.ts';

const second = projectIdSchema.parse('proj_second');
let scene: Scene;
beforeEach(async () => {
  scene = await given({ jobs: [], projects: [documentedProject, second] });
});
const job = (id: string, status = 'processing', more: Partial<PlangrepJob> = {}): PlangrepJob => ({
  id: jobId(id),
  status,
  externalId: order7890,
  ...more,
});
const empty = (): ListAnswer => listOf([], scene.ports.clock.now());
const answering = (answer: ListAnswer, other = empty()): void => {
  scene.ports.plangrep.onList = (projectId) => (projectId === documentedProject ? answer : other);
};
const reported = (code: string) =>
  scene.ports.reported.filter((line) => line.code === code).map(({ fields }) => fields);
const where = { partnerId: 'acme', projectId: documentedProject };
const failed = { kind: 'unresolved', listing: 'failed' };
const impossible = { kind: 'unresolved', listing: 'impossible', retryAfterMs: 300_000 };

describe('a list that failed at the moment', () => {
  test.each<[string, ListAnswer, object]>([
    ['no answer in time', { kind: 'unknown', why: 'timeout' }, { result: 'timeout', httpStatus: undefined }],
    ['a 500', { kind: 'unknown', why: 'server_error', httpStatus: 500 }, { result: 'server_error', httpStatus: 500 }],
    ['a lost connection', { kind: 'unknown', why: 'connection_lost', httpStatus: 200 }, { result: 'connection_lost' }],
    ['a redirect', { kind: 'unknown', why: 'redirect', httpStatus: 302 }, { result: 'redirect' }],
    ['a 429', { kind: 'rate_limited', retryAfterMs: 1_000 }, { result: 'rate_limited' }],
    ['a rejected key', { kind: 'key_refused' }, { result: 'key_refused' }],
    ['no time', { kind: 'not_sent', why: 'no_time' }, { result: 'no_time' }],
  ])('leaves it open whether there is such a job: %s', async (_, answer, result) => {
    answering(answer);

    expect(await scene.cancel()).toEqual(failed);
    expect(reported('LISTING_FAILED')).toMatchObject([{ ...where, ...result }]);
    expect(scene.codes()).not.toContain('LISTING_IMPOSSIBLE');
    expect(scene.ports.log.refused).toMatchObject([{ why: 'unresolved' }]);
  });
});

describe('a list that will fail again', () => {
  test.each<[string, ListAnswer, object]>([
    ['a 403', { kind: 'refused', httpStatus: 403 }, { result: 'refused', httpStatus: 403 }],
    ['too long', { kind: 'unknown', why: 'oversized_answer', httpStatus: 200 }, { result: 'oversized_answer' }],
    ['not a list', { kind: 'unknown', why: 'unreadable_answer', httpStatus: 200 }, { result: 'unreadable_answer' }],
    ['with a job that may be the one', listOf([job('job_1')], 0, [order7890]), { result: 'unreadable_job' }],
    ['with a job that may be any', listOf([job('job_1')], 0, ['order-1', undefined]), { result: 'unreadable_job' }],
  ])('raises its own alarm, and defers the request for long: %s', async (_, answer, result) => {
    answering(answer);

    expect(await scene.cancel()).toEqual(impossible);
    expect(reported('LISTING_IMPOSSIBLE')).toMatchObject([{ ...where, ...result }]);
    expect(scene.codes()).not.toContain('LISTING_FAILED');
  });

  test('decides where another one failed at the moment', async () => {
    answering({ kind: 'unknown', why: 'timeout' }, { kind: 'refused', httpStatus: 403 });

    expect(await scene.cancel()).toEqual(impossible);
    expect(reported('LISTING_FAILED')).toMatchObject([where]);
    expect(reported('LISTING_IMPOSSIBLE')).toMatchObject([{ projectId: second }]);
  });

  test('is not needed for a job that was registered since', async () => {
    answering({ kind: 'refused', httpStatus: 403 });
    await scene.cancel();
    await scene.register({ jobId: jobId('job_1'), msAgo: 0 });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_1' } });
  });
});

describe('what a list shows', () => {
  test('is not spoilt by a job of another name that cannot be read', async () => {
    answering(listOf([job('job_1')], scene.ports.clock.now(), ['order-1', 'order-2']));

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_1' } });
    expect(scene.codes()).not.toContain('LISTING_IMPOSSIBLE');
  });

  test('is counted once for each list that is made, not for one that is remembered', async () => {
    const madeAt = scene.ports.clock.now();
    answering(listOf([job('job_1')], madeAt, ['order-1']), listOf([], madeAt - 1));
    await scene.cancel();

    expect(reported('PROJECT_LISTED')).toEqual([{ ...where, jobs: 2, unreadable: 1, ms: 0 }]);
  });

  test('is a project that Plangrep does not have: nothing, and that is reported', async () => {
    answering({ kind: 'not_found' }, { kind: 'not_found' });

    expect(await scene.cancel()).toEqual({ kind: 'job_not_found' });
    expect(reported('LISTING_FAILED')).toMatchObject([{ result: 'not_found' }, { result: 'not_found' }]);
  });

  test.each([
    ['twice', ['processing', 'processing'], 'cancel'],
    ['first alive, then ended', ['processing', 'completed'], 'read'],
    ['first ended, then alive', ['completed', 'processing'], 'read'],
  ])('is one job that it shows %s', async (_, statuses, firstCall) => {
    answering(
      listOf(
        statuses.map((status) => job('job_1', status)),
        scene.ports.clock.now(),
      ),
    );
    scene.plangrepAnswers({ read: 'completed' });

    expect(await scene.cancel()).toMatchObject({ state: { jobId: 'job_1' } });
    expect(scene.calls().find((call) => call.endsWith(' job_1'))).toBe(`${firstCall} job_1`);
  });
});
