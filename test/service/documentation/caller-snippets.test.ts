import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { serveOnLoopback } from '../../../infra/local/aws/loopback.ts';
import { answer, relay } from '../../support/front-server.ts';
import { commandsMissing } from '../../support/commands-missing.ts';
import { givenClients } from '../../support/given-clients.ts';
import { givenService } from '../../support/given-service.ts';
import type { TestRun } from '../../support/local-run.ts';

const exec = promisify(execFile);
const root = new URL('../../../', import.meta.url).pathname;
const page = readFileSync(join(root, 'docs/calling.md'), 'utf8');
const section = page.split('## From your language')[1]?.split(/^## /m)[0] ?? '';

/** Java compiles little and starts one thread to collect garbage: half of the processor time of these short programs. */
const java = ['java', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
/** Each language's program, and the commands that it needs. */
const languages = [
  { fence: 'bash', file: 'cancel.sh', command: ['bash'], needs: ['bash', 'curl', 'openssl'] },
  { fence: 'ts', file: 'cancel.ts', command: [process.execPath], needs: [process.execPath] },
  { fence: 'python', file: 'cancel.py', command: ['python3'], needs: ['python3'] },
  { fence: 'java', file: 'Cancel.java', command: java, needs: ['java', 'javac'] },
];

const service = givenService();
const clients = givenClients(service);
const folder = mkdtempSync(join(tmpdir(), 'caller-snippets-'));
beforeAll(async () => {
  for (const { fence, file } of languages) {
    const [, code = ''] = new RegExp(`^\`\`\`${fence}\\n(.*?)^\`\`\`$`, 'ms').exec(section) ?? [];
    writeFileSync(join(folder, file), code);
  }
  // The client as a partner installs it, built here because other tests may pack it at the same time.
  const installed = join(folder, 'node_modules/plangrep-cancellation-client');
  mkdirSync(installed, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(installed, 'package.json'), '{ "type": "module", "exports": "./index.js" }');
  const entry = join(root, 'client/src/index.ts');
  await build({ entryPoints: [entry], outfile: join(installed, 'index.js'), bundle: true, format: 'esm' });
});

describe.each(languages.map((language) => ({ ...language, lacks: commandsMissing(language.needs) })))(
  'the program of docs/calling.md in $fence',
  ({ file, command: [command = '', ...args], lacks, fence }) => {
    const testIfInstalled = test.skipIf(lacks.length > 0);
    if (lacks.length > 0)
      console.log(`${file} of docs/calling.md is not run: this machine has no ${lacks.join(', ')}.`);

    async function cancel(externalId?: string, url = service.run.baseUrl) {
      const { credential } = clients;
      const job = externalId === undefined ? [] : [externalId];
      const variables = { CANCELLATION_URL: url, CANCELLATION_CREDENTIAL: url && credential };
      // Java reads its arguments in the encoding of the locale.
      const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', ...variables };
      const ended = await exec(command, [...args, file, ...job], { cwd: folder, env }).then(
        (output) => ({ ...output, code: 0 }),
        (error: { stdout: string; stderr: string; code: number }) => error,
      );
      expect(ended.stdout + ended.stderr).not.toContain(credential.slice(-20));
      const { stdout, stderr, code } = ended;
      return { stdout: stdout.trim(), stderr: stderr.trim(), code };
    }
    async function newJob(name: string, fields: Parameters<TestRun['addJob']>[2] = {}, jobName = name) {
      const externalId = `${fence} ${name}`;
      await service.run.addJob(externalId, `job_${fence}_${jobName}`, fields);
      return externalId;
    }
    /** How many requests to cancel order-7890 the audit trail has. */
    async function requestsOnRecord() {
      const records = await service.run.items('CancellationLog');
      const ofOrder7890 = records.filter(({ externalId }) => externalId === 'order-7890');
      return ofOrder7890.filter(({ type }) => type === 'requested' || type === 'joined').length;
    }

    testIfInstalled('cancels order-7890 as it stands', async () => {
      const before = await requestsOnRecord();

      const ended = await cancel();

      expect(ended).toEqual({ stdout: 'cancelled', stderr: '', code: 0 });
      expect(await requestsOnRecord()).toBe(before + 1);
    });

    testIfInstalled('takes any externalId as its argument, also one that JSON must escape', async () => {
      const externalId = await newJob('\\ "é" & $0 \u{1f600}', {}, 'escaped');

      expect(await cancel(externalId)).toEqual({ stdout: 'cancelled', stderr: '', code: 0 });
    });

    testIfInstalled('says in one line that the server is down, and fails', async () => {
      const gone = await serveOnLoopback(createServer(), 0);
      await gone.close();

      const { stdout, stderr, code } = await cancel('order-7890', gone.url);

      expect(stderr).toMatch(/^(No answer from|curl: |unavailable: ).*$/);
      expect(stderr.split('\n')).toHaveLength(1);
      expect({ stdout, code }).toEqual({ stdout: '', code: expect.any(Number) });
      expect(code).not.toBe(0);
    });

    testIfInstalled('says in one line that the variables are not set', async () => {
      const { stdout, stderr, code } = await cancel('order-7890', '');

      expect(stderr).toMatch(/^.*CANCELLATION_URL.*$/);
      expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    });

    testIfInstalled('says of a 202 that the service completes it', async () => {
      const { front } = clients;
      const externalId = await newJob('slow', { cancelTakes: 3_600_000 });
      // What is answered after 10 s, at once.
      const { status, headers, body } = await service.cancel({ externalId });
      front.misbehave(answer(status, Object.fromEntries(headers), JSON.stringify(body)));

      const { stdout, code } = await cancel(externalId, front.url);

      expect(front.requests.at(-1)?.headers['prefer']).toBe('wait=10');
      expect(stdout).toMatch(/^accepted: (the service completes it|look .* in \d s)/);
      expect(code).toBe(0);
    });

    testIfInstalled('says of a 409 why there is nothing to cancel', async () => {
      const externalId = await newJob('done', { status: 'completed' });

      const { stdout, code } = await cancel(externalId);

      expect(stdout).toMatch(/^not cancelled: .*completed/);
      expect(code).toBe(0);
    });

    testIfInstalled('fails with any other problem, and shows it', async () => {
      const { stdout, stderr, code } = await cancel('never registered');

      expect(stderr).toMatch(/^(HTTP 404|notFound): .*No job of yours \(acme\) has this externalId or jobId/);
      expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    });

    testIfInstalled('repeats once after Retry-After, under the same Idempotency-Key', async () => {
      const { front } = clients;
      const since = front.requests.length;
      const busy = answer(503, { 'Retry-After': '1' }, '{}');
      let isOver = false;
      front.misbehave(
        (response, pass) => {
          setTimeout(() => (isOver = true), 900);
          return busy(response, pass);
        },
        // A repeat that comes too soon gets another 503, and there is no third try.
        async (response, pass) => (isOver ? relay(response, await pass()) : busy(response, pass)),
      );
      const externalId = await newJob('busy');

      const { stdout } = await cancel(externalId, front.url);

      const keys = front.requests.slice(since).map(({ headers }) => headers['idempotency-key']);
      expect(stdout).toBe('cancelled');
      expect(keys).toEqual([keys[0], keys[0]]);
      expect(keys[0]).toMatch(/^[\da-f-]{32,36}$/);
    });
  },
);

test('docs/calling.md has four programs', () => {
  const fences = [...section.matchAll(/^```(\w+)$/gm)].map(([, fence]) => fence);

  expect(fences).toEqual(['sh', ...languages.map(({ fence }) => fence)]);
});
