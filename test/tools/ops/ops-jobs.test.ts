import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { createJobDirectory } from '../../../functions/adapters/dynamodb/job-directory.ts';
import { toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { releaseJob } from '../../../infra/cli/jobs/ops-jobs.ts';
import { projectIdSchema } from '../../../functions/core/identifiers.ts';
import { givenOps } from '../../support/given-ops.ts';
import { acme, documentedProject, externalId, globex, jobId } from '../../support/names.ts';
import { placeWith } from '../../support/place-with.ts';
import { createProgress } from '../../../infra/cli/terminal.ts';

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
    expect(shown).toMatchObject({ code: 1, stdout: expect.stringMatching(/^No partner owns job_ops/) });
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

/** What is left of a registration: that the job bore the externalId. */
const released = {
  jobId: expect.any(String),
  registeredAt: expect.any(String),
  releasedAt: expect.any(String),
  expiresAt: expect.any(String),
};
const entriesOf = async (name: string) => (await directory().find(acme, externalId(name))).items;

describe('job release', () => {
  test('takes a job from its owner, on record, so that another can register it', async () => {
    const names = await ops.service.newJob();
    const before = await ops.run(`job show ${names.jobId}`);
    const asked = await ops.run(`job release ${names.jobId} --why OPS-1`);
    const ended = await ops.run(`job release ${names.jobId} --why OPS-1 --yes`);
    const after = await ops.run(`job show ${names.jobId} --json`);

    expect(before).toMatchObject({ code: 0, stdout: expect.stringMatching(/^partner +acme$/m) });
    expect(before.stdout).toMatch(/^verified +\d{4}-/m);
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining(`Release ${names.jobId} from acme`) });
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('is released from acme') });
    expect(JSON.parse(after.stdout)).toMatchObject({
      owner: null,
      released: [{ partnerId: 'acme', externalId: names.externalId, why: 'OPS-1', releasedAt: expect.any(String) }],
    });
    expect(await entriesOf(names.externalId)).toEqual([released]);

    const verifiedAt = new Date().toISOString();
    const claimed = await directory().claim(globex, externalId('now-theirs'), {
      jobId: jobId(names.jobId),
      registeredAt: verifiedAt,
      verifiedAt,
    });

    expect(claimed).toMatchObject({ kind: 'claimed' });
    expect((await ops.run(`job show ${names.jobId}`)).stdout).toMatch(/^partner +globex$[^]*RELEASED/m);
  });

  test('leaves the former owner nothing, even if it registers the job again just then', async () => {
    const names = await ops.service.newJob();
    const { client, tableNames } = ops.service.run.dynamodb;
    const verifiedAt = new Date().toISOString();
    const registerAgain = () =>
      directory().claim(acme, externalId(names.externalId), {
        jobId: jobId(names.jobId),
        registeredAt: verifiedAt,
        verifiedAt,
      });
    const progress = createProgress({ write: () => true });
    const terminal = {
      json: false,
      progress,
      show: () => undefined,
      confirm: async () => undefined,
      readSecret: async () => '',
    };
    // The client is the run's own, so what this adds is removed again.
    const name = 'register-again-after-the-entry-is-replaced';
    let puts = 0;
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const result = await next(args);
          if (commandName === 'PutItemCommand') puts += 1;
          if (puts === 2 && client.middlewareStack.remove(name)) await registerAgain();
          return result;
        },
      { step: 'initialize', name },
    );
    await releaseJob.run({
      place: placeWith({ dynamodb: client, table: async () => tableNames.JobDirectory }),
      terminal,
      values: { why: 'OPS-1', environment: undefined, region: undefined, json: false, yes: true },
      argument: names.jobId,
      now: Date.now(),
    });

    expect(await entriesOf(names.externalId)).toEqual([released]);
    expect(await directory().readOwner(jobId(names.jobId))).toBeUndefined();
  });

  test('works for a job that was registered under a name that is refused today', async () => {
    const { client, tableNames } = ops.service.run.dynamodb;
    const owner = { partnerId: 'acme', externalId: 'commande-\ufffd', registeredAt: '2026-01-01T00:00:00.000Z' };
    const Item = toItem({ pk: 'job#job_latin1', sk: 'owner', ...owner });
    await client.send(new PutItemCommand({ TableName: tableNames.JobDirectory, Item }));

    expect((await ops.run('job show job_latin1')).stdout).toMatch(/^externalId +commande-\ufffd$/m);
    expect(await ops.run('job release job_latin1 --why OPS-2 --yes')).toMatchObject({ code: 0 });
  });

  test('of a job without an owner says so', async () => {
    expect(await ops.run('job release job_nobodys --why x --yes')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^No partner owns job_nobodys/),
    });
    expect(await ops.run('job release job_nobodys')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--why'),
    });
  });
});

describe('project release', () => {
  test('takes every job of a project from a partner, on record, and no other job', async () => {
    for (const n of [1, 2]) await ops.service.run.addJob(`moved ${n}`, `job_moved_${n}`);

    const verifiedAt = new Date().toISOString();
    await directory().claim(acme, externalId('in another'), {
      jobId: jobId('job_in_another'),
      projectId: projectIdSchema.parse('proj_another'),
      registeredAt: verifiedAt,
      verifiedAt,
    });
    const asked = await ops.run('project release proj_another --partner acme --why OPS-2');
    const ended = await ops.run('project release proj_another --partner acme --why OPS-2 --yes');
    const again = await ops.run('project release proj_another --partner acme --why OPS-2 --yes');
    const all = await ops.run(`project release ${documentedProject} --partner acme --why OPS-3 --yes --json`);

    expect(asked).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Release one job of proj_another from acme'),
    });
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('one job of proj_another is released') });
    expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/^acme owns no job of proj_another/) });
    expect(JSON.parse(all.stdout).released).toBeGreaterThanOrEqual(3);
    expect(await directory().readOwner(jobId('job_moved_2'))).toBeUndefined();
    expect(await entriesOf('moved 1')).toEqual([released]);
    expect((await ops.run('job show job_in_another')).stdout).toContain('OPS-2');
    expect((await ops.run('job show job_glbx00000000000000000009001')).stdout).toMatch(/^partner +globex$/m);
  });
});
