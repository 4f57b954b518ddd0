import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';

const root = new URL('../../', import.meta.url).pathname;
const check = 'infra/check-install.cjs';
const manifestSchema = z.object({
  scripts: z.record(z.string(), z.string()),
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});
const manifest = manifestSchema.parse(JSON.parse(readFileSync(`${root}package.json`, 'utf8')));

describe('npm scripts', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'install-'));
    mkdirSync(join(folder, 'infra'));
    for (const file of [check, 'package.json']) cpSync(join(root, file), join(folder, file));
    // Like infra/build/build.ts on an old Node: it must not be reached.
    writeFileSync(join(folder, 'script.cjs'), 'console.log("reached")');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs a script as npm does, in a folder with the given packages and on a Node that says it is of that version. */
  const run = (version: string, packages: readonly string[]) => {
    rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
    for (const name of packages) {
      mkdirSync(join(folder, 'node_modules', name), { recursive: true });
      writeFileSync(join(folder, 'node_modules', name, 'package.json'), '{}');
    }
    const versions = JSON.stringify({ ...process.versions, node: version });
    writeFileSync(join(folder, 'pretend.cjs'), `Object.defineProperty(process, 'versions', { value: ${versions} });`);
    const args = ['-r', './pretend.cjs', '-r', `./${check}`, 'script.cjs'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  const all = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];

  test.each(['14.21.3', '16.20.2', '18.20.8', '20.19.0', '22.18.0', '24.1.0'])(
    'say on Node %s in one line which Node is needed',
    (version) => {
      const { status, stdout, stderr } = run(version, all);

      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(
        RegExp(`^Node 24\\.2 or newer is needed, this is ${version}: (run "npm ci"|install Node 24).*\\.\\n$`),
      );
    },
  );

  test('say that the packages are not installed', () => {
    const { status, stdout, stderr } = run('24.2.0', []);

    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe('The packages are not installed: run "npm ci" (without --omit=dev).\n');
  });

  test('name a package that is not installed', () => {
    const { status, stderr } = run(
      '24.2.0',
      all.filter((name) => name !== 'dynalite'),
    );

    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'The package dynalite is not installed: run "npm ci" (without --omit=dev).\n',
    });
  });

  test.each(['24.2.0', '24.21.0', '26.0.0'])('run on Node %s with all packages', (version) => {
    expect(run(version, all)).toEqual({ status: 0, stdout: 'reached\n', stderr: '' });
  });

  test('check that first, in a file that an old Node can read', async () => {
    const checked = Object.entries(manifest.scripts).filter(([, script]) => /\bnode /.test(script));

    expect(checked.length).toBeGreaterThan(10);
    expect(checked.filter(([, script]) => !script.replace(/^exec /, '').startsWith(`node -r ./${check} `))).toEqual([]);
    const source = readFileSync(join(root, check), 'utf8');
    await expect(transform(source, { target: 'es5' })).resolves.toMatchObject({ warnings: [] });
  });
});
