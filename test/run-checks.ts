import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import * as z from 'zod/mini';

/** `npm test`: every check in the order that fails soonest, and where its time went. Arguments go to vitest. */
interface Step {
  readonly name: string;
  /** A line for the shell. */
  readonly command: string;
  readonly args?: readonly string[];
}
interface Ended extends Step {
  readonly seconds: number;
  readonly code: number;
  readonly output: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const { scripts } = z
  .object({ scripts: z.object({ types: z.string(), lint: z.string(), build: z.string() }) })
  .parse(JSON.parse(readFileSync(`${root}/package.json`, 'utf8')));

/** None of these needs another one. The tests need the build, and are of little use to code with errors. */
const sideBySide: readonly Step[] = [
  { name: 'types', command: scripts.types },
  { name: 'lint', command: scripts.lint },
  { name: 'build', command: scripts.build },
];
const tests: Step = { name: 'tests', command: 'vitest run --coverage', args: process.argv.slice(2) };

const running = new Set<ChildProcess>();
let stoppedBy: NodeJS.Signals | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stoppedBy = signal;
    endRunning(signal);
  });
}

process.exitCode = await runChecks();

async function runChecks(): Promise<number> {
  const ended: Ended[] = [];
  const steps = sideBySide.map(async (step) => {
    const result = await run(step, 'collected');
    // The first failure is the one to show: it ends the other steps, which fail because of that.
    if (result.code !== 0 && stoppedBy === undefined && ended.every(({ code }) => code === 0)) {
      process.stdout.write(result.output);
      endRunning('SIGTERM');
    }
    ended.push(result);
  });
  await Promise.all(steps);
  if (ended.every(({ code }) => code === 0)) ended.push(await run(tests, 'shown'));
  const failed = ended.find(({ code }) => code !== 0);
  console.log(`\n${ended.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(', ')}`);
  if (stoppedBy !== undefined) return 128 + constants.signals[stoppedBy];
  if (failed !== undefined) console.log(`"${failed.name}" failed: ${failed.command}`);
  return failed?.code ?? 0;
}

/** Each step has a process group, so that a signal reaches all processes of a step, and each of them once. */
async function run(step: Step, output: 'collected' | 'shown'): Promise<Ended> {
  const since = performance.now();
  const child = spawn('sh', ['-c', `${step.command} "$@"`, step.name, ...(step.args ?? [])], {
    cwd: root,
    detached: true,
    stdio: ['ignore', ...(output === 'shown' ? (['inherit', 'inherit'] as const) : (['pipe', 'pipe'] as const))],
  });
  running.add(child);
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code, signal]: unknown[] = await once(child, 'close');
  running.delete(child);
  const seconds = (performance.now() - since) / 1000;
  return { ...step, seconds, code: signal === null ? Number(code) : 1, output: Buffer.concat(chunks).toString() };
}

function endRunning(signal: NodeJS.Signals): void {
  for (const { pid } of running) {
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // The step just ended by itself.
    }
  }
}
