import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import { sandboxProject } from '../../functions/simulator/sandbox-jobs.ts';
import { projects } from '../../infra/scenes/stories.ts';
import { givenAttacks, see } from '../support/given-attacks.ts';
import { expectProblem, type JobNames } from '../support/given-service.ts';
import { runCommand } from '../support/run-command.ts';

/** What a partner could once do, and what it tries while Plangrep does not answer or answers oddly. */
const folder = mkdtempSync(join(tmpdir(), 'attacks-'));
const attacks = givenAttacks({ credentialsPath: join(folder, '.local', 'credentials.json') });
const { service, victimJob, expectUnknown, expectUnharmed } = attacks;
const post = (body: object, headers?: Record<string, string>) =>
  see(service, 'acme', 'POST /v1/cancellations', body, headers);
const plangrepIsDown = () => service.plangrepFails({ on: 'any', kind: 'status', status: 503 });
const plangrepIsBack = () => service.run.simulator.faults.clear();

/** From now on acme's record names these projects, and no function remembers others. */
async function setProjects(partnerId: 'acme' | 'globex', named: readonly string[]): Promise<void> {
  const { client, tableNames } = service.run.dynamodb;
  const Item = toItem({ pk: `partner#${partnerId}`, partnerId, projects: named });
  await client.send(new PutItemCommand({ TableName: tableNames.Partners, Item }));
  await attacks.restart('register-job', 'request-cancellation', 'consume-events');
}

describe('a squatter that registers while Plangrep does not answer', () => {
  test('before the owner: claims nothing, sees nothing, and the owner registers as ever', async () => {
    const names = service.newNames();
    service.run.simulator.addJob({ id: names.jobId, externalId: names.externalId, projectId: projects.globex });
    const unknown = service.newNames();
    plangrepIsDown();
    const [squatted, other] = [names, unknown].map(({ jobId, externalId }) =>
      see(service, 'acme', `PUT /v1/jobs/${jobId}`, { externalId }),
    );
    const [text, otherText] = [(await squatted)?.text, (await other)?.text];

    expect(text?.replaceAll(/job_given_\d+|order \d+|\d{4}-[-0-9T:.]+Z/g, '')).toBe(
      otherText?.replaceAll(/job_given_\d+|order \d+|\d{4}-[-0-9T:.]+Z/g, ''),
    );
    expect(JSON.parse(text ?? '')).toMatchObject({ projectId: null, verifiedAt: null });
    expect(await post({ externalId: names.externalId })).toEqual(await post({ externalId: unknown.externalId }));

    plangrepIsBack();
    const registered = await service.register(names.jobId, { externalId: names.externalId }, 'globex');
    expect(registered).toMatchObject({ status: 200, body: { verifiedAt: expect.any(String) } });
    await expectUnknown(names);
    const cancelled = await service.cancel({ externalId: names.externalId }, { partner: 'globex' });
    expect(cancelled).toMatchObject({ status: 200, body: { jobId: names.jobId, outcome: 'cancelled' } });
  });

  test('after the owner: sees of it what it sees of an unknown job, now and later', async () => {
    const [victim, unknown] = [await victimJob(), service.newNames()];
    plangrepIsDown();
    for (const { jobId, externalId } of [victim, unknown]) {
      expect(await service.register(jobId, { externalId })).toMatchObject({ status: 200, body: { verifiedAt: null } });
    }
    const answers = [victim, unknown].map(async (names) =>
      Object.values(await attacks.probe(names)).map(statusAndCode),
    );
    expect(await answers[0]).toEqual(await answers[1]);

    plangrepIsBack();
    await expectUnknown(victim);
    await expectUnharmed(victim);
  });

  test('of 20 jobs of others under one name: no candidates, no statuses, and no 503 that stays', async () => {
    const { externalId } = service.newNames();
    const victims: JobNames[] = [];
    for (let n = 0; n < 10; n += 1) victims.push(await victimJob());
    plangrepIsDown();
    const jobIds = [...victims.map(({ jobId }) => jobId), ...victims.map(({ jobId }) => `${jobId}_unknown`)];
    for (const jobId of jobIds) expect((await service.register(jobId, { externalId })).status).toBe(200);
    plangrepIsBack();

    const { reads } = await attacks.callsDuring(async () => {
      expect([404, 503]).toContain((await post({ externalId })).status);
    });

    expect(reads).toBeLessThanOrEqual(20);
    await expectUnknown({ jobId: victims[0]?.jobId ?? '', externalId });
    for (const victim of victims.slice(0, 2)) await expectUnharmed(victim);
  });
});

function statusAndCode({ status, text }: { status: number; text: string }): unknown {
  return [status, JSON.parse(text).code];
}

describe('a partner that loses a project', () => {
  let lost: JobNames;
  const key = { 'Idempotency-Key': 'from before' };
  beforeEach(async () => {
    lost = await service.newJob({ cancelTakes: 0 });
  });
  afterEach(() => setProjects('acme', [projects.acme, sandboxProject]));

  test('loses its jobs: by name, by jobId and by a key from before it reaches none', async () => {
    const bound = await service.newJob({ status: 'processing' });
    service.plangrepFails({ on: 'cancel', kind: 'status', status: 503 });
    expect((await service.cancel({ externalId: bound.externalId }, { headers: key })).status).toBe(202);
    plangrepIsBack();
    await setProjects('acme', [sandboxProject]);
    const cancels = service.run.simulator.requests.count('cancel');

    await expectUnknown({ jobId: lost.jobId, externalId: service.newNames().externalId });
    expect(await post({ externalId: lost.externalId })).toMatchObject({ status: 404 });
    expect(await post(lost)).toMatchObject({ status: 404 });
    expect(await post({ externalId: bound.externalId }, key)).toMatchObject({ status: 404 });
    expect(service.run.simulator.requests.count('cancel')).toBe(cancels);
    expect(service.run.simulator.job(lost.jobId)?.status).not.toBe('cancelled');
  });

  test('gets no candidate of it, and reaches the job that it still has', async () => {
    const { jobId } = service.newNames();
    service.run.simulator.addJob({ id: jobId, externalId: lost.externalId, projectId: sandboxProject });
    await service.register(jobId, { externalId: lost.externalId });
    await setProjects('acme', [sandboxProject]);

    const cancelled = await service.cancel({ externalId: lost.externalId });

    expect(cancelled).toMatchObject({ status: 200, body: { jobId, outcome: 'cancelled' } });
    expect(service.run.simulator.job(lost.jobId)?.status).not.toBe('cancelled');
  });

  test('costs the other partner nothing', async () => {
    const victim = await victimJob();
    await setProjects('acme', []);

    await expectUnknown(victim);
    await expectUnharmed(victim);
  });

  test('has its cancellation under way seen through', async () => {
    service.plangrepFails({ on: 'cancel', kind: 'status', status: 503 });
    expect((await service.cancel({ externalId: lost.externalId })).status).toBe(202);
    plangrepIsBack();
    await setProjects('acme', []);

    await service.reconcile();

    expect(service.run.simulator.job(lost.jobId)?.status).toBe('cancelled');
    expect((await service.show(lost.jobId)).body).toMatchObject({ outcome: 'cancelled' });
  });
});

describe('a job that moved from acme’s project to globex’s', () => {
  test('is globex’s once an operator has released it, and acme cannot take it back', async () => {
    const names = await service.newJob();
    const { jobId, externalId } = names;
    service.run.simulator.addJob({ id: jobId, projectId: projects.globex });
    const early = await service.register(jobId, { externalId }, 'globex');
    expectProblem(early, 'job_not_found');
    expect(JSON.stringify(early.body)).not.toContain('acme');

    const released = await runCommand('ops', ['job', 'release', jobId, '--why', 'moved', '--yes'], { cwd: folder });
    expect(released).toMatchObject({ code: 0 });

    await expectUnknown(names);
    expect((await service.register(jobId, { externalId }, 'globex')).status).toBe(200);
    await expectUnknown(names);
    expect((await service.cancel({ externalId }, { partner: 'globex' })).body).toMatchObject({ outcome: 'cancelled' });
    await expectUnknown(names);
  });
});

describe('Plangrep shows a job oddly:', () => {
  test.each<[string, Record<string, unknown>]>([
    ['a number for an externalId', { externalId: 42 }],
    ['an empty externalId', { externalId: '' }],
    ['a list for an externalId', { externalId: ['order'] }],
    ['another externalId', { externalId: 'order 0 ü✏️' }],
    ['another job', { id: 'job_other', externalId: undefined }],
  ])('%s: it cannot be registered under a name that it does not bear', async (_what, fields) => {
    const { jobId, externalId } = service.newNames();
    service.run.simulator.addJob({ id: jobId, externalId });
    service.plangrepFails({ on: 'read', jobId, kind: 'job', fields });

    const { status, body } = await service.register(jobId, { externalId });

    expect(status === 404 || body['verifiedAt'] === null).toBe(true);
    expect((await service.cancel({ externalId, jobId })).status).toBeGreaterThanOrEqual(404);
    expect(service.run.simulator.job(jobId)?.status).not.toBe('cancelled');
  });

  test.each<[string, Record<string, unknown>]>([
    ['no project', { projectId: undefined }],
    ['null for its project', { projectId: null }],
    ['a project that is no id', { projectId: '../x' }],
    ['a list of projects', { projectId: [projects.acme, projects.globex] }],
  ])('%s: no partner owns it until Plangrep shows whose it is', async (_what, fields) => {
    const names = service.newNames();
    const { jobId, externalId } = names;
    service.run.simulator.addJob({ id: jobId, externalId, projectId: projects.globex });
    service.plangrepFails({ on: 'read', jobId, kind: 'job', fields });

    expect((await service.register(jobId, { externalId })).body).toMatchObject({ verifiedAt: null });
    expectProblem(await service.cancel({ externalId }), 'temporarily_unavailable');
    expect((await service.list(externalId)).body).toMatchObject({
      cancellations: [],
      refusals: [{ why: 'unresolved' }],
    });

    plangrepIsBack();
    await expectUnknown(names);
    expect((await service.register(jobId, { externalId }, 'globex')).body).toMatchObject({
      projectId: projects.globex,
    });
    expect((await service.cancel({ externalId }, { partner: 'globex' })).body).toMatchObject({ outcome: 'cancelled' });
  });

  test('in the attacker’s project, by an answer to its listing: the job read decides', async () => {
    const victim = await victimJob();
    await attacks.restart('request-cancellation');
    service.plangrepFails({
      on: 'list',
      kind: 'job',
      fields: { projectId: projects.acme, externalId: victim.externalId, id: victim.jobId },
    });

    expect(await post({ externalId: victim.externalId })).toMatchObject({ status: 404 });
    plangrepIsBack();
    await attacks.restart('request-cancellation');
    await expectUnharmed(victim);
  });
});
