import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const hasProc = existsSync('/proc/self/stat');

/** Whether a process still runs: one that ended and that nobody has buried yet does not. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !hasProc || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

/** The pids of a process's children. */
export const childrenOf = (pid: number): number[] => {
  const listed = hasProc
    ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    : execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
  return listed.split(/\s+/).filter(Boolean).map(Number);
};
