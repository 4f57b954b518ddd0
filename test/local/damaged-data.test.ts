import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { tables } from '../../infra/blueprint/tables.ts';
import { startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { askAsAcme, givenStartProcesses } from '../support/start-process.ts';
import { temporaryFolder } from './arrange.ts';

const processes = givenStartProcesses();
const folder = temporaryFolder();
/** What a run left that was ended with Ctrl-C, and one that was killed. */
const [ended, killed] = [join(folder, 'ended'), join(folder, 'killed')];

beforeAll(async () => {
  const first = await processes.start({ cwd: folder, env: { DATA_DIR: ended } });
  expect((await askAsAcme(first, 'order-7890')).status).toBe(200);
  expect((await askAsAcme(first, 'order-7891')).status).toBe(202); // So that a wake-up waits in its file.
  cpSync(ended, killed, { recursive: true });
  await processes.stop(first.child);
  for (const data of [ended, killed]) {
    chmodSync(data, 0o700); // As the run had made it.
    writeFileSync(join(data, 'queue.json'), '{"queue":[],"dlq":[]}');
  }
});

const damages = {
  empty: () => Buffer.alloc(0),
  cut: (content: Buffer) => content.subarray(0, content.length / 2),
  garbage: (content: Buffer) => Buffer.alloc(content.length + 5, '\u0007\u00ffgarbage'),
  'changed in one bit': (content: Buffer) => content.map((byte, at) => (at === 12 ? byte ^ 4 : byte)),
  missing: () => undefined,
} as const;
type Damage = keyof typeof damages;

/** A copy of a data folder in which one file is damaged. */
function damage(from: string, name: RegExp, how: Damage) {
  const data = join(folder, 'damaged');
  rmSync(data, { recursive: true, force: true });
  cpSync(from, data, { recursive: true });
  chmodSync(data, 0o700);
  const found =
    readdirSync(data, { recursive: true })
      .map(String)
      .find((file) => name.test(file)) ?? 'not found';
  const file = join(data, found);
  const content = damages[how](readFileSync(file));
  if (content === undefined) rmSync(file);
  else writeFileSync(file, content);
  return { data, file };
}

/** The path and the content of each file. */
function contentOf(data: string): readonly string[] {
  const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const kept = files.filter(({ name }) => !/^(LOCK|LOG|LOG\.old)$/.test(name)); // LevelDB's log about itself.
  return kept
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((path) => `${path} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`)
    .toSorted();
}

describe('npm start on a data folder that is damaged ends with one line that names the file', () => {
  const states = [
    'api-keys.json',
    'callback-secret.json',
    'callbacks.json',
    'bucket-plangrep-cancellation-local-archive.json',
    'dynamodb-features.json',
    'kms.json',
    'plangrep-jobs.json',
    'queue.json',
    'wake-ups.json',
  ];

  test.each(
    states.map((state, at) => [state, (['empty', 'cut', 'garbage', 'cut'] as const)[at % 4] ?? 'cut'] as const),
  )('%s, %s, which stays as it is', async (state, how) => {
    const { data, file } = damage(ended, RegExp(`^(s3/)?${state}$`), how);
    const before = readFileSync(file);

    const { stdout, stderr, code } = await processes.startInVain({ cwd: folder, env: { DATA_DIR: data } });

    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(data).filter((name) => !name.endsWith('.seal.json'))).toHaveLength(10);
    expect(stderr).toBe(
      `${file} is damaged: it is not JSON. Nothing was changed. Move it away to start without what it keeps.\n`,
    );
  });

  test('a file of the tables, and nothing is changed', async () => {
    const { data, file } = damage(ended, /\.log$/, 'cut');
    const before = contentOf(data);

    const { stdout, stderr, code } = await processes.startInVain({ cwd: folder, env: { DATA_DIR: data } });

    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toBe(
      `${file} is damaged: its content has changed since the last run. Nothing was changed. Move ${data}/dynamodb away to start without what it keeps.\n`,
    );
    expect(contentOf(data)).toEqual(before);
  });

  test.each(['queue.json', 'dynamodb/CURRENT'])('a pipe in the place of %s', async (name) => {
    const data = join(folder, 'piped');
    cpSync(ended, data, { recursive: true });
    rmSync(join(data, name), { force: true });
    execFileSync('mkfifo', [join(data, name)]);

    const { stdout, stderr, code } = await processes.startInVain({ cwd: folder, env: { DATA_DIR: data } });
    rmSync(data, { recursive: true });

    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toBe(
      `The data folder ${data} cannot be used: ${join(data, name)} is neither a file nor a folder of a run. Move it away.\n`,
    );
  });

  test.each(['dynamodb', 'plangrep-jobs.json'])('and works when %s was moved away', async (part) => {
    const data = join(folder, `without-${part}`);
    cpSync(ended, data, { recursive: true });
    chmodSync(data, 0o700);
    mkdirSync(join(folder, 'away'), { recursive: true });
    renameSync(join(data, part), join(folder, 'away', part));

    const run = await processes.start({ cwd: folder, env: { DATA_DIR: data } });

    expect((await askAsAcme(run, 'order-7890')).status).toBe(200);
    expect(await processes.stop(run.child)).toBe(0);
  });
});

describe('The tables refuse what LevelDB would take for an empty store or a crash', () => {
  const [current, manifest, log] = [/CURRENT$/, /MANIFEST-\d+$/, /\.log$/] as const;
  const all = ['empty', 'cut', 'garbage', 'changed in one bit', 'missing'] as const;
  const refused = async (from: string, name: RegExp, how: Damage) => {
    const { data, file } = damage(from, name, how);
    const before = contentOf(data);
    const store = join(data, 'dynamodb');

    const started = startLocalDynamoDb({ tables, path: store });

    await expect(started).rejects.toThrow(/ is damaged: .*\. Nothing was changed\. Move \S+ away to start without/);
    expect(contentOf(data)).toEqual(before);
    return { file, store, message: await started.then(String, String) };
  };

  test.each([current, manifest, log].flatMap((name) => all.map((how) => [name, how] as const)))(
    'after a run that was ended: %s, %s',
    async (name, how) => {
      const { file, message } = await refused(ended, name, how);

      expect(message).toContain(`${file} is damaged: `);
    },
  );

  // A log that was cut at its end is what a kill leaves.
  test.each([
    ...all.map((how) => [current, how] as const),
    ...all.map((how) => [manifest, how] as const),
    ...(['garbage', 'changed in one bit', 'missing'] as const).map((how) => [log, how] as const),
  ])('after a run that was killed: %s, %s', async (name, how) => {
    const { store, message } = await refused(killed, name, how);

    expect(message).toContain(store);
  });
});
