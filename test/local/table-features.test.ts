import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeContributorInsightsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  GetResourcePolicyCommand,
  ListTablesCommand,
  ListTagsOfResourceCommand,
  PutItemCommand,
  PutResourcePolicyCommand,
  RestoreTableToPointInTimeCommand,
  ScanCommand,
  TagResourceCommand,
  UpdateContinuousBackupsCommand,
  UpdateContributorInsightsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tables } from '../../infra/blueprint/tables.ts';
import { startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { createTableFeatures } from '../../infra/local/aws/tables/table-features.ts';
import { temporaryFolder } from './arrange.ts';

const path = join(temporaryFolder(), 'dynamodb');
const start = () => startLocalDynamoDb({ tables, path, front: createTableFeatures });
let dynamodb: Awaited<ReturnType<typeof start>>;
let client: DynamoDBClient;
beforeAll(async () => {
  dynamodb = await start();
  ({ client } = dynamodb);
});
afterAll(() => dynamodb.close());

const TableName = 'Partners';
const arnOf = async (table: string): Promise<string> =>
  (await client.send(new DescribeTableCommand({ TableName: table }))).Table?.TableArn ?? '';
const put = (pk: string, note = '') =>
  client.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, note: { S: note } } }));
const itemsOf = async (table: string) => {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
  return Object.fromEntries(Items.map(({ pk, note }) => [pk?.S, note?.S]));
};
const recover = (isOn: boolean) =>
  client.send(
    new UpdateContinuousBackupsCommand({
      TableName,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: isOn, RecoveryPeriodInDays: 7 },
    }),
  );
const restore = async (target: string, at?: Date): Promise<void> => {
  const when = at === undefined ? { UseLatestRestorableTime: true } : { RestoreDateTime: at };
  await client.send(
    new RestoreTableToPointInTimeCommand({ SourceTableName: TableName, TargetTableName: target, ...when }),
  );
  await expect
    .poll(async () => (await client.send(new DescribeTableCommand({ TableName: target }))).Table?.TableStatus)
    .toBe('ACTIVE');
};

describe('what stands in front of the engine', () => {
  test('shows a new table without features, and one with all that was set, also after a restart', async () => {
    const ResourceArn = await arnOf(TableName);
    const describeAll = async () => [
      (await client.send(new DescribeTimeToLiveCommand({ TableName }))).TimeToLiveDescription,
      (await client.send(new DescribeContinuousBackupsCommand({ TableName }))).ContinuousBackupsDescription
        ?.PointInTimeRecoveryDescription,
      (await client.send(new DescribeContributorInsightsCommand({ TableName }))).ContributorInsightsStatus,
      (await client.send(new ListTagsOfResourceCommand({ ResourceArn }))).Tags,
      (await client.send(new DescribeTableCommand({ TableName }))).Table,
    ];

    expect(await describeAll()).toMatchObject([
      { TimeToLiveStatus: 'DISABLED' },
      { PointInTimeRecoveryStatus: 'DISABLED' },
      'DISABLED',
      [],
      { DeletionProtectionEnabled: false, TableStatus: 'ACTIVE', CreationDateTime: expect.any(Date) },
    ]);
    await expect(client.send(new GetResourcePolicyCommand({ ResourceArn }))).rejects.toMatchObject({
      name: 'PolicyNotFoundException',
    });

    const timeToLive = { TableName, TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true } };
    await client.send(new UpdateTimeToLiveCommand(timeToLive));
    await recover(true);
    const insights = { ContributorInsightsAction: 'ENABLE', ContributorInsightsMode: 'THROTTLED_KEYS' } as const;
    await client.send(new UpdateContributorInsightsCommand({ TableName, ...insights }));
    await client.send(new TagResourceCommand({ ResourceArn, Tags: [{ Key: 'project', Value: 'x' }] }));
    await client.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: true }));
    const stream = { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' } as const;
    await client.send(new UpdateTableCommand({ TableName, StreamSpecification: stream }));
    const set = await describeAll();
    await dynamodb.close();
    dynamodb = await start();
    ({ client } = dynamodb);

    expect(set).toMatchObject([
      { TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' },
      { PointInTimeRecoveryStatus: 'ENABLED', RecoveryPeriodInDays: 7, EarliestRestorableDateTime: expect.any(Date) },
      'ENABLED',
      [{ Key: 'project', Value: 'x' }],
      {
        DeletionProtectionEnabled: true,
        StreamSpecification: stream,
        LatestStreamArn: expect.stringMatching(/:table\/Partners\/stream\/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/),
      },
    ]);
    const again = await describeAll();
    expect([again[0], again[2], again[3], again[4]]).toEqual([set[0], set[2], set[3], set[4]]);
    // As DynamoDB: what is set already is refused.
    await expect(client.send(new UpdateTimeToLiveCommand(timeToLive))).rejects.toThrow('already enabled');
    await expect(client.send(new UpdateTableCommand({ TableName, StreamSpecification: stream }))).rejects.toThrow(
      'already has an enabled stream',
    );
    await expect(client.send(new DeleteTableCommand({ TableName }))).rejects.toThrow('deletion protection');
  });

  test('restores a table to a time: puts, updates, deletes and batches, and none of its features', async () => {
    await recover(true);
    await put('kept', 'first');
    await put('deleted');
    await sleepASecond();
    const at = new Date();
    await sleepASecond();
    await client.send(
      new UpdateItemCommand({
        TableName,
        Key: { pk: { S: 'kept' } },
        UpdateExpression: 'SET note = :note',
        ExpressionAttributeValues: { ':note': { S: 'second' } },
      }),
    );
    await client.send(new DeleteItemCommand({ TableName, Key: { pk: { S: 'deleted' } } }));
    const batch = [{ PutRequest: { Item: { pk: { S: 'late' }, note: { S: 'batch' } } } }];
    await client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: batch } }));

    await restore('then', at);
    await restore('now');
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'then' }));

    expect(await itemsOf('then')).toEqual({ kept: 'first', deleted: '' });
    expect(await itemsOf('now')).toEqual({ kept: 'second', late: 'batch' });
    expect(Table).toMatchObject({
      DeletionProtectionEnabled: false,
      RestoreSummary: { SourceTableArn: await arnOf(TableName), RestoreInProgress: false },
    });
    expect(Table?.StreamSpecification).toBeUndefined();
    await expect(restore('then')).rejects.toMatchObject({ name: 'TableAlreadyExistsException' });
    await expect(restore('before', new Date(0))).rejects.toMatchObject({ name: 'InvalidRestoreTimeException' });
    await recover(false);
    await expect(restore('later')).rejects.toMatchObject({ name: 'PointInTimeRecoveryUnavailableException' });
  });

  test('denies what a policy denies to everyone, and plays no condition', async () => {
    const deny = { Effect: 'Deny', Principal: { AWS: '*' }, Resource: '*' };
    const policy = {
      Version: '2012-10-17',
      Statement: [
        { ...deny, Action: ['dynamodb:DeleteItem', 'dynamodb:BatchWriteItem'] },
        {
          ...deny,
          Action: 'dynamodb:PutItem',
          Condition: { ArnNotEquals: { 'aws:PrincipalArn': ['arn:aws:iam::1:x'] } },
        },
      ],
    };
    const ResourceArn = await arnOf(TableName);
    await client.send(new PutResourcePolicyCommand({ ResourceArn, Policy: JSON.stringify(policy) }));
    const batch = [{ PutRequest: { Item: { pk: { S: 'denied' } } } }];

    await put('allowed');
    await expect(
      client.send(new DeleteItemCommand({ TableName, Key: { pk: { S: 'allowed' } } })),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await expect(
      client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: batch } })),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(Object.keys(await itemsOf(TableName))).toEqual(expect.arrayContaining(['allowed']));
    expect(Object.keys(await itemsOf(TableName))).not.toContain('denied');
  });
});

const sleepASecond = () => new Promise((resolve) => setTimeout(resolve, 1_100));

test('a table whose definition shows more of a change gets another stream, and the records go on', async () => {
  const folder = join(temporaryFolder(), 'dynamodb');
  const open = async (stream: 'NEW_IMAGE' | 'NEW_AND_OLD_IMAGES') => {
    const log = { partitionKey: 'pk', stream };
    const database = await startLocalDynamoDb({ tables: { Log: log }, path: folder, front: createTableFeatures });
    const write = (n: string) =>
      database.client.send(new PutItemCommand({ TableName: 'Log', Item: { pk: { S: '1' }, n: { S: n } } }));
    const { Table } = await database.client.send(new DescribeTableCommand({ TableName: 'Log' }));
    return { ...database, write, arn: Table?.LatestStreamArn };
  };
  const first = await open('NEW_IMAGE');
  await first.write('1');
  await first.close();

  const second = await open('NEW_AND_OLD_IMAGES');
  await second.write('2');
  const records = await second.streams.read('Log', 0, 10);
  await second.close();

  expect(second.arn).not.toBe(first.arn);
  expect(records.map(({ dynamodb: shown }) => [shown.StreamViewType, shown.OldImage?.['n']])).toEqual([
    ['NEW_IMAGE', undefined],
    ['NEW_AND_OLD_IMAGES', { S: '1' }],
  ]);
});

test('a table that went with its store has no features any more, and the others start', async () => {
  const folder = join(temporaryFolder(), 'dynamodb');
  const open = (names: object) =>
    startLocalDynamoDb({
      tables: { Kept: { partitionKey: 'pk' }, ...names },
      path: folder,
      front: createTableFeatures,
    });
  const first = await open({ Gone: { partitionKey: 'pk', stream: 'NEW_IMAGE' } });
  await first.close();
  rmSync(folder, { recursive: true });

  const second = await open({});
  const { TableNames } = await second.client.send(new ListTablesCommand({}));
  await second.close();

  expect(TableNames).toEqual(['Kept']);
  expect(JSON.parse(readFileSync(`${folder}-features.json`, 'utf8'))).toEqual({});
});
