import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../../functions/core/sha256.ts';
import { type ArchiveBuilder, createArchive, createSealPair, writing } from '../../support/archive-builder.ts';
import { onlyLine, runCommand } from '../../support/run-command.ts';
import { closed, ended, requested, storedStream, streamName } from '../../support/stored-streams.ts';

const cwd = mkdtempSync(join(tmpdir(), 'verify-archive-'));
const pair = createSealPair();
let archive: ArchiveBuilder;
beforeAll(() => {
  archive = createArchive(pair);
  archive.setTime('12:10');
  archive.put(storedStream([requested, ended(1), closed]).map((record) => writing(streamName, record)));
  archive.setTime('13:00');
  archive.seal();
});

const run = (args: readonly string[], env: Record<string, string> = {}) =>
  runCommand('verify-audit', args, { cwd, env });
const runOn = (folder: string, ...args: readonly string[]) =>
  run(['--archive', folder, '--public-key', archive.publicKeyFile, '--now', '2026-11-23T13:30:00Z', ...args]);

describe('verify-audit --archive', () => {
  test('finds nothing, shows what it read, leaves no file behind, and exits 0', async () => {
    const work = mkdtempSync(join(tmpdir(), 'work-'));
    const args = ['--archive', archive.folder, '--public-key', archive.publicKeyFile, '--now', '2026-11-23T13:30:00Z'];
    const { stdout, stderr, code } = await run(args, { TMPDIR: work });

    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const [digest = ''] = archive.digests();
    expect(stdout).toMatch(
      new RegExp(
        [
          `^archive    ${archive.folder}`,
          String.raw`digests    1 until 2026-11-23T13:00:00.000Z \(prod\)`,
          String.raw`newest     ${sha256(archive.read(digest))} \(digest 1: note it for --kept\)`,
          'objects    1',
          'records    3',
          String.raw`streams    1 \(1 closed\)`,
          'events     3',
          'joined     0',
          'refused    0',
          'callbacks  0',
          String.raw`pace       [\d,]+ records per second \([\d.]+ s\)`,
          'Nothing found: the digests hold, and so does every chain in the archive. No table was compared.\n$',
        ].join('\n'),
      ),
    );
    expect(readdirSync(work)).toEqual([]);
  });

  test('names what it finds with its place, in words or as lines of JSON, and exits 1', async () => {
    const tampered = createArchive(pair);
    tampered.setTime('12:10');
    const name = tampered.put(storedStream([requested, closed]).map((record) => writing(streamName, record)));
    tampered.setTime('13:00');
    tampered.seal();
    tampered.edit(name, (text) => text.replace('"cancelled"', '"too_late"'));

    const { stdout, code } = await runOn(tampered.folder);
    expect(code).toBe(1);
    expect(stdout).toContain(`object_altered    ${name}\n`);
    expect(stdout).toContain(`altered           ${streamName}  event 2  archive\n`);
    expect(stdout).toContain('\n2 findings.\n');

    const json = await runOn(tampered.folder, '--json');
    const lines = json.stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toMatchObject([
      { kind: 'finding', source: 'archive', code: 'object_altered', object: name },
      { kind: 'finding', source: 'archive', code: 'altered', stream: streamName, seq: 2 },
      { kind: 'summary', ok: false, archive: tampered.folder, findings: 2, records: 2, newest: { number: 1 } },
    ]);
  });

  test('shows nothing of a forged digest that a terminal obeys', async () => {
    const forged = createArchive(pair, { environment: '\u001B[2J' });
    forged.setTime('13:00');
    forged.seal();
    const { stdout } = await runOn(forged.folder);
    expect(stdout).toContain('\\u{1b}[2J');
    expect(stdout).not.toContain('\u001B');
  });

  test('takes several keys and digests that were noted', async () => {
    const other = join(cwd, 'other.pem');
    writeFileSync(other, createSealPair().pem);
    const [digest = ''] = archive.digests();
    const args = ['--public-key', other, '--kept', sha256(archive.read(digest))];
    expect(await runOn(archive.folder, ...args)).toMatchObject({ code: 0 });
    expect(await runOn(archive.folder, '--kept', sha256('another'))).toMatchObject({ code: 1 });
  });
});

describe('verify-audit could not verify', () => {
  const path = (name: string) => join(archive.folder, 'records', 'day=2026-11-23', name);
  test.each<[string, RegExp, (file: string) => void]>([
    ['a link to a file that is not there', /evil is not a file/, (file) => symlinkSync('/nowhere', file)],
    ['a link to a folder', /evil is not a file/, (file) => symlinkSync('/', file)],
    ['a pipe', /evil is not a file/, (file) => execFileSync('mkfifo', [file])],
    [
      'a file that fills the memory',
      /evil has 3221225472 bytes/,
      (file) => {
        writeFileSync(file, '');
        truncateSync(file, 3 * 2 ** 30);
      },
    ],
  ])('a copy that has %s', async (_, line, put) => {
    put(path('evil'));
    const result = await runOn(archive.folder);
    archive.remove('records/day=2026-11-23/evil');
    expect(onlyLine(result)).toMatch(line);
    expect(result.code).toBe(2);
  });

  test('without a place for temporary files', async () => {
    const args = ['--archive', archive.folder, '--public-key', archive.publicKeyFile];
    const result = await run(args, { TMPDIR: '/nowhere' });
    expect(onlyLine(result)).toMatch(/^No temporary file can be written below \/nowhere: set TMPDIR/);
    expect(result.code).toBe(2);
  });

  test.each([
    [['--archive', 'x'], /--archive needs --public-key FILE.*take it from the operator/],
    [['--archive', 'x', '--public-key', 'none.pem'], /none\.pem cannot be read/],
    [['--archive', 'x', '--public-key', import.meta.filename], /is not a public key on the curve P-256/],
    [['--archive', 'none'], /There is no folder none/],
    [['--archive', '.'], /is not a copy of an archive/],
    [['--archive', 's3://some-bucket'], /^No region: pass --region, or set AWS_REGION\.$/],
    [['--archive', 's3://'], /--archive must be a folder or s3:/],
    [['--archive', '.', '--kept', 'x'], /--kept must be a SHA-256/],
    [['--archive', '.', '--now', 'x'], /--now must be a day or a time/],
    [['--archive', '.', '--closed-before', '2026-11-01'], /--closed-before is for a table alone/],
    [['--kept', sha256('x')], /--kept is for an archive/],
  ])('%j', async (args, line) => {
    const withKey =
      args.includes('--public-key') || args[1] === 'x' ? args : [...args, '--public-key', archive.publicKeyFile];
    const result = await run(args[0] === '--archive' ? withKey : args);
    expect(onlyLine(result)).toMatch(line);
    expect(result.code).toBe(2);
  });
});
