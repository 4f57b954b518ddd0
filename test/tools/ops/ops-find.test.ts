import { BatchWriteItemCommand, DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { hashEvent } from '../../../functions/core/cancellation/chain.ts';
import { logsQueryOf } from '../../../infra/cli/logs/logs-query.ts';
import { givenOps } from '../../support/given-ops.ts';
import { expectProblem } from '../../support/given-service.ts';

const ops = givenOps();

const foundSchema = z.object({
  cancellations: z.array(
    z.object({
      foundAs: z.array(z.string()),
      partnerId: z.string(),
      jobId: z.string(),
      looks: z.optional(z.int()),
      standing: z.optional(z.string()),
      chain: z.optional(z.object({ verified: z.boolean(), findings: z.array(z.object({ what: z.string() })) })),
    }),
  ),
  refusals: z.array(z.object({ partnerId: z.string(), why: z.string(), as: z.string() })),
  unreadable: z.array(z.string()),
  logs: z.object({ query: z.string(), from: z.int(), to: z.int() }),
});

async function find(id: string, ...options: string[]): Promise<z.infer<typeof foundSchema>> {
  const { stdout } = await ops.run(['find', id, '--json', ...options]);
  return foundSchema.parse(JSON.parse(stdout));
}

describe('find', () => {
  test('tells the story behind every id that a caller may have', async () => {
    const { externalId, jobId } = await ops.service.newJob();
    const key = `key-of-${jobId}`;
    const cancel = (headers = {}) => ops.service.cancel({ externalId }, { headers });
    const first = await cancel({ 'Idempotency-Key': key });
    const joined = await cancel();
    const requestIds = [first, joined].map(({ headers }) => headers.get('x-request-id') ?? '');

    const [began, joining, byJob, byName, byKey] = await Promise.all(
      [...requestIds, jobId, externalId, key].map((id) => find(id)),
    );

    for (const [found, as] of [
      [began, ['requestId']],
      [joining, ['requestId']],
      [byJob, ['jobId']],
      [byName, ['externalId']],
      [byKey, ['Idempotency-Key']],
    ] as const) {
      expect(found?.cancellations).toMatchObject([
        { partnerId: 'acme', jobId, foundAs: as, looks: 1, chain: { verified: true, findings: [] } },
      ]);
    }
    expect(began?.logs.query).toContain(`@message like "${requestIds[0]}"`);
    expect(byName?.logs.query).not.toContain(externalId);
    expect(byName?.logs.query).toContain(jobId);
  });

  test('shows times, and who spent them', async () => {
    const { externalId } = await ops.service.newJob();
    const { headers } = await ops.service.cancel({ externalId });

    const { stdout, code } = await ops.run(`find ${headers.get('x-request-id')}`);

    expect(code).toBe(0);
    expect(stdout).toMatch(/^Found as requestId\njob +\S+ of acme$/m);
    expect(stdout).toMatch(/^hash chain +verified, 2 events$/m);
    expect(stdout).toMatch(/^time spent +Plangrep \d+\.\d\d s$/m);
    expect(stdout).toMatch(/ 2 +closed .*outcome=cancelled.* Plangrep \d+\.\d\d s$/m);
  });

  test('finds an event by its id, also one that was refused', async () => {
    const { externalId, jobId } = await ops.service.newJob();
    await ops.service.publish('Job Cancellation Requested', { externalId });
    await ops.service.publish('Job Cancellation Requested', { externalId: `${externalId}-unknown` });
    await ops.service.eventsSettled();
    const records = await ops.service.run.items('CancellationLog');
    const idOf = (name: string): string =>
      String(records.find((record) => record['externalId'] === name)?.['requestId']);

    const [done, refused] = await Promise.all([find(idOf(externalId)), find(idOf(`${externalId}-unknown`))]);

    expect(done.cancellations).toMatchObject([{ jobId, foundAs: ['requestId'] }]);
    expect(refused).toMatchObject({
      cancellations: [],
      refusals: [{ partnerId: 'acme', why: 'job_not_found', as: 'requestId' }],
    });
  });

  test('finds a refused request by its id and by its externalId, and shows it once', async () => {
    const { externalId } = ops.service.newNames();
    const refused = await ops.service.cancel({ externalId });
    expectProblem(refused, 'job_not_found');

    const [byRequest, byName] = await Promise.all([find(String(refused.body['requestId'])), find(externalId)]);

    expect(byRequest.refusals).toMatchObject([{ as: 'requestId' }]);
    expect(byName.refusals).toMatchObject([{ as: 'externalId' }]);
  });

  test('says what is registered only, what is another partner’s, and what is nowhere', async () => {
    const { externalId, jobId } = await ops.service.newJob();

    const registered = await find(jobId);
    const others = await find(externalId, '--partner', 'globex');
    const nowhere = await ops.run('find no-such-id');

    expect(registered.cancellations).toMatchObject([{ jobId, standing: 'registered' }]);
    expect(others.cancellations).toEqual([]);
    expect(nowhere).toMatchObject({ code: 1, stdout: expect.stringMatching(/^No table has anything under this id/) });
  });

  test('says of a job that was released, or that Plangrep has not confirmed, that it is not the partner’s', async () => {
    const [released, unconfirmed] = [await ops.service.newJob(), ops.service.newNames()];
    await ops.run(['job', 'release', released.jobId, '--why', 'a test', '--yes']);
    ops.service.plangrepFails({ kind: 'status', on: 'read', status: 500 });
    await ops.service.register(unconfirmed.jobId, { externalId: unconfirmed.externalId });

    const [byJob, byName, unverified] = await Promise.all(
      [released.jobId, released.externalId, unconfirmed.externalId].map((id) => find(id)),
    );

    for (const found of [byJob, byName]) expect(found?.cancellations).toMatchObject([{ standing: 'released' }]);
    expect(unverified?.cancellations).toMatchObject([{ standing: 'unverified' }]);
  });

  test('finds the cancellation of a job that the directory does not know any more', async () => {
    const { externalId, jobId } = await ops.service.newJob();
    await ops.service.cancel({ externalId });
    await ops.service.run.dynamodb.client.send(
      new DeleteItemCommand({ TableName: 'JobDirectory', Key: marshall({ pk: `job#${jobId}`, sk: 'owner' }) }),
    );

    const found = await find(jobId);

    expect(found.cancellations).toMatchObject([{ partnerId: 'acme', jobId, foundAs: ['jobId'] }]);
  });

  test('names a malformed record under the id, and shows what else there is', async () => {
    const { externalId, jobId } = await ops.service.newJob();
    await ops.service.cancel({ externalId });
    const put = (TableName: string, item: object) =>
      ops.service.run.dynamodb.client.send(new PutItemCommand({ TableName, Item: marshall(item) }));
    const day = { pk: 'acme#refused#2026-11-26', sk: `2026-11-26T10:00:00.000Z#damaged-${jobId}` };
    await put('CancellationLog', { ...day, requestId: `damaged-${jobId}`, at: '2026-11-26T10:00:00.000Z', why: 5 });
    await put('JobDirectory', { pk: `job#${jobId}`, sk: 'owner', partnerId: 'NOT ONE' });

    const [byRequest, byJob] = await Promise.all([find(`damaged-${jobId}`), find(jobId)]);
    const shown = await ops.run(`find ${jobId}`);

    expect(byRequest.unreadable).toEqual([`${day.pk} ${day.sk}`]);
    expect(byJob).toMatchObject({ unreadable: [`job#${jobId} owner`], cancellations: [{ jobId }] });
    expect(shown.code).toBe(1);
    expect(shown.stdout).toContain(`cannot be read: job#${jobId} owner`);
  });

  test('verifies the chain that it shows', async () => {
    const { externalId, jobId } = await ops.service.newJob();
    await ops.service.cancel({ externalId });
    // A forger who knows the format gives the altered event its hash: only the chain shows the one before it.
    const [first = {}, closed] = await ops.service.recordsOf(jobId);
    const { pk, sk, wakeShard: _, wakeAt: __, hash: ___, ...rest } = first;
    const fields = { ...rest, door: 'events' };
    const Item = marshall({ pk, sk, ...fields, hash: hashEvent(fields) });
    await ops.service.run.dynamodb.client.send(new PutItemCommand({ TableName: 'CancellationLog', Item }));

    const found = await find(jobId);
    const shown = await ops.run(`cancellations show ${jobId}`);

    expect(closed?.['type']).toBe('closed');
    expect(found.cancellations).toMatchObject([{ chain: { verified: false } }]);
    expect(shown.code).toBe(1);
    expect(shown.stdout).toMatch(/^hash chain +broken, see below$/m);
    expect(shown.stdout).toContain('Event 1 is not the one that event 2 is chained to');
  });

  test('asks for hundreds of partners', async () => {
    const { externalId, jobId } = await ops.service.newJob();
    await ops.service.cancel({ externalId });
    const Item = (n: number) => marshall({ pk: `partner#one-of-many-${n}`, projects: 'any' });
    for (let from = 0; from < 400; from += 25) {
      const Partners = Array.from({ length: 25 }, (_, n) => ({ PutRequest: { Item: Item(from + n) } }));
      await ops.service.run.dynamodb.client.send(new BatchWriteItemCommand({ RequestItems: { Partners } }));
    }

    const { stderr, stdout } = await ops.run(['find', jobId, '--json']);

    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ cancellations: [{ jobId, foundAs: ['jobId'] }] });
  });
});

describe('the query of the log lines', () => {
  const place = { logGroups: async () => ['/aws/lambda/a', '/aws/lambda/b'] };
  const now = Date.parse('2026-11-26T12:00:00Z');

  test('covers the time of the records and a little more', async () => {
    const query = await logsQueryOf(place, ['id"1'], ['2026-11-26T10:00:00.000Z', '2026-11-26T11:00:00.000Z'], now);

    expect(query).toMatchObject({
      logGroups: ['/aws/lambda/a', '/aws/lambda/b'],
      from: Date.parse('2026-11-26T09:50:00Z') / 1000,
      to: Date.parse('2026-11-26T11:10:00Z') / 1000,
      query: expect.stringContaining('filter @message like "id\\"1"'),
    });
  });

  test('looks back a week where nothing says when', async () => {
    const { from, to } = await logsQueryOf(place, ['id'], [], now);

    expect(to - from).toBe(7 * 86_400);
  });
});
