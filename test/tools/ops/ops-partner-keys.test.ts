import { createHash } from 'node:crypto';
import { paginateScan, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { createPartners } from '../../../functions/adapters/dynamodb/partners.ts';
import { fromItem, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { sandboxProject } from '../../../functions/simulator/sandbox-jobs.ts';
import { givenOps } from '../../support/given-ops.ts';
import { acme } from '../../support/names.ts';

const ops = givenOps();

const read = async (credential: string): Promise<number> => {
  const headers = { Authorization: `Bearer ${credential}` };
  const { status } = await fetch(`${ops.service.run.baseUrl}/v1/cancellations?externalId=order-7890`, { headers });
  return status;
};
const partnersTable = async (): Promise<Record<string, unknown>[]> => {
  const { client, tableNames } = ops.service.run.dynamodb;
  const found: Record<string, unknown>[] = [];
  const pages = paginateScan({ client }, { TableName: tableNames.Partners });
  for await (const { Items = [] } of pages) found.push(...Items.map(fromItem));
  return found;
};

describe('partner-key', () => {
  test('issues a key that works, shows it once, and stores only its hash', async () => {
    const { stdout, stderr, code } = await ops.run('partner-key issue --partner acme --scopes cancellations:read');
    const [credential = '', keyId = '', secret = ''] = /pcg_local_([A-Za-z0-9]{12})_([\w-]{43})/.exec(stdout) ?? [];

    const status = await read(credential);
    const table = await partnersTable();
    const listed = await Promise.all([ops.run('partner-key list'), ops.run('partner-key list --json')]);

    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toContain('shown once');
    expect(stdout.split(secret)).toHaveLength(2);
    expect(status).toBe(200);
    const secretHash = createHash('sha256').update(secret).digest('hex');
    const scopes = new Set(['cancellations:read']);
    expect(table.find(({ pk }) => pk === `key#${keyId}`)).toEqual({
      pk: `key#${keyId}`,
      partnerId: 'acme',
      secretHash,
      scopes,
      createdAt: expect.any(String),
    });

    expect(listed[0].stdout).toMatch(new RegExp(`^${keyId}  acme +cancellations:read +\\S+Z  never +live$`, 'm'));
    const everything = [...listed.map((one) => one.stdout), ...ops.service.run.logs, JSON.stringify(table)];
    expect(everything.filter((one) => one.includes(secret))).toEqual([]);
    expect(listed.filter((one) => one.stdout.includes(secretHash))).toEqual([]);
  });

  test('asks before it issues a key for a partner without a record, and says what adds the partner', async () => {
    const keysOf = async () =>
      (await partnersTable()).filter(({ partnerId, secretHash }) => partnerId === 'acmee' && secretHash);
    const refused = await ops.run('partner-key issue --partner acmee');
    const before = await keysOf();
    const forced = await ops.run('partner-key issue --partner acmee --yes --json');

    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(
      /^There is no partner acmee \(local\): "npm run ops -- partner add --partner acmee" adds it\..* pass --yes\.\n$/,
    );
    expect(before).toEqual([]);
    expect(forced).toMatchObject({ code: 0, stderr: '' });
    expect(await keysOf()).toHaveLength(1);
  });

  test('revokes a key, which is then rejected, once the operator has confirmed', async () => {
    const { credential, keyId } = await ops.issueKey('--expires-in-days 2');
    const before = await read(credential);
    const refused = await ops.run(`partner-key revoke ${keyId}`);
    const between = await read(credential);
    const revoked = await ops.run(`partner-key revoke ${keyId} --yes`);
    const after = await read(credential);
    const [again, listed] = await Promise.all([
      ops.run(`partner-key revoke ${keyId}`),
      ops.run('partner-key list --partner acme'),
    ]);

    expect([before, between, after]).toEqual([200, 200, 401]);
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^Revoke key .* --yes\.\n$/) });
    expect(revoked).toMatchObject({ code: 0, stdout: expect.stringContaining('within 60 s') });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('was revoked at') });
    expect(listed.stdout).toMatch(new RegExp(`^${keyId}  acme .* revoked$`, 'm'));
  });

  test('lists a key whose time is over as expired, and says when a partner has no key', async () => {
    const key = {
      pk: 'key#expired00001',
      partnerId: 'old-one',
      secretHash: 'f'.repeat(64),
      scopes: new Set(['jobs:write']),
    };
    const times = { createdAt: '2026-01-01T00:00:00.000Z', expiresAt: '2026-02-01T00:00:00.000Z' };
    const { client, tableNames } = ops.service.run.dynamodb;
    await client.send(new PutItemCommand({ TableName: tableNames.Partners, Item: toItem({ ...key, ...times }) }));

    const [old, none] = await Promise.all([
      ops.run('partner-key list --partner old-one'),
      ops.run('partner-key list --partner keyless'),
    ]);

    expect(old.stdout).toMatch(/^expired00001 .* expired$/m);
    expect(none).toMatchObject({ code: 1, stdout: 'keyless has no key (local).\n' });
  });
});

describe('partner set', () => {
  test("writes a partner's projects, and asks before it drops one", async () => {
    const { client, tableNames } = ops.service.run.dynamodb;
    const readProjects = async () => {
      const access = await createPartners(client, tableNames.Partners, { now: () => 0 }).accessOf(acme);
      return access.kind === 'any' ? [] : access.projects;
    };
    const before = await readProjects();
    const added = await ops.run(`partner set --partner acme --projects ${[...before, 'proj_x'].join(',')}`);
    const refused = await ops.run('partner set --partner acme --projects proj_x');

    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(`Drop ${before.join(', ')}`) });
    expect(await readProjects()).toEqual([...before, 'proj_x']);
  });

  test('gives the one partner of an organization every project, and asks before it takes that back', async () => {
    const all = await ops.run('partner set --partner solo --projects any --yes');
    const refused = await ops.run('partner set --partner solo --projects proj_x');
    const taken = await ops.run('partner set --partner solo --projects proj_x --yes');

    expect(all).toMatchObject({ code: 0, stdout: 'solo (local): any project\n' });
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('Drop "any" from solo') });
    expect(taken).toMatchObject({ code: 0, stdout: 'solo (local): proj_x\n' });
  });

  test('asks before two partners have the same project, by name or by any, but for the sandbox’s', async () => {
    await ops.run('partner set --partner first --projects proj_first,proj_both');
    const set = await ops.run('partner set --partner second --projects proj_second,proj_both');
    const added = await ops.run('partner add --partner second --projects proj_both');
    const any = await ops.run('partner set --partner second --projects any');
    const sandbox = await ops.run(`partner set --partner second --projects ${sandboxProject}`);
    const allowed = await ops.run('partner set --partner second --projects any --yes');
    const beside = await ops.run('partner set --partner third --projects proj_third');
    await ops.run('partner set --partner second --projects proj_second --yes');

    for (const refused of [set, added]) {
      expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('proj_both (first)') });
    }
    expect(any).toMatchObject({ code: 2, stderr: expect.stringContaining('proj_first, proj_both (first)') });
    expect([sandbox.code, allowed.code]).toEqual([0, 0]);
    expect(beside).toMatchObject({ code: 2, stderr: expect.stringContaining('proj_third (second)') });
  });
});
