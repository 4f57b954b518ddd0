import { CreateTableCommand, type DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';

/** The tables that the baseline has beside the job directory, by the variable that names each. */
export const baselineTables = { IDEMPOTENCY_TABLE: 'Idempotency', AUDIT_TABLE: 'Audit' } as const;

/** One string key, `id`, as Powertools' idempotency asks for. */
export const createBaselineTables = async (client: DynamoDBClient): Promise<void> => {
  for (const TableName of Object.values(baselineTables)) {
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 0.05, maxDelay: 0.1 }, { TableName });
  }
};
