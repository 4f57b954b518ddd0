import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import { projects } from '../../infra/scenes/stories.ts';
import type { TableName } from '../../infra/blueprint/tables.ts';
import { givenAttacks } from '../support/given-attacks.ts';
import { expectProblem, type JobNames } from '../support/given-service.ts';

/** What is malformed of acme's costs globex nothing. What acme itself sees of it: see malformed-records.test.ts. */
const attacks = givenAttacks();
const { service, victimJob, expectUnknown, expectUnharmed } = attacks;
const put = async (table: TableName, fields: Record<string, unknown>): Promise<void> => {
  const { client, tableNames } = service.run.dynamodb;
  await client.send(new PutItemCommand({ TableName: tableNames[table], Item: toItem(fields) }));
};
let victim: JobNames;
beforeEach(async () => {
  victim = await victimJob();
});

describe('a malformed record', () => {
  test.each<[string, (names: JobNames) => Record<string, unknown>]>([
    ['a directory entry', ({ jobId, externalId }) => ({ pk: `acme#job#${externalId}`, sk: jobId, registeredAt: 7 })],
    ['an entry of no job', ({ externalId }) => ({ pk: `acme#job#${externalId}`, sk: '../x', verifiedAt: true })],
    ['an owner of another job', ({ jobId }) => ({ pk: `job#${jobId}_other`, sk: 'owner', partnerId: ['globex'] })],
  ])('under globex’s own name leaves globex’s job as it is: %s', async (_what, fields) => {
    await put('JobDirectory', fields(victim));

    await expectUnharmed(victim);
  });

  test('of acme’s partner record stops acme alone', async () => {
    await put('Partners', { pk: 'partner#acme', partnerId: 'acme', projects: { L: projects.globex } });
    await attacks.restart('register-job', 'request-cancellation', 'consume-events');

    expectProblem(await service.cancel({ externalId: victim.externalId }), 'temporarily_unavailable');
    await expectUnharmed(victim);

    await put('Partners', { pk: 'partner#acme', partnerId: 'acme', projects: [projects.acme, 'proj_sandbox'] });
    await attacks.restart('register-job', 'request-cancellation', 'consume-events');
    await expectUnknown(victim);
  });

  test('in the wake-up index hides no cancellation of globex’s, and the run counts it as failed', async () => {
    service.plangrepFails({ on: 'cancel', jobId: victim.jobId, kind: 'status', status: 503 });
    const { externalId, jobId } = victim;
    expect((await service.cancel({ externalId }, { partner: 'globex' })).status).toBe(202);
    service.run.simulator.faults.clear();
    const shards = ['0', '1', '2', '3'];
    for (const wakeShard of shards) {
      await put('CancellationLog', { pk: 'poison', sk: wakeShard, wakeShard, wakeAt: '2026-01-01T00:00:00.000Z' });
    }

    const summary = await service.reconcile();

    expect((await service.show(jobId, 'globex')).body).toMatchObject({ outcome: 'cancelled' });
    expect(summary).toMatchObject({ payload: { failed: shards.length } });
  });
});

describe('a listing of acme’s project', () => {
  const inTheList = (fields: Record<string, unknown>) => service.plangrepFails({ on: 'list', kind: 'job', fields });
  beforeEach(() => attacks.restart('request-cancellation'));

  test('with a job that cannot be read stops only the externalId that this job may have', async () => {
    const bad = service.newNames();
    const [own] = [service.newNames()];
    service.run.simulator.addJob({ id: own.jobId, externalId: own.externalId });
    inTheList({ status: 7, externalId: bad.externalId });

    expectProblem(await service.cancel({ externalId: bad.externalId }), 'temporarily_unavailable');
    expectProblem(await service.cancel({ externalId: own.externalId }), 'job_not_found');
    await expectUnharmed(victim);
  });

  test.each<[string, Record<string, unknown>]>([
    ['of another type', { id: 42, status: ['x'], externalId: { a: 1 } }],
    ['that climb', { id: '../../projects', status: 'processing' }],
    ['with a prototype', { id: '__proto__', projectId: projects.globex }],
  ])('with jobs %s reaches no job, and costs globex nothing', async (_what, fields) => {
    inTheList(fields);

    const { status } = await service.cancel({ externalId: victim.externalId });

    expect([404, 503]).toContain(status);
    await expectUnharmed(victim);
  });
});

describe('what acme writes', () => {
  test.each([
    '\u001b[2J\u202e',
    '{"code":"CANCELLATION_ESCALATED"}',
    '${jndi:ldap://x}',
    '<script>alert(1)</script>',
    "'; DROP TABLE jobs;--",
  ])('reaches no log line: %s', async (text) => {
    const printable = text.replaceAll('\u001b', '');
    const { jobId } = service.newNames();
    const externalId = `${printable} ${jobId}`;
    const before = service.run.logs.length;
    service.run.simulator.addJob({ id: jobId, externalId });
    await service.register(jobId, { externalId });
    await service.cancel({ externalId: `${externalId} unknown`, reason: printable });
    await service.cancel({ externalId, reason: printable }, { headers: { 'Idempotency-Key': jobId } });
    await service.cancel({ externalId, [printable]: 1 });
    await service.publish('Job Cancellation Requested', { externalId, reason: printable });
    await service.publish('Job Cancellation Requested', { externalId, [printable]: printable });
    await service.eventsSettled();

    const lines = service.run.logs.slice(before);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => line.includes(printable) || line.includes(JSON.stringify(printable)))).toEqual([]);
    await expectUnharmed(victim);
  });
});
