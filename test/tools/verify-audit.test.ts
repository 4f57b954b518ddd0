import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createCancellationLog } from '../../functions/adapters/dynamodb/cancellation-log.ts';
import { toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import type { EventBody } from '../../functions/core/cancellation/events.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import { withRegion } from '../../infra/local/aws/access-keys.ts';
import { type AuditedTable, startAuditedTable } from '../support/audited-table.ts';
import { acme, documentedJob, jobId } from '../support/names.ts';
import { onlyLine, runCommand } from '../support/run-command.ts';
import { accepted, at, closed, ended, leaseUntil, requested, started } from '../support/stored-streams.ts';

const folder = mkdtempSync(join(tmpdir(), 'verify-audit-'));
const empty = mkdtempSync(join(tmpdir(), 'verify-audit-'));
mkdirSync(join(folder, '.local'));

/** The local run's table, with a stream of every kind in it. */
let table: AuditedTable;
const long = documentedJob;
beforeEach(async () => {
  table = await startAuditedTable();
  const credentials = { endpoints: { dynamodb: table.url }, aws: withRegion(table.accessKey) };
  writeFileSync(join(folder, '.local', 'credentials.json'), JSON.stringify(credentials));
});
afterEach(() => table.close());

const run = (args: readonly string[] = [], env: Record<string, string> = {}, cwd = folder) =>
  runCommand('verify-audit', args, { env, cwd });
const lineSchema = z.looseObject({
  stream: z.optional(z.string()),
  code: z.optional(z.string()),
  seq: z.optional(z.number()),
  record: z.optional(z.string()),
  heads: z.optional(z.looseObject({ digest: z.string(), streams: z.number() })),
});
const runJson = async (args: readonly string[] = []) => {
  const { stdout, stderr, code } = await run(['--json', ...args]);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => lineSchema.parse(JSON.parse(line)));
  const found = lines
    .slice(0, -1)
    .map((line) => `${line.stream} ${line.code} ${line.seq ?? line.record ?? ''}`.trim())
    .toSorted();
  return { found, summary: lines.at(-1), digest: lines.at(-1)?.heads?.digest, stderr, code };
};

describe('verify-audit on an untouched log', () => {
  test('finds nothing, shows what it read, and exits 0', async () => {
    const { stdout, stderr, code } = await run();

    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toMatch(
      new RegExp(
        [
          `^log       CancellationLog \\(${table.url}\\)`,
          'streams   3 \\(2 closed\\)',
          'events    9',
          'joined    1',
          'refused   1',
          'callbacks 0',
          'heads     [0-9a-f]{64} \\(3 streams\\)',
          'Nothing found: every chain holds.\n$',
        ].join('\n'),
      ),
    );
  });

  test('shows the same as one line of JSON', async () => {
    const { found, summary, code } = await runJson(['--endpoint', table.url]);

    expect({ found, code }).toEqual({ found: [], code: 0 });
    const counts = { streams: 3, closed: 2, events: 9, joined: 1, refused: 1, findings: 0 };
    expect(summary).toMatchObject({ kind: 'summary', ok: true, table: table.name, place: table.url, ...counts });
  });

  test('uses colours only where they are wanted', async () => {
    const coloured = await run([], { FORCE_COLOR: '1' });
    const plain = await run([], { NO_COLOR: '1' });

    expect(coloured.stdout).toContain('\u001b[32m');
    expect(plain.stdout).not.toContain('\u001b');
  });

  test('reads a log of many pages', async () => {
    const item = { ...(await table.take(long, 5)), padding: { S: 'x'.repeat(100_000) } };
    for (let n = 1; n <= 30; n += 1) {
      await table.putItem({ ...item, pk: { S: `acme#refused#2026-10-${n}` }, sk: { S: 'x' } });
    }
    table.resetCounts();

    const { summary } = await runJson();

    expect(table.counts()['Scan']?.[table.name]).toBeGreaterThan(1);
    expect(summary).toMatchObject({ streams: 3, events: 9, refused: 31, findings: 30 });
  });
});

describe('verify-audit finds', () => {
  const five: EventBody[] = [requested, ended(1), started(2), accepted(2), closed];
  const tamperings: Record<string, [tamper: (job: string) => Promise<unknown>, findings: string[]]> = {
    edited_field: [(job) => table.edit(job, 2, 'result', { S: 'refused' }), ['altered 2']],
    edited_last: [(job) => table.edit(job, 5, 'outcome', { S: 'too_late' }), ['altered 5']],
    added_field: [(job) => table.edit(job, 1, 'note', { L: [{ S: 'x' }] }), ['altered 1']],
    last_digit: [(job) => table.edit(job, 5, 'creditsDebited', { N: '62.50000000000000000001' }), ['altered 5']],
    beyond_javascript: [(job) => table.edit(job, 5, 'creditsDebited', { N: '9007199254740993' }), ['altered 5']],
    gap: [(job) => table.remove(job, 3), ['missing 3']],
    cut_off: [(job) => table.remove(job, 5), ['truncated 4']],
    cut_down: [(job) => Promise.all([2, 3, 4, 5].map((seq) => table.remove(job, seq))), ['truncated 1']],
    swapped: [
      async (job) => {
        const [a, b] = [await table.take(job, 2), await table.take(job, 4)];
        return [await table.put(a, job, 4), await table.put(b, job, 2)];
      },
      ['out_of_place 2', 'out_of_place 4'],
    ],
    put_in: [async (job) => table.put(await table.take(job, 2), job, 6), ['out_of_place 6']],
    moved_in: [async (job) => table.put(await table.take('job_open', 1), job, 1), ['foreign 1']],
    wake_up: [(job) => table.edit(job, 5, 'wakeAt', { S: at }), ['altered 5']],
  };

  test('every tampering, and nothing else', async () => {
    for (const [name, [tamper]] of Object.entries(tamperings)) {
      await table.write(name, five);
      await tamper(name);
    }
    await table.put(await table.take('job_short', 1), 'copied', 1);
    await table.put(await table.take('job_short', 2), 'copied', 2);
    await table.remove('job_short', 1);
    await table.remove('job_short', 2);
    await table.putItem(toItem({ pk: 'else', sk: 'x' }));
    await table.write('job_put_off', [requested, ended(1)]);
    await table.edit('job_put_off', 2, 'wakeAt', { S: toTimestamp(Date.now() + 60 * 60_000) });
    await table.write('job_forgotten', [requested, ended(1)]);
    await createCancellationLog(table.client, table.name).removeWakeUp({
      partnerId: acme,
      jobId: jobId('job_forgotten'),
      seq: 2,
      wakeAt: leaseUntil,
    });

    const { found, summary, code } = await runJson();

    const expected = Object.entries(tamperings).flatMap(([name, [, findings]]) =>
      findings.map((finding) => `acme#${name} ${finding}`),
    );
    expected.push('acme#copied foreign 1', 'acme#copied foreign 2', `acme#job_short orphaned`, 'else foreign x');
    expected.push('acme#job_put_off altered 2', 'acme#job_forgotten truncated 2');
    expect(found).toEqual(expected.toSorted());
    expect(summary).toMatchObject({ ok: false, findings: expected.length });
    expect(code).toBe(1);
  });

  test('and shows each finding in two lines of text, with stored control characters escaped', async () => {
    await table.edit(long, 2, 'result', { S: 'refused' });
    await table.putItem(toItem({ pk: 'a\u001b[2J', sk: 'x' }));

    const { stdout, code } = await run();

    expect(code).toBe(1);
    expect(stdout).toContain(
      `altered       acme#${long}  event 2\n              Event 2 is not what was written: its fields do not give its hash.\n`,
    );
    expect(stdout).toContain('foreign       a\\u{1b}[2J  x\n');
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatch(/2 findings\.\n$/);
  });

  test('by the digest of the heads, kept from before, that a whole closed stream was deleted', async () => {
    const closedBefore = ['--closed-before', '2026-11-24'];
    const before = await runJson(closedBefore);
    await table.write('job_later', [requested, ended(1)]);
    const later = await runJson(closedBefore);
    for (const seq of [1, 2, 3, 4, 5]) await table.remove(long, seq);
    const after = await runJson(closedBefore);

    expect(after.code).toBe(0);
    expect(later.digest).toBe(before.digest);
    expect(after.digest).not.toBe(before.digest);
    expect(before.summary).toMatchObject({ heads: { streams: 2, closedBefore: '2026-11-24T00:00:00.000Z' } });
    expect((await runJson(['--closed-before', '2026-11-23T12:00Z'])).summary).toMatchObject({ heads: { streams: 0 } });
  });
});

describe('verify-audit cannot verify', () => {
  test.each<[string, string[], RegExp]>([
    ['with an unknown option', ['--frobnicate'], /^Unknown option '--frobnicate'.*--help/],
    ['where nothing listens', ['--endpoint', 'http://127.0.0.1:1'], /^No answer from .*:1: ECONNREFUSED\./],
    ['on AWS without a region', ['--table', 'CancellationLog'], /^No region: pass --region/],
    [
      'on AWS without credentials',
      ['--table', 'x-y', '--region', 'eu-central-1'],
      /^No valid AWS credentials \(eu-central-1\)/,
    ],
  ])('%s, and says why in one line', async (_, args, line) => {
    const refusal = await run(args);

    expect(refusal.code).toBe(2);
    expect(onlyLine(refusal)).toMatch(line);
  });

  test('a table that does not exist, or is another kind of table', async () => {
    const none = await run(['--endpoint', table.url, '--table', 'NoSuchTable']);
    const other = await run(['--endpoint', table.url, '--table', 'Partners']);

    expect(none).toMatchObject({ code: 2, stderr: `There is no table NoSuchTable (${table.url}).\n` });
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^Partners .* is not a cancellation log: .*\n$/),
    });
  });

  test('while --help explains it', async () => {
    const { stdout, code } = await run(['--help'], {}, empty);

    expect(code).toBe(0);
    expect(stdout).toContain('--closed-before');
  });
});
