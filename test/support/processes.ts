import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const hasProc = existsSync('/proc/self/stat');

/** @returns false also for a zombie: a process that has ended, and whose parent has not read its exit code */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !hasProc || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** The pids of a process's children. */
export function childrenOf(pid: number): number[] {
  const listed = hasProc
    ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    : execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
  return listed.split(/\s+/).filter(Boolean).map(Number);
}
