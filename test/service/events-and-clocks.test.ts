import { beforeEach, describe, expect, test, vi } from 'vitest';
import { givenService } from '../support/given-service.ts';

// One container, which ends before each test: so no test is answered from another's list of the jobs.
const service = givenService({ queueVisibilityMs: 800, containersPerFunction: 1 });
beforeEach(() =>
  vi.waitFor(async () => {
    const ended = await service.run.lambda.invoke('consume-events', {}, { crashes: true });
    expect(ended).toMatchObject({ errorType: 'Runtime.ExitError' });
  }),
);

const statusOf = (jobId: string) => service.run.simulator.job(jobId)?.status;
/** A job that only Plangrep knows yet. */
const submitted = () => {
  const names = service.newNames();
  service.run.simulator.addJob({ id: names.jobId, externalId: names.externalId });
  return names;
};
/** @param clockMs how far the sender's clock is ahead */
const publish = (detailType: string, detail: object, clockMs = 0) =>
  service.publish(detailType, detail, { Time: Math.floor((Date.now() + clockMs) / 1_000) });
const cancelBy = (externalId: string, clockMs = 0) => publish('Job Cancellation Requested', { externalId }, clockMs);
const registerBy = (names: object, clockMs = 0) => publish('Job Registered', names, clockMs);
/** The event was tried, and refused for now. */
const isRefused = (count: number) =>
  vi.waitFor(
    () =>
      expect(service.run.logs.filter((line) => line.includes('EVENT_REFUSED')).length).toBeGreaterThanOrEqual(count),
    {
      interval: 5,
      timeout: 10_000,
    },
  );

describe('a cancel and the registration of its job', () => {
  test.each([
    ['by events, both clocks right', 0, 0],
    ['the cancel’s clock a minute fast', 60_000, 0],
    ['the cancel’s clock 5 s slow', -5_000, 0],
    ['the registration’s clock 30 s fast', 0, 30_000],
    ['the registration’s clock hours fast', 0, 3 * 3_600_000],
    ['the registration’s clock a minute slow', 0, -60_000],
  ])('in this order end in cancelled: %s', async (_, cancelClockMs, registrationClockMs) => {
    const before = service.run.logs.filter((line) => line.includes('EVENT_REFUSED')).length;
    const names = service.newNames();

    await cancelBy(names.externalId, cancelClockMs);
    await isRefused(before + 1);
    service.run.simulator.addJob({ id: names.jobId, externalId: names.externalId });
    await registerBy(names, registrationClockMs);
    await service.eventsSettled();

    expect(statusOf(names.jobId)).toBe('cancelled');
  });

  test('in this order end in cancelled when the registration comes over HTTPS', async () => {
    const before = service.run.logs.filter((line) => line.includes('EVENT_REFUSED')).length;
    const names = service.newNames();

    await cancelBy(names.externalId, -3_000);
    await isRefused(before + 1);
    service.run.simulator.addJob({ id: names.jobId, externalId: names.externalId });
    expect((await service.register(names.jobId, { externalId: names.externalId })).status).toBe(200);
    await service.eventsSettled();

    expect(statusOf(names.jobId)).toBe('cancelled');
  });

  test.each([
    ['the cancel’s clock 5 s slow', -5_000, 0],
    ['the cancel’s clock fast', 30_000, 0],
    ['the registration’s clock 30 s fast', 0, 30_000],
    ['the registration’s clock hours fast', 0, 3 * 3_600_000],
  ])('in the other order end in cancelled: %s', async (_, cancelClockMs, registrationClockMs) => {
    const names = submitted();

    await registerBy(names, registrationClockMs);
    await service.eventsSettled();
    await cancelBy(names.externalId, cancelClockMs);
    await service.eventsSettled();

    expect(statusOf(names.jobId)).toBe('cancelled');
  });
});

describe('a job that is submitted again at once', () => {
  test.each([
    ['right', 0],
    ['a minute slow', -60_000],
    ['hours fast', 3 * 3_600_000],
  ])('is not reached by the cancel, delivered late; the clock of its registration is %s', async (_, clockMs) => {
    const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString();
    const { externalId, jobId } = service.newNames();
    const again = { externalId, jobId: `${jobId}_again` };
    service.run.simulator.addJob({ id: jobId, externalId, status: 'completed', createdAt: ago(30) });
    service.run.simulator.addJob({ id: again.jobId, externalId, createdAt: ago(5) });
    await registerBy({ externalId, jobId }, -20_000);
    await registerBy(again, clockMs - 5_000);
    await service.eventsSettled();

    await cancelBy(externalId, -10_000);
    await service.eventsSettled();

    expect(statusOf(again.jobId)).not.toBe('cancelled');
    expect((await service.show(jobId)).body).toMatchObject({ outcome: 'too_late' });
  });
});
