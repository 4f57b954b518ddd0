import { describe, expect, test } from 'vitest';
import { sandboxProject } from '../../functions/simulator/sandbox-jobs.ts';
import { projects } from '../../infra/scenes/stories.ts';
import { givenAttacks, see } from '../support/given-attacks.ts';
import { expectProblem } from '../support/given-service.ts';

/** acme tries to reach jobs of globex's. */
const attacks = givenAttacks();
const { service, victimJob, expectUnknown, expectUnharmed } = attacks;
const addJob = (fields: Parameters<typeof service.run.simulator.addJob>[0]) => service.run.simulator.addJob(fields);
const post = (body: object, headers?: Record<string, string>) =>
  see(service, 'acme', 'POST /v1/cancellations', body, headers);

describe("another partner's job", () => {
  test('is registered and cancelled under its own externalId: refused as unknown', async () => {
    const victim = await victimJob();

    await expectUnknown(victim);
    await expectUnharmed(victim);
  });

  test('is registered before globex has done so, and cancelled: refused as unknown, and globex comes later', async () => {
    const names = service.newNames();
    addJob({ id: names.jobId, externalId: names.externalId, projectId: projects.globex });

    await expectUnknown(names);
    expect(service.run.simulator.job(names.jobId)?.status).not.toBe('cancelled');
    const { jobId, externalId } = names;
    expect((await service.register(jobId, { externalId }, 'globex')).body).toMatchObject({ jobId, externalId });
    expect((await service.cancel({ externalId }, { partner: 'globex' })).body).toMatchObject({ outcome: 'cancelled' });
  });

  test('is looked at once it is cancelled: refused as unknown, without its pages and credits', async () => {
    const victim = await victimJob();
    await expectUnharmed(victim);

    await expectUnknown(victim);
  });

  test('is registered under a name of the attacker’s: refused as unknown', async () => {
    const victim = await victimJob();

    await expectUnknown({ jobId: victim.jobId, externalId: service.newNames().externalId });
    await expectUnharmed(victim);
  });

  test('has no externalId at Plangrep, so that any name fits: refused as unknown', async () => {
    const { jobId, externalId } = service.newNames();
    addJob({ id: jobId, externalId: null, projectId: projects.globex });

    await expectUnknown({ jobId, externalId });
    expect((await service.register(jobId, { externalId }, 'globex')).status).toBe(200);
    await expectUnknown({ jobId, externalId });
  });

  test('is one of two under one name: neither shows as a candidate', async () => {
    const [one, other] = [await victimJob(), await victimJob()];
    const { externalId } = service.newNames();
    for (const { jobId } of [one, other]) await service.register(jobId, { externalId });

    await expectUnknown({ jobId: one.jobId, externalId });
    await expectUnknown({ jobId: other.jobId, externalId });
    await expectUnharmed(one);
    await expectUnharmed(other);
  });

  test('is named by jobId beside a name that the attacker really has: refused as unknown', async () => {
    const [victim, own] = [await victimJob(), await service.newJob()];
    const { jobId } = service.newNames();

    const seen = await post({ externalId: own.externalId, jobId: victim.jobId });

    expect(seen).toEqual(await post({ externalId: own.externalId, jobId }));
    expect(seen.status).toBe(404);
    expect(service.run.simulator.job(own.jobId)?.status).not.toBe('cancelled');
    await expectUnharmed(victim);
  });

  test('was cancelled with a key, which the attacker repeats: the key means nothing to it', async () => {
    const victim = await victimJob();
    const headers = { 'Idempotency-Key': `key of ${victim.jobId}` };
    await service.cancel({ externalId: victim.externalId }, { partner: 'globex', headers });

    expect(await post({ externalId: victim.externalId }, headers)).toEqual(
      await post({ externalId: service.newNames().externalId }, { 'Idempotency-Key': service.newNames().jobId }),
    );
  });

  test('has a page of cancellations, whose cursor the attacker takes: refused', async () => {
    const { externalId } = service.newNames();
    for (const _ of [1, 2]) {
      const { jobId } = service.newNames();
      addJob({ id: jobId, externalId, projectId: projects.globex });
      await service.register(jobId, { externalId }, 'globex');
      await service.cancel({ externalId, jobId }, { partner: 'globex' });
    }
    const query = `externalId=${encodeURIComponent(externalId)}&limit=1`;
    const { body } = await service.run.call('globex', `GET /v1/cancellations?${query}`);
    expect(body['nextCursor']).toEqual(expect.any(String));

    const taken = await service.run.call('acme', `GET /v1/cancellations?${query}&cursor=${String(body['nextCursor'])}`);

    expectProblem(taken, 'invalid_request');
    expect(JSON.stringify(taken.body)).not.toContain('job_given');
  });

  test.each(['GET', 'DELETE', 'PATCH', 'POST', 'OPTIONS'])(
    'is asked for by %s, which no route of a job has: as for an unknown one',
    async (method) => {
      const victim = await victimJob();

      expect(await see(service, 'acme', `${method} /v1/jobs/${victim.jobId}`)).toEqual(
        await see(service, 'acme', `${method} /v1/jobs/${service.newNames().jobId}`),
      );
    },
  );

  test('is written to with a key that can only read: refused alike for known and unknown', async () => {
    const victim = await victimJob();
    const reader = service.run.partners.find(({ partnerId }) => partnerId === 'globex')?.readerToken;
    const headers = { Authorization: `Bearer ${reader}` };
    const seen = await attacks.callsDuring(async () => {
      for (const names of [victim, service.newNames()]) {
        const { jobId, externalId } = names;
        expectProblem(await service.cancel({ externalId }, { headers }), 'forbidden');
        expectProblem(await service.run.call('globex', `PUT /v1/jobs/${jobId}`, { externalId }, headers), 'forbidden');
      }
    });

    expect(seen).toEqual({ reads: 0, lists: 0 });
    await expectUnharmed(victim);
  });
});

describe('a project that both partners have', () => {
  const shared = (jobId: string, externalId: string | null) =>
    addJob({ id: jobId, externalId, projectId: sandboxProject });

  test('gives a job to one of them: the other sees an unknown one', async () => {
    const { jobId, externalId } = service.newNames();
    shared(jobId, externalId);
    const registered = await service.register(jobId, { externalId }, 'globex');

    await expectUnknown({ jobId, externalId });
    expect((await service.register(jobId, { externalId }, 'globex')).body).toEqual(registered.body);
    expect((await service.cancel({ externalId }, { partner: 'globex' })).status).toBe(200);
    await expectUnknown({ jobId, externalId });
  });

  test('gives a job without an externalId to one of them, under one name', async () => {
    const { jobId, externalId } = service.newNames();
    shared(jobId, null);
    await service.register(jobId, { externalId }, 'globex');

    await expectUnknown({ jobId, externalId });
    await expectUnknown({ jobId, externalId: service.newNames().externalId });
    expect((await service.cancel({ externalId }, { partner: 'globex' })).status).toBe(200);
  });

  test('gives a job that both register at once to exactly one, which alone can cancel it', async () => {
    const { jobId, externalId } = service.newNames();
    shared(jobId, externalId);
    const partners = ['acme', 'globex', 'acme', 'globex'] as const;

    const answers = await Promise.all(partners.map((partner) => service.register(jobId, { externalId }, partner)));

    const owners = new Set(partners.filter((_partner, n) => answers[n]?.status === 200));
    expect(owners.size).toBe(1);
    for (const partner of ['acme', 'globex'] as const) {
      const { status } = await service.cancel({ externalId }, { partner });
      expect(status, partner).toBe(owners.has(partner) ? 200 : 404);
    }
  });
});
