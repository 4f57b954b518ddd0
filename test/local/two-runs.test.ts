import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { childrenOf, isRunning } from '../support/processes.ts';
import { runCommand } from '../support/run-command.ts';
import { askAsAcme, givenStartProcesses } from '../support/start-process.ts';
import { temporaryFolder } from './arrange.ts';

const processes = givenStartProcesses();

describe('Two runs from one folder', () => {
  test('on one port: the second ends with one line, and the first goes on with its credentials', async () => {
    const cwd = temporaryFolder();
    const first = await processes.start({ cwd });
    const file = join(cwd, '.local', 'credentials.json');
    const before = readFileSync(file, 'utf8');
    const { port } = new URL(first.baseUrl);

    const { stdout, stderr, code } = await processes.startInVain({ cwd, env: { PORT: port } });

    expect({ stdout, stderr, code }).toEqual({
      stdout: '',
      stderr: `Port ${port} is in use: choose another with PORT=...\n`,
      code: 1,
    });
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect((await askAsAcme(first, 'order-7890')).status).toBe(200);
  });

  test('on two ports: each has its credentials, which go when it ends, and commands reach either', async () => {
    const cwd = temporaryFolder();
    const first = await processes.start({ cwd });
    const second = await processes.start({ cwd });

    const own = join('.local', `credentials-${new URL(second.baseUrl).port}.json`);
    expect([first.credentialsPath, second.credentialsPath]).toEqual([join('.local', 'credentials.json'), own]);
    await expect
      .poll(second.stderr)
      .toBe(
        `Another run is up in this folder, on ${first.baseUrl}: .local/credentials.json stays its own. For a command on this run, set CREDENTIALS_FILE=${own}.\n`,
      );
    expect((await askAsAcme(second, 'order-7890')).status).toBe(200);
    const audit = async (env = {}) => JSON.parse((await runCommand('verify-audit', ['--json'], { cwd, env })).stdout);
    expect([await audit(), await audit({ CREDENTIALS_FILE: own })]).toMatchObject([{ events: 0 }, { events: 2 }]);
    await processes.stop(first.child);
    expect(existsSync(join(cwd, '.local', 'credentials.json'))).toBe(false);
    expect(existsSync(join(cwd, own))).toBe(true);
    await processes.stop(second.child);
    expect(existsSync(join(cwd, own))).toBe(false);
  });

  test('one after the other: what a killed run left in the file and the data folder does not matter', async () => {
    const cwd = temporaryFolder();
    const env = { DATA_DIR: join(cwd, 'data') };
    const first = await processes.start({ cwd, env });
    expect((await askAsAcme(first, 'order-7890')).status).toBe(200);
    await processes.stop(first.child, 'SIGKILL');

    const second = await processes.start({ cwd, env });

    expect([second.credentialsPath, second.stderr()]).toEqual([join('.local', 'credentials.json'), '']);
    expect(await (await askAsAcme(second, 'order-7890')).json()).toMatchObject({ outcome: 'cancelled', attempts: 1 });
  });

  test.each([
    ['a file is where the folder should be', (cwd: string) => writeFileSync(join(cwd, '.local'), 'a file')],
    [
      'the folder is a link to nowhere',
      (cwd: string) => symlinkSync(join(cwd, 'nowhere', 'else'), join(cwd, '.local')),
    ],
  ])('where no file can be written, because %s, a run says so and works', async (_why, prepare) => {
    const cwd = temporaryFolder();
    prepare(cwd); // Root may write everywhere.

    const run = await processes.start({ cwd });

    expect(run.credentialsPath).toBeNull();
    await expect
      .poll(run.stderr)
      .toMatch(/^\.local\/credentials\.json cannot be written: .*\. The run works, but .*\n$/);
    expect((await askAsAcme(run, 'order-7890')).status).toBe(200);
    expect(await processes.stop(run.child)).toBe(0);
  });
});

describe('A run ends', () => {
  test('in good order by one Ctrl-C, which npm hands on a second time', async () => {
    const cwd = temporaryFolder();
    const run = await processes.start({ cwd });

    run.child.kill('SIGINT');

    expect(await processes.stop(run.child, 'SIGINT')).toBe(0);
    expect(existsSync(join(cwd, '.local', 'credentials.json'))).toBe(false);
  });

  test('when its terminal is closed', async () => {
    const run = await processes.start({ cwd: temporaryFolder() });
    await askAsAcme(run, 'order-7890');
    const containers = childrenOf(run.child.pid ?? 0);
    for (const stream of [run.child.stdin, run.child.stdout, run.child.stderr]) stream.destroy();

    expect(await processes.stop(run.child, 'SIGHUP')).toBe(0);
    expect(containers.filter(isRunning)).toEqual([]);
  });

  test('not because nothing reads what it prints', async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, '.local'));
    const child = processes.spawnStart({ cwd });
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
    const file = join(cwd, '.local', 'credentials.json');

    await expect.poll(() => existsSync(file), { timeout: 20_000 }).toBe(true);

    expect(child.exitCode).toBeNull();
    expect(await processes.stop(child, 'SIGTERM')).toBe(0);
  });

  test('at once with a Ctrl-C before it is up', async () => {
    const early = processes.spawnStart({ cwd: temporaryFolder() });
    const ended = new Promise((resolve) => early.once('exit', (code, signal) => resolve(code ?? signal)));
    setTimeout(() => early.kill('SIGINT'), 150);
    expect([0, 'SIGINT']).toContain(await ended);
  });
});
