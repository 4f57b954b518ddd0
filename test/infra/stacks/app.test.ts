import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileCache } from '../../support/run-command.ts';
import { root } from './synthesized.ts';

/** The CDK app as `npx cdk synth -c …` runs it. */
function synth(context: Readonly<Record<string, string>>) {
  const outdir = mkdtempSync(join(tmpdir(), 'app-'));
  const { context: flags } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));
  const done = spawnSync(process.execPath, ['infra/app.ts'], {
    cwd: root,
    encoding: 'utf8',
    env: {
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({ ...flags, ...context }),
      CDK_VALIDATION: 'false', // A test of the checks validates the same templates.
      ...compileCache,
    },
  });
  const made = readdirSync(outdir).filter((name) => name.endsWith('.template.json'));
  return { ...done, made, template: (name: string): string => readFileSync(join(outdir, name), 'utf8') };
}

describe('the app', () => {
  test.each([
    [{ rollout: 'all-at-once' }, /^-c rollout=all-at-once needs -c why="WHO: REASON"/],
    [{ rollout: 'at-once', why: 'operator: TICKET-1' }, /^Unknown rollout/],
    [{ github: 'acme/*' }, /^-c github must be OWNER\/REPO/],
  ])('refuses %j in one line, and makes nothing', (context, why) => {
    const { status, stderr, made } = synth({ environment: 'staging', ...context });

    expect(status).toBe(1);
    expect(stderr).toMatch(why);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(made).toEqual([]);
  });

  test('makes the roles for GitHub alone, where a repository is given', () => {
    const { status, made, template } = synth({ environment: 'staging', github: 'acme/cancel' });

    expect({ status, made }).toEqual({ status: 0, made: ['GitHub.template.json'] });
    expect(template('GitHub.template.json')).toContain('repo:acme/cancel:environment:staging-read');
  });

  test('takes an override that the workflow leaves out as none', () => {
    const { status, made, template } = synth({ environment: 'staging', rollout: 'as-configured', why: '' });

    expect(status).toBe(0);
    expect(made).toEqual(['Service.template.json', 'Stateful.template.json']);
    expect(template('Service.template.json')).not.toContain('RolloutOverride');
    expect(template('Service.template.json')).toContain('LambdaCanary10Percent5Minutes');
  });
});
