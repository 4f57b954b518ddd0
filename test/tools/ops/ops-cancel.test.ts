import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { fromItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { sha256 } from '../../../functions/core/sha256.ts';
import { tokenOf } from '../../../infra/cli/many/many-journal.ts';
import { givenOps } from '../../support/given-ops.ts';
import { onlyLine } from '../../support/run-command.ts';

const ops = givenOps();
const folder = mkdtempSync(join(tmpdir(), 'ops-cancel-'));
const opsScript = join(import.meta.dirname, '../../../infra/cli/ops.ts');
let files = 0;
/** A new file of orders. */
const newFile = (content: string | Buffer): string => {
  const path = join(folder, `orders-${(files += 1)}.csv`);
  writeFileSync(path, content);
  return path;
};
const csv = (...externalIds: readonly string[]): string => `externalId\n${externalIds.join('\n')}\n`;
const cancel = (file: string, options = '') =>
  ops.run(['cancel', '--file', file, '--partner', 'acme', ...options.split(' ').filter(Boolean)]);
const shown = (stdout: string): Record<string, unknown> & { token: string } => JSON.parse(stdout);
const newJobs = (count: number) => Promise.all(Array.from({ length: count }, () => ops.service.newJob()));
const cancelsOf = (jobId: string): number => ops.service.run.simulator.requests.count('cancel', jobId);
const borrowedKeys = async (): Promise<Record<string, unknown>[]> => {
  const { client, tableNames } = ops.service.run.dynamodb;
  const found: Record<string, unknown>[] = [];
  for await (const { Items = [] } of paginateScan({ client }, { TableName: tableNames.Partners })) {
    found.push(...Items.map(fromItem).filter(({ issuedFor }) => issuedFor !== undefined));
  }
  return found;
};

describe('cancel --file', () => {
  test('shows what each cancel would do, and does nothing without a yes', async () => {
    const [order] = await newJobs(1);
    const ended = await ops.service.newJob({ status: 'completed' });
    const file = newFile(
      csv(order?.externalId ?? '', ended.externalId, 'order-7893', 'order-unknown', 'order-unknown'),
    );

    const { stdout, stderr, code } = await cancel(file);

    expect(stdout).toMatch(/^ {2}will_cancel +1$/m);
    expect(stdout).toMatch(/^ {2}already_ended +1$/m);
    expect(stdout).toMatch(/^ {2}order-7893 +job_twin2\w+ job_twin1\w+$/m);
    expect(stdout).toContain('line 6  order-unknown');
    expect(stdout).toMatch(/--token [0-9a-f]{32}$/m);
    expect(stderr).toContain('No terminal to answer on');
    expect([code, cancelsOf(order?.jobId ?? '')]).toEqual([2, 0]);
  });

  test('cancels exactly the preview with that token, and writes a line for each order', async () => {
    const orders = await newJobs(12);
    const file = newFile(csv(...orders.map(({ externalId }) => externalId), 'order-unknown'));
    const results = join(folder, 'results.csv');
    const { token } = shown((await cancel(file, '--preview --json')).stdout);
    await ops.service.run.addJob(orders[0]?.externalId ?? '', 'job_submitted_since');

    const { stdout, code } = await cancel(file, `--token ${token} --json --results ${results}`);

    expect(code).toBe(0);
    expect(shown(stdout)).toMatchObject({
      token,
      partnerId: 'acme',
      preview: { will_cancel: 12, unknown: 1 },
      results: { cancelled: 12 },
    });
    expect(orders.map(({ jobId }) => cancelsOf(jobId))).toEqual(orders.map(() => 1));
    expect(cancelsOf('job_submitted_since')).toBe(0);
    const lines = readFileSync(results, 'utf8').trimEnd().split('\r\n');
    expect(lines).toHaveLength(14);
    expect(lines[1]).toMatch(
      new RegExp(`^${orders[0]?.externalId},${orders[0]?.jobId},will_cancel,cancelled,cancelled,`),
    );
  });

  test('done again, says so and calls nothing', async () => {
    const orders = await newJobs(2);
    const file = newFile(csv(...orders.map(({ externalId }) => externalId)));
    await cancel(file, '--yes');
    ops.service.run.simulator.requests.clear();

    const { stdout, code } = await cancel(file, '--yes --json');

    expect([code, shown(stdout)['results']]).toEqual([0, { cancelled: 2 }]);
    expect(ops.service.run.simulator.requests.all()).toEqual([]);
  });

  test('goes on where a killed run ended, after half a line too', async () => {
    const orders = await newJobs(4);
    const file = newFile(csv(...orders.map(({ externalId }) => externalId)));
    const journal = `${file}.cancel.jsonl`;
    await cancel(file, '--yes');
    const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
    const results = lines.filter((line) => line.startsWith('{"kind":"result"'));
    // As it was on disk in the middle of the second result: its credential was not given back.
    const kept = lines.filter((line) => !line.startsWith('{"kind":"re'));
    writeFileSync(journal, [...kept, results[0], results[1]?.slice(0, 40)].join('\n'));

    const { stdout, code } = await cancel(file, '--yes --json');

    expect([code, shown(stdout)['results']]).toEqual([0, { cancelled: 4 }]);
    expect(orders.map(({ jobId }) => cancelsOf(jobId))).toEqual(orders.map(() => 1));
    expect(readFileSync(journal, 'utf8').match(/"kind":"returned"/g)).toHaveLength(2);
  });

  test('repeats a cancel that something else than the service answered, and shows only the results', async () => {
    const orders = await newJobs(2);
    const file = newFile(csv(...orders.map(({ externalId }) => externalId)));
    const { token } = shown((await cancel(file, '--preview --json')).stdout);
    const [first] = orders;
    const result = { kind: 'unexpected', status: 404, detail: 'a proxy’s page' };
    appendFileSync(`${file}.cancel.jsonl`, `${JSON.stringify({ kind: 'result', ...first, result })}\n`);

    const { stdout, code } = await cancel(file, `--token ${token}`);

    expect(stdout).toMatch(/^Results of acme \(local\)\n {2}cancelled +2\n\nKept in \S+\n$/);
    expect([code, ...orders.map(({ jobId }) => cancelsOf(jobId))]).toEqual([0, 1, 1]);
  });

  test('says what to do about a cancel that is accepted and has not ended', async () => {
    const order = await ops.service.newJob();
    ops.service.plangrepFails({ on: 'cancel', kind: 'status', status: 503, times: 100 });

    const { stdout, code } = await cancel(newFile(csv(order.externalId)), '--yes');
    ops.service.run.simulator.faults.clear();

    expect(stdout).toMatch(/\nResults of acme \(local\)\n {2}pending +1\n\n1 not ended: run the same command again/);
    expect(code).toBe(1);
  }, 90_000);

  test('ends at Ctrl-C between two orders, gives its credential back, and says how to go on', async () => {
    const orders = await newJobs(30);
    const file = newFile(csv(...orders.map(({ externalId }) => externalId)));
    const journal = `${file}.cancel.jsonl`;
    const args = ['--file', file, '--partner', 'acme', '--yes'];
    const child = spawn(process.execPath, [opsScript, 'cancel', ...args], { cwd: ops.folder, stdio: 'pipe' });
    const [exit, stderr] = [once(child, 'exit'), text(child.stderr)];

    await expect
      .poll(() => existsSync(journal) && readFileSync(journal, 'utf8'), { timeout: 20_000 })
      .toContain('"result"');
    child.kill('SIGINT');

    expect([(await exit)[0], await stderr]).toEqual([1, 'Interrupted: run the same command again to continue.\n']);
    expect(readFileSync(journal, 'utf8')).toContain('"returned"');
    const { stdout } = await cancel(file, '--yes --json');
    expect(shown(stdout)['results']).toEqual({ cancelled: 30 });
    expect(orders.map(({ jobId }) => cancelsOf(jobId))).toEqual(orders.map(() => 1));
  }, 60_000);

  test('does not end as done while the preview has no answer about an order, and says what to do', async () => {
    const [order] = await newJobs(1);
    const file = newFile(csv(order?.externalId ?? '', 'order-unresolved'));
    const none = { jobId: null, jobStatus: null, candidates: [] };
    const plan = {
      environment: 'local',
      partnerId: 'acme',
      fileHash: sha256(readFileSync(file)),
      at: '2026-11-26T12:00:00.000Z',
      orders: [
        { ...none, externalId: order?.externalId ?? '', state: 'will_cancel', jobId: order?.jobId ?? '' },
        { ...none, externalId: 'order-unresolved', state: 'unresolved' },
      ] as const,
    };
    writeFileSync(`${file}.cancel.jsonl`, `${JSON.stringify({ kind: 'plan', token: tokenOf(plan), plan })}\n`);

    const first = await cancel(file, '--yes');
    const again = await cancel(file);

    expect([first.code, again.code, cancelsOf(order?.jobId ?? '')]).toEqual([1, 1, 1]);
    for (const { stdout } of [first, again]) {
      expect(stdout).toContain('1 unresolved: the preview got no answer about them, and nothing is done to them.');
      expect(stdout).toContain(`To preview them anew, move ${file}.cancel.jsonl away.`);
    }
    expect((await cancel(file, '--preview')).code).toBe(0);
  });

  test('acts with a credential of the partner that is on record, expires, and is revoked at the end', async () => {
    const order = await ops.service.newJob();

    const { stdout } = await cancel(newFile(csv(order.externalId)), '--yes');

    expect(stdout).not.toContain('pcg_');
    const keys = await borrowedKeys();
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) {
      expect(key).toMatchObject({
        partnerId: 'acme',
        issuedFor: expect.stringMatching(/^ops cancel, by /),
        expiresAt: expect.any(String),
        revokedAt: expect.any(String),
      });
    }
    const records = await ops.service.recordsOf(order.jobId);
    const ids = keys.map(({ pk }) => String(pk).slice('key#'.length));
    expect(ids).toContain(records.find(({ type }) => type === 'requested')?.['keyId']);
  });

  test('tells an operator which externalId is another partner’s', async () => {
    const order = await ops.service.newJob();
    const file = newFile(csv(order.externalId, 'order-unknown'));

    const { stdout } = await ops.run(['cancel', '--file', file, '--partner', 'globex', '--preview', '--json']);

    expect(shown(stdout)['preview']).toEqual({ not_yours: 1, unknown: 1 });
  });
});

describe('cancel --file refuses', () => {
  test('a file that was changed since its preview', async () => {
    const order = await ops.service.newJob();
    const file = newFile(csv(order.externalId));
    await cancel(file, '--preview');
    writeFileSync(file, csv(order.externalId, 'order-7890'));

    const ended = await cancel(file, '--yes');

    expect(onlyLine(ended)).toContain('was changed since its preview');
    expect([ended.code, cancelsOf(order.jobId)]).toEqual([2, 0]);
  });

  test('a plan that was changed', async () => {
    const [order, other] = await newJobs(2);
    const file = newFile(csv(order?.externalId ?? ''));
    await cancel(file, '--preview');
    const journal = `${file}.cancel.jsonl`;
    writeFileSync(journal, readFileSync(journal, 'utf8').replaceAll(order?.jobId ?? '', other?.jobId ?? ''));

    const ended = await cancel(file, '--yes');

    expect(onlyLine(ended)).toContain('was changed: move that file away');
    expect(cancelsOf(other?.jobId ?? '')).toBe(0);
  });

  test('the plan of another partner, and another token', async () => {
    const order = await ops.service.newJob();
    const file = newFile(csv(order.externalId));
    await cancel(file, '--preview');

    const other = await ops.run(['cancel', '--file', file, '--partner', 'globex', '--yes']);
    const token = await cancel(file, `--token ${'0'.repeat(32)}`);

    expect(onlyLine(other)).toContain('has a plan for acme (local)');
    expect(onlyLine(token)).toContain('--token is not that of the plan');
    expect(cancelsOf(order.jobId)).toBe(0);
  });

  test.each([
    ['another heading', 'id\na\n', /line 1: must be the heading externalId, or externalId,reason\.$/],
    ['bytes that are not UTF-8', Buffer.from('externalId\na\nü\n', 'latin1'), /line 3: has bytes that are not UTF-8/],
    ['a quote that is not closed', 'externalId\na\n"b\n', /line 3: has a quote where none can be/],
    ['a field too many', 'externalId\na\nb,c\n', /line 3: does not have as many fields \(2\) as the heading \(1\)\.$/],
    [
      'a field too few',
      'externalId,reason\na,\nb\n',
      /line 3: does not have as many fields \(1\) as the heading \(2\): without a reason, end it with a comma\.$/,
    ],
    ['a control character', 'externalId\na\u0007\n', /line 2: externalId must not contain control characters\.$/],
    ['no orders', 'externalId\n\n', /has no orders\.$/],
  ])('%s', async (_what, content, line) => {
    expect(onlyLine(await cancel(newFile(content)))).toMatch(line);
  });

  test('a file that is not there, a partner that is not there, and results of another kind', async () => {
    expect(onlyLine(await cancel(join(folder, 'none.csv')))).toBe('--file cannot be read (ENOENT).');
    const file = newFile(csv('a'));
    expect(onlyLine(await ops.run(['cancel', '--file', file, '--partner', 'nemo']))).toBe(
      'No partner has the id nemo (local): "npm run ops -- partner list" shows the ids.',
    );
    expect(onlyLine(await cancel(file, '--results out.txt'))).toContain('.csv or .json');
  });
});
