import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { listenOnLoopback } from '../../infra/local/aws/loopback.ts';
import { startLocalRun } from '../../infra/local/run.ts';
import { fetchDescribed } from '../support/openapi/openapi-answers.ts';
import { childrenOf, isRunning } from '../support/processes.ts';
import { compileCache } from '../support/run-command.ts';
import { temporaryFolder } from './arrange.ts';

const start = new URL('../../infra/cli/start.ts', import.meta.url).pathname;
const awsSchema = z.object({ accessKeyId: z.string(), secretAccessKey: z.string(), region: z.string() });
const startedSchema = z.object({
  baseUrl: z.string(),
  consoleUrl: z.string(),
  plangrepUrl: z.string(),
  endpoints: z.object({ dynamodb: z.string(), secretsmanager: z.string(), eventbridge: z.string() }),
  aws: awsSchema,
  partners: z.array(z.object({ partnerId: z.string(), token: z.string(), eventSource: z.string(), aws: awsSchema })),
});
type Started = z.infer<typeof startedSchema>;

describe('npm start', () => {
  const folder = temporaryFolder();
  const running: ChildProcessWithoutNullStreams[] = [];

  const run = (args: string[] = [], environment: Record<string, string> = {}) => {
    // In a folder of this test: the credentials are written there.
    const child = spawn(process.execPath, [start, ...args], {
      cwd: folder,
      env: { PORT: '0', ...compileCache, ...environment },
    });
    running.push(child);
    return child;
  };
  const ending = async (child: ChildProcessWithoutNullStreams) => {
    const [stdout, stderr, exit] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    const code: unknown = exit[0];
    return { stdout, stderr, code };
  };
  const started = async (environment: Record<string, string> = {}) => {
    const child = run(['--json'], environment);
    const [line]: unknown[] = await once(child.stdout, 'data');
    return { child, addresses: startedSchema.parse(JSON.parse(String(line))) };
  };
  const call = (
    { baseUrl, partners }: Started,
    method: 'GET' | 'POST',
    partnerId = 'acme',
    externalId = 'order-7890',
  ) =>
    fetchDescribed(`${baseUrl}/v1/cancellations${method === 'GET' ? `?externalId=${externalId}` : ''}`, {
      method,
      headers: {
        Authorization: `Bearer ${partners.find((partner) => partner.partnerId === partnerId)?.token}`,
        'Content-Type': 'application/json',
      },
      ...(method === 'POST' ? { body: JSON.stringify({ externalId }) } : {}),
    });
  const stop = async (child: ChildProcessWithoutNullStreams, signal: NodeJS.Signals = 'SIGINT') => {
    const since = performance.now();
    child.kill(signal);
    const [code]: unknown[] = await once(child, 'exit');
    return { code, ms: performance.now() - since };
  };

  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });

  test.each([
    ['an unknown option', ['--frobnicate'], {}, /^Unknown option '--frobnicate'.*--help/],
    ['a stray argument', ['now'], {}, /^"start" takes no argument.*--help/],
    ['a port that is not a number', [], { PORT: '80a' }, /^PORT must be .*"80a"/],
    ['a port out of range', [], { PORT: '65536' }, /^PORT must be /],
    ['a pace that is not a number', [], { RECONCILE_EVERY_MS: '1s' }, /^RECONCILE_EVERY_MS must be .*"1s"/],
    ['a visibility timeout too short', [], { QUEUE_VISIBILITY_MS: '9' }, /^QUEUE_VISIBILITY_MS must be .*"9"/],
    [
      'a table that the service does not have',
      [],
      { RESTORED_TABLES: 'Log=log-2' },
      /^RESTORED_TABLES must be .*"Log=log-2"/,
    ],
    [
      'a restored table that is not there',
      [],
      { RESTORED_TABLES: 'Partners=gone' },
      /^There is no table gone in the data/,
    ],
    ['an upstream over plain http', [], { PLANGREP_BASE_URL: 'http://plangrep.com' }, /^PLANGREP_BASE_URL must be /],
    ['an upstream with a path', [], { PLANGREP_BASE_URL: 'https://plangrep.com/api' }, /^PLANGREP_BASE_URL must be /],
    ['an upstream without a key', [], { PLANGREP_BASE_URL: 'https://plangrep.com' }, /PLANGREP_API_KEY/],
    [
      'a key that is too short, which the line does not repeat',
      [],
      { PLANGREP_BASE_URL: 'https://plangrep.com', PLANGREP_API_KEY: 'pgk_canary' },
      /^PLANGREP_API_KEY must be an API key of at least 16 printable ASCII characters(?!.*canary)/,
    ],
    ['a data folder that is a file', [], { DATA_DIR: start }, /^The data folder .* cannot be used: it is not a folder/],
  ])('ends with one clear line on %s', async (_what, args, environment, line) => {
    const { stdout, stderr, code } = await ending(run(args, environment));

    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test('ends with one clear line when the port is in use', async () => {
    const other = createServer();
    const port = await listenOnLoopback(other);

    const { stderr, code } = await ending(run([], { PORT: String(port) }));
    other.close();

    expect({ stderr, code }).toEqual({ stderr: `Port ${port} is in use: choose another with PORT=...\n`, code: 1 });
  });

  test('says how to build the functions when they are not built', async () => {
    await expect(startLocalRun({ bundles: folder })).rejects.toThrow('run "npm run build" first');
  });

  test('prints its usage with --help', async () => {
    const { stdout, code } = await ending(run(['--help']));

    expect(code).toBe(0);
    expect(stdout).toContain('DATA_DIR');
  });

  test('prints two variables and complete commands to paste, without colours when the output is not a terminal', async () => {
    const child = run();
    const [printed]: unknown[] = await once(child.stdout, 'data');
    const words = String(printed);
    const toPaste = [...words.matchAll(/^ {4}(?:export|curl) .*(?:\n {6}.*)*/gm)].map(([command]) => command);
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', toPaste.join('\n')], {
      env: { PATH: process.env['PATH'] },
    });
    await stop(child);

    expect(words).toMatch(/Listening on http:\/\/127\.0\.0\.1:\d+/);
    expect(toPaste.map((command) => command.trim().split(/[ =]/, 2))).toEqual([
      ['export', 'CANCELLATION_URL'],
      ['export', 'CANCELLATION_CREDENTIAL'],
      ['curl', '-sS'],
      ['curl', '-sS'],
    ]);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\{"jobId":.*"outcome":"cancelled".*\}\n200\n\{"cancellations":\[\{.*\}\n200\n$/);
    expect(words).toMatch(/aws events put-events .*\n.*--endpoint-url http:.*\n.*partner\.acme.*order-7894/);
    expect(words).not.toContain('\u001b');
  });

  test('cancels order-7890 for acme, and writes credentials that only their owner can read', async () => {
    const { child, addresses } = await started();
    const cancelled = await call(addresses, 'POST');
    const consolePage = await fetch(`${addresses.baseUrl}/console`);
    const file = join(folder, '.local', 'credentials.json');

    expect([cancelled.status, consolePage.status]).toEqual([200, 200]);
    expect(await cancelled.json()).toMatchObject({
      jobId: 'job_01hy3m8qtn2e5r7k9p0w4x1def',
      outcome: 'cancelled',
      jobStatus: 'cancelled',
      pageCount: 204,
      successfulPageCount: 63,
      creditsDebited: 63,
    });
    expect((await call(addresses, 'POST', 'globex')).status).toBe(404);
    expect(startedSchema.parse(JSON.parse(readFileSync(file, 'utf8')))).toEqual(addresses);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await stop(child);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('ends soon on %s, with exit code 0 and no process left', async (signal) => {
    const { child, addresses } = await started({ RECONCILE_EVERY_MS: '200' });
    // The job stays in processing: the reconciler sleeps until its poll is due.
    expect((await call(addresses, 'POST', 'acme', 'order-7891')).status).toBe(202);
    await sleep(500);
    const containers = childrenOf(child.pid ?? 0);
    // The authorizer, the function that answered, and the reconciler, which the schedule starts at once.
    expect(containers.length).toBeGreaterThanOrEqual(3);

    const { code, ms } = await stop(child, signal);

    expect(code).toBe(0);
    expect(ms).toBeLessThan(5000);
    expect(containers.filter(isRunning)).toEqual([]);
  });

  test('leaves no process behind when it is killed', async () => {
    const { child, addresses } = await started();
    await call(addresses, 'GET');
    const containers = childrenOf(child.pid ?? 0);

    await stop(child, 'SIGKILL');
    const giveUpAt = Date.now() + 3000;
    while (containers.some(isRunning) && Date.now() < giveUpAt) await sleep(10);

    expect(containers.filter(isRunning)).toEqual([]);
  });

  test('keeps the data between two runs with one folder, but rejects the credentials of the first', async () => {
    const data = { DATA_DIR: join(folder, 'data') };
    const first = await started(data);
    await call(first.addresses, 'POST');
    await stop(first.child);
    const port = new URL(first.addresses.baseUrl).port;

    const second = await started({ ...data, PORT: port });
    const read: unknown = await (await call(second.addresses, 'GET')).json();
    const again = await call(second.addresses, 'POST');
    const old = await call({ ...second.addresses, partners: first.addresses.partners }, 'GET');
    await stop(second.child);

    expect(read).toMatchObject({ cancellations: [{ outcome: 'cancelled', timeline: [{ seq: 1 }, { seq: 2 }] }] });
    expect(again.status).toBe(200);
    expect(old.status).toBe(401);
  });

  test('keeps its files from other users, those of an earlier version too', async () => {
    const data = join(folder, 'open');
    mkdirSync(join(data, 'dynamodb'), { recursive: true });
    writeFileSync(join(data, 'queue.json'), '{"queue":[],"dlq":[]}');
    for (const path of [data, join(data, 'dynamodb')]) chmodSync(path, 0o755);
    chmodSync(join(data, 'queue.json'), 0o644);

    const { child, addresses } = await started({ DATA_DIR: data });
    await call(addresses, 'POST');
    await stop(child);
    const entries = readdirSync(data, { recursive: true, withFileTypes: true });
    const modes = entries.map((entry) => {
      const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777;
      return `${entry.isDirectory() ? 'folder' : 'file'} ${mode.toString(8)}`;
    });

    expect(entries.length).toBeGreaterThan(5);
    expect([...new Set(modes)].toSorted()).toEqual(['file 600', 'folder 700']);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, '.local')).mode & 0o777).toBe(0o700);
  });

  test('touches no folder of other files, and says so in one clear line', async () => {
    const other = join(folder, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'thesis.txt'), '');
    chmodSync(other, 0o755);

    const { stderr, code } = await ending(run([], { DATA_DIR: other }));

    expect(code).toBe(1);
    expect(stderr).toMatch(/^The data folder .* holds other files, and other users may enter it: .*\n$/);
    expect(statSync(other).mode & 0o777).toBe(0o755);
    expect(readdirSync(other)).toEqual(['thesis.txt']);
  });

  test('ends with one clear line when another run uses the data folder', async () => {
    const data = { DATA_DIR: join(folder, 'held') };
    const { child } = await started(data);

    const second = await ending(run([], data));
    await stop(child);

    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/^The data folder .* another run is using it\.\n$/);
  });

  test('calls another upstream in place of the simulator', async () => {
    const other = await startLocalRun();
    other.simulator?.setApiKey('pgk_test_upstream');

    const { child, addresses } = await started({
      PLANGREP_BASE_URL: other.plangrepUrl,
      PLANGREP_API_KEY: 'pgk_test_upstream',
    });
    const { status } = await call(addresses, 'POST');
    const cancels = other.simulator?.requests.count('cancel');
    await stop(child);
    await other.close();

    expect({ status, cancels, plangrepUrl: addresses.plangrepUrl }).toEqual({
      status: 200,
      cancels: 1,
      plangrepUrl: other.plangrepUrl,
    });
  });
});
