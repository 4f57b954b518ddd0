import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';

const exec = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;

/** A partner's project with the packed client installed. */
export interface InstalledClient {
  readonly project: string;
  /** The package's folder in it. */
  readonly folder: string;
  /** What the package contains, by path. */
  readonly files: readonly string[];
  write(name: string, content: string): void;
  /** What a program prints, in the project and without the variables of this process. */
  run(program: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
}

/** Packs the client and installs it, by npm, before the tests of this file. */
export function givenInstalledClient(): InstalledClient {
  const place = mkdtempSync(join(tmpdir(), 'client-package-'));
  const project = join(place, 'partner');
  const files: string[] = [];
  beforeAll(async () => {
    // From a copy of what is checked out: two test files may pack at the same time, and what was built before is not in it.
    const source = join(place, 'source');
    for (const name of ['package.json', 'README.md', 'build.ts', 'src']) {
      cpSync(join(root, 'client', name), join(source, 'client', name), { recursive: true });
    }
    cpSync(join(root, 'LICENSE'), join(source, 'LICENSE'));
    symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'));
    const { stdout } = await exec('npm', ['pack', '--json', '--silent', '--pack-destination', place], {
      cwd: join(source, 'client'),
      // The client's own script builds it. npm hands the root's "no install scripts" to everything that it starts.
      env: { ...process.env, npm_config_ignore_scripts: 'false' },
    });
    // What npm prints before the list comes from the scripts that it ran.
    const [packed]: { filename: string; files: { path: string }[] }[] = JSON.parse(stdout.slice(stdout.indexOf('[')));
    files.push(...(packed?.files.map(({ path }) => path) ?? []));
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{ "name": "partner", "private": true, "type": "module" }');
    await exec('npm', ['install', '--offline', '--silent', `../${packed?.filename}`], { cwd: project });
  }, 120_000);
  afterAll(() => rmSync(place, { recursive: true }));
  return {
    project,
    folder: join(project, 'node_modules/plangrep-cancellation-client'),
    files,
    write: (name, content) => writeFileSync(join(project, name), content),
    run: async (program, args, env = {}) =>
      (await exec(program, args, { cwd: project, env: { PATH: process.env['PATH'], ...env } })).stdout.trim(),
  };
}
