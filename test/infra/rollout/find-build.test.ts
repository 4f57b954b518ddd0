import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { root } from '../stacks/synthesized.ts';

const [older, good, bad, stranger] = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(40));

interface Played {
  readonly id: number;
  readonly commit: string | undefined;
  readonly succeeded: readonly string[];
  readonly expired?: boolean;
}
const all = ['checks / test', 'prod / deploy', 'prod / smoke', 'dev / deploy', 'dev / smoke'];

/** GitHub's REST API, as far as it is asked: one page of runs, their jobs, artifacts, and the commits. */
function playGitHub(runs: readonly Played[], asked: string[]) {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://here');
    asked.push(`${request.headers.authorization} ${pathname}?${searchParams.toString()}`);
    const path = pathname.replace('/repos/acme/cancel/', '');
    const [, id, what] = /^actions\/runs\/(\d+)\/(\w+)$/.exec(path) ?? [];
    const run = runs.find((one) => String(one.id) === id);
    const answers: Record<string, unknown> = {
      'actions/workflows/deploy.yml/runs': {
        workflow_runs: runs.map(({ id: one, commit }) => ({ id: one, head_sha: commit })),
      },
      [`actions/runs/${id}/jobs`]: { jobs: run?.succeeded.map((name) => ({ name, conclusion: 'success' })) },
      [`actions/runs/${id}/artifacts`]: { artifacts: [{ name: 'bundles', expired: run?.expired ?? false }] },
      [`commits/${older}`]: { sha: older },
      [`commits/${stranger}`]: { sha: stranger },
      [`compare/main...${older}`]: { status: 'behind' },
      [`compare/main...${stranger}`]: { status: 'diverged' },
    };
    const answer = what === undefined || run !== undefined ? answers[path] : undefined;
    response.writeHead(answer === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answer ?? { message: 'Not Found' }));
  });
  return server;
}

const servers: ReturnType<typeof createServer>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

async function find(runs: readonly Played[], ...args: readonly string[]) {
  const asked: string[] = [];
  const server = playGitHub(runs, asked);
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const output = join(mkdtempSync(join(tmpdir(), 'find-build-')), 'output');
  const child = spawn(process.execPath, [join(root, 'infra/deploy/find-build.ts'), ...args], {
    env: {
      GITHUB_API_URL: `http://127.0.0.1:${port}`,
      GITHUB_REPOSITORY: 'acme/cancel',
      GITHUB_TOKEN: 'token',
      GITHUB_OUTPUT: output,
    },
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr, asked, output: code === 0 ? readFileSync(output, 'utf8') : undefined };
}

describe('the build to deploy again', () => {
  const history: readonly Played[] = [
    { id: 5, commit: stranger, succeeded: ['checks / test'] },
    { id: 4, commit: bad, succeeded: all },
    { id: 3, commit: bad, succeeded: all },
    { id: 2, commit: good, succeeded: all },
    { id: 1, commit: older, succeeded: all },
  ];

  test('is the last good one before what is deployed', async () => {
    const found = await find(history, 'prod');

    expect(found).toMatchObject({ code: 0, stderr: '', output: `commit=${good}\nrun=2\n` });
    for (const call of found.asked) expect(call).toMatch(/^Bearer token \/repos\/acme\/cancel\//);
    expect(found.asked[0]).toContain('branch=main&event=push');
  });

  test('is none whose smoke test failed, although it is deployed', async () => {
    const failed = history.map((run) =>
      run.id > 2 ? run : { ...run, succeeded: run.id === 2 ? ['prod / deploy'] : all },
    );

    expect(await find(failed, 'prod')).toMatchObject({ output: `commit=${older}\nrun=1\n` });
  });

  test('is that of the named commit, when it was tested, good or not', async () => {
    const found = await find(history, 'prod', stranger?.slice(0, 7) ?? '');

    expect(found).toMatchObject({ code: 0, output: `commit=${stranger}\nrun=5\n` });
  });

  test('is built again when its bundles are no longer kept', async () => {
    const kept = history.map((run) => ({ ...run, expired: run.id === 2 }));

    const found = await find(kept, 'prod');

    expect(found).toMatchObject({ code: 0, output: `commit=${good}\nrun=\n` });
    expect(found.stdout).toContain('built again');
  });

  test('is built from a commit of main that no run is known for', async () => {
    expect(await find([], 'prod', older ?? '')).toMatchObject({ code: 0, output: `commit=${older}\nrun=\n` });
  });

  test('is no commit outside main', async () => {
    const found = await find([], 'prod', stranger ?? '');

    expect(found).toMatchObject({ code: 1, stderr: `${stranger} is not a commit of main.\n` });
  });

  test.each([
    {
      name: 'nothing was deployed',
      runs: history.slice(0, 1),
      args: ['prod'],
      why: /^No run has deployed there: name a/,
    },
    {
      name: 'nothing good came before',
      runs: history.slice(0, 3),
      args: ['prod'],
      why: /^No good build comes before c+/,
    },
    { name: 'the commit is a branch', runs: history, args: ['prod', 'main'], why: /hexadecimal/ },
    { name: 'the commit is unknown', runs: [], args: ['prod', 'f'.repeat(40)], why: /^GitHub answered 404: commits/ },
  ])('is none when $name, and says so in one line', async ({ runs, args, why }) => {
    const { code, stderr } = await find(runs, ...args);

    expect(code).toBeGreaterThan(0);
    expect(stderr).toMatch(why);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});
