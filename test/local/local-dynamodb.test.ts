import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTableCommand, GetItemCommand, ListTablesCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalDynamoDb, startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';

const put = ({ client }: LocalDynamoDb, TableName: string, pk: string, note = '') =>
  client.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, note: { S: note } } }));

describe('the local DynamoDB', () => {
  let dynamodb: LocalDynamoDb;
  beforeAll(async () => {
    dynamodb = await startLocalDynamoDb();
  });
  afterAll(() => dynamodb.close());

  it('has the three tables as defined', async () => {
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
      ],
    });
  });

  it('listens on this machine alone', () => {
    expect(new URL(dynamodb.url).hostname).toBe('127.0.0.1');
  });

  it('counts requests by operation and table until told to begin again', async () => {
    dynamodb.resetCounts();
    await put(dynamodb, 'Partners', 'a', '"TableName":"Elsewhere"');
    await Promise.all([put(dynamodb, 'Partners', 'b'), put(dynamodb, 'Partners', 'c')]);
    await dynamodb.client.send(new GetItemCommand({ TableName: 'Partners', Key: { pk: { S: 'a' } } }));

    expect(dynamodb.counts()).toEqual({ PutItem: { Partners: 3 }, GetItem: { Partners: 1 } });

    dynamodb.resetCounts();
    expect(dynamodb.counts()).toEqual({});
  });

  it('keeps what it was given between runs when it has a folder', async () => {
    const root = mkdtempSync(join(tmpdir(), 'local-dynamodb-'));
    const path = join(root, 'made', 'as', 'needed');
    const first = await startLocalDynamoDb({ path });
    await put(first, 'Partners', 'kept', 'é');
    await first.close();

    const second = await startLocalDynamoDb({ path });
    const kept = await second.client.send(new GetItemCommand({ TableName: 'Partners', Key: { pk: { S: 'kept' } } }));
    await second.close();
    rmSync(root, { recursive: true });

    expect(kept.Item).toEqual({ pk: { S: 'kept' }, note: { S: 'é' } });
  });

  it('refuses a folder that another run holds', async () => {
    const path = mkdtempSync(join(tmpdir(), 'local-dynamodb-'));
    const holder = await startLocalDynamoDb({ path });

    await expect(startLocalDynamoDb({ path })).rejects.toThrow('another run is using it');

    await holder.close();
    rmSync(path, { recursive: true });
  });
});
