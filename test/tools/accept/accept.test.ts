import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { allChecks } from '../../../infra/cli/accept/checks/all-checks.ts';
import { givenService } from '../../support/given-service.ts';
import { type Ended, onlyLine, runCommand } from '../../support/run-command.ts';

const [folder, elsewhere] = [mkdtempSync(join(tmpdir(), 'accept-')), mkdtempSync(join(tmpdir(), 'accept-'))];
const service = givenService({
  // A revoked credential stops working so soon, and not after a minute.
  authorizerTtlMs: 1_000,
  queueVisibilityMs: 1_000,
  wakeUps: 'delivered',
  callbacks: 'delivered',
  credentialsPath: join(folder, '.local', 'credentials.json'),
});

const accept = (args: readonly string[], cwd = folder): Promise<Ended> => runCommand('accept', args, { cwd });
const verdictSchema = z.looseObject({ id: z.string(), result: z.enum(['ok', 'failed', 'skipped']), needs: z.string() });
const summarySchema = z.looseObject({ ok: z.number(), failed: z.number(), skipped: z.number() });

function readLines({ stdout }: Ended) {
  const lines: unknown[] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { verdicts: z.array(verdictSchema).parse(lines.slice(0, -1)), summary: summarySchema.parse(lines.at(-1)) };
}

describe('accept', () => {
  test('passes on a running service, and removes what it added', { timeout: 120_000 }, async () => {
    const ended = await accept(['--url', service.run.baseUrl, '--json']);
    const { verdicts, summary } = readLines(ended);

    expect(verdicts.filter(({ result }) => result === 'failed')).toEqual([]);
    expect(ended.code).toBe(0);
    expect(verdicts.map(({ id }) => id).toSorted()).toEqual(allChecks.map(({ id }) => id).toSorted());
    // Everything that the local run has is checked there.
    const isLocal = ({ id, needs }: { readonly id: string; readonly needs: string }): boolean =>
      needs !== 'AWS' && !['transport.tls', 'transport.plain-http'].includes(id);
    expect(
      verdicts
        .filter(({ result }) => result === 'ok')
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(
      allChecks
        .filter(isLocal)
        .map(({ id }) => id)
        .toSorted(),
    );
    const skipped = verdicts.filter(({ result }) => result === 'skipped');
    expect(skipped).toEqual(skipped.map(() => expect.objectContaining({ why: expect.stringMatching(/only/) })));
    expect(summary).toMatchObject({ failed: 0, skipped: skipped.length });

    const left = await runCommand('ops', ['partner', 'list', '--json'], { cwd: folder });
    expect(left.stdout).toContain('acme');
    expect(left.stdout).not.toContain('accept-');
    const keys = await runCommand('ops', ['partner-key', 'list', '--json'], { cwd: folder });
    expect(keys.stdout).not.toContain('accept-');
    const { client, tableNames } = service.run.dynamodb;
    const { Items } = await client.send(new ScanCommand({ TableName: tableNames.Partners }));
    expect(JSON.stringify(Items)).not.toContain('accept-');
    expect(service.run.queue.deadLetters()).toEqual([]);
    expect(ended.stdout + ended.stderr).not.toMatch(/pcg_local_/);
  });

  test('shows a table, and what is wrong with what failed', async () => {
    service.plangrepFails({ on: 'cancel', kind: 'status', status: 400, times: 3 });
    const { stdout, code } = await accept(['--url', service.run.baseUrl, '--only', 'cancels.at-once,routes.unknown']);

    expect(code).toBe(1);
    expect(stdout).toMatch(/^CHECK +RESULT +TIME +WHAT IT SHOWS\nroutes\.unknown +ok +\d+ ms +an address/);
    expect(stdout).toMatch(/\n\ncancels\.at-once\n {2}seen +status 202\n {2}expected {2}status 200\n/);
    expect(stdout).toMatch(/\n {2}look at {3}docs\/sandbox\.md.*\n {2}requests +[0-9a-f-]{36}/);
    expect(stdout).toMatch(/\n3 ok, 1 failed, 0 skipped in \d+ s: http/);
  });

  test('without the credentials of the run, checks what needs none, and says why it skips the others', async () => {
    const args = ['--url', service.run.baseUrl, '--only', 'credentials', '--json'];
    const ended = await accept(args, elsewhere);
    const { verdicts, summary } = readLines(ended);

    expect(ended.code).toBe(0);
    expect(summary).toMatchObject({ ok: 3, failed: 0, skipped: 5 });
    expect(verdicts.find(({ id }) => id === 'credentials.scope')).toMatchObject({
      why: 'needs the credentials of the local run',
    });
  });

  test('stopped by Ctrl-C, removes what it added, and says that not every check was made', async () => {
    const script = join(import.meta.dirname, '../../../infra/cli/accept.ts');
    const args = [script, '--url', service.run.baseUrl, '--only', 'cancels.at-once,wake-ups', '--json'];
    const child = spawn(process.execPath, args, { cwd: folder });
    const [output, messages, exit] = [text(child.stdout), text(child.stderr), once(child, 'exit')];
    // A line comes when the first check has ended: the others wait for Plangrep.
    await once(child.stdout, 'data');
    child.kill('SIGINT');

    expect(await exit).toEqual([1, null]);
    expect(await output).toContain('"why":"the run was stopped"');
    expect(await messages).toMatch(/^The run was stopped: not every check was made\.\n$/);
    const left = await runCommand('ops', ['partner', 'list', '--json'], { cwd: folder });
    expect(left.stdout).not.toContain('accept-run-');
  });

  test('lists at least thirty checks, with what each needs, and runs none', async () => {
    const { stdout, code } = await accept(['--list'], elsewhere);

    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n').length).toBeGreaterThan(30);
    expect(stdout).toMatch(/^events\.hostile-detail +operator credentials +sandbox +a detail/m);
  });

  test.each<[string, string[], RegExp]>([
    ['without an address', [], /^"accept" needs --url URL or CANCELLATION_URL/],
    ['over http elsewhere', ['--url', 'http://api.example.com'], /^--url must be https/],
    [
      'an environment for the local run',
      ['--url', 'http://127.0.0.1:1', '--environment', 'dev'],
      /^--environment goes/,
    ],
    ['another environment', ['--url', 'https://127.0.0.1:1', '--environment', 'qa'], /^--environment must be one of/],
    ['without AWS credentials', ['--url', 'https://127.0.0.1:1', '--environment', 'dev'], /^No valid AWS credentials/],
    ['a check that does not exist', ['--url', 'http://127.0.0.1:1', '--only', 'x'], /^--only "x" begins no check/],
  ])('refuses %s in one line', async (_, args, line) => {
    const ended = await accept(args, elsewhere);

    expect(ended.code).toBe(2);
    expect(onlyLine(ended)).toMatch(line);
  });
});
