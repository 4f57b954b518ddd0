import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { envelope, readBatchFailures, sqsEvent, sqsRecord } from '../proof/crash/invocations.ts';
import { eventDoor } from '../../infra/blueprint/bus-events.ts';
import { givenAttacks } from '../support/given-attacks.ts';
import { expectProblem } from '../support/given-service.ts';

/** acme tries to make the service work much, so that globex waits. */
const attacks = givenAttacks();
const { service, victimJob, callsDuring, expectUnknown, expectUnharmed } = attacks;
const ownJob = (externalId: string | null) => {
  const { jobId } = service.newNames();
  service.run.simulator.addJob({ id: jobId, externalId });
  return jobId;
};
const inDirectory = async (externalId: string) =>
  (await service.run.items('JobDirectory')).filter(({ pk }) => pk === `acme#job#${externalId}`);

/** Delivers an event until it is done with, or goes to the dead letters. @returns how often it was delivered */
async function deliver(detailType: 'Job Cancellation Requested' | 'Job Registered', detail: object): Promise<number> {
  const body = envelope('acme', randomUUID(), detailType, detail, Date.now());
  for (let receives = 1; receives <= eventDoor.maxReceives; receives += 1) {
    const batch = sqsEvent(sqsRecord('message', body, receives));
    const failed = readBatchFailures(await service.run.lambda.invoke('consume-events', batch));
    if (failed?.length === 0) return receives;
  }
  return eventDoor.maxReceives;
}

describe('300 jobs registered under one name', () => {
  const externalId = 'a name of 300 jobs';
  let full: string[] = [];
  beforeAll(async () => {
    full = Array.from({ length: 300 }, () => ownJob(externalId));
  });

  test('are 20: each further one is refused, after at most 20 job reads', async () => {
    for (const [n, jobId] of full.entries()) {
      const { reads } = await callsDuring(async () => {
        const { status } = await service.register(jobId, { externalId });
        expect(status).toBe(n < 20 ? 200 : 409);
      });
      expect(reads).toBeLessThanOrEqual(20);
    }

    expect(await inDirectory(externalId)).toHaveLength(20);
  }, 60_000);

  test('make no request read more than 20 jobs, however often it is repeated', async () => {
    for (let repeat = 0; repeat < 5; repeat += 1) {
      const { reads } = await callsDuring(async () =>
        expectProblem(await service.cancel({ externalId }), 'ambiguous_external_id'),
      );
      expect(reads).toBeLessThanOrEqual(20);
    }
  });

  test('make no event read more than 20 jobs, over all its deliveries', async () => {
    const cancel = await callsDuring(async () =>
      expect(await deliver('Job Cancellation Requested', { externalId })).toBe(eventDoor.maxReceives),
    );
    const jobId = full.at(-1);
    const register = await callsDuring(async () =>
      expect(await deliver('Job Registered', { externalId, jobId })).toBe(eventDoor.maxReceives),
    );

    expect(cancel.reads).toBeLessThanOrEqual(20);
    expect(register.reads).toBeLessThanOrEqual(20);
  });

  test('leave globex its share: its jobs are registered, cancelled and read meanwhile', async () => {
    const victims = [await victimJob(), await victimJob(), await victimJob()];
    const flood = Promise.all(Array.from({ length: 60 }, () => service.cancel({ externalId })));

    for (const victim of victims) await expectUnharmed(victim);
    for (const { status } of await flood) expect(status).toBe(409);
  });

  test('can be used again when their jobs have ended', async () => {
    for (const jobId of full.slice(0, 20)) service.run.simulator.addJob({ id: jobId, status: 'completed' });
    const jobId = ownJob(externalId);

    expect((await service.register(jobId, { externalId })).status).toBe(200);
    const { reads } = await callsDuring(async () => {
      for (let tries = 0, status = 503; status === 503 && tries < 5; tries += 1) {
        ({ status } = await service.cancel({ externalId }));
      }
    });

    expect(service.run.simulator.job(jobId)?.status).toBe('cancelled');
    expect(reads).toBeLessThanOrEqual(40);
  });
});

describe('registrations', () => {
  test('that race past the limit of 20 make no request or event read more', async () => {
    const { externalId } = service.newNames();
    const jobIds = Array.from({ length: 25 }, () => ownJob(externalId));

    const answers = await Promise.all(jobIds.map((jobId) => service.register(jobId, { externalId })));

    expect(new Set(answers.map(({ status }) => status)).isSubsetOf(new Set([200, 409]))).toBe(true);
    const request = await callsDuring(() => service.cancel({ externalId }));
    // In the second of the registrations an event would mean the first of them.
    await sleep(1_000 - (Date.now() % 1_000));
    const event = await callsDuring(() => deliver('Job Cancellation Requested', { externalId }));
    expect(request.reads).toBeLessThanOrEqual(20);
    expect(event.reads).toBeLessThanOrEqual(20);
    expectProblem(await service.register(ownJob(externalId), { externalId }), 'too_many_jobs');
  });

  test('of 300 foreign and unknown jobs cost one job read each, and leave nothing', async () => {
    const victim = await victimJob();
    const { externalId } = service.newNames();
    const { reads } = await callsDuring(async () => {
      for (let n = 0; n < 150; n += 1) {
        const answers = [service.register(victim.jobId, { externalId }), service.register(`job_${n}`, { externalId })];
        for (const answered of await Promise.all(answers)) expectProblem(answered, 'job_not_found');
      }
    });

    expect(reads).toBe(300);
    expect(await inDirectory(externalId)).toEqual([]);
    await expectUnharmed(victim);
  }, 60_000);
});

describe('unknown names', () => {
  test('make the service list each project at most once in 30 s, and read no job', async () => {
    await attacks.restart('request-cancellation', 'consume-events');
    const request = await callsDuring(() =>
      Promise.all(
        Array.from({ length: 100 }, async () =>
          expectProblem(await service.cancel(service.newNames()), 'job_not_found'),
        ),
      ),
    );
    const event = await callsDuring(async () => {
      for (let n = 0; n < 5; n += 1) {
        await deliver('Job Cancellation Requested', { externalId: service.newNames().externalId });
      }
    });

    // acme's record names two projects.
    expect([request, event]).toEqual([
      { reads: 0, lists: 2 },
      { reads: 0, lists: 2 },
    ]);
  });

  test('do not make Plangrep list again when it is down: globex is served from what it has', async () => {
    const victim = await victimJob();
    await attacks.restart('request-cancellation');
    service.plangrepFails({ on: 'list', kind: 'status', status: 503 });
    const { lists } = await callsDuring(async () => {
      for (let n = 0; n < 20; n += 1) {
        const answered = await service.cancel({ externalId: service.newNames().externalId });
        expectProblem(answered, 'temporarily_unavailable');
      }
    });

    expect(lists).toBeLessThanOrEqual(2);
    await expectUnharmed(victim);
    await attacks.restart('request-cancellation');
  });
});

describe('120 events of acme’s', () => {
  test('wait behind one of globex’s, which is done among the first', async () => {
    const { queue, simulator } = service.run;
    const victim = await victimJob();
    const jobs = await Promise.all(Array.from({ length: 120 }, () => service.newJob()));
    service.plangrepFails({ on: 'cancel', kind: 'late', delayMs: 300 });
    await Promise.all(jobs.map(({ externalId }) => service.publish('Job Cancellation Requested', { externalId })));
    await service.publish('Job Cancellation Requested', victim, { Source: 'partner.globex' });
    const waited = queue.waiting().length;

    await vi.waitFor(() => expect(simulator.job(victim.jobId)?.status).toBe('cancelled'), 10_000);

    // Two batches are under way when it arrives, and it is in the next one.
    expect(waited - queue.waiting().length).toBeLessThanOrEqual(60);
    await service.eventsSettled();
    for (const { jobId } of jobs) expect(simulator.job(jobId)?.status).toBe('cancelled');
  }, 60_000);
});

describe('a large or odd request', () => {
  test.each<[string, string | Buffer<ArrayBuffer>]>([
    ['8 MB', JSON.stringify({ externalId: 'x'.repeat(8_000_000) })],
    ['700 unknown fields', `{${Array.from({ length: 700 }, (_, n) => `"f${n}":1`).join()}}`],
    ['an array of 4,000 zeros', `[${'0,'.repeat(3_999)}0]`],
    ['a depth of 4,000', `${'['.repeat(4_000)}${']'.repeat(4_000)}`],
    ['1,000 times one key', `{${'"externalId":"a",'.repeat(400)}"externalId":"b"}`],
    ['a long run of backslashes', `{"externalId":"${'\\\\'.repeat(4_000)}`],
    ['zero bytes', Buffer.alloc(8_000)],
  ])('is refused at once, and costs Plangrep nothing: %s', async (_what, body) => {
    const began = performance.now();
    const { reads, lists } = await callsDuring(async () => {
      expect([400, 413]).toContain((await service.cancel(body)).status);
    });

    expect({ reads, lists }).toEqual({ reads: 0, lists: 0 });
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test('changes nothing about what a job that does not exist looks like', () => expectUnknown(service.newNames()));
});
