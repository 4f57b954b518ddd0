import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenOnLoopback } from '../../infra/local/aws/listen-on-loopback.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';

const command = new URL('../../infra/cli/smoke.ts', import.meta.url).pathname;

let local: TestRun;
let token = '';
beforeAll(async () => {
  local = await startTestRun();
  token = local.partners[0]?.token ?? '';
});
afterAll(() => local.close());

const smoke = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const child = spawn(process.execPath, [command, ...args], { env: { PATH: process.env['PATH'] ?? '', ...env } });
  const [stdout, stderr, exit] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  const code: unknown = exit[0];
  return { stdout, stderr, code };
};

describe('smoke', () => {
  it('passes where the service is, and touches nothing', async () => {
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

  it('skips what needs a credential when there is none, and says so', async () => {
    const { stdout, code } = await smoke(['--url', local.baseUrl]);

    expect(code).toBe(0);
    expect(stdout.match(/^skipped .*set SMOKE_TOKEN/gm)).toHaveLength(2);
    expect(stdout).toContain('3 passed, 0 failed, 2 skipped');
  });

  it('fails where the credential is refused', async () => {
    const { stdout, code } = await smoke(['--url', local.baseUrl, '--token', `${token}x`]);

    expect(code).toBe(1);
    expect(stdout).toMatch(/status 401, not 404/);
  });

  it('fails where everything is answered with 200, or nothing', async () => {
    const server = createServer((_request, response) => response.end('{}'));
    const port = await listenOnLoopback(server, 0);
    const gone = createServer();
    const gonePort = await listenOnLoopback(gone, 0);
    await new Promise((resolve) => gone.close(resolve));
    const [all200, nobody] = await Promise.all([
      smoke(['--url', `http://127.0.0.1:${port}/live`], { SMOKE_TOKEN: token }),
      smoke(['--url', `http://127.0.0.1:${gonePort}`]),
    ]);
    server.close();

    expect(all200.code).toBe(1);
    expect(all200.stdout).toMatch(/^failed .*\n +status 200, not 401; not application\/problem\+json/m);
    expect(all200.stdout).toContain('0 passed, 5 failed, 0 skipped');
    expect(nobody).toMatchObject({ code: 1, stdout: expect.stringContaining('ECONNREFUSED') });
  });

  it.each<[string, string[], RegExp]>([
    ['without an address', [], /^Say where/],
    ['over http elsewhere', ['--url', 'http://api.example.com'], /^The URL must be https/],
    ['an unknown option', ['--frobnicate'], /^Unknown option.*--help/],
  ])('refuses %s in one line', async (_, args, line) => {
    const { stdout, stderr, code } = await smoke(args);

    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
