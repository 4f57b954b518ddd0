import { PassThrough, Readable } from 'node:stream';
import { DeleteItemCommand, DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createCancellationLog } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import { createJobDirectory } from '../../../functions/adapters/dynamodb/job-directory.ts';
import { fromItem, type Item } from '../../../functions/adapters/dynamodb/table-client.ts';
import { sealEvent } from '../../../functions/core/cancellation/chain.ts';
import type { CancellationEvent } from '../../../functions/core/cancellation/events.ts';
import { erasedSchema } from '../../../functions/core/cancellation/erased.ts';
import { daysAfter } from '../../../functions/core/retention.ts';
import { fingerprintOf } from '../../../functions/core/find-job/find-job.ts';
import { tables } from '../../../infra/blueprint/tables.ts';
import { verifyTable } from '../../../infra/cli/audit/verify-table.ts';
import { erase } from '../../../infra/cli/erase/ops-erase.ts';
import { releaseOwner, readJobRecord } from '../../../infra/cli/jobs/job-records.ts';
import type { Place } from '../../../infra/cli/places/place.ts';
import { createAccessKey } from '../../../infra/local/aws/access-keys.ts';
import { localRegion } from '../../../infra/local/aws/loopback.ts';
import { playRole } from '../../../infra/local/play-role.ts';
import { erasedRecordAttributes, erasureAttributes } from '../../../infra/blueprint/access/operator-roles.ts';
import { permissionsOf } from '../../../infra/blueprint/access/roles.ts';
import { createTerminal } from '../../../infra/cli/terminal.ts';
import { startLocalDynamoDb } from '../../../infra/local/aws/dynamodb.ts';
import { committed } from '../../support/committed.ts';
import { acme, externalId, jobId, retention } from '../../support/names.ts';
import { placeWith } from '../../support/place-with.ts';
import { at, closed, requested } from '../../support/stored-streams.ts';

const name = externalId('marker of a person');
const reason = 'marker of a reason';
const [first, second, formerly] = [jobId('job_first'), jobId('job_second'), jobId('job_formerly')];

const roleKey = createAccessKey();
const role = permissionsOf('erase-texts');
const startEngine = () =>
  startLocalDynamoDb({ tables, callers: [{ accessKey: roleKey, mayCall: playRole(role).mayCallTables }] });
let engine: Awaited<ReturnType<typeof startEngine>>;
let before: Record<'CancellationLog' | 'JobDirectory', readonly Item[]>;
beforeAll(async () => {
  engine = await startEngine();
  await writeScene();
  before = await allItems();
});
afterAll(() => engine.close());

const allItems = async () => ({
  CancellationLog: await itemsOf('CancellationLog'),
  JobDirectory: await itemsOf('JobDirectory'),
});
const itemsOf = async (table: 'CancellationLog' | 'JobDirectory') => {
  const { Items = [] } = await engine.client.send(new ScanCommand({ TableName: engine.tableNames[table] }));
  return Items;
};
/** Puts both tables back to the scene. */
const restore = async () => {
  for (const table of ['CancellationLog', 'JobDirectory'] as const) {
    const TableName = engine.tableNames[table];
    for (const { pk, sk } of await itemsOf(table)) {
      if (pk !== undefined && sk !== undefined)
        await engine.client.send(new DeleteItemCommand({ TableName, Key: { pk, sk } }));
    }
    for (const Item of before[table]) await engine.client.send(new PutItemCommand({ TableName, Item }));
  }
};

/** Two jobs under one name, one of them released, requests that joined and were refused, and a request key of each kind. */
async function writeScene(): Promise<void> {
  const log = createCancellationLog(engine.client, engine.tableNames.CancellationLog);
  const directory = createJobDirectory(engine.client, engine.tableNames.JobDirectory);
  const asked = (requestId: string) => committed({ door: 'https', requestId, externalId: name, reason } as const);
  for (const job of [first, second, formerly]) {
    const entry = { jobId: job, registeredAt: at, verifiedAt: at };
    await directory.claim(acme, name, entry);
    if (job === formerly) continue;
    let last: CancellationEvent | undefined;
    for (const body of [{ ...requested, ...asked(`r-${job}`) }, closed]) {
      last = sealEvent({ partnerId: acme, jobId: job }, last, body, {
        eventId: `e-${body.type}`,
        at,
        keptDays: retention.events,
      });
      await log.append(last);
    }
    const fingerprint = fingerprintOf({ externalId: name, reason });
    await directory.bind(acme, `key of ${job}`, { fingerprint, firstSeenAt: at, jobId: job });
  }
  await log.recordJoined({
    type: 'joined',
    partnerId: acme,
    jobId: first,
    at,
    deleteAfter: daysAfter(at, retention.requests),
    ...asked('r-joined'),
  });
  for (const day of ['2026-11-22', '2026-11-23']) {
    const refusedAt = `${day}T10:00:00.000Z`;
    const refused = {
      type: 'refused',
      partnerId: acme,
      why: 'job_not_found',
      at: refusedAt,
      deleteAfter: daysAfter(refusedAt, retention.requests),
      ...asked(`r-${day}`),
    } as const;
    await log.recordRefused(refused);
    await directory.keepRefusal({ ...refused, externalId: name });
  }
  await directory.bind(acme, 'key of a refusal', {
    fingerprint: fingerprintOf({ externalId: name, reason }),
    firstSeenAt: at,
  });
  await directory.bind(acme, 'key of another', {
    fingerprint: fingerprintOf({ externalId: name, reason: 'x' }),
    firstSeenAt: at,
  });
  const { owner } = await readJobRecord(placeOf(engine.client), formerly);
  if (owner === undefined) throw new Error('the job has no owner');
  await releaseOwner(placeOf(engine.client), owner, { releasedAt: at, why: 'OPS-1' });
}

const placeOf = (dynamodb: DynamoDBClient): Place =>
  placeWith({ dynamodb, table: async (table) => engine.tableNames[table] });

/**
 * @param crashAt the process ends before its nth call has an effect, which is after the one before
 * @returns how many calls the run made, and how many of them were writes
 */
async function run(
  which: Readonly<Record<string, string>>,
  crashAt = Infinity,
): Promise<{ calls: number; writes: number; code: unknown }> {
  const dynamodb = new DynamoDBClient({ endpoint: engine.url, region: localRegion, credentials: roleKey });
  let [calls, writes] = [0, 0];
  dynamodb.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        calls += 1;
        made.add(`${commandName.replace(/Command$/, '')} ${tableOf(args.input)}`);
        if (tableOf(args.input) === 'CancellationLog') noteAttributes(commandName, args.input);
        if (calls >= crashAt) throw new Error('the process has ended');
        const result = await next(args);
        if (!/^(Scan|Query)/.test(commandName)) writes += 1;
        return result;
      },
    { step: 'initialize' },
  );
  const output = new PassThrough();
  const terminal = createTerminal({ json: true, yes: true, input: Readable.from([]), output, messages: output });
  const values = { partner: acme, 'external-id': undefined, job: undefined, 'reason-code': 'gdpr', ...which };
  const flags = { environment: undefined, region: undefined, json: true, yes: true };
  try {
    const code = await erase.run({
      place: placeOf(dynamodb),
      terminal,
      argument: '',
      now: Date.parse(at),
      values: { ...values, ...flags },
    });
    return { calls, writes, code };
  } catch (error) {
    return { calls, writes, code: error };
  } finally {
    dynamodb.destroy();
  }
}

const made = new Set<string>();
/** What the writes to the log name, by operation: what IAM compares as `dynamodb:Attributes`. */
const attributes = new Map<string, Set<string>>();
const inputSchema = z.object({
  TableName: z.string(),
  Key: z.optional(z.record(z.string(), z.unknown())),
  Item: z.optional(z.record(z.string(), z.unknown())),
  UpdateExpression: z.optional(z.string()),
  ConditionExpression: z.optional(z.string()),
});
const tableOf = (input: unknown): string => inputSchema.parse(input).TableName;
function noteAttributes(operation: string, input: unknown): void {
  const { Key = {}, Item = {}, UpdateExpression = '', ConditionExpression = '' } = inputSchema.parse(input);
  const words = `${UpdateExpression} ${ConditionExpression}`.replaceAll(/attribute_not_exists|REMOVE|:\w+/g, ' ');
  const named = [...Object.keys({ ...Key, ...Item }), ...(words.match(/\w+/g) ?? [])];
  attributes.set(operation, new Set([...(attributes.get(operation) ?? []), ...named]));
}

const findings = async () => {
  const source = { client: engine.client, table: engine.tableNames.CancellationLog, place: 'here' };
  const all = [];
  for await (const verdict of verifyTable(source)) all.push(...verdict.findings);
  return all.map(({ code }) => code);
};
/** What is left, but for who erased it in which order, and the records that have lost their texts. */
const endState = async () => {
  const { CancellationLog, JobDirectory } = await allItems();
  const records = CancellationLog.map(fromItem);
  const erasures = records.flatMap((record) => erasedSchema.safeParse(record).data ?? []);
  return {
    log: records.filter(({ type }) => type !== 'erased'),
    directory: JobDirectory.map(fromItem),
    named: [
      ...new Set(erasures.flatMap(({ jobId: job, day, keys }) => keys.map((key) => `${job ?? day} ${key}`))),
    ].toSorted(),
  };
};

test('an erasure makes exactly the calls that the role erase-texts allows, on exactly its attributes', async () => {
  await restore();
  made.clear();
  attributes.clear();
  await run({ 'external-id': name });

  const allowed = role.flatMap(({ actions, resource }) => actions.map((action) => `${action} ${resource}`));
  const ofTables = allowed.flatMap((one) => /^dynamodb:(.*)/.exec(one)?.[1] ?? []);
  expect([...made].toSorted()).toEqual(ofTables.toSorted());
  expect(attributes.get('UpdateItemCommand')).toEqual(new Set(erasureAttributes));
  const putOnly = erasedRecordAttributes.filter(
    (attribute) => attributes.get('PutItemCommand')?.has(attribute) !== true,
  );
  expect(putOnly).toEqual([]);
  expect(attributes.get('PutItemCommand')?.isSubsetOf(new Set(erasedRecordAttributes))).toBe(true);
});

describe.each([
  ['by externalId', { 'external-id': name }],
  ['by job', { job: first }],
])('an erasure %s', (_how, which) => {
  let whole: Awaited<ReturnType<typeof endState>>;
  let calls = 0;
  beforeAll(async () => {
    await restore();
    ({ calls } = await run(which));
    whole = await endState();
  });
  beforeEach(restore);

  test('leaves nothing of what it is to erase, but what is not its own', () => {
    const left = JSON.stringify([whole.log, whole.directory]);
    const isWhole = 'external-id' in which;

    expect(left.includes(name) || left.includes(reason)).toBe(!isWhole);
    expect(whole.directory.filter(({ sk }) => sk === 'binding')).toHaveLength(isWhole ? 1 : 2);
    expect(calls).toBeGreaterThan(10);
  });

  test('that ends at any call is completed by a repeat, and verify-audit sees where it stands', async () => {
    const seen = new Set<string>();
    for (let call = 1; call <= calls; call += 1) {
      await restore();
      const ended = await run(which, call);
      expect(ended.code).toBeInstanceOf(Error);
      const interrupted = await findings();
      const texts = (await itemsOf('CancellationLog')).map(fromItem);
      const named = new Set(
        texts.flatMap((record) => {
          const { jobId: job, day, partnerId, keys = [] } = erasedSchema.safeParse(record).data ?? {};
          return keys.map((key) => `${partnerId}#${job ?? `refused#${day}`} ${key}`);
        }),
      );
      const unerased = texts.filter(
        ({ pk, sk, externalId: text }) => text !== undefined && named.has(`${String(pk)} ${String(sk)}`),
      );
      expect({ call, interrupted }).toEqual({ call, interrupted: unerased.map(() => 'unerased') });
      for (const code of interrupted) seen.add(code);

      expect(await run(which)).toMatchObject({ code: 0 });

      expect({ call, end: await endState() }).toEqual({ call, end: whole });
      expect(await findings()).toEqual([]);
      expect(await run(which)).toMatchObject({ code: 0, writes: 0 });
    }
    expect([...seen]).toEqual(['unerased']);
  });
});
