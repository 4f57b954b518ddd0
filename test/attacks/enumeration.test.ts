import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sandboxProject } from '../../functions/simulator/sandbox-jobs.ts';
import { projects } from '../../infra/scenes/stories.ts';
import { givenAttacks, see } from '../support/given-attacks.ts';
import { expectProblem, type JobNames } from '../support/given-service.ts';

/** acme counts, times and compares. Medians are measured by `npm run bench -- --only time-to-404`. */
const attacks = givenAttacks();
const { service, victimJob } = attacks;
const path = '/v1/cancellations';

/** Jobs of globex's that acme may ask for, and one that does not exist. */
async function jobsToAskFor(): Promise<Readonly<Record<string, JobNames>>> {
  const [unknown, taken, unregistered] = [service.newNames(), service.newNames(), service.newNames()];
  const add = ({ jobId, externalId }: JobNames, projectId: string) =>
    service.run.simulator.addJob({ id: jobId, externalId, projectId });
  add(taken, sandboxProject);
  add(unregistered, projects.globex);
  await service.register(taken.jobId, { externalId: taken.externalId }, 'globex');
  const ended = await victimJob();
  await service.cancel({ externalId: ended.externalId }, { partner: 'globex' });
  return { unknown, taken, unregistered, foreign: await victimJob(), 'foreign and cancelled': ended };
}

/** What the service asks its tables and Plangrep for while `act` runs. */
async function costOf(act: () => Promise<unknown>): Promise<object> {
  const { dynamodb, simulator } = service.run;
  const before = simulator.requests.all().length;
  dynamodb.resetCounts();
  await act();
  const plangrep = simulator.requests.all().slice(before);
  return { tables: dynamodb.counts(), plangrep: plangrep.map(({ kind }) => kind) };
}

const requests: Readonly<Record<string, (names: JobNames) => Promise<unknown>>> = {
  PUT: ({ jobId, externalId }) => see(service, 'acme', `PUT /v1/jobs/${jobId}`, { externalId }),
  POST: ({ externalId }) => see(service, 'acme', `POST ${path}`, { externalId }),
  'POST with jobId': ({ jobId, externalId }) => see(service, 'acme', `POST ${path}`, { externalId, jobId }),
  'POST with a key': ({ jobId, externalId }) =>
    see(service, 'acme', `POST ${path}`, { externalId }, { 'Idempotency-Key': jobId }),
  'GET by externalId': ({ externalId }) =>
    see(service, 'acme', `GET ${path}?externalId=${encodeURIComponent(externalId)}`),
  'GET by jobId': ({ jobId }) => see(service, 'acme', `GET ${path}/${jobId}`),
};

describe.each(Object.entries(requests))('%s', (_, ask) => {
  test('is answered alike for every job that is not acme’s, after the same calls to tables and Plangrep', async () => {
    const jobs = await jobsToAskFor();
    await attacks.restart('request-cancellation');
    await service.cancel(service.newNames()); // Lists the projects: the list is remembered from here on.
    await ask(service.newNames());
    const seen: Record<string, unknown> = {};
    const costs: Record<string, object> = {};
    for (const [kind, names] of Object.entries(jobs)) {
      costs[kind] = await costOf(async () => {
        seen[kind] = await ask(names);
      });
    }

    for (const kind of Object.keys(jobs)) {
      expect(seen[kind], kind).toEqual(seen['unknown']);
      expect(costs[kind], kind).toEqual(costs['unknown']);
    }
  });
});

describe('a registration from while Plangrep did not answer', () => {
  test('is refused by its first cancel after the same calls, whatever the job is', async () => {
    const jobs = await jobsToAskFor();
    service.plangrepFails({ on: 'read', kind: 'status', status: 503 });
    const kept = await Promise.all(
      Object.values(jobs).map(({ jobId, externalId }) => service.register(jobId, { externalId })),
    );
    expect(kept.map(({ status, body }) => [status, body['verifiedAt']])).toEqual(kept.map(() => [200, null]));
    service.run.simulator.faults.clear();
    await attacks.restart('request-cancellation');
    await service.cancel(service.newNames());

    const costs: Record<string, object> = {};
    for (const [kind, { externalId }] of Object.entries(jobs)) {
      costs[kind] = await costOf(async () => expectProblem(await service.cancel({ externalId }), 'job_not_found'));
    }

    for (const kind of Object.keys(jobs)) expect(costs[kind], kind).toEqual(costs['unknown']);
  });
});

describe('a cursor of acme’s making', () => {
  test('reads only acme’s own jobs, and is answered alike for every name', async () => {
    const { unknown, foreign } = await jobsToAskFor();
    const answers = [unknown, foreign].map((names) => {
      const { externalId = '' } = names ?? {};
      const named = JSON.stringify(['acme', externalId, 'zzz']);
      const digest = createHash('sha256').update(named).digest().subarray(0, 16);
      const cursor = Buffer.concat([digest, Buffer.from('zzz')]).toString('base64url');
      return see(service, 'acme', `GET ${path}?externalId=${encodeURIComponent(externalId)}&cursor=${cursor}`);
    });

    expect(await answers[1]).toEqual(await answers[0]);
  });
});

describe('a credential', () => {
  const tokenOf = (partnerId: string) => service.run.partners.find((one) => one.partnerId === partnerId)?.token ?? '';
  const [secret, keyId] = [(token: string) => token.slice(-43), (token: string) => token.slice(0, -44)];
  const spellings: Readonly<Record<string, () => string>> = {
    'with another partner’s key id': () => `Bearer ${keyId(tokenOf('globex'))}_${secret(tokenOf('acme'))}`,
    'with 7,000 spaces': () => `Bearer${' '.repeat(7_000)}${tokenOf('globex')}`,
    'with two spaces': () => `Bearer  ${tokenOf('globex')}`,
    'with a tab': () => `Bearer\t${tokenOf('globex')}`,
    'with a comma and another': () => `Bearer ${tokenOf('acme')}, Bearer ${tokenOf('globex')}`,
    'with a character behind it': () => `Bearer ${tokenOf('globex')}=`,
    'in small letters': () => `Bearer ${tokenOf('globex').toLowerCase()}`,
    'cut by one': () => `Bearer ${tokenOf('globex').slice(0, -1)}`,
    'without its scheme': () => tokenOf('globex'),
    'of a key that does not exist': () => `Bearer pcg_local_${'z'.repeat(12)}_${'A'.repeat(43)}`,
    'of a prototype': () => `Bearer pcg_local___proto__xyz_${'A'.repeat(43)}`,
  };

  test.each(Object.entries(spellings))('%s is a 401 as any other, for a known and an unknown job', async (_, spell) => {
    const victim = await victimJob();
    const headers = { Authorization: spell() };
    const plain = { Authorization: 'Bearer nothing' };
    const seen = [];
    for (const { jobId } of [victim, service.newNames()]) {
      for (const sent of [headers, plain])
        seen.push(await see(service, 'acme', `GET ${path}/${jobId}`, undefined, sent));
    }

    expect(seen.map((one) => one.status)).toEqual([401, 401, 401, 401]);
    expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(1);
  });

  test('with its scheme in any case is the same partner', async () => {
    const victim = await victimJob();
    for (const scheme of ['BEARER', 'bearer', 'bEaReR']) {
      const asked = { Authorization: `${scheme} ${tokenOf('acme')}` };
      expect((await see(service, 'globex', `GET ${path}/${victim.jobId}`, undefined, asked)).status).toBe(404);
    }
    await attacks.expectUnharmed(victim);
  });
});
