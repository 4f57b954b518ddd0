import { describe, expect, test } from 'vitest';
import type { Delivery } from '../../../functions/core/cancel-request.ts';
import { countReads, JOB_READS, onlyDelivery, readsForRoom } from '../../../functions/core/find-job/job-reads.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { registerJob } from '../../../functions/core/use-cases/register-job.ts';
import { given, jobThatIs, type Scene } from '../../support/given.ts';
import { acme, cancelOrder7890, documentedJob, documentedProject, jobId, order7890 } from '../../support/names.ts';
import { listOf } from '../../support/job-lists.ts';

const deliveries: readonly Delivery[] = [1, 2, 3, 4, 5, 6].map((number) => ({ number, max: 6 }));
const minute = 60_000;
const readsIn = (scene: Scene) => scene.calls().filter((call) => call.startsWith('read')).length;

async function givenJobs(count: number, isUnverified: boolean): Promise<Scene> {
  const scene = await given({ jobs: [], projects: [documentedProject] });
  for (let n = 0; n < count; n += 1) await scene.register({ jobId: jobId(`job_${n}`), msAgo: n, isUnverified });
  return scene;
}

describe('the job reads of a request', () => {
  test('are 20 with the two of its attempt, in all deliveries of an event together', () => {
    const ofEvent = deliveries.map((delivery) => countReads({ ...cancelOrder7890, delivery }).readsLeft.count);

    expect(countReads(cancelOrder7890).readsLeft.count + 2).toBe(JOB_READS);
    expect(ofEvent).toEqual([8, 2, 2, 2, 2, 2]);
    expect(ofEvent.reduce((sum, count) => sum + count, 2)).toBe(JOB_READS);
  });

  test('are of other jobs in each delivery of a registration', () => {
    const ranges = deliveries.map(readsForRoom);

    expect(readsForRoom(onlyDelivery)).toEqual({ from: 0, to: 19 });
    expect(ranges.map(({ from, to }) => [from, to])).toEqual([
      [0, 4],
      [4, 6],
      [6, 8],
      [8, 10],
      [10, 12],
      [12, 14],
    ]);
  });

  test.each([
    ['that are alive', 'processing', 'ambiguous_external_id'],
    ['that Plangrep does not know', undefined, 'unresolved'],
  ])('of an event are at most 20, with 20 jobs %s', async (_, status, kind) => {
    const scene = await givenJobs(20, true);
    scene.plangrepAnswers({ read: (id) => (status ? jobThatIs(status, { id }) : { kind: 'not_found' }) });

    for (const delivery of deliveries) {
      expect(await scene.cancel({ delivery, requestKey: 'event-id:1' })).toMatchObject({ kind });
      scene.ports.clock.advance(minute);
    }

    expect(readsIn(scene)).toBeLessThanOrEqual(JOB_READS);
  });

  test('of an event reach the one that is alive behind many that have ended', async () => {
    const scene = await givenJobs(12, false);
    scene.onlyTheseEnded(...Array.from({ length: 11 }, (_, n) => `job_${n + 1}`));
    const ends = [];
    for (const delivery of deliveries.slice(0, 5)) ends.push((await scene.cancel({ delivery })).kind);

    expect(ends).toEqual(['unresolved', 'unresolved', 'unresolved', 'unresolved', 'closed']);
    expect(scene.calls().filter((call) => call.startsWith('cancel'))).toEqual(['cancel job_0']);
  });

  test('that registers a job are at most 20 too', async () => {
    const scene = await givenJobs(20, false);
    for (const delivery of deliveries) {
      const job = { partnerId: acme, externalId: order7890, jobId: documentedJob, registeredAt: toTimestamp(0) };
      const asked = { door: 'events', requestId: 'event-1', untilMs: Number.MAX_SAFE_INTEGER, delivery } as const;
      const end = await registerJob(scene.ports, { ...job, ...asked });
      expect(end).toEqual({ kind: 'too_many_jobs' });
    }

    expect(readsIn(scene)).toBe(JOB_READS);
  });

  test('are 20 also when registrations turn out to be of no job, and a listing shows many others', async () => {
    const scene = await givenJobs(16, true);
    const listed = Array.from({ length: 20 }, (_, n) => jobThatIs('processing', { id: jobId(`listed_${n}`) }).job);
    const named = listed.map((job) => ({ ...job, externalId: order7890 }));
    scene.ports.plangrep.onList = () => listOf(named, scene.ports.clock.now());
    scene.plangrepAnswers({
      read: (id) => (id.startsWith('listed') ? jobThatIs('completed', { id }) : { kind: 'not_found' }),
    });

    expect(await scene.cancel()).toEqual({ kind: 'unresolved', retryAfterMs: 1_000 });
    expect(readsIn(scene)).toBe(JOB_READS - 2);
  });
});
