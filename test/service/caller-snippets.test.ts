import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, type FrontServer, relay, startFrontServer } from '../support/front-server.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';

const exec = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const page = readFileSync(join(root, 'docs/calling.md'), 'utf8');
const section = page.split('## From your language')[1]?.split(/^## /m)[0] ?? '';

/** Each language's snippet, the commands that it needs, and how it is told which job. */
const languages = [
  { fence: 'bash', file: 'cancel.sh', command: ['bash'], needs: ['bash', 'curl', 'openssl'], takesJson: true },
  { fence: 'ts', file: 'cancel.ts', command: [process.execPath], needs: [process.execPath], takesJson: false },
  { fence: 'python', file: 'cancel.py', command: ['python3'], needs: ['python3'], takesJson: false },
  { fence: 'java', file: 'Cancel.java', command: ['java'], needs: ['java', 'javac'], takesJson: true },
];

/** The commands that this machine has not. */
const missing = async (needs: readonly string[]): Promise<readonly string[]> => {
  const found = await Promise.all(
    needs.map((need) =>
      exec('sh', ['-c', 'command -v "$0"', need]).then(
        () => true,
        () => false,
      ),
    ),
  );
  return needs.filter((_need, index) => !found[index]);
};
const lacking = await Promise.all(languages.map(({ needs }) => missing(needs)));

const folder = mkdtempSync(join(tmpdir(), 'caller-snippets-'));
let run: TestRun;
let front: FrontServer;
beforeAll(async () => {
  run = await startTestRun();
  front = await startFrontServer(run.baseUrl);
  for (const { fence, file } of languages) {
    const [, code = ''] = new RegExp(`^\`\`\`${fence}\\n(.*?)^\`\`\`$`, 'ms').exec(section) ?? [];
    writeFileSync(join(folder, file), code);
  }
  // The client as a partner has it, without touching what others may pack meanwhile.
  const installed = join(folder, 'node_modules/plangrep-cancellation-client');
  mkdirSync(installed, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(installed, 'package.json'), '{ "type": "module", "exports": "./index.js" }');
  const entry = join(root, 'client/src/index.ts');
  await build({ entryPoints: [entry], outfile: join(installed, 'index.js'), bundle: true, format: 'esm' });
});
afterAll(async () => {
  await front.close();
  await run.close();
  rmSync(folder, { recursive: true });
});

describe.each(languages.map((language, index) => ({ ...language, lacks: lacking[index] ?? [] })))(
  'the program of docs/calling.md in $fence',
  ({ file, command: [command = '', ...args], takesJson, lacks, fence }) => {
    const cancel = async (externalId?: string, url = run.baseUrl) => {
      const told = externalId === undefined ? [] : [takesJson ? JSON.stringify({ externalId }) : externalId];
      const token = run.partners.find(({ partnerId }) => partnerId === 'acme')?.token;
      const env = { PATH: process.env['PATH'], CANCELLATION_URL: url, CANCELLATION_CREDENTIAL: token };
      const ended = await exec(command, [...args, file, ...told], { cwd: folder, env }).then(
        (output) => ({ ...output, code: 0 }),
        (error: { stdout: string; stderr: string; code: number }) => error,
      );
      expect(ended.stdout + ended.stderr).not.toContain(token?.slice(-20));
      const { stdout, stderr, code } = ended;
      return { stdout: stdout.trim(), stderr: stderr.trim(), code };
    };
    /** How many requests to cancel order-7890 the audit trail has. */
    const requestsOnRecord = async () => {
      const items = await run.items('CancellationLog');
      const ofIt = items.filter(({ externalId }) => externalId === 'order-7890');
      return ofIt.filter(({ type }) => type === 'requested' || type === 'joined').length;
    };
    const newJob = async (name: string, fields: Parameters<TestRun['addJob']>[2] = {}) => {
      const externalId = `${fence} ${name}`;
      await run.addJob(externalId, `job_${fence}_${name}`, fields);
      return externalId;
    };
    const test = it.skipIf(lacks.length > 0);
    if (lacks.length > 0)
      console.log(`${file} of docs/calling.md is not run: this machine has no ${lacks.join(', ')}.`);

    test('cancels order-7890 as it stands', async () => {
      const before = await requestsOnRecord();
      expect(await cancel()).toEqual({ stdout: 'cancelled', stderr: '', code: 0 });
      expect(await requestsOnRecord()).toBe(before + 1);
    });

    test('says of a 202 that the service completes it', async () => {
      const { stdout, code } = await cancel(await newJob('slow', { cancelTakes: 3_600_000 }));
      expect(stdout).toMatch(/^accepted: (the service completes it|look .* in 15 s)/);
      expect(code).toBe(0);
    });

    test('says of a 409 why there is nothing to cancel', async () => {
      const { stdout, code } = await cancel(await newJob('done', { status: 'completed' }));
      expect(stdout).toMatch(/^not cancelled: .*completed/);
      expect(code).toBe(0);
    });

    test('fails with any other problem, and shows it', async () => {
      const { stdout, stderr, code } = await cancel('nobody knows');
      expect(stderr).toMatch(/^(HTTP 404|notFound): .*No job of yours has this externalId or jobId/);
      expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    });

    test('repeats once after Retry-After, under the same Idempotency-Key', async () => {
      const since = front.requests.length;
      const busy = answer(503, { 'Retry-After': '1' }, '{}');
      let isOver = false;
      front.misbehave(
        (response, pass) => {
          setTimeout(() => (isOver = true), 900);
          return busy(response, pass);
        },
        // Whoever comes too soon gets another 503, and has no third try.
        async (response, pass) => (isOver ? relay(response, await pass()) : busy(response, pass)),
      );
      const { stdout } = await cancel(await newJob('busy'), front.url);
      expect(stdout).toBe('cancelled');
      const keys = front.requests.slice(since).map(({ headers }) => headers['idempotency-key']);
      expect(keys).toEqual([keys[0], keys[0]]);
      expect(keys[0]).toMatch(/^[\da-f-]{32,36}$/);
    });
  },
);

it('docs/calling.md has four programs', () => {
  const fences = [...section.matchAll(/^```(\w+)$/gm)].map(([, fence]) => fence);
  expect(fences).toEqual(['sh', ...languages.map(({ fence }) => fence)]);
});
