import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { listenOnLoopback } from '../../infra/local/aws/loopback.ts';
import { givenOps, issuedSchema } from '../support/given-ops.ts';
import { type Ended, onlyLine, runCommand } from '../support/run-command.ts';

const ops = givenOps();
const { service } = ops;
const acmeToken = (): string => service.run.partners.find(({ partnerId }) => partnerId === 'acme')?.token ?? '';

const smoke = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runCommand('smoke', args, { env });

describe('smoke', () => {
  test('passes on a running service, and touches no job', async () => {
    const before = [await service.run.items('CancellationLog'), await service.run.items('JobDirectory')];
    const done = await smoke(['--url', service.run.baseUrl, '--json'], { CANCELLATION_CREDENTIAL: `${acmeToken()}\n` });
    const after = [await service.run.items('CancellationLog'), await service.run.items('JobDirectory')];

    expect(done).toMatchObject({ code: 0, stderr: '' });
    const summary: unknown = JSON.parse(done.stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(summary).toEqual({ ok: true, passed: 9, failed: 0, skipped: 0, url: `${service.run.baseUrl}/` });
    expect(after).toEqual(before);
    expect(service.run.simulator.requests.all()).toEqual([]);
    expect(done.stdout).not.toContain(acmeToken());
  });

  test('passes with the credential that docs/deploy.md has for the pipeline, which can only read', async () => {
    const guide = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8');
    const documented = [
      ...guide.matchAll(
        /^ *AWS_PROFILE=partners-prod npm run ops -- (partner(?:-key)? .*--partner smoke.*?)(?: +#.*)?$/gm,
      ),
    ].map(([, line = '']) => line.replace(' --environment prod', ''));
    expect(documented.map((line) => line.split(' --')[0])).toEqual(['partner add', 'partner-key issue']);

    const ended: Ended[] = [];
    for (const line of documented) ended.push(await ops.run(line));
    const token = /pcg_local_[A-Za-z0-9]{12}_[\w-]{43}/.exec(ended[1]?.stdout ?? '')?.[0] ?? '';
    const { baseUrl } = ops.service.run;
    const done = await smoke(['--url', baseUrl], { CANCELLATION_CREDENTIAL: token });
    const cancel = await fetch(`${baseUrl}/v1/cancellations`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ externalId: 'order-7890' }),
    });

    expect(ended.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ]);
    expect(done).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('9 passed, 0 failed, 0 skipped'),
    });
    expect(cancel.status).toBe(403);
  });

  test('fails where the partner has no usage plan, or the credential may not read', async () => {
    const keyless = await ops.run('partner-key issue --partner planless --json --yes');
    const writer = await ops.issueKey('--scopes jobs:write');
    const tokens = [issuedSchema.parse(JSON.parse(keyless.stdout)).credential, writer.credential];
    const ended = await Promise.all(
      tokens.map((token) => smoke(['--url', ops.service.run.baseUrl], { CANCELLATION_CREDENTIAL: token })),
    );

    for (const { code, stdout } of ended) {
      expect(code).toBe(1);
      expect(stdout).toMatch(/status 403, not 404/);
    }
    // API Gateway's own 403 is not the function's.
    expect(ended[0]?.stdout).toContain('5 passed, 4 failed');
  });

  test('skips and names the checks that need a credential when there is none', async () => {
    const { stdout, code } = await smoke([], { CANCELLATION_URL: service.run.baseUrl });

    expect(code).toBe(0);
    expect(stdout.match(/^skipped .*set CANCELLATION_CREDENTIAL/gm)).toHaveLength(4);
    expect(stdout).toContain('5 passed, 0 failed, 4 skipped');
  });

  test('fails where the credential is rejected', async () => {
    const { stdout, code } = await smoke(['--url', service.run.baseUrl, '--credential', `${acmeToken()}x`]);

    expect(code).toBe(1);
    expect(stdout).toMatch(/status 401, not 404/);
  });

  test('fails where every answer is 200, and where there is no answer', async () => {
    const server = createServer((_request, response) => response.end('{}'));
    const port = await listenOnLoopback(server, 0);
    const gone = createServer();
    const gonePort = await listenOnLoopback(gone, 0);
    await new Promise((resolve) => gone.close(resolve));
    const [all200, unanswered] = await Promise.all([
      smoke(['--url', `http://127.0.0.1:${port}/live`], { CANCELLATION_CREDENTIAL: acmeToken() }),
      smoke(['--url', `http://127.0.0.1:${gonePort}`]),
    ]);
    server.close();

    expect(all200.code).toBe(1);
    expect(all200.stdout).toMatch(/^failed .*\n +status 200, not 401; not application\/problem\+json/m);
    expect(all200.stdout).toContain('0 passed, 9 failed, 0 skipped');
    expect(unanswered).toMatchObject({ code: 1, stdout: expect.stringContaining('ECONNREFUSED') });
  });

  test.each<[string, string[], RegExp]>([
    ['without an address', [], /^"smoke" needs --url URL or CANCELLATION_URL/],
    ['over http elsewhere', ['--url', 'http://api.example.com'], /^--url must be https/],
    ['an unknown option', ['--frobnicate'], /^Unknown option.*--help/],
  ])('refuses %s in one line', async (_, args, line) => {
    const ended = await smoke(args);

    expect(ended.code).toBe(2);
    expect(onlyLine(ended)).toMatch(line);
  });
});
