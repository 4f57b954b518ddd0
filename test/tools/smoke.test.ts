import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { listenOnLoopback } from '../../infra/local/aws/loopback.ts';
import { givenService } from '../support/given-service.ts';
import { onlyLine, runCommand } from '../support/run-command.ts';

const service = givenService();
const acmeToken = (): string => service.run.partners.find(({ partnerId }) => partnerId === 'acme')?.token ?? '';

const smoke = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runCommand('smoke', args, { env });

describe('smoke', () => {
  test('passes on a running service, and touches no job', async () => {
    const before = [await service.run.items('CancellationLog'), await service.run.items('JobDirectory')];
    const done = await smoke(['--url', service.run.baseUrl, '--json'], { SMOKE_TOKEN: `${acmeToken()}\n` });
    const after = [await service.run.items('CancellationLog'), await service.run.items('JobDirectory')];

    expect(done).toMatchObject({ code: 0, stderr: '' });
    const summary: unknown = JSON.parse(done.stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(summary).toEqual({ ok: true, passed: 5, failed: 0, skipped: 0, url: `${service.run.baseUrl}/` });
    expect(after).toEqual(before);
    expect(service.run.simulator.requests.all()).toEqual([]);
    expect(done.stdout).not.toContain(acmeToken());
  });

  test('skips and names the checks that need a credential when there is none', async () => {
    const { stdout, code } = await smoke(['--url', service.run.baseUrl]);

    expect(code).toBe(0);
    expect(stdout.match(/^skipped .*set SMOKE_TOKEN/gm)).toHaveLength(2);
    expect(stdout).toContain('3 passed, 0 failed, 2 skipped');
  });

  test('fails where the credential is rejected', async () => {
    const { stdout, code } = await smoke(['--url', service.run.baseUrl, '--token', `${acmeToken()}x`]);

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
      smoke(['--url', `http://127.0.0.1:${port}/live`], { SMOKE_TOKEN: acmeToken() }),
      smoke(['--url', `http://127.0.0.1:${gonePort}`]),
    ]);
    server.close();

    expect(all200.code).toBe(1);
    expect(all200.stdout).toMatch(/^failed .*\n +status 200, not 401; not application\/problem\+json/m);
    expect(all200.stdout).toContain('0 passed, 5 failed, 0 skipped');
    expect(unanswered).toMatchObject({ code: 1, stdout: expect.stringContaining('ECONNREFUSED') });
  });

  test.each<[string, string[], RegExp]>([
    ['without an address', [], /^"smoke" needs --url URL/],
    ['over http elsewhere', ['--url', 'http://api.example.com'], /^--url must be https/],
    ['an unknown option', ['--frobnicate'], /^Unknown option.*--help/],
  ])('refuses %s in one line', async (_, args, line) => {
    const ended = await smoke(args);

    expect(ended.code).toBe(2);
    expect(onlyLine(ended)).toMatch(line);
  });
});
