import { DeleteItemCommand, type DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import type { TableDefinition } from './create-table.ts';
import type { TableStreams } from './streams/table-streams.ts';

/** What it takes to delete from the engine itself: no policy of a table stops its time to live. */
export interface ExpiringTables {
  readonly engine: DynamoDBClient;
  readonly streams: TableStreams;
  /** By the name of each table in use. */
  readonly definitions: ReadonlyMap<string, TableDefinition>;
}

/**
 * Deletes every item whose time to live is over, which DynamoDB does by itself within some days. The engine has nothing of
 * it, so a test or a run calls this.
 * @param nowMs milliseconds since 1970
 * @returns how many items were deleted
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
 */
export async function expireItems({ engine, streams, definitions }: ExpiringTables, nowMs: number): Promise<number> {
  let expired = 0;
  for (const [TableName, { timeToLive, partitionKey, sortKey }] of definitions) {
    if (timeToLive === undefined) continue;
    const isOver = {
      ExpressionAttributeNames: { '#timeToLive': timeToLive },
      ExpressionAttributeValues: { ':now': { N: String(Math.floor(nowMs / 1_000)) } },
    };
    const scan = { TableName, FilterExpression: '#timeToLive <= :now', ...isOver };
    for await (const { Items = [] } of paginateScan({ client: engine }, scan)) {
      for (const item of Items) {
        const names = new Set([partitionKey, sortKey]);
        const Key = Object.fromEntries(Object.entries(item).filter(([name]) => names.has(name)));
        // A write that came in between may have moved its date: then it stays until the next time.
        const remove = new DeleteItemCommand({ TableName, Key, ConditionExpression: '#timeToLive <= :now', ...isOver });
        await streams.expire(TableName, Key, () => engine.send(remove).then(() => (expired += 1)));
      }
    }
  }
  return expired;
}
