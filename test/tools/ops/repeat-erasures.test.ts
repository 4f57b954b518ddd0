import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { startTestRun, type TestRun } from '../../support/local-run.ts';
import { type Ended, runCommand } from '../../support/run-command.ts';

/** Plays docs/erasure.md, "After a restore", with the operator's values in the places of `<…>`. */
const page = readFileSync(new URL('../../../docs/erasure.md', import.meta.url), 'utf8');
const list = /^ *npm run ops -- (erasures --since .*) --environment prod$/m.exec(page)?.[1] ?? '';

const folder = mkdtempSync(join(tmpdir(), 'repeat-'));
const start = (restoredTables = {}): Promise<TestRun> =>
  startTestRun({
    dataDir: join(folder, 'data'),
    credentialsPath: join(folder, '.local', 'credentials.json'),
    authorizerTtlMs: 0,
    restoredTables,
  });
let run: TestRun;
beforeAll(async () => {
  run = await start();
});
afterAll(() => run.close());

const ops = (line: string): Promise<Ended> => {
  if (line === '' || line.includes('<')) throw new Error(`not a command: ${line}`);
  return runCommand('ops', line.split(' '), { cwd: folder });
};
const name = 'order-of-a-person';
const holding = async () =>
  [...(await run.items('CancellationLog')), ...(await run.items('JobDirectory'))].filter((item) =>
    JSON.stringify(item).includes(name),
  ).length;
const restoredSchema = z.object({ restored: z.string() });
const erasuresSchema = z.object({
  erasures: z.array(z.object({ jobs: z.array(z.string()), days: z.array(z.string()), by: z.string() })),
});

test('erasures since the second that was restored to are repeated, from what the old log has of them', async () => {
  for (const table of ['CancellationLog', 'JobDirectory']) {
    expect(await ops(`restore prepare --table ${table} --restored ${table} --yes`)).toMatchObject({ code: 0 });
  }
  await run.addJob(name, 'job_repeated');
  const cancel = (body: object) => run.call('acme', 'POST /v1/cancellations', { externalId: name, ...body });
  expect(await cancel({})).toMatchObject({ status: 200 });
  expect(await cancel({ jobId: 'job_unknown' })).toMatchObject({ status: 404 });
  const before = await holding();
  await sleep(1_000 - (Date.now() % 1_000) + 5);
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  await sleep(1_000);
  await ops(`erase --partner acme --external-id ${name} --reason-code gdpr --yes`);
  expect(await holding()).toBe(0);

  const restored: Record<string, string> = {};
  for (const table of ['CancellationLog', 'JobDirectory']) {
    const { stdout } = await ops(`restore start --table ${table} --to ${time} --yes --json`);
    restored[table] = restoredSchema.parse(JSON.parse(stdout)).restored;
  }
  await run.close();
  run = await start(restored);
  expect(await holding()).toBe(before);

  const old = list.replace('<restored to>', time).replace('<old log>', 'CancellationLog');
  const listed = erasuresSchema.parse(JSON.parse((await ops(`${old} --json`)).stdout));
  expect(listed).toMatchObject({
    erasures: [{ jobs: ['job_repeated'], days: [new Date().toISOString().slice(0, 10)] }],
  });
  expect(await ops('erase --partner acme --job job_repeated --reason-code gdpr --yes')).toMatchObject({ code: 0 });
  expect(await ops(`erase --partner acme --external-id ${name} --reason-code gdpr --yes`)).toMatchObject({ code: 0 });

  expect(await holding()).toBe(0);
  expect(await ops('audit verify')).toMatchObject({ code: 0 });
  const again = erasuresSchema.parse(JSON.parse((await ops('erasures --json')).stdout));
  expect(again.erasures).toHaveLength(2);
});
