import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteItemCommand,
  DeleteResourcePolicyCommand,
  DescribeTableCommand,
  type StreamSpecification,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { checkEnvironment } from '../../../infra/blueprint/environment-schema.ts';
import { environments } from '../../../infra/blueprint/environments.ts';
import { keyVariables } from '../../../infra/local/aws/access-keys.ts';
import { putEvent } from '../../../infra/local/aws/events/event-bridge.ts';
import { reconcileNow, startTestRun, type TestRun } from '../../support/local-run.ts';
import { type Ended, runCommand } from '../../support/run-command.ts';

/** Plays docs/runbook.md, "Restoring a table", command by command, on a real engine with the real bundles. */
const runbook = readFileSync(new URL('../../../docs/runbook.md', import.meta.url), 'utf8');
const [, section = ''] = /^## Restoring a table\n(.*?)(?=^## |(?![^]))/ms.exec(runbook) ?? [];
const commands = [...section.matchAll(/^ *npm run ops -- (.+)$/gm)].map(([, command = '']) => command);

const folder = mkdtempSync(join(tmpdir(), 'restore-'));
const setUp = { dataDir: join(folder, 'data'), credentialsPath: join(folder, '.local', 'credentials.json') };
const start = (restoredTables = {}): Promise<TestRun> =>
  startTestRun({ ...setUp, authorizerTtlMs: 0, queueVisibilityMs: 20, reconcileEveryMs: 0, restoredTables });

let run: TestRun;
beforeAll(async () => {
  run = await start();
});
afterAll(() => run.close());

/** Ends the run and starts it again with its data: a deployment. */
async function deploy(restoredTables = {}): Promise<void> {
  await run.close();
  run = await start(restoredTables);
}

const done = new Set<string>();
/** Types a command of the section, with the operator's values in the places of `<…>`. The local run has no environment. */
function ops(command: string, values: Readonly<Record<string, string>> = {}): Promise<Ended> {
  if (!commands.includes(command)) throw new Error(`The section has no command ${command}`);
  done.add(command);
  const typed = Object.entries(values).reduce((line, [name, value]) => line.replaceAll(`<${name}>`, value), command);
  return typeOps(typed.replace(' --environment <environment>', ''));
}
function typeOps(line: string): Promise<Ended> {
  if (line.includes('<')) throw new Error(`No value for ${line}`);
  return runCommand('ops', [...line.split(' '), '--yes', '--json'], { cwd: folder });
}
const result = <Output>(schema: z.ZodMiniType<Output>, { stdout, stderr }: Ended): Output => {
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  return schema.parse(last.startsWith('{') ? JSON.parse(last) : { stderr });
};
const audit = z.object({
  ok: z.boolean(),
  table: z.string(),
  heads: z.object({ digest: z.string(), streams: z.number() }),
});
const started = z.object({ restored: z.string() });
const lostSchema = z.object({
  back: z.number(),
  lost: z.array(z.object({ jobId: z.string(), state: z.string(), events: z.number(), isUnknown: z.boolean() })),
});
const drift = z.object({ drift: z.array(z.object({ what: z.string() })) });

const protect = async (table: string): Promise<void> => {
  const protectedTable = await typeOps(`restore prepare --table ${table} --restored ${table}`);
  expect(protectedTable).toMatchObject({ code: 0, stderr: '' });
};
/** A second that ends before anything else happens: what was written is in it, what comes is not. */
const markTime = async (): Promise<string> => {
  await sleep(1_000 - (Date.now() % 1_000) + 5);
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  await sleep(20);
  return time;
};
const cancel = async (externalId: string) => (await run.call('acme', 'POST /v1/cancellations', { externalId })).status;
const statusOf = (jobId: string) => run.simulator.jobs().find(({ id }) => id === jobId)?.status;
const publish = async (externalId: string): Promise<void> => {
  const [acme] = run.partners;
  if (acme === undefined) throw new Error('acme is the first partner');
  const event = {
    Source: acme.eventSource,
    DetailType: 'Job Cancellation Requested',
    Detail: JSON.stringify({ externalId }),
  };
  await putEvent(run.endpoints.eventbridge, acme.aws, event);
};
const show = async (jobId: string) => run.call('acme', `GET /v1/cancellations/${jobId}`);

describe('the cancellation log is restored', () => {
  let time = '';
  let restored = '';
  let kept: z.infer<typeof audit>;
  const add = (name: string, fields = {}) => run.addJob(name, `job_${name}`, fields);

  test('before the damage: cancellations that ended, that are open, and that come after the last good second', async () => {
    await protect('CancellationLog');
    await add('ended');
    await add('open');
    await add('ended-later');
    await add('open-later');
    await add('damaged');
    expect(await cancel('ended')).toBe(200);
    expect(await cancel('damaged')).toBe(200);
    run.simulator.faults.add({ on: 'any', kind: 'status', status: 503 });
    expect(await cancel('open')).toBe(202);

    time = await markTime();
    kept = result(audit, await typeOps(`audit verify --closed-before ${time}`));

    await reconcileNow(run);
    expect(await cancel('open-later')).toBe(202);
    run.simulator.faults.clear();
    expect(await cancel('ended-later')).toBe(200);
  });

  test('the damage: an administrator removes the policy and deletes an end', async () => {
    const { client } = run.dynamodb;
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'CancellationLog' }));
    const end = (await run.items('CancellationLog')).find(
      (item) => item['pk'] === 'acme#job_damaged' && item['type'] === 'closed',
    );
    const Key = { pk: { S: 'acme#job_damaged' }, sk: { S: String(end?.['sk']) } };
    const removal = new DeleteItemCommand({ TableName: 'CancellationLog', Key, ReturnValues: 'ALL_OLD' });

    await expect(client.send(removal)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await client.send(new DeleteResourcePolicyCommand({ ResourceArn: Table?.TableArn }));

    expect((await client.send(removal)).Attributes).toMatchObject({ type: { S: 'closed' } });
  });

  test('frozen, it takes no write by any role, and still answers', async () => {
    const frozen = await ops('restore freeze --table CancellationLog --environment <environment>');
    const refused = await run.call('acme', 'POST /v1/cancellations', { externalId: 'ended-later-still' });
    await add('frozen');
    const deferred = await run.call('acme', 'POST /v1/cancellations', { externalId: 'frozen' });

    await add('by-event');
    await publish('by-event');
    await expect.poll(() => run.queue.deadLetters().length, { timeout: 10_000 }).toBe(1);

    expect(frozen).toMatchObject({ code: 0, stderr: '' });
    expect(refused.status).toBe(503);
    expect(deferred.status).toBe(503);
    expect(deferred.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(run.simulator.requests.count('cancel', 'job_frozen')).toBe(0);
    expect((await show('job_ended')).body).toMatchObject({ outcome: 'cancelled' });
  });

  test('verified after the restore, it has the digest that was kept from before the damage', async () => {
    const values = { time };
    const before = result(audit, await ops('audit verify --closed-before <time> --environment <environment>', values));
    const starting = 'restore start --table CancellationLog --to <time> --environment <environment>';
    const first = await ops(starting, values);
    ({ restored } = result(started, first));
    const again = await ops(starting, values);
    const verify = 'audit verify --table <restored> --closed-before <time> --environment <environment>';
    const after = result(audit, await ops(verify, { time, restored }));

    expect(kept).toMatchObject({ ok: true, heads: { streams: 2 } });
    expect(before).toMatchObject({ ok: false, table: 'CancellationLog', heads: { streams: 1 } });
    expect(first.code).toBe(0);
    expect(restored).toMatch(/^plangrep-cancellation-local-CancellationLog-\d{8}T\d{6}$/);
    // Interrupted and repeated: it goes on waiting for the same table.
    expect(again).toEqual(first);
    expect(after).toMatchObject({ ok: true, table: restored, heads: kept.heads });
  });

  test('what is lost is listed, the open ones first', async () => {
    const listed = await ops('restore lost --restored <restored> --environment <environment>', { restored });
    const { lost, back } = result(lostSchema, listed);

    expect(listed.code).toBe(1);
    expect(lost.map(({ jobId, state, isUnknown }) => [jobId, state, isUnknown])).toEqual([
      ['job_open', 'open', false],
      ['job_open-later', 'open', true],
      ['job_ended-later', 'cancelled', true],
    ]);
    expect(back).toBe(1);
  });

  test('prepared, it has everything that its definition says, however often the command is interrupted', async () => {
    const bare = await typeOps(`restore check --table CancellationLog --name ${restored}`);
    const prepare = 'restore prepare --table CancellationLog --restored <restored> --environment <environment>';
    const first = await ops(prepare, { restored });
    const again = await ops(prepare, { restored });
    const { Table } = await run.dynamodb.client.send(new DescribeTableCommand({ TableName: restored }));

    expect(bare.code).toBe(1);
    // As AWS restores: with its encryption, and without all of this.
    expect(result(drift, bare).drift.map(({ what }) => what)).toEqual([
      'deletion protection',
      'stream',
      'point-in-time recovery',
      'time to live',
      'Contributor Insights',
      'Contributor Insights of due-wake-ups',
      'Contributor Insights of requests',
      'tags',
      'policy',
    ]);
    expect(JSON.parse(first.stdout)).toMatchObject({
      drift: [],
      restoredTables: { CancellationLog: { name: restored, streamLabel: Table?.LatestStreamLabel } },
    });
    expect(first.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ changed: [], drift: [] });
    expect(Table).toMatchObject({
      DeletionProtectionEnabled: true,
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      SSEDescription: { SSEType: 'KMS' },
    });
  });

  test('gets a new stream in place of one that shows something else', async () => {
    const { client } = run.dynamodb;
    const set = (StreamSpecification: StreamSpecification) =>
      client.send(new UpdateTableCommand({ TableName: restored, StreamSpecification }));
    await set({ StreamEnabled: false });
    await set({ StreamEnabled: true, StreamViewType: 'NEW_IMAGE' });

    const checked = await typeOps(`restore check --table CancellationLog --name ${restored}`);
    const prepared = await typeOps(`restore prepare --table CancellationLog --restored ${restored}`);
    const { Table } = await client.send(new DescribeTableCommand({ TableName: restored }));

    expect(result(drift, checked).drift.map(({ what }) => what)).toEqual(['another stream', 'stream']);
    expect(JSON.parse(prepared.stdout)).toMatchObject({
      drift: [],
      restoredTables: { CancellationLog: { streamLabel: Table?.LatestStreamLabel } },
    });
    expect(Table).toMatchObject({ StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' } });
  });

  test('deployed, it sees open cancellations through, and a repeat of a lost one is safe', async () => {
    await deploy({ CancellationLog: restored });
    await reconcileNow(run);

    expect((await show('job_open')).body).toMatchObject({ outcome: 'cancelled' });
    expect((await show('job_damaged')).body).toMatchObject({ outcome: 'cancelled' });
    // The service does not know it any more, and its job runs on until the partner repeats the request.
    expect((await show('job_open-later')).status).toBe(404);
    expect(statusOf('job_open-later')).toBe('processing');
    expect(await cancel('open-later')).toBe(200);
    // It ended before the restore: found so at Plangrep.
    expect(await cancel('ended-later')).toBe(200);
    expect(statusOf('job_open-later')).toBe('cancelled');
    expect(await cancel('frozen')).toBe(200);
  });

  test('confirmed: as defined, nothing found, the digest of before, nothing open', async () => {
    const check = await ops('restore check --table CancellationLog --environment <environment>');
    const verified = await ops('audit verify --closed-before <time> --environment <environment>', { time });
    const open = await ops('cancellations open --environment <environment>');

    expect(check).toMatchObject({ code: 0, stderr: '' });
    expect(result(audit, verified)).toMatchObject({ ok: true, table: restored, heads: kept.heads });
    expect(JSON.parse(open.stdout)).toMatchObject({ open: [] });
  });

  test('the events that were given up are redriven, and cancel', async () => {
    const redriven = await ops('dlq redrive --environment <environment>');

    expect(redriven.code).toBe(0);
    await expect.poll(async () => (await show('job_by-event')).body['outcome'], { timeout: 10_000 }).toBe('cancelled');
  });

  test('for an environment, the lines to paste are what its check accepts', async () => {
    const prepared = await runCommand(
      'ops',
      ['restore', 'prepare', '--table=CancellationLog', `--restored=${restored}`, '--environment=prod', '--yes'],
      { cwd: folder, env: { AWS_ENDPOINT_URL_DYNAMODB: run.dynamodb.url, ...keyVariables(run.aws) } },
    );
    const [, name, streamLabel = ''] =
      /CancellationLog: \{ name: '(.+)', streamLabel: '(.+)' \}/.exec(prepared.stdout) ?? [];
    const restoredTables = { CancellationLog: { name: String(name), streamLabel } };

    // It was prepared for the local run: what names an environment changes.
    expect(prepared.stdout).toMatch(/^tags .*\npolicy +another one +as defined/m);
    expect(prepared).toMatchObject({ code: 0, stderr: '' });
    expect(name).toBe(restored);
    expect(checkEnvironment(Object.assign({}, environments.prod, { restoredTables }))).toEqual({ kind: 'valid' });
    expect(prepared.stdout).toContain('npx cdk deploy --all -c environment=prod -c rollout=all-at-once');
    await ops('restore prepare --table CancellationLog --restored <restored> --environment <environment>', {
      restored,
    });
  });

  test('going back to the old table ends its freeze', async () => {
    const prepare = 'restore prepare --table CancellationLog --restored <old> --environment <environment>';
    const thawed = await ops(prepare, { old: 'CancellationLog' });
    await deploy();
    await add('after-going-back');

    expect(JSON.parse(thawed.stdout)).toMatchObject({ changed: [{ what: 'policy', found: 'another one' }], drift: [] });
    expect(await cancel('after-going-back')).toBe(200);
    expect((await show('job_open-later')).body).toMatchObject({ state: 'open' });
  });

  test('every command of the section was typed', () => {
    expect(commands.filter((command) => !done.has(command))).toEqual([]);
  });
});

describe('the job directory and the partners are restored', () => {
  const issued = z.object({ credential: z.string(), keyId: z.string() });
  const issue = async () => result(issued, await typeOps('partner-key issue --partner acme'));
  const answers = async ({ credential }: z.infer<typeof issued>): Promise<number> =>
    (await run.call('acme', 'GET /v1/cancellations/job_ended', undefined, { Authorization: `Bearer ${credential}` }))
      .status;
  const restore = async (table: string, time: string): Promise<string> => {
    const { restored } = result(started, await typeOps(`restore start --table ${table} --to ${time}`));
    expect(await typeOps(`restore prepare --table ${table} --restored ${restored}`)).toMatchObject({ code: 0 });
    return restored;
  };

  test('keys issued since are unknown, keys revoked since are valid again, registrations since are gone', async () => {
    for (const table of ['Partners', 'JobDirectory']) await protect(table);
    const revokedLater = await issue();
    await run.addJob('registered-before', 'job_registered-before');
    const time = await markTime();
    await typeOps(`partner-key revoke ${revokedLater.keyId}`);
    const issuedLater = await issue();
    await run.addJob('registered-later', 'job_registered-later', { projectId: 'proj_of_another' });

    const Partners = await restore('Partners', time);
    const JobDirectory = await restore('JobDirectory', time);
    expect([await answers(revokedLater), await answers(issuedLater)]).toEqual([401, 200]);
    await deploy({ Partners, JobDirectory });

    expect([await answers(revokedLater), await answers(issuedLater)]).toEqual([200, 401]);
    expect(await cancel('registered-before')).toBe(200);
    expect(await cancel('registered-later')).toBe(404);
    for (const table of ['Partners', 'JobDirectory']) {
      expect(await typeOps(`restore check --table ${table}`)).toMatchObject({ code: 0 });
    }
  });

  test('commands refuse what is not a table of that kind, or not a time that it can be restored to', async () => {
    const another = await typeOps('restore prepare --table CancellationLog --restored Partners');
    const none = await typeOps('restore prepare --table CancellationLog --restored nothing-here');
    const unknown = await typeOps('restore check --table Log');
    const tooEarly = await typeOps('restore start --table JobDirectory --to 2020-01-01T00:00:00Z');
    const noTime = await typeOps('restore start --table JobDirectory --to yesterday');
    const standing = await typeOps('restore start --table JobDirectory --to latest --name CancellationLog');

    expect(another).toMatchObject({
      code: 1,
      stderr: 'Partners is not a CancellationLog, it has keys pk instead of pk, sk: nothing was done.\n',
    });
    expect(none).toMatchObject({ code: 2, stderr: expect.stringMatching(/^There is no table nothing-here \(/) });
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('one of Partners, JobDirectory') });
    expect(tooEarly).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/can be restored to any second from .* to /),
    });
    expect(noTime).toMatchObject({ code: 2, stderr: expect.stringContaining('must be a second in UTC') });
    expect(standing).toMatchObject({ code: 1, stderr: expect.stringContaining('choose another --name') });
  });
});
