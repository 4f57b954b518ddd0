import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { buildInto } from '../../../infra/build/build.ts';
import { whileLocked } from '../../../infra/build/lock-build.ts';
import { temporaryFolder } from '../../local/arrange.ts';
import { functionEnvironment } from '../../support/function-environment.ts';
import { compileCache } from '../../support/run-command.ts';

const root = new URL('../../../', import.meta.url).pathname;
/** Builds again and again in a process, with and without the trimmed SDK: each build replaces every script. */
function startBuilds(dist: string, times: number) {
  const script = `
    import { buildInto } from ${JSON.stringify(new URL('../../../infra/build/build.ts', import.meta.url).href)};
    for (let n = 0; n < ${times}; n += 1) {
      await buildInto(${JSON.stringify(dist)}, { codeCaches: 'off', trimSdk: n % 2 === 0 ? 'off' : 'on' });
    }`;
  const args = ['--input-type=module', '--eval', script];
  return spawn(process.execPath, args, { env: { ...compileCache }, stdio: ['ignore', 'inherit', 'inherit'] });
}

describe('Builds of one folder at the same time', { timeout: 120_000 }, () => {
  test('never leave half of a function to a process that loads it', async () => {
    const dist = join(temporaryFolder(), 'functions');
    await buildInto(dist, { codeCaches: 'off', trimSdk: 'on' });
    const builds = [startBuilds(dist, 2), startBuilds(dist, 2)];
    const codes = Promise.all(builds.map((child) => once(child, 'exit')));
    const index = JSON.stringify(join(dist, 'register-job', 'index.mjs'));
    const script = `import(${index}).then(({ handler }) => console.log(typeof handler)).finally(() => process.exit())`;

    let loads = 0;
    while (builds.some(({ exitCode }) => exitCode === null)) {
      const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { env: functionEnvironment });
      expect(stdout).toBe('function\n');
      loads += 1;
    }

    expect(loads).toBeGreaterThan(3);
    expect((await codes).map(([code]) => Number(code))).toEqual([0, 0]);
    expect(readdirSync(join(dist, 'register-job'))).toHaveLength(5); // Three loaders, two scripts.
  });

  test('are each done, and what a killed one left is removed', async () => {
    const dist = join(temporaryFolder(), 'functions');
    for (const ms of [300, 500, 700]) {
      const killed = startBuilds(dist, 9);
      await sleep(ms);
      killed.kill('SIGKILL');
      await once(killed, 'exit');
    }
    mkdirSync(join(dist, 'register-job'), { recursive: true });
    writeFileSync(join(dist, 'register-job', 'index.mjs.4242'), ''); // Half of a file.

    const since = performance.now();
    await buildInto(dist, { codeCaches: 'off', trimSdk: 'on' });

    expect(performance.now() - since).toBeLessThan(9_000); // It did not wait for the lock to grow old.
    expect(readdirSync(join(dist, 'register-job'))).toHaveLength(5);
    expect(readdirSync(join(dist, '..'))).toEqual(['functions']);
  });
});

describe('The lock of a build', () => {
  test('lets one work at a time', async () => {
    const folder = join(temporaryFolder(), 'dist');
    const seen: string[] = [];
    const work = (name: string) =>
      whileLocked(folder, async () => {
        seen.push(`${name} begins`);
        await sleep(100);
        seen.push(`${name} ends`);
      });

    await Promise.all([work('a'), work('b'), work('c')]);

    const order = seen.filter((line) => line.endsWith('begins')).map((line) => line[0]);
    expect(seen).toEqual(order.flatMap((name) => [`${name} begins`, `${name} ends`]));
  });

  test('does not count when its process is gone, or another process has its pid', async () => {
    const folder = join(temporaryFolder(), 'dist');
    const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(gone, 'exit');
    let works = 0;

    for (const pid of [gone.pid, process.pid]) {
      writeFileSync(`${folder}.lock`, `${pid} 1 0.5`);
      await whileLocked(folder, async () => void (works += 1), { staleAfterMs: 500 });
    }

    expect(works).toBe(2);
    expect(readdirSync(join(folder, '..'))).toEqual([]);
  });
});

describe('In a folder that cannot be written, the build', { timeout: 60_000 }, () => {
  const project = temporaryFolder();
  for (const part of ['functions', 'infra', 'package.json'])
    cpSync(join(root, part), join(project, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
  const under = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  const build = async (as: readonly string[] = under) => {
    const [command, ...args] = [...as, process.execPath, 'infra/build/build.ts'] as const;
    const child = spawn(command, args, { cwd: project, env: { CODE_CACHES: 'off' }, stdio: 'pipe' });
    const [stdout, stderr, exit] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    const code: unknown = exit[0];
    return { stdout, stderr, code };
  };
  const close = (): void => {
    for (const entry of readdirSync(project, { recursive: true, withFileTypes: true })) {
      if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), 0o555);
    }
    chmodSync(project, 0o555);
  };

  test('says so in one line when there is something to build, and has nothing to say when there is not', async () => {
    // Another user must be able to look into it.
    for (let folder = project; folder !== '/tmp' && folder !== '/'; folder = join(folder, '..'))
      chmodSync(folder, 0o755);
    close();
    const without = await build();
    chmodSync(project, 0o755);
    expect(await build([])).toMatchObject({ code: 0 });
    close();

    expect(without).toEqual({
      stdout: '',
      stderr: `The functions were not built: ${project}/dist cannot be written: permission denied (EACCES).\n`,
      code: 1,
    });
    expect(await build()).toEqual({ stdout: '', stderr: '', code: 0 });
    expect(readFileSync(join(project, 'dist/functions/register-job/index.mjs'), 'utf8')).toContain('handler');
  });
});
