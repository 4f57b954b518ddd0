import { beforeEach, describe, expect, test } from 'vitest';
import type { ExternalId } from '../../../functions/core/identifiers.ts';
import { previewCancellations } from '../../../functions/core/use-cases/preview-cancellations.ts';
import { given, jobThatIs, type Scene } from '../../support/given.ts';
import { acme, documentedJob, documentedProject, externalId, jobId, order7890 } from '../../support/names.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await given();
});

const caller = { partnerId: acme, requestId: 'request-1', keyId: 'key', untilMs: Number.MAX_SAFE_INTEGER };
const preview = (...externalIds: readonly ExternalId[]) => previewCancellations(scene.ports, caller, externalIds);
const other = externalId('order-other');
const otherJob = jobId('job_other');

describe('a preview does nothing', () => {
  test('and says which job a cancel would reach, in the order that was asked for', async () => {
    await scene.register({ jobId: otherJob, externalId: other });

    expect(await preview(other, order7890)).toEqual([
      { externalId: other, state: 'will_cancel', jobId: otherJob, jobStatus: 'processing' },
      { externalId: order7890, state: 'will_cancel', jobId: documentedJob, jobStatus: 'processing' },
    ]);
    expect(scene.calls()).toEqual([`read ${otherJob}`, `read ${documentedJob}`]);
    const { log } = scene.ports;
    expect([log.streams.size, log.refused.length, log.joined.length]).toEqual([0, 0, 0]);
  });

  test('of a job that bears no name of the caller', async () => {
    expect(await preview(other)).toEqual([{ externalId: other, state: 'not_found' }]);
    expect(scene.ports.log.refused).toEqual([]);
  });
});

describe('a job', () => {
  test('that has ended is read once, and its end is remembered', async () => {
    scene.plangrepAnswers({ read: 'completed' });
    const ended = [{ externalId: order7890, state: 'already_ended', jobId: documentedJob, jobStatus: 'completed' }];

    expect(await preview(order7890)).toEqual(ended);
    expect(await preview(order7890)).toEqual(ended);
    expect(scene.calls()).toEqual([`read ${documentedJob}`]);
  });

  test('that this service cancelled has ended', async () => {
    scene.plangrepAnswers({ cancel: 'cancelled', read: 'cancelled' });
    await scene.cancel();

    expect(await preview(order7890)).toMatchObject([{ state: 'already_ended', jobStatus: 'cancelled' }]);
  });

  test('whose cancellation is open is under way', async () => {
    scene.plangrepAnswers({ cancel: 'processing' });
    await scene.cancel();

    expect(await preview(order7890)).toMatchObject([{ state: 'under_way', jobId: documentedJob }]);
  });

  test('that Plangrep does not show at the moment is not called ended', async () => {
    scene.plangrepAnswers({ read: { kind: 'not_found' } });

    expect(await preview(order7890)).toEqual([
      { externalId: order7890, state: 'unknown_to_plangrep', jobId: documentedJob },
    ]);
  });

  test('that this service saw end has ended, although Plangrep does not show it any more', async () => {
    scene.plangrepAnswers({ cancel: 'cancelled' });
    await scene.cancel();
    scene.plangrepAnswers({ read: { kind: 'not_found' } });

    expect(await preview(order7890)).toMatchObject([{ state: 'already_ended', jobStatus: 'cancelled' }]);
  });

  test('that Plangrep does not answer for is unresolved, and the others are not', async () => {
    await scene.register({ jobId: otherJob, externalId: other });
    scene.plangrepAnswers({
      read: (id) => (id === otherJob ? { kind: 'rate_limited' } : jobThatIs('processing', { id })),
    });

    expect(await preview(other, order7890)).toMatchObject([{ state: 'unresolved' }, { state: 'will_cancel' }]);
  });

  test('that is not confirmed to be the caller’s is not found, whatever it is', async () => {
    scene = await given({ projects: [documentedProject], jobs: [{ jobId: documentedJob, isUnverified: true }] });
    scene.plangrepAnswers({ read: jobThatIs('processing', { externalId: 'another name' }) });

    expect(await preview(order7890)).toEqual([{ externalId: order7890, state: 'not_found' }]);
  });
});

describe('several jobs', () => {
  test('that have not ended are ambiguous, and named', async () => {
    await scene.register({ jobId: otherJob, msAgo: 1_000 });

    expect(await preview(order7890)).toMatchObject([
      { state: 'ambiguous', candidates: [{ jobId: otherJob }, { jobId: documentedJob }] },
    ]);
  });

  test('of which one has not ended are that one', async () => {
    await scene.register({ jobId: otherJob, msAgo: 1_000 });
    scene.onlyTheseEnded(otherJob);

    expect(await preview(order7890)).toMatchObject([{ state: 'will_cancel', jobId: documentedJob }]);
  });

  test('of all externalIds together are read at most 20 times', async () => {
    const ids = Array.from({ length: 25 }, (_, n) => externalId(`order-${n}`));
    for (const [n, id] of ids.entries()) await scene.register({ jobId: jobId(`job_${n}`), externalId: id });

    const previews = await preview(...ids);

    expect(scene.calls()).toHaveLength(20);
    expect(previews.slice(0, 20).every(({ state }) => state === 'will_cancel')).toBe(true);
    expect(previews.slice(20)).toEqual(
      ids.slice(20).map((id) => ({ externalId: id, state: 'unresolved', retryAfterMs: 1_000 })),
    );
  });
});
