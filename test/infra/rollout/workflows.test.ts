import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { placeholdersIn } from '../../../infra/blueprint/account/placeholders.ts';
import { environmentNames, environments } from '../../../infra/blueprint/environments.ts';
import { moduleSpecifiers, targetOf } from '../../support/imports.ts';
import { rolesIn } from '../stacks/github-roles.ts';

const root = join(import.meta.dirname, '../../..');
const folder = join(root, '.github/workflows');
const workflows = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const);
const textOf = (name: string): string => new Map(workflows).get(name) ?? '';

/** A job, with its text without comments: they may name what the job does not do. */
interface Job {
  readonly name: string;
  readonly text: string;
}
const jobsOf = (workflow: string): readonly Job[] => {
  const [, jobs = ''] = workflow.split(/^jobs:\n/m);
  return [...jobs.matchAll(/^ {2}([\w-]+):\n((?: {4}.*\n|\n)*)/gm)].map(([, name = '', text = '']) => ({
    name,
    text: text.replace(/(^|\s)# .*$/gm, ''),
  }));
};
const jobs = workflows.flatMap(([file, text]) => jobsOf(text).map((job) => ({ ...job, name: `${file} ${job.name}` })));
const runsSteps = ({ text }: Job): boolean => text.includes('    steps:\n');
const environmentOf = ({ text }: Job): string | undefined => /^ {4}environment: (.+)$/m.exec(text)?.[1];
const actionsOf = ({ text }: Job): readonly string[] =>
  [...text.matchAll(/uses: (\S+)@/g)].map(([, name = '']) => name);

const privileged = jobs.filter((job) => runsSteps(job) && job.text.includes('id-token: write'));
const withSecrets = jobs.filter((job) => /\$\{\{ secrets\./.test(job.text));

describe('the workflows', () => {
  test.each(workflows)('%s pins every action by its commit, and names the release', (_, text) => {
    const used = [...text.matchAll(/uses: (\S+)(.*)$/gm)].filter(([, action]) => !action?.startsWith('./'));
    for (const [, action, comment] of used) {
      expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
      expect(comment).toMatch(/^ # v\d+\.\d+\.\d+$/);
    }
  });

  test.each(workflows)('%s has no key for AWS, and names its rights', (_, text) => {
    expect(text).not.toMatch(/aws-access-key-id|AWS_SECRET_ACCESS_KEY|permissions: write-all|pull_request_target/i);
    expect(text).toMatch(/^permissions:\n {2}contents: read$/m);
  });

  test('run the checks of npm test, and every environment’s synth', () => {
    expect(textOf('checks.yml')).toContain('bash .ci/run');
    expect(textOf('checks.yml')).toContain(`environment: [${environmentNames.join(', ')}]`);
  });

  test('build on the processor that the functions run on, where the code caches work', () => {
    const job = jobsOf(textOf('checks.yml')).find(({ name }) => name === 'test');
    expect(job?.text).toContain('upload-artifact');
    expect(job?.text).toMatch(/runs-on: \S+-arm$/m);
  });

  test('build the functions once: every other job gets the tested bundles', () => {
    const builders = jobs.filter(({ text }) => /npm run build|npm (run )?test|bash \.ci\/run/.test(text));
    expect(builders.map(({ name }) => name)).toEqual(['checks.yml test']);
  });

  test('deploy one environment after the other', () => {
    expect(textOf('deploy.yml')).toMatch(/^on:\n {2}push:\n {4}branches: \[main\]\n\n/m);
    const order = [...textOf('deploy.yml').matchAll(/^ {2}(\w+):\n {4}needs: (\w+)/gm)].map(([, job, needs]) => [
      job,
      needs,
    ]);
    expect(order).toEqual([
      ['dev', 'checks'],
      ['staging', 'dev'],
      ['prod', 'staging'],
    ]);
  });

  test('look at the account, show a diff, wait for the approval, deploy what the diff showed, and smoke test it', () => {
    const order = jobsOf(textOf('deploy-environment.yml')).map(({ name, text }) => [
      name,
      /needs: (.+)/.exec(text)?.[1],
    ]);
    expect(order).toEqual([
      ['preflight', undefined],
      ['assemble', undefined],
      ['diff', 'assemble'],
      ['deploy', '[preflight, assemble, diff]'],
      ['smoke', 'deploy'],
    ]);
    const [preflight, assemble, diff, deploy, smoke] = jobsOf(textOf('deploy-environment.yml'));
    expect(inOrder(assemble, ['name: bundles', 'npm ci', 'cdk synth', 'sha256sum', 'upload-artifact'])).toBe(true);
    for (const job of [diff, deploy]) {
      // In a separate folder: a packed file must not be able to take the place of a script.
      const unpack = [
        'download-artifact',
        'path: ${{ runner.temp }}/assembly',
        'sha256sum --check --strict',
        'tar -xf',
      ];
      expect(inOrder(job, [...unpack, 'configure-aws-credentials', 'cdk.out'])).toBe(true);
      expect(job?.text).toContain('DIGEST: ${{ needs.assemble.outputs.digest }}');
      expect(job?.text).toContain('tar -xf assembly.tar cdk.out');
    }
    expect(inOrder(preflight, ['configure-aws-credentials', 'node infra/cli/preflight.ts --environment'])).toBe(true);
    expect(diff?.text).toContain('diff -U 8');
    expect(deploy?.text).toContain('node infra/deploy/deploy-assembly.ts "$RUNNER_TEMP/assembly/cdk.out"');
    expect(inOrder(smoke, ['CANCELLATION_URL: ${{ needs.deploy.outputs.api-url }}', 'node infra/cli/smoke.ts'])).toBe(
      true,
    );
  });
});

describe('the workflow redeploy', () => {
  const text = textOf('redeploy.yml');
  const [find, deploy, rebuild, deployRebuilt] = jobsOf(text);

  test('starts by hand alone, asks where and why, and goes back to the last good build unless a commit is named', () => {
    expect(text).toMatch(/^on:\n {2}workflow_dispatch:\n/m);
    expect(text).toContain(`options: [${environmentNames.join(', ')}]`);
    expect(text).toMatch(/ {6}commit:\n {8}description: .*last good.*\n {8}type: string\n {8}default: ''/);
    expect(text).toMatch(/^run-name: .*inputs\.environment.*inputs\.why/m);
    expect(text).toMatch(/ {6}why:\n {8}description: .*\n {8}required: true/);
    expect(find?.text).toContain('node infra/deploy/find-build.ts "$ENVIRONMENT" "$COMMIT"');
    expect(packagesBehind('infra/deploy/find-build.ts')).toEqual([]);
  });

  test('takes the way of every deployment: diff, approval, smoke test', () => {
    expect(deploy?.text).toContain('uses: ./.github/workflows/deploy-environment.yml');
    expect(deploy?.text).toContain('commit: ${{ needs.find.outputs.commit }}');
    expect(deploy?.text).toContain('bundles-run: ${{ needs.find.outputs.run }}');
    expect(jobs.filter(({ text: job }) => job.includes('deploy-assembly.ts')).map(({ name }) => name)).toEqual([
      'deploy-environment.yml deploy',
    ]);
  });

  test('builds again, with every test, only where the tested bundles are gone', () => {
    expect(rebuild?.text).toContain("if: needs.find.outputs.run == ''");
    expect(rebuild?.text).toContain('uses: ./.github/workflows/checks.yml');
    expect(rebuild?.text).toContain('commit: ${{ needs.find.outputs.commit }}');
    expect(deploy?.text).toContain("if: needs.find.outputs.run != ''");
    expect(deployRebuilt?.text).toContain('needs: [find, rebuild]');
    const ofRun = ["    if: needs.find.outputs.run != ''\n", '      bundles-run: ${{ needs.find.outputs.run }}\n'];
    const alike = ofRun.reduce((job, line) => job.replace(line, ''), deploy?.text ?? '');
    expect(deployRebuilt?.text.replace('[find, rebuild]', 'find').trimEnd()).toBe(alike.trimEnd());
    expect(textOf('checks.yml').match(/ref: \$\{\{ inputs\.commit \}\}/g)).toHaveLength(2);
    expect(textOf('checks.yml')).toContain('retention-days: 90');
  });

  test('leaves the tables alone unless asked, and says who goes past a canary', () => {
    expect(deploy?.text).toContain("stacks: ${{ inputs.tables && 'Stateful Service' || 'Service' }}");
    expect(text).toMatch(/ {6}tables:\n {8}description: .*\n {8}type: boolean\n {8}default: false/);
    expect(text).toMatch(/ {6}rollout:\n(?: {8}.*\n)* {8}default: as-configured/);
    expect(deploy?.text).toContain('why: "${{ github.actor }}, run ${{ github.run_id }}: ${{ inputs.why }}"');
  });

  // What a person typed must not become part of a script.
  test.each(workflows)('%s puts no input and no outside text into a script', (_, workflow) => {
    const scripts = [...workflow.matchAll(/^(?: {6}- | {8})run: (?:\|\n((?: {10}.*\n|\n)+)|(.*)\n)/gm)].map(
      ([, block, line]) => block ?? line,
    );
    expect(scripts.length).toBeGreaterThanOrEqual(workflow.includes('steps:') ? 1 : 0);
    expect(scripts.filter((script) => /\$\{\{ (inputs|github|needs|steps)\./.test(script ?? ''))).toEqual([]);
  });
});

describe('docs/deploy.md', () => {
  const guide = readFileSync(join(root, 'docs/deploy.md'), 'utf8');

  test('names every variable and secret that the workflows read', () => {
    const read = new Set(
      workflows.flatMap(([, text]) => [...text.matchAll(/\b(?:vars|secrets)\.(\w+)/g)].map(([, name = '']) => name)),
    );

    expect([...read].toSorted()).toEqual(['AWS_REGION', 'AWS_ROLE', 'CANCELLATION_CREDENTIAL']);
    for (const name of read) expect(guide).toContain(`\`${name}\``);
  });

  test('lists first what an environment must not be deployed with', () => {
    const [, list = ''] = /## What to edit first\n(.*?)\n## /s.exec(guide) ?? [];
    const fields = new Set(
      environmentNames.flatMap((name) => placeholdersIn(environments[name]).map(({ field }) => field)),
    );

    expect(fields.size).toBe(3);
    for (const field of fields) expect(list).toMatch(new RegExp(`^\\| .*\`${field}[\`.]`, 'm'));
  });

  test('has the inputs of redeploy, and every place that has a list of the environments', () => {
    for (const input of ['tables', 'rollout: all-at-once']) expect(guide).toContain(`\`${input}\``);
    for (const name of ['deploy.yml', 'checks.yml', 'redeploy.yml']) {
      expect(guide).toContain(`.github/workflows/${name}`);
      for (const environment of environmentNames) expect(textOf(name)).toContain(environment);
    }
  });
});

function inOrder(job: Job | undefined, parts: readonly string[]): boolean {
  let at = 0;
  return parts.every((part) => {
    at = job?.text.indexOf(part, at) ?? -1;
    return at >= 0;
  });
}

describe('a job that may ask for AWS’s credentials, or holds a secret', () => {
  test('is one of these', () => {
    expect(privileged.map(({ name }) => name)).toEqual([
      'deploy-environment.yml preflight',
      'deploy-environment.yml diff',
      'deploy-environment.yml deploy',
    ]);
    expect(withSecrets.map(({ name }) => name)).toEqual(['deploy-environment.yml smoke']);
    for (const [name, text] of workflows) expect(text.split(/^jobs:/m)[0], name).not.toContain('id-token: write');
  });

  test.each([...privileged, ...withSecrets])('runs no package: $name', ({ text, ...job }) => {
    expect(text).not.toMatch(/\b(npm|npx|yarn|pnpm|corepack|pip|pipx|node_modules|cdk (synth|deploy|diff))\b/);
    // A cache that other jobs fill could hold their code.
    expect(text).not.toMatch(/cache/);
    for (const action of actionsOf({ ...job, text })) {
      expect(action).toMatch(
        /^actions\/(checkout|setup-node|(up|down)load-artifact)$|^aws-actions\/configure-aws-credentials$/,
      );
    }
    for (const [, script = ''] of text.matchAll(/\bnode (\S+)/g)) expect(packagesBehind(script)).toEqual([]);
  });

  test.each(privileged)('gets them from the step before the one that needs them: $name', (job) => {
    const [beforeLogin = '', afterLogin = ''] = job.text.split('aws-actions/configure-aws-credentials');
    expect(afterLogin).not.toContain('uses:');
    expect(beforeLogin).not.toMatch(/\baws /);
  });

  test('is checked for packages through all its imports', () => {
    expect(packagesBehind('infra/deploy/deploy-assembly.ts')).toEqual([]);
    expect(packagesBehind('infra/cli/audit/verify-table.ts')).not.toEqual([]);
  });
});

/** The packages that a script or any of its imports would load: `import type` and Node's own modules are none. */
function packagesBehind(script: string): readonly string[] {
  const reached = new Set([script]);
  const packages = new Set<string>();
  for (const file of reached) {
    expect(existsSync(join(root, file)), file).toBe(true);
    const source = readFileSync(join(root, file), 'utf8').replace(/^import type .*;$/gm, '');
    for (const specifier of moduleSpecifiers(source)) {
      const target = targetOf(file, specifier);
      if (target !== undefined) reached.add(posix.normalize(target));
      else if (!specifier.startsWith('node:')) packages.add(`${file}: ${specifier}`);
    }
  }
  return [...packages];
}

describe('the roles for the workflows', () => {
  test('are those of the jobs that ask for them, and no others', () => {
    const wanted = privileged.map((job) => environmentOf(job)?.replace('${{ inputs.environment }}', 'prod'));

    expect(new Set(wanted)).toEqual(new Set(['prod', 'prod-read']));
    expect(rolesIn('prod').map(({ subject }) => subject)).toEqual([
      'repo:acme@1/cancel@2:environment:prod-read',
      'repo:acme@1/cancel@2:environment:prod',
    ]);
  });
});
