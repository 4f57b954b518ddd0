import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { createJobDirectory } from '../../../functions/adapters/dynamodb/job-directory.ts';
import { expectProblem } from '../../support/given-service.ts';
import { givenOps } from '../../support/given-ops.ts';
import type { StoredItem } from '../../support/local-run.ts';
import { externalId as externalIdOf, globex, jobId } from '../../support/names.ts';

const ops = givenOps();

let names: { readonly externalId: string; readonly jobId: string };
let reason: string;
beforeEach(async () => {
  names = await ops.service.newJob();
  reason = `asked by Märta Öhlund of ${names.jobId}`;
});

const erase = (...more: readonly string[]) =>
  ops.run(['erase', '--partner', 'acme', '--reason-code', 'gdpr-art-17', ...more]);
const byName = (...more: readonly string[]) => erase('--external-id', names.externalId, ...more);
const everything = async (): Promise<readonly StoredItem[]> => [
  ...(await ops.service.run.items('CancellationLog')),
  ...(await ops.service.run.items('JobDirectory')),
];
const holding = async (text: string) => (await everything()).filter((item) => JSON.stringify(item).includes(text));
/** A job that was cancelled, and requests that joined, were refused, and came with a key. */
const cancelled = async () => {
  const { service } = ops;
  const { externalId } = names;
  await service.cancel({ externalId, reason }, { headers: { 'Idempotency-Key': keyOf('first') } });
  await service.cancel({ externalId, reason: `${reason} again` });
  await service.cancel(
    { externalId, reason: `${reason} otherwise` },
    { headers: { 'Idempotency-Key': keyOf('first') } },
  );
  await service.cancel(
    { externalId, reason, jobId: 'job_unknown' },
    { headers: { 'Idempotency-Key': keyOf('refused') } },
  );
  await service.publish('Job Cancellation Requested', { externalId, reason });
  await service.eventsSettled();
};
const keyOf = (what: string) => `${what} of ${names.jobId}`;
const bindings = async () => (await everything()).filter(({ sk }) => sk === 'binding').length;
const erasures = async () => (await everything()).filter(({ type }) => type === 'erased');

describe('erase', () => {
  test('shows what would go, without any text, and does nothing before it is told to', async () => {
    await cancelled();
    const before = await everything();
    const asked = await byName();

    expect(asked).toMatchObject({ code: 2, stderr: expect.stringMatching(/^Erase the texts of acme.*--yes\.\n$/) });
    for (const line of [
      /^1 +requests that began a cancellation$/m,
      /^2 +requests that joined one$/m,
      /^2 +requests that reached no job$/m,
      /^1 +registrations$/m,
      /^1 +owners, which stay/m,
      /^2 +refusals that the partner can list$/m,
      /^3 +request keys/m,
      new RegExp(`^${names.jobId} +closed$`, 'm'),
    ]) {
      expect(asked.stdout).toMatch(line);
    }
    expect(asked.stdout + asked.stderr).not.toContain(names.externalId);
    expect(await everything()).toEqual(before);
  });

  test('takes the texts, their salts and the hashes of them from both tables, on record, and the chains hold', async () => {
    const others = await bindings();
    await cancelled();
    const ended = await byName('--yes', '--json');

    const document: Record<string, unknown> = JSON.parse(ended.stdout);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(document).toMatchObject({
      partnerId: 'acme',
      reasonCode: 'gdpr-art-17',
      complete: true,
      by: 'arn:aws:iam::000000000000:role/operator',
      jobs: [{ jobId: names.jobId, standing: 'closed' }],
      found: { requested: 1, joined: 2, refused: 2, entry: 1, owner: 1, refusal: 2, binding: 3 },
    });
    expect(await holding(names.externalId)).toEqual([]);
    expect(await holding(reason)).toEqual([]);
    expect(await bindings()).toBe(others);
    const records = (await erasures()).filter(({ erasureId }) => erasureId === document['erasureId']);
    expect(records.map(({ records: count }) => count)).toEqual(expect.arrayContaining([3, 2]));
    const audit = await ops.run('audit verify');
    expect(audit).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing found: every chain holds.') });
    expect(audit.stdout).toMatch(/^erased +the texts of \d+ records/m);
    expect(audit.stdout).toMatch(
      new RegExp(` acme +5 +gdpr-art-17 +arn:aws:iam::\\S+ +${names.jobId}, refused on`, 'm'),
    );
    const listed = await ops.run('erasures --since 2026-01-01 --partner acme --json');
    expect(JSON.parse(listed.stdout)).toMatchObject({
      erasures: expect.arrayContaining([
        expect.objectContaining({ erasureId: document['erasureId'], records: 5, jobs: [names.jobId] }),
      ]),
    });
    expect(await ops.run('erasures --partner globex')).toMatchObject({ code: 1 });
  });

  test('run again finds nothing, says so, and records nothing', async () => {
    await cancelled();
    await byName('--yes');
    const before = await everything();
    const again = await byName('--yes');

    expect(again).toMatchObject({ code: 0, stdout: 'Nothing to erase (local).\n', stderr: '' });
    expect(await everything()).toEqual(before);
  });

  test('refuses while a cancellation is open, names it, and changes nothing', async () => {
    ops.service.plangrepFails({ kind: 'status', on: 'cancel', status: 503 });
    await cancelled();
    const before = (await holding(names.externalId)).length;
    const refused = await byName('--yes');

    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(names.jobId) });
    expect(refused.stderr).toMatch(/^Not closed yet \(local\): [^\n]* Nothing was erased[^\n]*\n$/);
    expect((await holding(names.externalId)).length).toBe(before);
  });

  test('refuses a broken stream: it is evidence', async () => {
    await cancelled();
    const { client, tableNames } = ops.service.run.dynamodb;
    const Key = { pk: { S: `acme#${names.jobId}` }, sk: { S: 'event#000001' } };
    await client.send(new DeleteItemCommand({ TableName: tableNames.CancellationLog, Key }));

    expect(await byName('--yes')).toMatchObject({ code: 1, stderr: expect.stringContaining('is broken') });
    for (const { sk } of await ops.service.recordsOf(names.jobId)) {
      const rest = { pk: Key.pk, sk: { S: String(sk) } };
      await client.send(new DeleteItemCommand({ TableName: tableNames.CancellationLog, Key: rest }));
    }
  });

  test('leaves alone what another partner, another name and another job have', async () => {
    await cancelled();
    const other = await ops.service.newJob();
    await ops.service.cancel({ externalId: other.externalId, reason }, { headers: { 'Idempotency-Key': 'other' } });
    await ops.service.cancel({ externalId: names.externalId, reason }, { partner: 'globex' });
    const kept = await holding(other.externalId);
    await byName('--yes');

    expect(await holding(other.externalId)).toEqual(kept);
    expect((await holding(names.externalId)).map(({ partnerId }) => partnerId)).toContain('globex');
    expect((await ops.service.show(other.jobId)).body).toMatchObject({ externalId: other.externalId });
  });

  test.each([
    ['neither an externalId nor a job', [], 2],
    ['both', ['--external-id', 'x', '--job', 'job_1'], 2],
    ['a name that is too long', ['--external-id', 'x'.repeat(181)], 2],
    ['a reason that is a sentence', ['--external-id', 'x', '--reason-code', 'because they asked'], 2],
  ])('refuses %s', async (_what, options, code) => {
    expect(await erase(...options)).toMatchObject({ code, stdout: '' });
  });
});

describe('erase --job', () => {
  test('takes the texts of that job, and leaves those of another one under the same name', async () => {
    await cancelled();
    const twin = `${names.jobId}_twin`;
    await ops.service.run.addJob(names.externalId, twin);
    await ops.service.cancel({ externalId: names.externalId, jobId: twin, reason });
    const ended = await erase('--job', names.jobId, '--yes', '--json');

    expect(JSON.parse(ended.stdout)).toMatchObject({ complete: true, found: { requested: 1, entry: 1, owner: 1 } });
    const left = await holding(names.externalId);
    expect(left.filter((item) => item['jobId'] === names.jobId || item['sk'] === names.jobId)).toEqual([]);
    expect((await ops.service.show(twin)).status).toBe(200);
    expectProblem(await ops.service.show(names.jobId), 'job_not_found');
    expect(await erase('--job', names.jobId, '--yes')).toMatchObject({
      code: 0,
      stdout: 'Nothing to erase (local).\n',
    });
  });

  test('takes the name of a job that was never cancelled from its registration', async () => {
    await erase('--job', names.jobId, '--yes');

    expect(await holding(names.externalId)).toEqual([]);
    expect((await ops.run(`job show ${names.jobId}`)).stdout).toMatch(/^externalId +erased$/m);
  });

  test('takes the name from the records of former owners', async () => {
    await ops.run(`job release ${names.jobId} --why OPS-1 --yes`);
    const ended = await byName('--yes', '--json');

    expect(JSON.parse(ended.stdout)).toMatchObject({ found: { released: 1, entry: 1 }, complete: true });
    expect(await holding(names.externalId)).toEqual([]);
    expect((await ops.run(`job show ${names.jobId}`)).stdout).toMatch(/acme +erased +/);
  });
});

describe('after an erasure', () => {
  test('the partner sees the job as one that was never registered, and another job under the name works as new', async () => {
    await cancelled();
    await byName('--yes');

    expectProblem(await ops.service.show(names.jobId), 'job_not_found');
    expectProblem(await ops.service.register(names.jobId, { externalId: names.externalId }), 'job_not_found');
    expectProblem(await ops.service.register(names.jobId, { externalId: 'another' }), 'job_not_found');
    expectProblem(await ops.service.register(names.jobId, { externalId: 'theirs' }, 'globex'), 'job_not_found');
    expectProblem(await ops.service.cancel({ externalId: names.externalId }), 'job_not_found');
    const next = `${names.jobId}_next`;
    ops.service.run.simulator.addJob({ id: next, externalId: names.externalId });
    expect(await ops.service.register(next, { externalId: names.externalId })).toMatchObject({ status: 200 });
    expect(await ops.service.cancel({ externalId: names.externalId })).toMatchObject({
      status: 200,
      body: { jobId: next, externalId: names.externalId, outcome: 'cancelled' },
    });
  });

  test('an operator still finds the job, by its id and by the requests', async () => {
    await cancelled();
    const began = (await ops.service.recordsOf(names.jobId)).find(({ type }) => type === 'requested');
    await byName('--yes');
    const shown = await ops.run(`cancellations show ${names.jobId}`);

    expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/^externalId +erased$/m) });
    expect(shown.stdout).toMatch(/^hash chain +verified/m);
    for (const id of [names.jobId, String(began?.['requestId'])]) {
      expect(await ops.run(['find', id])).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^externalId +erased$/m),
      });
    }
    expect(await ops.run(['find', names.externalId])).toMatchObject({ code: 1 });
  });

  test('an operator can release the job, and its new owner can claim it', async () => {
    await byName('--yes');
    expect(await ops.run(`job release ${names.jobId} --why OPS-2 --yes`)).toMatchObject({ code: 0 });
    const { client, tableNames } = ops.service.run.dynamodb;
    const directory = createJobDirectory(client, tableNames.JobDirectory);
    const verifiedAt = new Date().toISOString();
    const entry = { jobId: jobId(names.jobId), registeredAt: verifiedAt, verifiedAt };

    expect(await directory.readOwner(jobId(names.jobId))).toBeUndefined();
    expect(await directory.claim(globex, externalIdOf('theirs'), entry)).toMatchObject({ kind: 'claimed' });
  });
});
