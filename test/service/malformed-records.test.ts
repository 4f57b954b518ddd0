import { projects } from '../../infra/scenes/stories.ts';
import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import type { TableName } from '../../infra/blueprint/tables.ts';
import { expectProblem, type JobNames } from '../support/given-service.ts';
import { givenOps } from '../support/given-ops.ts';

const ops = givenOps();
const { service } = ops;
const put = async (table: TableName, fields: Record<string, unknown>): Promise<void> => {
  const { client, tableNames } = service.run.dynamodb;
  await client.send(new PutItemCommand({ TableName: tableNames[table], Item: toItem(fields) }));
};
/** Breaks one attribute of a stored record. */
const spoil = async (table: TableName, key: { pk: string; sk?: string }, field: string, value: unknown) => {
  const { client, tableNames } = service.run.dynamodb;
  await client.send(
    new UpdateItemCommand({
      TableName: tableNames[table],
      Key: toItem(key),
      UpdateExpression: 'SET #field = :value',
      ExpressionAttributeNames: { '#field': field },
      ExpressionAttributeValues: toItem({ ':value': value }),
    }),
  );
};
let linesBefore = 0;
beforeEach(() => {
  linesBefore = service.run.logs.length;
});
const linesWith = (code: string) => service.run.logs.slice(linesBefore).filter((line) => line.includes(code));
const statusOf = (jobId: string) => service.run.simulator.job(jobId)?.status;

describe('one malformed record', () => {
  // The first test, because a function keeps what a partner's record said for 60 s.
  test('of a partner stops that partner alone', async () => {
    await spoil('Partners', { pk: 'partner#globex' }, 'projects', 'all');
    const { externalId } = service.newNames();

    expectProblem(await service.cancel({ externalId }, { partner: 'globex' }), 'temporarily_unavailable');
    expectProblem(await service.cancel({ externalId }), 'job_not_found');
    expect(linesWith('RECORD_UNREADABLE').join('\n')).toContain('partner#globex');

    const shown = await ops.run('partner show --partner globex');
    const set = await ops.run('partner set --partner globex --projects proj_globex --yes');
    const again = await ops.run('partner show --partner globex');

    expect(shown.stdout).toContain('the record is malformed');
    expect(set.code).toBe(0);
    expect(again.stdout).toContain('proj_globex');

    await spoil('Partners', { pk: 'partner#globex' }, 'projects', [projects.globex]);
  });
});

describe('a malformed directory entry', () => {
  let good: JobNames;
  beforeEach(async () => {
    good = await service.newJob();
    await put('JobDirectory', { pk: `acme#job#${good.externalId}`, sk: `${good.jobId}_bad`, registeredAt: 'once' });
  });

  test('with a name that no job can have ends no walk through the pages', async () => {
    await service.cancel({ externalId: good.externalId, jobId: good.jobId });
    await put('JobDirectory', { pk: `acme#job#${good.externalId}`, sk: 'z'.repeat(1_024), registeredAt: 'once' });
    const page = (cursor: string) =>
      service.run.call(
        'acme',
        `GET /v1/cancellations?limit=1&externalId=${encodeURIComponent(good.externalId)}${cursor}`,
      );
    const shown: unknown[] = [];
    let cursor = '';
    for (let pages = 0; pages < 3; pages += 1) {
      const { status, body } = await page(cursor);
      expect(status).toBe(200);
      shown.push(...z.array(z.unknown()).parse(body['cancellations']));
      cursor = `&cursor=${String(body['nextCursor'])}`;
    }

    expect(cursor).toBe('&cursor=null');
    expect(shown).toMatchObject([{ jobId: good.jobId }]);
  });

  test('makes no job look like the only one: the cancel is answered 503, and nothing is done', async () => {
    const answered = await service.cancel({ externalId: good.externalId });

    expectProblem(answered, 'temporarily_unavailable');
    expect(answered.headers.get('retry-after')).toBe('2');
    expect(statusOf(good.jobId)).not.toBe('cancelled');
    expect(await service.recordsOf(good.jobId)).toEqual([]);
    const [line = '', ...more] = linesWith('RECORD_UNREADABLE');
    expect(more).toEqual([]);
    expect(line).toContain(`${good.jobId}_bad`);
    // What rolls a release back counts the lines of one version.
    expect(line).toMatch(/"?version"?: ?["']\$LATEST["']/);
    expect(line).not.toContain(good.externalId);
  });

  test('does not stop a cancel that names another job', async () => {
    const answered = await service.cancel(good);

    expect(answered).toMatchObject({ status: 200, body: { jobId: good.jobId, outcome: 'cancelled' } });
  });

  test('makes no job look unknown, even when it is the only entry', async () => {
    const { externalId, jobId } = service.newNames();
    await put('JobDirectory', { pk: `acme#job#${externalId}`, sk: jobId, registeredAt: 7 });

    expectProblem(await service.cancel({ externalId }), 'temporarily_unavailable');
    expectProblem(await service.cancel({ externalId, jobId }), 'temporarily_unavailable');
    expectProblem(await service.list(externalId), 'temporarily_unavailable');
  });

  test('costs other externalIds and other partners nothing', async () => {
    const other = await service.newJob();

    expect(await service.cancel({ externalId: other.externalId })).toMatchObject({ status: 200 });
    expectProblem(await service.cancel({ externalId: good.externalId }, { partner: 'globex' }), 'job_not_found');
  });

  test('does not hide the cancellations of other jobs', async () => {
    await service.cancel(good);

    expect((await service.list(good.externalId)).body).toMatchObject({ cancellations: [{ jobId: good.jobId }] });
  });
});

describe('one malformed record', () => {
  test('of a request’s binding makes its repeats wait: which job it reached is not guessed', async () => {
    const { externalId } = await service.newJob();
    const headers = { 'Idempotency-Key': 'a-key-1' };
    await service.cancel({ externalId }, { headers });
    const bindings = (await service.run.items('JobDirectory')).filter(({ sk }) => sk === 'binding');
    await spoil('JobDirectory', { pk: String(bindings.at(-1)?.['pk']), sk: 'binding' }, 'firstSeenAt', 'once');

    expectProblem(await service.cancel({ externalId }, { headers }), 'temporarily_unavailable');
    expect((await service.cancel({ externalId })).status).toBe(200);
  });

  test('of a request that joined is left out of what is shown', async () => {
    const { externalId, jobId } = await service.newJob();
    for (const _ of [1, 2, 3]) await service.cancel({ externalId });
    const { pk, sk } = (await service.recordsOf(jobId)).find(({ type }) => type === 'joined') ?? {};
    await spoil('CancellationLog', { pk: String(pk), sk: String(sk) }, 'door', 'window');

    const { body } = await service.show(jobId);

    expect(body['timeline']).toMatchObject([{ type: 'requested' }, { type: 'closed' }, { type: 'joined' }]);
    expect(linesWith('RECORD_UNREADABLE')).toHaveLength(1);
  });

  test('of a credential lets no one in, and ops lists it beside the others', async () => {
    const { credential, keyId } = await ops.issueKey();
    const ask = () =>
      service.run.call('acme', 'GET /v1/cancellations?externalId=x', undefined, {
        Authorization: `Bearer ${credential}`,
      });
    const before = await ask();
    await spoil('Partners', { pk: `key#${keyId}` }, 'secretHash', 'short');
    const spoilt = await ask();
    await put('Partners', { pk: 'key#malformed001', partnerId: 'ACME' });

    const listed = await ops.run('partner-key list');
    const revoked = await ops.run('partner-key revoke malformed001 --yes');

    expectProblem(before, 'job_not_found');
    expectProblem(spoilt, 'temporarily_unavailable');
    expect(linesWith('RECORD_UNREADABLE').join('\n')).toContain(`key#${keyId}`);
    expect(listed.stdout).toMatch(/^malformed001 .*unreadable$/m);
    expect(listed.stdout).toMatch(/^acmelocal001 .*live$/m);
    expect(revoked).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be read') });
  });
});

test('a malformed wake-up time of an open cancellation breaks no answer', async () => {
  const { externalId, jobId } = await service.newJob({ cancelTakes: 60_000 });
  await service.cancel({ externalId });
  await spoil('CancellationLog', { pk: `acme#${jobId}`, sk: 'event#000002' }, 'wakeAt', 'soon');

  const joined = await service.cancel({ externalId });

  expect(joined.status).toBe(202);
  expect(joined.headers.get('retry-after')).toMatch(/^[12]$/);
  expect((await service.show(jobId)).status).toBe(200);
});

describe('the reconciler', () => {
  const summaryOf = async () => {
    const answered = await service.run.lambda.invoke('reconcile-cancellations', {});
    return answered.kind === 'answered' ? answered.payload : answered;
  };

  test('looks at what is due behind 200 malformed wake-ups in its shard, and reports each by its key', async () => {
    const due: string[] = [];
    for (let n = 0; n < 8; n += 1) {
      const { externalId, jobId } = await service.newJob({ cancelTakes: 1 });
      await service.cancel({ externalId });
      due.push(jobId);
    }
    await service.makeDue();
    const wakeAt = '2025-01-01T00:00:00.000Z';
    for (let n = 0; n < 200; n += 1) {
      const shards = ['0', '1', '2', '3'];
      await Promise.all(shards.map((sk) => put('CancellationLog', { pk: `poison-${n}`, sk, wakeShard: sk, wakeAt })));
    }

    const summary = await summaryOf();

    for (const jobId of due) expect((await service.show(jobId)).body).toMatchObject({ outcome: 'cancelled' });
    expect(summary).toMatchObject({ failed: 800 });
    expect(linesWith('RECORD_UNREADABLE')).toHaveLength(800);
    expect(linesWith('RECONCILED').join('\n')).toMatch(/"?failed"?: ?800/);
    const open = await ops.run('cancellations open');
    expect(open.stdout).toContain('A wake-up cannot be read: poison-0 0');
  }, 60_000);

  test('leaves a stream with a malformed event alone, and completes the others', async () => {
    const [broken, other] = [await service.newJob({ cancelTakes: 1 }), await service.newJob({ cancelTakes: 1 })];
    for (const { externalId } of [broken, other]) await service.cancel({ externalId });
    await spoil('CancellationLog', { pk: `acme#${broken.jobId}`, sk: 'event#000002' }, 'type', 'nothing');
    await service.makeDue();

    await summaryOf();

    expect((await service.show(other.jobId)).body).toMatchObject({ outcome: 'cancelled' });
    expectProblem(await service.show(broken.jobId), 'internal_error');
    expect(linesWith('STREAM_BROKEN').join('\n')).toContain(broken.jobId);
    expect(await service.recordsOf(broken.jobId)).toHaveLength(2);
  });
});
