import { expect, test } from 'vitest';
import { timestampSchema, toTimestamp } from '../../functions/core/identifiers.ts';
import { daysAfter, entryExpiry, hasExpired, isPlausible } from '../../functions/core/retention.ts';
import { registerJob } from '../../functions/core/use-cases/register-job.ts';
import { readCancellation, readCancellationsOf } from '../../functions/core/use-cases/read-cancellations.ts';
import { given, jobThatIs } from '../support/given.ts';
import { acme, documentedJob, documentedProject, jobId, order7890, retention } from '../support/names.ts';

const at = '2026-11-23T12:00:00.000Z';
const DAY_MS = 86_400_000;
const later = (days: number): string => toTimestamp(Date.parse(at) + days * DAY_MS);

test.each([
  ['the day from which Plangrep no longer shows the job', 'processing', later(7), 7],
  ['the registration, where that day is past', 'processing', later(-7), 0],
  ['the registration of a job that has ended, where Plangrep shows no day', 'completed', undefined, 0],
])('an entry counts its days from %s', async (_, status, expiresAt, from) => {
  const scene = await given({ jobs: [], projects: [documentedProject] });
  scene.plangrepAnswers({ read: jobThatIs(status, { expiresAt }) });

  expect(await register(scene)).toMatchObject({ entry: { expiresAt: later(from + retention.jobs) } });
});

test('an entry of a live job without a day has none, until a request reads that it has ended', async () => {
  const scene = await given({ jobs: [{ jobId: documentedJob }, { jobId: jobId('job_2'), msAgo: 1 }] });
  const dates = async () => {
    const { items } = await scene.ports.directory.find(acme, order7890);
    return items.map(({ expiresAt }) => expiresAt);
  };

  expect(await dates()).toEqual([undefined, undefined]);

  scene.onlyTheseEnded(documentedJob);
  await scene.cancel();

  expect(await dates()).toEqual([undefined, later(retention.jobs)]);
});

test('a job whose entry has expired is found no more, and can be registered again', async () => {
  const scene = await given({ jobs: [], projects: [documentedProject] });
  scene.plangrepAnswers({ read: jobThatIs('processing', { expiresAt: later(7) }), cancel: 'cancelled' });
  await register(scene);
  await scene.cancel();
  const page = { partnerId: acme, externalId: order7890, limit: 20, maxBytes: 1_000, bytesOf: () => 1 };

  expect(await readCancellationsOf(scene.ports, page)).toMatchObject({ views: [{ state: { jobId: documentedJob } }] });

  scene.ports.clock.advance((7 + retention.jobs) * DAY_MS);

  expect(await readCancellationsOf(scene.ports, page)).toEqual({ kind: 'job_not_found' });
  expect(await scene.cancel()).toEqual({ kind: 'job_not_found' });
  expect(await register(scene)).toMatchObject({ kind: 'registered' });
});

test('a cancellation that has expired is absent for its partner', async () => {
  const scene = await given();
  await scene.cancel();
  scene.ports.clock.advance(retention.events * DAY_MS - 1);

  expect(await readCancellation(scene.ports, acme, documentedJob)).toMatchObject({ state: { attempts: 1 } });

  scene.ports.clock.advance(1);

  expect(await readCancellation(scene.ports, acme, documentedJob)).toBeUndefined();
});

test('no date is one that cannot be read back, whatever Plangrep shows', () => {
  const expiry = entryExpiry({ jobs: 30 }, '9999-12-31T23:59:59.999Z', 0);

  expect(timestampSchema.safeParse(expiry).success).toBe(true);
  expect(entryExpiry({ jobs: 30 }, at, Date.parse(later(1)))).toBe(later(31));
});

test('a date is seconds, rounded up, and whole days after its record', () => {
  expect(daysAfter('1970-01-01T00:00:00.001Z', 1)).toBe(86_401);
  expect([hasExpired(10, 9_999), hasExpired(10, 10_000), hasExpired('10', 10_000)]).toEqual([false, true, false]);
  expect([6, 7, 3_653, 3_654].map((days) => isPlausible(daysAfter(at, days), at))).toEqual([false, true, true, false]);
  expect(isPlausible(daysAfter(at, 30) + 1, at)).toBe(false);
});

function register({ ports }: Awaited<ReturnType<typeof given>>) {
  return registerJob(ports, {
    partnerId: acme,
    externalId: order7890,
    jobId: documentedJob,
    registeredAt: toTimestamp(ports.clock.now()),
    door: 'https',
    requestId: 'r',
    untilMs: Number.MAX_SAFE_INTEGER,
  });
}
