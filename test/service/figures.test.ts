import { describe, expect, test, vi } from 'vitest';
import { type CancellationAnswer, cancellationWithTimelineSchema } from '../../functions/contract/answers.ts';
import type { SimulatedJob } from '../../functions/simulator/plangrep-jobs.ts';
import { givenService } from '../support/given-service.ts';
import { canaries } from '../support/local-run.ts';

const service = givenService();

const read = async (jobId: string) => cancellationWithTimelineSchema.parse((await service.show(jobId)).body);
const jobAt = (jobId: string): SimulatedJob => {
  const job = service.run.simulator.job(jobId);
  if (job === undefined) throw new Error('Plangrep has no such job');
  return job;
};
const untilJobIs = (jobId: string, status: string) =>
  vi.waitFor(() => expect(jobAt(jobId).status).toBe(status), { timeout: 15_000, interval: 10 });
const sinceRequest = ({ requestedAt }: CancellationAnswer, time: string | null) =>
  Date.parse(time ?? '') - Date.parse(requestedAt);
/** The whole time that a closed cancellation was open, which its parts must add up to. */
const addedUp = ({ spentMs }: CancellationAnswer) => Object.values(spentMs ?? {}).reduce((sum, ms) => sum + ms, 0);
const closedLine = (jobId: string) =>
  service.run.logs
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line).message)
    .find((message) => message?.code === 'CANCELLATION_CLOSED' && message.jobId === jobId);
const wakeUpsOf = async (jobId: string) => (await service.wakeUps()).filter((record) => record['jobId'] === jobId);
const resume = (jobId: string) =>
  fetch(`${service.run.simulator.url}/api/open/v1/jobs/${jobId}/resume`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${canaries.apiKey}` },
  });

describe('the figures of a closed cancellation', () => {
  test('of a job that is cancelled at once: the time of one call', async () => {
    const { externalId, jobId } = await service.newJob();

    await service.cancel({ externalId });
    const cancellation = await read(jobId);

    expect(cancellation).toMatchObject({ outcome: 'cancelled', creditsDebitedMeanwhile: null });
    expect(cancellation.spentMs).toMatchObject({ us: 0, person: 0 });
    expect(addedUp(cancellation)).toBe(sinceRequest(cancellation, cancellation.closedAt));
  });

  test('are not told while it is open', async () => {
    const { externalId } = await service.newJob({ cancelTakes: 3_600_000 });

    const { status, body } = await service.cancel({ externalId });

    expect(status).toBe(202);
    expect(body).toMatchObject({ ranMs: null, spentMs: null, creditsDebitedMeanwhile: null });
  });

  test('of a job that runs out of credits after its cancel: a person’s time, and the credits until its end', async () => {
    const { externalId, jobId } = await service.newJob({
      status: 'processing',
      pageCount: 100_000,
      successfulPageCount: 63,
      billing: { creditsDebited: 63 },
      pagesPerSecond: 100,
      creditsPerPage: 10,
      creditsForPages: 363,
      cancelTakes: 3_500,
    });

    const asked = await service.cancel({ externalId });
    await untilJobIs(jobId, 'blocked_insufficient_credits');
    await service.reconcile();
    const blocked = await read(jobId);
    await service.reconcile();
    expect((await resume(jobId)).status).toBe(200);
    await untilJobIs(jobId, 'cancelled');
    await service.reconcile();
    const cancellation = await read(jobId);

    expect(asked.status).toBe(202);
    expect(blocked).toMatchObject({ state: 'open', jobStatus: 'blocked_insufficient_credits', spentMs: null });
    const job = jobAt(jobId);
    expect(cancellation).toMatchObject({
      outcome: 'cancelled',
      attempts: 1,
      creditsDebited: job.billing.creditsDebited,
    });
    expect(job.billing.creditsDebited).toBeGreaterThan(3_063);
    expect(cancellation.creditsDebitedMeanwhile).toBe(
      job.billing.creditsDebited - Number(asked.body['creditsDebited']),
    );
    expect(cancellation.ranMs).toBe(sinceRequest(cancellation, job.completedAt));
    expect(addedUp(cancellation)).toBe(sinceRequest(cancellation, cancellation.closedAt));
    const observed = cancellation.timeline.find(({ type }) => type === 'observed');
    expect(cancellation.spentMs).toEqual({
      plangrep: sinceRequest(cancellation, observed?.at ?? ''),
      person: Date.parse(job.completedAt ?? '') - Date.parse(observed?.at ?? ''),
      us: Date.parse(cancellation.closedAt ?? '') - Date.parse(job.completedAt ?? ''),
    });
    const { ranMs, spentMs, creditsDebitedMeanwhile } = cancellation;
    expect(closedLine(jobId)).toMatchObject({ ranMs, spentMs, creditsDebitedMeanwhile });
  });

  test('of a cancel that met a rejected key: a person’s time until it was replaced', async () => {
    service.run.simulator.setApiKey('pgk_live_another_key_0123456789');
    const { externalId, jobId } = await service.newJob();

    const { status } = await service.cancel({ externalId });
    service.run.simulator.setApiKey(canaries.apiKey);
    await service.reconcile();
    const cancellation = await read(jobId);

    expect(status).toBe(202);
    const [, refused, again] = cancellation.timeline;
    expect([refused?.result, again?.type]).toEqual(['key_refused', 'attempt_started']);
    expect(cancellation.outcome).toBe('cancelled');
    expect(cancellation.spentMs).toMatchObject({
      us: 0,
      person: Date.parse(again?.at ?? '') - Date.parse(refused?.at ?? ''),
    });
  });

  test('of one that began anew are those of its own request', async () => {
    const names = await service.newJob();
    await service.unknownForMinutes(names);

    await service.cancel({ externalId: names.externalId });
    const cancellation = await read(names.jobId);

    expect(cancellation.outcome).toBe('cancelled');
    expect(addedUp(cancellation)).toBe(sinceRequest(cancellation, cancellation.closedAt));
    expect(cancellation.spentMs).toMatchObject({ us: 0, person: 0 });
  });
});

describe('a job that Plangrep no longer knows once it has expired', () => {
  const untilItVanished = (jobId: string) =>
    vi.waitFor(() => expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(jobAt(jobId).expiresAt)), {
      timeout: 15_000,
      interval: 10,
    });
  const soon = () => ({ expiresAt: new Date(Date.now() + 3_000).toISOString(), vanishes: true });

  test('ends its accepted cancel at the next look, and no later look asks about it', async () => {
    const { externalId, jobId } = await service.newJob({ cancelTakes: 3_600_000, ...soon() });

    const asked = await service.cancel({ externalId });
    await untilItVanished(jobId);
    await service.reconcile();
    const cancellation = await read(jobId);
    await service.reconcile();

    expect(asked.body).toMatchObject({ state: 'open', jobStatus: 'processing' });
    expect(cancellation).toMatchObject({ outcome: 'job_not_found', ranMs: null, creditsDebitedMeanwhile: null });
    expect(cancellation.spentMs).toMatchObject({ us: 0, person: 0 });
    expect(addedUp(cancellation)).toBe(sinceRequest(cancellation, cancellation.closedAt));
    expect(service.run.simulator.requests.count('read', jobId)).toBe(1);
    expect(await wakeUpsOf(jobId)).toEqual([]);
  });

  test('ends a cancel that was refused while it lived, too', async () => {
    const { externalId, jobId } = await service.newJob(soon());
    service.plangrepFails({ on: 'cancel', jobId, kind: 'status', status: 422 });

    const asked = await service.cancel({ externalId });
    await untilItVanished(jobId);
    await service.reconcile();

    expect(asked.body).toMatchObject({ state: 'open', jobStatus: 'processing' });
    expect(await read(jobId)).toMatchObject({ outcome: 'job_not_found', attempts: 2 });
    expect(await wakeUpsOf(jobId)).toEqual([]);
  });

  test('is asked about again if it had been seen alive after its time', async () => {
    const expiresAt = new Date(Date.now() - 7_200_000).toISOString();
    const { externalId, jobId } = await service.newJob({ cancelTakes: 3_600_000, expiresAt });
    await service.cancel({ externalId });

    service.plangrepFails({ on: 'read', jobId, kind: 'status', status: 500, times: 1 });
    await service.reconcile();
    service.plangrepFails({ on: 'read', jobId, kind: 'status', status: 404, times: 1 });
    await service.reconcile();

    expect(await read(jobId)).toMatchObject({ state: 'open' });
  });
});
