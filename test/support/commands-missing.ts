import { spawnSync } from 'node:child_process';

/** Those of the commands that this machine does not have. */
export function commandsMissing(needs: readonly string[]): readonly string[] {
  return needs.filter((need) => spawnSync('sh', ['-c', 'command -v "$0"', need]).status !== 0);
}
