import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { roleNameOf, roleNames } from '../../infra/blueprint/access/roles.ts';
import { projects } from '../../infra/scenes/stories.ts';
import { givenOps } from '../support/given-ops.ts';
import { isOnlyChecked, typeAws } from './given-runbook.ts';
import { canaries } from '../support/local-run.ts';
import { runCommand } from '../support/run-command.ts';
import { allSections, wordsOf } from './runbook-sections.ts';

const ops = givenOps();
const { service } = ops;
const section = allSections.find(({ title }) => title === 'The region is down');
const commands = section?.commands ?? [];
/** In the text of this section and of "Restoring a table". */
const inline = allSections
  .filter(({ title }) => ['The region is down', 'Restoring a table'].includes(title))
  .flatMap(({ text }) => [...text.matchAll(/`(aws [^`]+ --[^`]+)`/g)].map(([, command = '']) => command));

/** Types a command of the section that calls Plangrep. Here that is the simulator. */
async function callPlangrep(part: string, values: Readonly<Record<string, string>>): Promise<string> {
  const command = commands.find((one) => one.startsWith('curl ') && one.includes(part)) ?? 'false';
  const filled = Object.entries(values).reduce((line, [name, value]) => line.replaceAll(`<${name}>`, value), command);
  const typed = filled.replace('https://plangrep.com', service.run.plangrepUrl);
  const env = { PATH: process.env['PATH'] ?? '', PLANGREP_KEY: canaries.apiKey };
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', typed], { env });
  return stdout;
}

describe('an operator whose region is down', () => {
  test('cancels a job by hand, and the reconciler closes its cancellation afterwards', async () => {
    const { externalId, jobId } = await service.newJob({ projectId: projects.acme });
    service.plangrepFails({ on: 'any', kind: 'status', status: 503 });
    await service.cancel({ externalId });
    service.run.simulator.faults.clear();

    const listed = await callPlangrep('/jobs"', { projectId: projects.acme });
    const cancelled = await callPlangrep('/cancel"', { jobId });
    await service.reconcile();
    const shown = await ops.run(`cancellations show ${jobId}`);
    const verified = await ops.run('audit verify');

    expect(listed).toContain(externalId);
    expect(JSON.parse(cancelled)).toMatchObject({ job: { id: jobId, status: 'cancelled' } });
    expect(shown.stdout).toMatch(/^state +closed: cancelled$/m);
    expect(verified.code).toBe(0);
  });

  test('sees that it is over when the smoke test passes', async () => {
    const { baseUrl, partners } = service.run;

    const { code } = await runCommand('smoke', ['--url', baseUrl], {
      env: { CANCELLATION_CREDENTIAL: partners[0]?.token ?? '' },
    });

    expect(code).toBe(0);
  });

  test('takes away every role that the service has, and no other', () => {
    const [, named = ''] =
      /^for role in (.*); do$/.exec(commands.find((one) => one.startsWith('for role')) ?? '') ?? [];
    const ofService = roleNames.filter((role) => role !== 'simulate-plangrep');

    expect(named.split(' ').toSorted()).toEqual(ofService.toSorted());
    expect(roleNameOf('prod', 'consume-events')).toBe('plangrep-cancellation-prod-consume-events');
    expect(commands).toContain('aws iam delete-role --role-name plangrep-cancellation-prod-$role');
  });

  test('knows commands that the AWS CLI takes', async () => {
    const typed = [...commands.filter((one) => one.startsWith('aws ')), ...inline];
    const filled = typed.map((command) =>
      command
        .replaceAll('<second region>', 'eu-west-1')
        .replaceAll(/<[\w ]+>/g, 'a-value-as-long-as-the-name-of-a-resource'),
    );

    const ends = await Promise.all(filled.map((command) => typeAws(ops, wordsOf(command).slice(1), 'only checked')));

    expect(ends.length).toBeGreaterThan(4);
    for (const [at, ended] of ends.entries())
      expect({ command: filled[at], ended }).toMatchObject({ ended: isOnlyChecked });
  });
});
