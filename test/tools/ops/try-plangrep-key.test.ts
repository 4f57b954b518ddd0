import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { tryPlangrepKey } from '../../../infra/cli/try-plangrep-key.ts';
import { serveOnLoopback } from '../../../infra/local/aws/loopback.ts';
import { startPlangrepSimulator } from '../../../infra/local/plangrep/plangrep-simulator.ts';

const KEY = 'pgk_live_simulated';

async function givenSimulator() {
  const simulator = await startPlangrepSimulator({ apiKey: KEY, now: () => Date.now() });
  onTestFinished(() => simulator.close());
  return simulator;
}

/** A Plangrep that answers everything alike. @returns its address, and what was asked */
async function givenAnswer(status: number) {
  const asked: string[] = [];
  const server = createServer(({ method, url }, response) => {
    asked.push(`${method} ${url}`);
    response.writeHead(status).end('{}');
  });
  const { url, close } = await serveOnLoopback(server);
  onTestFinished(close);
  return { url, asked };
}

test.each([KEY, `{"apiKey":"${KEY}"}`])('Plangrep accepts %s', async (value) => {
  expect(await tryPlangrepKey((await givenSimulator()).url, value)).toEqual({ kind: 'accepted' });
});

test('a revoked key is refused', async () => {
  expect(await tryPlangrepKey((await givenSimulator()).url, 'pgk_live_revoked_1')).toEqual({ kind: 'refused' });
});

test('a value that cannot be a key is not sent', async () => {
  const { url, asked } = await givenAnswer(200);

  expect(await tryPlangrepKey(url, 'short')).toMatchObject({ kind: 'malformed' });
  expect(asked).toEqual([]);
});

test('it is one read of a job that does not exist', async () => {
  const { url, asked } = await givenAnswer(404);

  expect(await tryPlangrepKey(url, KEY)).toEqual({ kind: 'accepted' });
  expect(asked).toEqual([expect.stringMatching(/^GET \/api\/open\/v1\/jobs\/job_preflight_[0-9a-f-]{36}$/)]);
});

test.each([
  [403, 'Plangrep answers 403: the key has no jobs:read, or that is its answer for an unknown job'],
  [418, 'Plangrep answers 418'],
  [429, 'Plangrep answers 429: try again later'],
])('an answer of %i says nothing of the key', async (status, why) => {
  expect(await tryPlangrepKey((await givenAnswer(status)).url, KEY)).toEqual({ kind: 'unknown', why });
});

test('a Plangrep that fails or is not there says nothing of the key', async () => {
  const { url } = await givenAnswer(500);
  const closed = await givenSimulator();
  await closed.close();

  expect(await tryPlangrepKey(url, KEY)).toEqual({ kind: 'unknown', why: `no clear answer from ${url}: 500` });
  expect(await tryPlangrepKey(closed.url, KEY)).toEqual({ kind: 'unknown', why: `no connection to ${closed.url}` });
});
