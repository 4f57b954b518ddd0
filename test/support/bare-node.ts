import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A Node 20 of this machine, which knows nothing of the project; undefined where there is none. */
export function findNode20(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  return [...folders, '/usr/bin', '/usr/local/bin']
    .map((folder) => join(folder, 'node'))
    .find((node) => existsSync(node) && execFileSync(node, ['--version'], { env: {} }).toString().startsWith('v20.'));
}
