import { join } from 'node:path';
import {
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalDynamoDb, startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { type TableName, tables } from '../../infra/blueprint/tables.ts';
import { createFunctionCallers } from '../../infra/local/start-functions.ts';
import { closeAfterTest, temporaryFolder } from './arrange.ts';

const put = ({ client }: LocalDynamoDb<TableName>, TableName: string, pk: string, note = '') =>
  client.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, note: { S: note } } }));

describe('the local DynamoDB', () => {
  let dynamodb: LocalDynamoDb<TableName>;
  beforeAll(async () => {
    dynamodb = await startLocalDynamoDb({ tables });
  });
  afterAll(() => dynamodb.close());

  test('has the three tables as defined', async () => {
    const { TableNames } = await dynamodb.client.send(new ListTablesCommand({}));
    const { Table } = await dynamodb.client.send(new DescribeTableCommand({ TableName: 'CancellationLog' }));

    expect(TableNames).toEqual(['CancellationLog', 'JobDirectory', 'Partners']);
    expect(Table).toMatchObject({
      TableStatus: 'ACTIVE',
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'due-wake-ups',
          Projection: { ProjectionType: 'KEYS_ONLY' },
          KeySchema: [
            { AttributeName: 'wakeShard', KeyType: 'HASH' },
            { AttributeName: 'wakeAt', KeyType: 'RANGE' },
          ],
        },
        {
          IndexName: 'requests',
          Projection: { ProjectionType: 'KEYS_ONLY' },
          KeySchema: [
            { AttributeName: 'requestId', KeyType: 'HASH' },
            { AttributeName: 'at', KeyType: 'RANGE' },
          ],
        },
      ],
    });
  });

  test('listens only on this machine', () => {
    expect(new URL(dynamodb.url).hostname).toBe('127.0.0.1');
  });

  test('counts requests by operation and table until the counts are reset', async () => {
    dynamodb.resetCounts();
    await put(dynamodb, 'Partners', 'a', '"TableName":"Elsewhere"');
    await Promise.all([put(dynamodb, 'Partners', 'b'), put(dynamodb, 'Partners', 'c')]);
    await dynamodb.client.send(new GetItemCommand({ TableName: 'Partners', Key: { pk: { S: 'a' } } }));

    expect(dynamodb.counts()).toEqual({ PutItem: { Partners: 3 }, GetItem: { Partners: 1 } });

    dynamodb.resetCounts();
    expect(dynamodb.counts()).toEqual({});
  });

  test('lets a function do with a table or an index what its role allows, and nothing else', async () => {
    const callers = createFunctionCallers();
    const withTables = callers.map(({ accessKey, role }) => ({ accessKey, mayCall: role.mayCallTables }));
    const { url } = closeAfterTest(await startLocalDynamoDb({ tables, callers: withTables }));
    const as = (functionName: string) => {
      const credentials = callers.find((caller) => caller.functionName === functionName)?.accessKey;
      return new DynamoDBClient({ endpoint: url, region: 'eu-central-1', ...(credentials && { credentials }) });
    };
    const index = { TableName: 'CancellationLog', IndexName: 'due-wake-ups' };
    const wakeUps = new QueryCommand({
      ...index,
      KeyConditionExpression: 'wakeShard = :shard',
      ExpressionAttributeValues: { ':shard': { S: '0' } },
    });
    const removal = new UpdateItemCommand({
      TableName: 'CancellationLog',
      Key: { pk: { S: 'acme#job_1' }, sk: { S: 'event#00001' } },
      UpdateExpression: 'REMOVE wakeAt',
    });
    const clients = ['request-cancellation', 'reconcile-cancellations', 'consume-events'].map(as);
    const [asking, reconciling, consuming] = clients;

    await asking?.send(removal);
    await reconciling?.send(wakeUps);
    await expect(asking?.send(wakeUps)).rejects.toThrow('The role does not allow Query on CancellationLog');
    await expect(consuming?.send(removal)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    for (const client of clients) client.destroy();
  });

  test('keeps its data between runs when it has a folder', async () => {
    const path = join(temporaryFolder(), 'made', 'as', 'needed');
    const first = await startLocalDynamoDb({ tables, path });
    await put(first, 'Partners', 'kept', 'é');
    await first.close();

    const second = await startLocalDynamoDb({ tables, path });
    const kept = await second.client.send(new GetItemCommand({ TableName: 'Partners', Key: { pk: { S: 'kept' } } }));
    await second.close();

    expect(kept.Item).toEqual({ pk: { S: 'kept' }, note: { S: 'é' } });
  });

  test('rejects a folder that another run uses', async () => {
    const path = temporaryFolder();
    closeAfterTest(await startLocalDynamoDb({ tables, path }));

    await expect(startLocalDynamoDb({ tables, path })).rejects.toThrow('another run is using it');
  });
});
