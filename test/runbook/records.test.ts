import {
  DeleteResourcePolicyCommand,
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import { projects } from '../../infra/scenes/stories.ts';
import { givenOps, issuedSchema } from '../support/given-ops.ts';
import { givenRunbook } from './given-runbook.ts';

const ops = givenOps();
const { service } = ops;
const follow = givenRunbook(ops, 'records');

const table = 'CancellationLog';
const checkOf = (name: string) => `npm run ops -- restore check --table ${name} --environment prod`;
const check = checkOf(table);
const verify = 'npm run ops -- audit verify --environment prod';

describe('an operator who follows the runbook', () => {
  // The first test, because a function keeps what a partner's record said for 60 s.
  test('writes a partner’s malformed record anew', async () => {
    const section = follow('Records cannot be read');
    await service.run.dynamodb.client.send(
      new UpdateItemCommand({
        TableName: 'Partners',
        Key: toItem({ pk: 'partner#acme' }),
        UpdateExpression: 'SET projects = :all',
        ExpressionAttributeValues: toItem({ ':all': 'all' }),
      }),
    );
    const { externalId } = service.newNames();
    const refused = await service.cancel({ externalId });

    const { stdout } = await section.first();
    const partner = { partner: 'acme', projects: projects.acme };
    const shown = await section.type('npm run ops -- partner show --partner <partner> --environment prod', partner);
    const set = await section.type(
      'npm run ops -- partner set --partner <partner> --projects <projects> --environment prod',
      partner,
    );
    await section.type('npm run ops -- partner-key list --partner <partner> --environment prod', partner);
    await section.type('npm run ops -- job show <jobId> --environment prod', { jobId: 'job_none' });
    const verified = await section.type(verify);
    section.repaired();
    const again = await service.cancel({ externalId });
    const [logs] = await section.over();

    expect([refused.status, again.status]).toEqual([503, 404]);
    expect(stdout).toMatch(/ dependency=partners key=partner#acme /);
    expect(shown.stdout).toContain('the record is malformed');
    expect([set.code, verified.code]).toEqual([0, 0]);
    expect(logs).toMatchObject({ code: 1, stdout: expect.stringMatching(/^No line with RECORD_UNREADABLE/) });
  });

  test('keeps a broken stream as evidence, and sees that the restored log verifies', async () => {
    const section = follow('Audit trail broken');
    const { externalId, jobId } = await service.newJob({ cancelTakes: 60_000 });
    await service.cancel({ externalId });
    const { client } = service.run.dynamodb;
    const Key = toItem({ pk: `acme#${jobId}`, sk: 'event#000001' });
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key }));
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key,
        UpdateExpression: 'SET #type = :other',
        ExpressionAttributeNames: { '#type': 'type' },
        ExpressionAttributeValues: toItem({ ':other': 'nothing' }),
      }),
    );
    await service.reconcile();

    const { stdout } = await section.first();
    const findings = await section.type(verify);
    await section.type(check);
    const copy = await section.type(
      `aws dynamodb query --table-name <table> --key-condition-expression "pk = :pk" --expression-attribute-values '{":pk":{"S":"<partner>#<jobId>"}}'`,
      { table, partner: 'acme', jobId },
    );
    await client.send(new PutItemCommand({ TableName: table, Item }));
    section.repaired();
    await service.reconcile();
    const [verified, logs] = await section.over();

    expect(stdout).toMatch(new RegExp(`STREAM_BROKEN +partnerId=acme jobId=${jobId} why=`));
    expect(findings).toMatchObject({ code: 1, stdout: expect.stringContaining(jobId) });
    expect(copy.stdout).toContain('"nothing"');
    expect(verified?.code).toBe(0);
    expect(logs?.stdout).toMatch(/^No line with STREAM_BROKEN or AUDIT_WRITE_FAILED/);
  });

  test('puts the log’s policy back that somebody has taken away', async () => {
    const section = follow('Cancellation log altered');

    const first = await section.first();
    const missing = await section.type(check);
    const prepared = await section.type(
      'npm run ops -- restore prepare --table CancellationLog --restored <table> --environment prod',
      { table },
    );
    await section.type(verify);
    const [checked, verified] = await section.over();

    expect(first.code).toBe(1);
    expect(missing).toMatchObject({ code: 1, stdout: expect.stringContaining('policy') });
    expect(prepared.code).toBe(0);
    expect([checked?.code, verified?.code]).toEqual([0, 0]);
  });

  test('revokes a key that somebody put into the partners table, and releases a job from an owner put there', async () => {
    const section = follow('Partners or job directory altered');
    const { jobId } = await service.newJob();
    const issued = await ops.run(['partner-key', 'issue', '--partner', 'acme', '--json']);
    const { keyId } = issuedSchema.parse(JSON.parse(issued.stdout));

    const first = await section.first();
    const missing = await Promise.all(['Partners', 'JobDirectory'].map((name) => section.type(checkOf(name))));
    const prepare = 'npm run ops -- restore prepare --table Partners --restored <table> --environment prod';
    await section.type(prepare, { table: 'Partners' });
    await ops.run(['restore', 'prepare', '--table', 'JobDirectory', '--restored', 'JobDirectory', '--yes']);
    const keys = await section.type('npm run ops -- partner-key list --environment prod');
    await section.type('AWS_PROFILE=partners-prod npm run ops -- partner-key revoke <keyId> --environment prod', {
      keyId,
    });
    const shown = await section.type('npm run ops -- job show <jobId> --environment prod', { jobId });
    const released = await section.type(
      'AWS_PROFILE=jobs-prod npm run ops -- job release <jobId> --why <ticket> --environment prod',
      { jobId, ticket: 'T-1' },
    );
    const left = await ops.run(['partner-key', 'list']);
    const ends = await section.over();

    expect(first.code).toBe(1);
    for (const { code, stdout } of missing)
      expect({ code, stdout }).toMatchObject({ code: 1, stdout: expect.stringContaining('policy') });
    expect(keys.stdout).toContain(keyId);
    expect(left.stdout).toMatch(new RegExp(`${keyId}.* revoked`));
    expect([shown.code, released.code]).toEqual([0, 0]);
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
  });

  test('sets a table’s settings that somebody has changed', async () => {
    const section = follow('Table settings changed');
    const { client } = service.run.dynamodb;
    const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
    await client.send(new DeleteResourcePolicyCommand({ ResourceArn: Table?.TableArn }));
    await client.send(new UpdateTableCommand({ TableName: table, DeletionProtectionEnabled: false }));

    const first = await section.first();
    const lookups = ['DeleteResourcePolicy', 'StopLogging'].map(
      (call) =>
        `aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=${call} --max-items 10`,
    );
    await Promise.all(lookups.map((lookup) => section.type(lookup)));
    await section.type('aws cloudtrail start-logging --name plangrep-cancellation-prod');
    const changed = await section.type(check);
    const others = await Promise.all(['JobDirectory', 'Partners'].map((name) => section.type(checkOf(name))));
    const prepared = await section.type(
      'AWS_PROFILE=restore-prod npm run ops -- restore prepare --table CancellationLog --restored <table> --environment prod',
      { table },
    );
    const written = await section.type('npm run ops -- logs TABLE_WRITTEN --since 1d --environment prod');
    await section.type(verify);
    const ends = await section.over();

    expect([first.code, written.code]).toEqual([1, 1]);
    expect(changed.stdout).toMatch(/deletion protection +off +on[^]*policy +none +as defined/);
    expect(others.map(({ code }) => code)).toEqual([0, 0]);
    expect(prepared.code).toBe(0);
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    // Sixteen commands, each a process.
  }, 60_000);
});
