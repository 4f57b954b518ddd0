import { describe, expect, test, vi } from 'vitest';
import { projects } from '../../infra/scenes/stories.ts';
import { givenOps } from '../support/given-ops.ts';
import { givenRunbook } from './given-runbook.ts';
import type { FunctionName } from '../../infra/blueprint/functions.ts';

const ops = givenOps({ containersPerFunction: 1 });
const { service } = ops;
const follow = givenRunbook(ops, 'partners');

const show = 'npm run ops -- partner show --partner <partner> --environment prod';
const set = 'npm run ops -- partner set --partner <partner> --projects <projects> --environment prod';
/** A job in a project at Plangrep that no partner has registered. */
const unregistered = (projectId: string) => {
  const names = service.newNames();
  service.run.simulator.addJob({ id: names.jobId, externalId: names.externalId, projectId });
  return names;
};
/** What a function remembers of a partner and its lists has expired: a minute, five minutes later. */
const minutesLater = async (name: FunctionName): Promise<void> => {
  await vi.waitFor(async () =>
    expect(await service.run.lambda.invoke(name, {}, { crashes: true })).toMatchObject({
      errorType: 'Runtime.ExitError',
    }),
  );
};

describe('an operator who follows the runbook', () => {
  test('registers a job whose project cannot be listed', async () => {
    const section = follow('Listings are impossible');
    const names = unregistered(projects.acme);
    service.plangrepFails({ on: 'list', kind: 'status', status: 200, body: '<html>' });
    const refused = await service.cancel({ externalId: names.externalId });

    const { stdout } = await section.first();
    const registered = await section.type(
      'npm run ops -- job register --partner <partner> --external-id <externalId> --job <jobId> --environment prod',
      { partner: 'acme', ...names },
    );
    service.run.simulator.faults.clear();
    await minutesLater('request-cancellation');
    section.repaired();
    const again = await service.cancel({ externalId: names.externalId });
    const another = await service.cancel({ externalId: unregistered(projects.acme).externalId });
    const [logs] = await section.over();

    expect([refused, again, another].map(({ status }) => status)).toEqual([503, 200, 200]);
    expect(stdout).toMatch(new RegExp(`LISTING_IMPOSSIBLE .*projectId=${projects.acme} result=unreadable_answer`));
    expect(registered.code).toBe(0);
    expect(logs?.stdout).toContain(' PROJECT_LISTED ');
    expect(logs?.stdout).not.toContain(' LISTING_IMPOSSIBLE ');
  });

  test('corrects a partner’s record that names a project which Plangrep does not have', async () => {
    const section = follow('Listings fail');
    const names = unregistered(projects.acme);
    await ops.run('partner set --partner acme --projects proj_misspelt --yes');
    await minutesLater('request-cancellation');
    service.plangrepFails({ on: 'list', kind: 'status', status: 404, body: '{"code":"not_found"}', times: 1 });
    await service.cancel({ externalId: names.externalId });

    const { stdout } = await section.first();
    const values = { partner: 'acme', projects: projects.acme };
    const shown = await section.type(show, values);
    await section.type(set, values);
    service.run.simulator.faults.clear();
    await minutesLater('request-cancellation');
    section.repaired();
    const again = await service.cancel({ externalId: names.externalId });
    const [logs] = await section.over();

    expect(stdout).toMatch(/LISTING_FAILED .*projectId=proj_misspelt result=not_found/);
    expect(shown.stdout).toContain('proj_misspelt');
    expect(again.status).toBe(200);
    expect(logs?.stdout).toContain(' PROJECT_LISTED ');
  });

  test('gives a partner its project, and releases a job from its former owner', async () => {
    const section = follow('Ownership refused');
    const foreign = unregistered('proj_moved');
    const taken = unregistered('proj_moved');
    await ops.run(['partner', 'set', '--partner', 'globex', '--projects', `${projects.globex},proj_moved`, '--yes']);
    await minutesLater('register-job');
    await service.register(taken.jobId, { externalId: taken.externalId }, 'globex');
    const refused = await service.register(foreign.jobId, { externalId: foreign.externalId });

    const { stdout } = await section.first();
    const values = { partner: 'acme', projects: `${projects.acme},proj_moved` };
    await section.type(show, values);
    await section.type(set, values);
    await ops.run(['partner', 'set', '--partner', 'globex', '--projects', projects.globex, '--yes']);
    const owner = await section.type('npm run ops -- job show <jobId> --environment prod', { ...taken });
    const release = 'npm run ops -- project release <project> --partner <former> --why <ticket> --environment prod';
    const released = await section.type(release, { project: 'proj_moved', former: 'globex', ticket: 'TICKET-1' });
    const keys = await section.type('npm run ops -- partner-key list --partner <partner> --environment prod', values);
    const { keyId } = await ops.issueKey();
    const revoked = await section.type('npm run ops -- partner-key revoke <keyId> --environment prod', { keyId });
    await minutesLater('register-job');
    section.repaired();
    const registered = [foreign, taken].map(({ jobId, externalId }) => service.register(jobId, { externalId }));
    const statuses = (await Promise.all(registered)).map(({ status }) => status);
    const [logs] = await section.over();

    expect(refused.status).toBe(404);
    expect(stdout).toMatch(new RegExp(`OWNERSHIP_REFUSED .*jobId=${foreign.jobId} why=foreign`));
    expect(owner.stdout).toContain('globex');
    expect([released.code, keys.code, revoked.code]).toEqual([0, 0, 0]);
    expect(statuses).toEqual([200, 200]);
    expect(logs?.stdout).toContain(' JOB_REGISTERED ');
    expect(logs?.stdout).not.toContain(' OWNERSHIP_REFUSED ');
  });
});
