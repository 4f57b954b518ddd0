import { describe, expect, test } from 'vitest';
import { createJobDirectory } from '../../functions/adapters/dynamodb/job-directory.ts';
import { givenOps } from '../support/given-ops.ts';
import { acme, externalId, globex, jobId } from '../support/names.ts';

const ops = givenOps();
const directory = () => {
  const { client, tableNames } = ops.service.run.dynamodb;
  return createJobDirectory(client, tableNames.JobDirectory);
};

describe('job register', () => {
  test('registers no job under a name that a terminal or a script had decoded wrongly', async () => {
    const refused = await ops.run('job register --job job_ops --partner acme --external-id commande-\ufffd');

    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^--external-id must not contain U\+FFFD/);
  });

  test('registers a job that Plangrep has not confirmed: it claims nothing until its first cancel', async () => {
    const register = 'job register --job job_ops --partner acme --external-id by-hand';
    const first = await ops.run(`${register} --project proj_x`);
    const again = await ops.run(register);
    const other = await ops.run('job register --job job_ops --partner globex --external-id by-hand');
    const shown = await ops.run('job show job_ops');

    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^job_ops is registered as by-hand of acme .* unverified until its first cancel/),
    });
    expect(again).toEqual(first);
    expect(other).toMatchObject({ code: 0, stdout: expect.stringContaining('of globex') });
    expect(shown).toMatchObject({ code: 1, stdout: expect.stringMatching(/^Nobody owns job_ops/) });
    expect((await directory().find(acme, externalId('by-hand'))).items).toMatchObject([
      { jobId: 'job_ops', projectId: 'proj_x', expiresAt: expect.any(String) },
    ]);
  });

  test('changes nothing about a job that has an owner', async () => {
    await ops.service.run.addJob('owned-by-acme', 'job_owned');
    const register = 'job register --job job_owned --partner';
    const other = await ops.run(`${register} globex --external-id x`);
    const renamed = await ops.run(`${register} acme --external-id x`);
    const again = await ops.run(`${register} acme --external-id owned-by-acme`);

    for (const refused of [other, renamed]) {
      expect(refused).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining('already belongs to acme'),
      });
    }
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('verified at') });
  });
});

describe('job release', () => {
  test('takes a job from its owner, on record, so that another can register it', async () => {
    const names = await ops.service.newJob();
    const before = await ops.run(`job show ${names.jobId}`);
    const asked = await ops.run(`job release ${names.jobId} --why OPS-1`);
    const released = await ops.run(`job release ${names.jobId} --why OPS-1 --yes`);
    const after = await ops.run(`job show ${names.jobId} --json`);

    expect(before).toMatchObject({ code: 0, stdout: expect.stringMatching(/^partner +acme$/m) });
    expect(before.stdout).toMatch(/^verified +\d{4}-/m);
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining(`Release ${names.jobId} from acme`) });
    expect(released).toMatchObject({ code: 0, stdout: expect.stringContaining('is released from acme') });
    expect(JSON.parse(after.stdout)).toMatchObject({
      owner: null,
      released: [{ partnerId: 'acme', externalId: names.externalId, why: 'OPS-1', releasedAt: expect.any(String) }],
    });
    expect((await directory().find(acme, externalId(names.externalId))).items).toEqual([]);

    const verifiedAt = new Date().toISOString();
    const claimed = await directory().claim(globex, externalId('now-theirs'), {
      jobId: jobId(names.jobId),
      registeredAt: verifiedAt,
      verifiedAt,
    });

    expect(claimed).toMatchObject({ kind: 'claimed' });
    expect((await ops.run(`job show ${names.jobId}`)).stdout).toMatch(/^partner +globex$[^]*RELEASED/m);
  });

  test('of a job that nobody owns says so', async () => {
    expect(await ops.run('job release job_nobodys --why x --yes')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Nobody owns job_nobodys/),
    });
    expect(await ops.run('job release job_nobodys')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--why'),
    });
  });
});
