import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestRun, type StoredItem } from '../support/local-run.ts';
import { Random } from './simulation/random.ts';

export interface ManyOptions {
  readonly orders: number;
  /** Calls a second that Plangrep lets through, of all callers together. */
  readonly ratePerSecond: number;
  readonly seed: number;
  readonly onProgress?: (done: number, of: number) => void;
}

export interface ManyOutcome {
  readonly figures: {
    readonly orders: number;
    readonly killed: number;
    readonly cancelled: number;
    /** Cancel calls that Plangrep took, and those that it refused for its rate. */
    readonly cancelCalls: number;
    readonly limited: number;
    readonly joined: number;
    readonly resubmitted: number;
    readonly seconds: number;
  };
  readonly violations: readonly string[];
}

const ops = new URL('../../infra/cli/ops.ts', import.meta.url).pathname;
/** So many of the orders get a second job under their externalId, once the preview is made. */
const RESUBMITTED = 0.02;
/** A run that has got no further for so long hangs. */
const HANGS_MS = 120_000;

/**
 * Many at once: `ops cancel --file` against a simulator that limits its callers. The command is killed (SIGKILL) at a random
 * time of its preview and at a random order of its run, and started again: each job must be cancelled once, and none
 * that was submitted after the preview.
 */
export const runMany = async ({ orders, ratePerSecond, seed, onProgress }: ManyOptions): Promise<ManyOutcome> => {
  const random = new Random(seed);
  const folder = mkdtempSync(join(tmpdir(), 'proof-many-'));
  const run = await startTestRun({
    credentialsPath: join(folder, '.local', 'credentials.json'),
    reconcileEveryMs: 60_000,
    containersPerFunction: 4,
  });
  const began = performance.now();
  const violations: string[] = [];
  const file = join(folder, 'orders.csv');
  const journal = `${file}.cancel.jsonl`;
  const jobOf = (n: number): string => `job_many_${n}`;
  const ids = Array.from({ length: orders }, (_, n) => `many ${n} ü✏️`);
  const linesOf = followLines(journal);
  const start = (): ChildProcess =>
    spawn(process.execPath, [ops, 'cancel', '--file', file, '--partner', 'acme', '--yes', '--json'], {
      cwd: folder,
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  /** Kills the command once there are so many results. */
  const killAt = async (results: number): Promise<void> => {
    const child = start();
    const ended = once(child, 'exit');
    while (linesOf('result') < results && child.exitCode === null) await sleep(50);
    child.kill('SIGKILL');
    await ended;
  };
  try {
    for (let n = 0; n < orders; n += 50) {
      const some = ids.slice(n, n + 50);
      await Promise.all(some.map((externalId, k) => run.addJob(externalId, jobOf(n + k))));
    }
    writeFileSync(file, `externalId\n${ids.join('\n')}\n`);
    run.simulator.faults.add({ on: 'any', kind: 'rate_limit', ratePerSecond, burst: ratePerSecond });

    const inPreview = start();
    while (linesOf('borrowed') === 0) await sleep(50);
    await sleep(random.between(0, 2_000));
    inPreview.kill('SIGKILL');
    await once(inPreview, 'exit');
    await killAt(1);
    const again = ids.flatMap((externalId, n) => (random.chance(RESUBMITTED) ? [{ externalId, n }] : []));
    for (const { externalId, n } of again) await run.addJob(externalId, `${jobOf(n)}_again`);
    await killAt(1 + Math.floor(orders / 4) + random.between(0, Math.floor(orders / 2)));
    const atKill = linesOf('result');

    const last = start();
    let stderr = '';
    last.stderr?.on('data', (text) => (stderr += String(text)));
    const ended = once(last, 'exit');
    for (let [seen, since] = [0, Date.now()]; last.exitCode === null; ) {
      await Promise.race([ended, sleep(500)]);
      const now = linesOf('result');
      onProgress?.(now, orders);
      if (now > seen) [seen, since] = [now, Date.now()];
      if (Date.now() - since > HANGS_MS) last.kill('SIGKILL');
      if (last.signalCode !== null) break;
    }
    if (last.exitCode !== 0) violations.push(`the last run ended with ${last.exitCode}: ${stderr}`);
    if (atKill === 0 || atKill >= orders) violations.push(`it was killed at ${atKill} of ${orders} results`);

    const records = (await run.items('CancellationLog')).filter(({ jobId }) => String(jobId).startsWith('job_many_'));
    const calls = run.simulator.requests.all().filter(({ kind }) => kind === 'cancel');
    const taken = calls.filter(({ fault }) => fault === undefined);
    judge(
      violations,
      ids.map((_, n) => jobOf(n)),
      records,
      taken.map(({ jobId }) => String(jobId)),
    );
    return {
      figures: {
        orders,
        killed: 3,
        cancelled: ids.filter((_, n) => run.simulator.job(jobOf(n))?.status === 'cancelled').length,
        cancelCalls: taken.length,
        limited: run.simulator.requests.all().filter(({ fault }) => fault === 'rate_limit').length,
        joined: records.filter(({ type }) => type === 'joined').length,
        resubmitted: again.length,
        seconds: Math.round((performance.now() - began) / 1000),
      },
      violations,
    };
  } finally {
    await run.close();
    rmSync(folder, { recursive: true });
  }
};

/** Counts lines by their kind while a file grows: only what is new is read, because the process also plays the service. */
function followLines(path: string): (kind: string) => number {
  const counts = new Map<string, number>();
  let [offset, rest] = [0, ''];
  return (kind) => {
    if (existsSync(path)) {
      const file = openSync(path, 'r');
      const bytes = Buffer.alloc(fstatSync(file).size - offset);
      offset += readSync(file, bytes, 0, bytes.length, offset);
      closeSync(file);
      const lines = (rest + bytes.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [, name = ''] = /^\{"kind":"(\w+)"/.exec(line) ?? [];
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    }
    return counts.get(kind) ?? 0;
  };
}

/** Each job has one cancellation, closed as cancelled, and one cancel call that Plangrep took; no other job has any. */
function judge(
  violations: string[],
  jobs: readonly string[],
  records: readonly StoredItem[],
  taken: readonly string[],
): void {
  const count = (keys: readonly unknown[]): ReadonlyMap<unknown, number> => {
    const counts = new Map<unknown, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts;
  };
  const ofType = (type: string) => count(records.filter((record) => record['type'] === type).map(({ jobId }) => jobId));
  const closed = records.filter(({ type, outcome }) => type === 'closed' && outcome === 'cancelled');
  const all = { requested: ofType('requested'), closed: count(closed.map(({ jobId }) => jobId)), taken: count(taken) };
  for (const [what, counts] of Object.entries(all)) {
    for (const job of jobs) {
      const times = counts.get(job) ?? 0;
      if (times !== 1) violations.push(`${job}: ${what} ${times} times`);
    }
    for (const job of counts.keys()) {
      if (String(job).endsWith('_again')) violations.push(`${String(job)}, submitted after the preview: ${what}`);
    }
  }
}
