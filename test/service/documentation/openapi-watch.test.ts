import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { startTestRun } from '../../support/local-run.ts';
import { fetchDescribed } from '../../support/openapi/openapi-answers.ts';

const folder = mkdtempSync(join(tmpdir(), 'openapi-watch-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The real bundles, except for one that answers what is not described. */
const bundlesAnswering = (name: string, answer: object): string => {
  const bundles = join(folder, name);
  cpSync(new URL('../../../dist/functions', import.meta.url).pathname, bundles, { recursive: true });
  writeFileSync(
    join(bundles, 'register-job', 'index.mjs'),
    `export const handler = async () => (${JSON.stringify(answer)});`,
  );
  return bundles;
};
const headers = {
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Request-Id': 'request-1',
};
const registered = { jobId: 'job_1', externalId: 'order-1', projectId: null, registeredAt: '2026-11-02T09:00:00.000Z' };
const answering = (body: object, more: object = {}) => ({
  statusCode: 200,
  headers,
  body: JSON.stringify(body),
  ...more,
});

test('every test that starts its own local run watches its answers', () => {
  const tests = new URL('../../', import.meta.url);
  const sources = readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => ({ path, source: readFileSync(new URL(path, tests), 'utf8') }));
  const runsItself = ({ source }: { source: string }) => /import [^;]*\bstartLocalRun\b[^;]* from/.test(source);
  const watches = ({ source }: { source: string }) => /\b(watchAnswers|fetchDescribed)\(/.test(source);

  expect(sources.filter(runsItself).length).toBeGreaterThan(0);
  expect(sources.filter((one) => runsItself(one) && !watches(one)).map(({ path }) => path)).toEqual([]);
});

describe('a test run', () => {
  test.each([
    ['a field', answering({ ...registered, secret: 1 }), /PUT \/v1\/jobs\/job_1, 200: body must NOT have additional/],
    ['a status', answering(registered, { statusCode: 201 }), /201: \/v1\/jobs\/\{jobId\} has no such status/],
    ['a header', answering(registered, { headers: { ...headers, 'X-Debug': '1' } }), /x-debug is not described/],
  ])('fails when it is closed, if an answer had %s that is not described', async (what, answer, finding) => {
    const run = await startTestRun({ bundles: bundlesAnswering(what, answer) });

    await run.call('acme', 'PUT /v1/jobs/job_1', { externalId: 'order-1' });

    await expect(run.close()).rejects.toThrow(finding);
  });

  test('fails at once if the answer came from another process', async () => {
    const run = await startTestRun({ bundles: bundlesAnswering('other', answering({ ...registered, secret: 1 })) });
    const token = run.partners[0]?.token;
    const init = { method: 'PUT', body: '{}', headers: { Authorization: `Bearer ${token}` } };

    await expect(fetchDescribed(`${run.baseUrl}/v1/jobs/job_1`, init)).rejects.toThrow(/"secret"/);
    await expect(run.close()).rejects.toThrow(/"secret"/);
  });
});
