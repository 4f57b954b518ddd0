import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = new URL('../../', import.meta.url).pathname;
const source = join(root, 'test/client/node-versions');
const installed = join(root, 'node_modules/.cache/node-versions');
const names = ['package.json', 'package-lock.json'] as const;

/** The project's own Node, and the majors before it that the client promises to run on. */
export const nodeMajors = [18, 20, 22, 24] as const;
export type NodeMajor = (typeof nodeMajors)[number];

/**
 * Installs the other Nodes by their own lock file, once for this installation of the project. They are not among its packages: each job
 * that installs those would load 135 MB.
 * @returns undefined, with a message, where they cannot be installed: offline, or not on Linux. @throws instead if `CI` is set
 */
export async function installNodeVersions(): Promise<((major: NodeMajor) => string) | undefined> {
  const pathOf = (major: NodeMajor): string =>
    major === 24 ? process.execPath : join(installed, `node_modules/node-${major}-${process.arch}/bin/node`);
  const isCurrent = names.every(
    (name) =>
      existsSync(join(installed, name)) &&
      readFileSync(join(installed, name), 'utf8') === readFileSync(join(source, name), 'utf8'),
  );
  try {
    if (!isCurrent || !nodeMajors.every((major) => existsSync(pathOf(major)))) {
      mkdirSync(installed, { recursive: true });
      for (const name of names) cpSync(join(source, name), join(installed, name));
      await promisify(execFile)('npm', ['ci', '--silent', '--prefer-offline', '--ignore-scripts'], { cwd: installed });
    }
    const missing = nodeMajors.filter((major) => !existsSync(pathOf(major)));
    if (missing.length > 0) throw new Error(`There is no package of Node ${missing.join(', ')} for this machine.`);
    return pathOf;
  } catch (error) {
    if (process.env['CI']) throw error;
    console.warn(`The client is tested on this Node alone: the others could not be installed (${String(error)}).`);
    return undefined;
  }
}
