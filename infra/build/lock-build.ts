import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BEAT_EVERY_MS = 1_000;
/** A lock that does not change for so long is that of a process that was killed, even if another process has its pid now. */
const STALE_AFTER_MS = 10_000;
const LOOK_EVERY_MS = 50;

/**
 * Does the work while no other build writes to the folder: waits for the one that does. The lock of a build that was killed
 * does not count. Where the folder cannot be written, the work begins at once: it may find everything built.
 */
export async function whileLocked(
  folder: string,
  work: () => Promise<void>,
  { staleAfterMs = STALE_AFTER_MS } = {},
): Promise<void> {
  const lock = `${folder}.lock`;
  const own = `${process.pid} ${performance.timeOrigin} ${Math.random()}`;
  if (!(await take(lock, own, staleAfterMs))) {
    await work();
    return;
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(lock, now, now).catch(() => undefined); // It was taken over: the work goes on, each file is put in place whole.
  }, BEAT_EVERY_MS);
  try {
    await work();
  } finally {
    clearInterval(beat);
    if ((await contentOf(lock)) === own) await rm(lock, { force: true });
  }
}

/** @returns false where no lock can be made */
async function take(lock: string, own: string, staleAfterMs: number): Promise<boolean> {
  let seen = { state: '', at: 0 };
  for (;;) {
    try {
      await mkdir(dirname(lock), { recursive: true });
      await writeFile(lock, own, { flag: 'wx' });
      return true;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false;
      if (code !== 'EEXIST') throw error;
    }
    const content = await contentOf(lock);
    const state = `${content} ${await stat(lock).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    )}`;
    if (state !== seen.state) seen = { state, at: performance.now() };
    const isStale = performance.now() - seen.at > staleAfterMs || !isAlive(content);
    if (content !== undefined && isStale) await remove(lock, content);
    else await sleep(LOOK_EVERY_MS);
  }
}

function isAlive(content: string | undefined): boolean {
  const pid = Number(content?.split(' ', 1)[0]);
  if (!(pid > 0)) return true; // It is being written.
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Removes the lock that was seen. Another process may have done so meanwhile, and have its own lock there: that is put back. */
async function remove(lock: string, content: string): Promise<void> {
  const aside = `${lock}.${process.pid}`;
  try {
    await rename(lock, aside);
  } catch {
    return;
  }
  if ((await contentOf(aside)) === content) await rm(aside, { force: true });
  else await rename(aside, lock);
}

function contentOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
