import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { environmentNames } from '../../infra/blueprint/environments.ts';

const folder = join(import.meta.dirname, '../../.github/workflows');
const workflows = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const);
const textOf = (name: string): string => new Map(workflows).get(name) ?? '';

describe('the workflows', () => {
  test.each(workflows)('%s pins every action by its commit, and names the release', (_, text) => {
    const used = [...text.matchAll(/uses: (\S+)(.*)$/gm)].filter(([, action]) => !action?.startsWith('./'));
    for (const [, action, comment] of used) {
      expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
      expect(comment).toMatch(/^ # v\d+\.\d+\.\d+$/);
    }
  });

  test.each(workflows)('%s has no key for AWS, and names its rights', (_, text) => {
    expect(text).not.toMatch(/aws-access-key-id|AWS_SECRET_ACCESS_KEY|permissions: write-all/i);
    expect(text).toMatch(/^permissions:\n {2}contents: read$/m);
  });

  test('run the checks of npm test, and every environment’s synth', () => {
    expect(textOf('checks.yml')).toContain('bash .ci/run');
    expect(textOf('checks.yml')).toContain(`environment: [${environmentNames.join(', ')}]`);
  });

  test('build on the processor that the functions run on, where the code caches work', () => {
    const [, job = ''] = /^ {2}test:\n(.*?)^ {2}\w+:/ms.exec(textOf('checks.yml')) ?? [];
    expect(job).toContain('upload-artifact');
    expect(job).toMatch(/runs-on: \S+-arm$/m);
  });

  test('deploy one environment after the other, each with what was tested, a diff and a smoke test', () => {
    const order = [...textOf('deploy.yml').matchAll(/^ {2}(\w+):\n {4}needs: (\w+)/gm)].map(([, job, needs]) => [
      job,
      needs,
    ]);
    expect(order).toEqual([
      ['dev', 'checks'],
      ['staging', 'dev'],
      ['prod', 'staging'],
    ]);
    const deploy = textOf('deploy-environment.yml');
    const steps = [
      'download-artifact',
      'cdk diff',
      'needs: diff',
      'environment: ${{ inputs.environment }}',
      'cdk deploy',
      'npm run smoke',
    ];
    const places = steps.map((step) => deploy.lastIndexOf(step));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(deploy).not.toContain('npm run build');
  });
});
