import { exec, execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';

const [shell, execute] = [promisify(exec), promisify(execFile)];
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

/** What the client's README tells to run: first in a checkout, then in the partner's project. */
const commands = [...readFileSync(join(root, 'client/README.md'), 'utf8').matchAll(/^```sh\n(.*)\n```$/gm)];
const [making = '', installing = ''] = commands.map(([, line = '']) => line);

/** Packs the client and installs it, by the commands of its README, before the tests of this file. */
export function givenInstalledClient(): InstalledClient {
  const place = mkdtempSync(join(tmpdir(), 'client-package-'));
  const [source, project] = [join(place, 'source'), join(place, 'partner')];
  const folder = join(project, 'node_modules/plangrep-cancellation-client');
  const files: string[] = [];
  beforeAll(async () => {
    // In a copy: two test files may do this at the same time, and what was built before is not in it.
    for (const name of ['.npmrc', 'package.json', 'LICENSE', 'infra/check-install.cjs', 'client']) {
      const filter = (path: string): boolean => !path.startsWith(join(root, 'client/dist'));
      cpSync(join(root, name), join(source, name), { recursive: true, filter });
    }
    symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'));
    await shell(making.replace('npm ci && ', ''), { cwd: source });
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{ "name": "partner", "private": true, "type": "module" }');
    const packed = readdirSync(source).find((name) => name.endsWith('.tgz')) ?? '';
    cpSync(join(source, packed), join(project, packed));
    await shell(`${installing} --offline --silent`, { cwd: project });
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    files.push(...entries.map(({ parentPath, name }) => relative(folder, join(parentPath, name))));
  }, 120_000);
  afterAll(() => rmSync(place, { recursive: true }));
  return {
    project,
    folder,
    files,
    write: (name, content) => writeFileSync(join(project, name), content),
    run: async (program, args, env = {}) =>
      (await execute(program, args, { cwd: project, env: { PATH: process.env['PATH'], ...env } })).stdout.trim(),
  };
}
