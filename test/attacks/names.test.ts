import { describe, expect, test } from 'vitest';
import { projects } from '../../infra/scenes/stories.ts';
import { givenAttacks } from '../support/given-attacks.ts';
import { expectProblem } from '../support/given-service.ts';

/** acme plays with names. Those that are one in Latin-1: see text-is-never-repaired.test.ts. */
const attacks = givenAttacks();
const { service, victimJob, expectUnknown, expectUnharmed } = attacks;
const addJob = (fields: Parameters<typeof service.run.simulator.addJob>[0]) => service.run.simulator.addJob(fields);

describe('a name that is nearly another’s', () => {
  const base = (jobId: string) => `Café Straße ${jobId}`;
  test.each<[string, (name: string) => string]>([
    ['decomposed', (name) => name.normalize('NFD')],
    ['in capitals', (name) => name.toUpperCase()],
    ['in small letters', (name) => name.toLowerCase()],
    ['with a space behind it', (name) => `${name} `],
    ['with a space before it', (name) => ` ${name}`],
    ['with a no-break space', (name) => name.replace(' ', '\u00a0')],
    ['with an invisible character', (name) => `${name}\u200b`],
    ['with a byte order mark in it', (name) => `${name}\ufeff`],
    ['with a fullwidth letter', (name) => name.replace('C', '\uff23')],
    ['with a plus for the space', (name) => name.replaceAll(' ', '+')],
    ['percent-encoded', (name) => encodeURIComponent(name)],
  ])('is another name: %s', async (_how, vary) => {
    const { jobId } = service.newNames();
    const externalId = base(jobId);
    addJob({ id: jobId, externalId });
    expect((await service.register(jobId, { externalId })).status).toBe(200);

    expectProblem(await service.cancel({ externalId: vary(externalId) }), 'job_not_found');
    expect((await service.list(vary(externalId))).body).toMatchObject({ cancellations: [], refusedCount: 1 });
    const free = service.newNames().jobId;
    addJob({ id: free, externalId: base(free) });
    expectProblem(await service.register(free, { externalId: vary(base(free)) }), 'job_not_found');
    expect((await service.cancel({ externalId })).status).toBe(200);
  });

  test.each([
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'a#job#b',
    '#',
    '*',
    '$ne',
    '{"$gt":""}',
    '=1+1',
  ])('is a name as any other: %s', async (externalId) => {
    const { jobId } = service.newNames();
    addJob({ id: jobId, externalId, projectId: projects.globex });
    await service.register(jobId, { externalId }, 'globex');

    await expectUnknown({ jobId, externalId });
    const { status } = await service.cancel({ externalId }, { partner: 'globex' });
    expect(status).toBe(200);
  });

  test.each([
    '..',
    '%2e%2e',
    '..%2f..%2fv1%2fjobs',
    'job%2Fcancel',
    'job%252Fcancel',
    'job%00',
    'job%0d%0aX-Injected:1',
    'job;x=1',
    'job%3Fa=b',
    'job%20',
  ])('is no jobId, and reaches Plangrep by no path: %s', async (jobId) => {
    const calls = service.run.simulator.requests.all().length;
    const answers = [
      await service.run.call('acme', `PUT /v1/jobs/${jobId}`, { externalId: 'order-1' }),
      await service.run.call('acme', `GET /v1/cancellations/${jobId}`),
      await service.cancel({ externalId: 'order-1', jobId }),
    ];

    for (const { status } of answers) expect([400, 404, 405]).toContain(status);
    expect(answers[2]?.status).toBe(400);
    expect(service.run.simulator.requests.all()).toHaveLength(calls);
  });
});

describe('a name of globex’s taken for a job of acme’s own', () => {
  test('stays acme’s own, and changes nothing for globex', async () => {
    const victim = await victimJob();
    const { jobId } = service.newNames();
    addJob({ id: jobId, externalId: null });
    expect((await service.register(jobId, { externalId: victim.externalId })).status).toBe(200);

    expect((await service.list(victim.externalId)).body).toMatchObject({ cancellations: [] });
    expect((await service.cancel({ externalId: victim.externalId })).body).toMatchObject({ jobId });
    await expectUnharmed(victim);
  });

  test('is refused for a job that Plangrep knows by another name', async () => {
    const [victim, own] = [await victimJob(), service.newNames()];
    addJob({ id: own.jobId, externalId: own.externalId });

    await expectUnknown({ jobId: own.jobId, externalId: victim.externalId });
    expect((await service.register(own.jobId, own)).status).toBe(400);
    expect((await service.register(own.jobId, { externalId: own.externalId })).status).toBe(200);
    await expectUnharmed(victim);
  });
});
