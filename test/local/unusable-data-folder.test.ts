import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDataFolder } from '../../infra/local/data-folder.ts';
import { askAsAcme, givenStartProcesses } from '../support/start-process.ts';
import { temporaryFolder } from './arrange.ts';

const processes = givenStartProcesses();
const folder = temporaryFolder();
const isRoot = process.getuid?.() === 0;

describe('npm start ends with one line that says why DATA_DIR cannot be used:', () => {
  test.skipIf(!existsSync('/proc/self'))(
    'a path where no folder can be made, which Node itself tries for ever',
    async () => {
      const { stdout, stderr, code } = await processes.startInVain({ cwd: folder, env: { DATA_DIR: '/proc/nope' } });

      expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
      expect(stderr).toBe(
        'The data folder /proc/nope cannot be used: it cannot be written: no folder can be made there (ENOENT).\n',
      );
    },
  );

  test('a pipe', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);

    const { stdout, stderr, code } = await processes.startInVain({ cwd: folder, env: { DATA_DIR: pipe } });

    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toBe(`The data folder ${pipe} cannot be used: it is not a folder, or a part of the path is not.\n`);
  });

  test('a folder that this user may not write', async () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0o555 });

    const { stdout, stderr, code } = await processes.startInVain({
      cwd: folder,
      env: { DATA_DIR: join(closed, 'data') },
      under: isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [],
    });

    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toBe(
      `The data folder ${closed}/data cannot be used: it cannot be written: permission denied (EACCES).\n`,
    );
    expect(readdirSync(closed)).toEqual([]);
  });

  test('a file in the place of the folder of the local S3', async () => {
    const data = join(folder, 'with-file');
    mkdirSync(join(data, 'dynamodb'), { recursive: true });
    writeFileSync(join(data, 's3'), '');

    const { stdout, stderr, code } = await processes.startInVain({ cwd: folder, env: { DATA_DIR: data } });

    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toBe(`${data}/s3 cannot be read: a part of the path is not a folder (ENOTDIR).\n`);
  });

  /** Only root can mount. */
  test.skipIf(!isRoot || !existsSync('/proc/self'))('a folder of the local S3 that cannot be written', async () => {
    const data = join(folder, 'read-only');
    const objects = join(data, 's3');
    mkdirSync(join(data, 'dynamodb'), { recursive: true });
    mkdirSync(objects);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', objects]);
    onTestFinished(() => {
      execFileSync('umount', ['--lazy', objects]);
    });

    const { stdout, stderr, code } = await processes.startInVain({ cwd: folder, env: { DATA_DIR: data } });

    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toBe(
      `The data folder ${data} cannot be used: it cannot be written: the file system is read-only (EROFS).\n`,
    );
  });

  test('a path that does not answer', async () => {
    // No process can answer so soon. It is then ended, like one that waits for a network drive.
    const opened = openDataFolder(join(folder, 'silent'), 1);

    await expect(opened).rejects.toThrow(
      / cannot be used: no answer after 0\.001 s\. Is it on a network drive that is away\?$/,
    );
  });
});

test('a data folder is made with the folders above it, for the owner alone', async () => {
  const data = join(folder, 'not', 'there', 'yet');

  const { child } = await processes.start({ cwd: folder, env: { DATA_DIR: data } });

  expect(readdirSync(data).toSorted()).toEqual([
    'api-keys.json',
    'callback-secret.json',
    'dynamodb',
    'dynamodb-features.json',
    'kms.json',
    'plangrep-jobs.json',
    's3',
  ]);
  expect(readdirSync(join(data, 's3'))).toEqual(['bucket-plangrep-cancellation-local-archive.json']);
  expect(statSync(join(folder, 'not')).mode & 0o777).toBe(0o700);
  expect(await processes.stop(child)).toBe(0);
});

/** Only root can make a small disk. */
describe.skipIf(!isRoot || !existsSync('/proc/self'))('On a disk that is full', () => {
  const givenDisk = (name: string, size: string): string => {
    const disk = join(folder, name);
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]);
    onTestFinished(() => {
      execFileSync('umount', ['--lazy', disk]);
      rmSync(disk, { recursive: true });
    });
    return disk;
  };

  test('npm start says so in one line', async () => {
    const data = join(givenDisk('full', '100k'), 'data');

    const { stdout, stderr, code } = await processes.startInVain({ cwd: folder, env: { DATA_DIR: data } });

    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toBe(`The data folder ${data} cannot be used: it cannot be written: the disk is full (ENOSPC).\n`);
  });

  test('a run ends with one line, and with room again the next one has all that was answered', async () => {
    const disk = givenDisk('small', '320k');
    const run = await processes.start({ cwd: folder, env: { DATA_DIR: join(disk, 'data') } });
    expect((await askAsAcme(run, 'order-7890')).status).toBe(200);
    const ended = new Promise((resolve) => run.child.once('exit', resolve));

    let isUp = true;
    while (isUp)
      isUp = await askAsAcme(run, 'order-unknown').then(
        () => true,
        () => false,
      );

    expect(await ended).toBe(1);
    expect(run.stderr()).toMatch(/^The run ends: .*(No space left on device|the disk is full \(ENOSPC\))\.\n$/);
    execFileSync('mount', ['-o', 'remount,size=4m', disk]);
    const next = await processes.start({ cwd: folder, env: { DATA_DIR: join(disk, 'data') } });
    const again: unknown = await (await askAsAcme(next, 'order-7890')).json();
    expect(again).toMatchObject({ outcome: 'cancelled', attempts: 1 });
    expect(await processes.stop(next.child)).toBe(0);
  });
});
