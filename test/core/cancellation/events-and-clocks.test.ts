import type { Context, SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { registerJob } from '../../../functions/core/use-cases/register-job.ts';
import { handleEvents } from '../../../functions/doors/eventbridge/handle-events.ts';
import { createMemoryPorts } from '../../support/memory-ports.ts';
import { acme, documentedProject, jobId, order7890 } from '../../support/names.ts';

const MAX_RECEIVES = 6;
const MINUTE = 60;

/** Seconds after the story begins, by a clock that is right; `skew`: what its sender's clock is ahead. */
type Registration =
  | { readonly door: 'https'; readonly at: number }
  | { readonly door: 'events'; readonly at: number; readonly skew: number };

interface Job {
  readonly id: string;
  readonly createdAt: number;
  readonly registration: Registration;
  /** By itself, if ever. */
  readonly endsAt?: number | undefined;
}

interface Story {
  readonly jobs: readonly Job[];
  readonly cancel: { readonly at: number; readonly skew: number };
  /** When the queue hands the event out, again and again, and what becomes of each try. */
  readonly deliveries: readonly { readonly at: number; readonly isLost: boolean }[];
}

/** Plays a story through both doors. @returns the jobs that were cancelled at Plangrep, and when */
async function play({ jobs, cancel, deliveries }: Story): Promise<readonly { id: string; at: number }[]> {
  const ports = createMemoryPorts();
  ports.access.set(acme, { kind: 'any' });
  const startMs = ports.clock.now();
  const ms = (seconds: number): number => startMs + seconds * 1_000;
  const cancelled: { id: string; at: number }[] = [];
  const seconds = (): number => (ports.clock.now() - startMs) / 1_000;
  const statusOf = ({ id, endsAt = Infinity }: Job): string =>
    cancelled.some((one) => one.id === id) ? 'cancelled' : seconds() >= endsAt ? 'completed' : 'processing';
  const answer = (id: string) => {
    const job = jobs.find((one) => one.id === id && one.createdAt <= seconds());
    if (job === undefined) return { kind: 'not_found' } as const;
    const createdAt = toTimestamp(ms(job.createdAt));
    return {
      kind: 'job',
      job: { id: jobId(id), status: statusOf(job), projectId: documentedProject, createdAt },
    } as const;
  };
  ports.plangrep.onRead = answer;
  ports.plangrep.onCancel = (id) => {
    if (answer(id).job?.status === 'processing') cancelled.push({ id, at: seconds() });
    const after = answer(id);
    return after.kind === 'job' ? after : { kind: 'refused', httpStatus: 404 };
  };
  const handle = handleEvents(ports, { maxReceives: MAX_RECEIVES, setAside: () => Promise.resolve() });
  const consume = async (
    id: string,
    detailType: string,
    detail: object,
    time: number,
    sent: number,
    receives: number,
  ) => {
    const body = {
      partnerId: acme,
      id,
      time: new Date(ms(time)).toISOString().replace(/\.\d+Z$/, 'Z'),
      detailType,
      detail,
    };
    const attributes = { ApproximateReceiveCount: String(receives), SentTimestamp: String(ms(sent)) };
    const record = { messageId: id, body: JSON.stringify(body), attributes } as unknown as SQSRecord;
    await handle({ Records: [record] }, { getRemainingTimeInMillis: () => 30_000 } as Context);
  };
  const register = ({ id, registration }: Job): Promise<unknown> => {
    const job = { externalId: order7890, jobId: jobId(id) };
    const { at } = registration;
    if (registration.door === 'events') {
      return consume(`register-${id}`, 'Job Registered', job, at + registration.skew, at, 1);
    }
    const call = { door: 'https', requestId: id, untilMs: Infinity } as const;
    return registerJob(ports, { partnerId: acme, ...job, registeredAt: toTimestamp(ports.clock.now()), ...call });
  };
  const deliver = (at: number, n: number): Promise<void> => {
    // A redrive makes a new message of it.
    const isRedriven = n >= MAX_RECEIVES;
    const sent = isRedriven ? at : cancel.at;
    const detail = { externalId: order7890 };
    return consume(
      'cancel',
      'Job Cancellation Requested',
      detail,
      cancel.at + cancel.skew,
      sent,
      1 + (n % MAX_RECEIVES),
    );
  };
  const steps = [
    ...jobs.map((job) => ({ at: job.registration.at, act: () => register(job) })),
    ...deliveries.map(({ at, isLost }, n) => ({ at, act: async () => (isLost ? undefined : deliver(at, n)) })),
  ];
  for (const { at, act } of steps.toSorted((a, b) => a.at - b.at)) {
    ports.clock.advance(ms(at) - ports.clock.now());
    await act();
  }
  return cancelled;
}

/** Clocks of senders: right, a little off, a minute off, hours fast. A clock that is minutes slow is another sender's problem. */
const skews = fc.constantFrom(0, 0, -1, 1, -5, 5, -30, 30, -60, 60);
const fast = fc.constantFrom(0, 0, 1, 5, 30, 60, 3 * 3_600);
const registrations = (from: number, to: number): fc.Arbitrary<Registration> =>
  fc.integer({ min: from, max: to }).chain((at) =>
    fc.oneof(
      fc.constant<Registration>({ door: 'https', at }),
      fc.oneof(skews, fast).map((skew): Registration => ({ door: 'events', at, skew })),
    ),
  );
/** A try each minute, then redrives hours and days later, of which any may come to nothing. */
const deliveriesFrom = (sentAt: number, mayBeLost: boolean) =>
  fc
    .tuple(
      fc.array(mayBeLost ? fc.boolean() : fc.constant(false), { minLength: MAX_RECEIVES, maxLength: MAX_RECEIVES }),
      fc.array(fc.integer({ min: 400, max: 200_000 }), { maxLength: 3 }),
    )
    .map(([lost, redrives]) => [
      ...lost.map((isLost, n) => ({ at: sentAt + n * MINUTE, isLost })),
      ...redrives.toSorted((a, b) => a - b).map((at) => ({ at: sentAt + at, isLost: false })),
    ]);

test('a cancel and the registration of its one job, in any order within minutes: cancelled within 5 minutes', async () => {
  const stories = fc.integer({ min: 300, max: 600 }).chain((cancelAt) =>
    fc.record({
      jobs: registrations(cancelAt - 200, cancelAt + 200).map((registration) => [
        { id: 'job_1', createdAt: registration.at - 1, registration },
      ]),
      cancel: fc.record({ at: fc.constant(cancelAt), skew: fc.oneof(skews, fast) }),
      deliveries: deliveriesFrom(cancelAt, false),
    }),
  );
  await fc.assert(
    fc.asyncProperty(stories, async (story) => {
      const [first, ...more] = await play(story);
      expect(first?.id).toBe('job_1');
      expect(first?.at).toBeLessThanOrEqual(story.cancel.at + 5 * MINUTE);
      expect(more).toEqual([]);
    }),
    { seed: 13, numRuns: 400 },
  );
});

test('a job that is submitted again after the cancel is never reached, however late or often the event comes', async () => {
  const stories = fc.integer({ min: 600, max: 900 }).chain((cancelAt) =>
    fc
      .record({
        first: registrations(cancelAt - 300, cancelAt - 2),
        endsAfter: fc.constantFrom(undefined, -1, 0, 3, 90, 1_000),
        // As soon as in the next second; the registration may come minutes after that.
        createdAfter: fc.integer({ min: 1, max: 400 }),
        isSlow: fc.integer({ min: 0, max: 200 }),
        secondDoor: registrations(0, 0),
        cancel: fc.record({ at: fc.constant(cancelAt), skew: fc.oneof(skews, fast) }),
        deliveries: deliveriesFrom(cancelAt, true),
      })
      .map(({ first, endsAfter, createdAfter, isSlow, secondDoor, cancel, deliveries }): Story => {
        const createdAt = cancelAt + createdAfter;
        const endsAt = endsAfter === undefined ? undefined : cancelAt + endsAfter;
        return {
          jobs: [
            { id: 'job_1', createdAt: first.at - 1, registration: first, endsAt },
            { id: 'job_again', createdAt, registration: { ...secondDoor, at: createdAt + isSlow } },
          ],
          cancel,
          deliveries,
        };
      }),
  );
  await fc.assert(
    fc.asyncProperty(stories, async (story) => {
      expect((await play(story)).map(({ id }) => id)).not.toContain('job_again');
    }),
    { seed: 13, numRuns: 600 },
  );
});
