import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenOnLoopback } from '../../infra/local/aws/loopback.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';
import { onlyLine, runCommand } from '../support/run-command.ts';

let local: TestRun;
let token = '';
beforeAll(async () => {
  local = await startTestRun();
  token = local.partners[0]?.token ?? '';
});
afterAll(() => local.close());

const smoke = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runCommand('smoke', args, { env });

describe('smoke', () => {
  it('passes on a running service, and touches no job', async () => {
    const before = [await local.items('CancellationLog'), await local.items('JobDirectory')];
    const done = await smoke(['--url', local.baseUrl, '--json'], { SMOKE_TOKEN: `${token}\n` });
    const after = [await local.items('CancellationLog'), await local.items('JobDirectory')];

    expect(done).toMatchObject({ code: 0, stderr: '' });
    const summary: unknown = JSON.parse(done.stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(summary).toEqual({ ok: true, passed: 5, failed: 0, skipped: 0, url: `${local.baseUrl}/` });
    expect(after).toEqual(before);
    expect(local.simulator.requests.all()).toEqual([]);
    expect(done.stdout).not.toContain(token);
  });

  it('skips and names the checks that need a credential when there is none', async () => {
    const { stdout, code } = await smoke(['--url', local.baseUrl]);

    expect(code).toBe(0);
    expect(stdout.match(/^skipped .*set SMOKE_TOKEN/gm)).toHaveLength(2);
    expect(stdout).toContain('3 passed, 0 failed, 2 skipped');
  });

  it('fails where the credential is rejected', async () => {
    const { stdout, code } = await smoke(['--url', local.baseUrl, '--token', `${token}x`]);

    expect(code).toBe(1);
    expect(stdout).toMatch(/status 401, not 404/);
  });

  it('fails where every answer is 200, and where there is no answer', async () => {
    const server = createServer((_request, response) => response.end('{}'));
    const port = await listenOnLoopback(server, 0);
    const gone = createServer();
    const gonePort = await listenOnLoopback(gone, 0);
    await new Promise((resolve) => gone.close(resolve));
    const [all200, unanswered] = await Promise.all([
      smoke(['--url', `http://127.0.0.1:${port}/live`], { SMOKE_TOKEN: token }),
      smoke(['--url', `http://127.0.0.1:${gonePort}`]),
    ]);
    server.close();

    expect(all200.code).toBe(1);
    expect(all200.stdout).toMatch(/^failed .*\n +status 200, not 401; not application\/problem\+json/m);
    expect(all200.stdout).toContain('0 passed, 5 failed, 0 skipped');
    expect(unanswered).toMatchObject({ code: 1, stdout: expect.stringContaining('ECONNREFUSED') });
  });

  it.each<[string, string[], RegExp]>([
    ['without an address', [], /^"smoke" needs --url URL/],
    ['over http elsewhere', ['--url', 'http://api.example.com'], /^--url must be https/],
    ['an unknown option', ['--frobnicate'], /^Unknown option.*--help/],
  ])('refuses %s in one line', async (_, args, line) => {
    const ended = await smoke(args);

    expect(ended.code).toBe(2);
    expect(onlyLine(ended)).toMatch(line);
  });
});
