import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { commandsMissing } from '../../support/commands-missing.ts';
import { givenService } from '../../support/given-service.ts';

/** Plays the commands that the pages show to a partner's developer, as they are printed there, beside a local run. */
const root = new URL('../../../', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'partner-commands-'));
const credentialsPath = join(folder, '.local', 'credentials.json');
const service = givenService({ authorizerTtlMs: 0, credentialsPath });

/** The blocks of a page in a language, in their order. */
function blocksOf(page: string, fence: string): readonly string[] {
  const blocks = readFileSync(join(root, page), 'utf8').matchAll(new RegExp(`^\`\`\`${fence}\\n(.*?)^\`\`\`$`, 'gms'));
  return [...blocks].map(([, code = '']) => code);
}

/** Runs commands in the folder with the run's credentials, where `npm run` finds this project. */
async function type(commands: string): Promise<string> {
  const { baseUrl, partners } = service.run;
  const { stdout, stderr } = await promisify(execFile)(
    'bash',
    ['--norc', '-euo', 'pipefail', '-c', `npm() { command npm --prefix "$PROJECT" "$@"; }\n${commands}`],
    {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        PROJECT: root,
        CREDENTIALS_FILE: credentialsPath,
        CANCELLATION_URL: baseUrl,
        CANCELLATION_CREDENTIAL: partners.find(({ partnerId }) => partnerId === 'acme')?.token,
      },
    },
  );
  expect(stderr).toBe('');
  return stdout;
}

describe('README.md', () => {
  test('cancels order-7890 and gets the answer that is printed', async () => {
    const [console = ''] = blocksOf('README.md', 'console');
    const [, command = '', answer = ''] = /^\$ (.*?)\n(\{.*)/s.exec(console) ?? [];

    const answered = await type(command);

    const fields = [...answer.matchAll(/"\w+":(?:"[^"]*"|\d+)/g)].map(([field]) => field);
    expect(fields.length).toBeGreaterThan(5);
    for (const field of fields) expect(answered).toContain(field);
  });

  test('lets acme send five requests at once with the plan small, and refuses the others', async () => {
    const [command = ''] = /npm run ops -- partner set [^`]*/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];

    await type(command);
    const answers = await Promise.all(
      Array.from({ length: 7 }, () => service.run.call('acme', 'GET /v1/cancellations?externalId=order-7892')),
    );
    await type(command.replace('small', 'standard'));

    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(2);
    expect(answers.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('1');
  });
});

describe.skipIf(commandsMissing(['jq', 'curl']).length > 0)('docs/sandbox.md', () => {
  const [cancel = '', fault = '', rotate = ''] = blocksOf('docs/sandbox.md', 'sh');

  test('registers a job of the sandbox, and its cancel is accepted', async () => {
    const answers = (await type(cancel)).replaceAll('}{', '}\n{').split('\n');

    expect(answers.map((answer) => JSON.parse(answer))).toMatchObject([
      { jobId: 'job_sandbox_slow_acme-42', externalId: 'order-42', verifiedAt: expect.any(String) },
      { jobId: 'job_sandbox_slow_acme-42', state: 'open', jobStatus: 'processing' },
    ]);
  });

  test('makes the simulator fail, and gives it another key', async () => {
    await type(fault);
    const during = await service.run.call('acme', 'POST /v1/cancellations', { externalId: 'order-7894' });
    const rotated = await type(`${fault.split('\n')[0]}\n${rotate}`);
    service.run.simulator.faults.clear();

    expect(during.status).toBe(202);
    expect(rotated).toMatch(/Plangrep/);
  });
});
