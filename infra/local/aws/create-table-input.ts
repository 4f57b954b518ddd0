import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import type { TableDefinition } from '../../blueprint/tables.ts';

/**
 * The CreateTable call that makes the table which the stateful stack deploys: same keys, same index, on-demand. Time to
 * live is no part of it: DynamoDB takes that by UpdateTimeToLive alone.
 * @param name the physical name
 */
export const createTableInput = (name: string, definition: TableDefinition): CreateTableCommandInput => {
  const { partitionKey, sortKey, index } = definition;
  const attributes = [partitionKey, sortKey, index?.partitionKey, index?.sortKey].filter(
    (attribute) => attribute !== undefined,
  );
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [...new Set(attributes)].map((attribute) => ({
      AttributeName: attribute,
      AttributeType: 'S',
    })),
    KeySchema: keySchema(partitionKey, sortKey),
    ...(index !== undefined && {
      GlobalSecondaryIndexes: [
        {
          IndexName: index.name,
          KeySchema: keySchema(index.partitionKey, index.sortKey),
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  };
};

const keySchema = (partitionKey: string, sortKey?: string): CreateTableCommandInput['KeySchema'] => [
  { AttributeName: partitionKey, KeyType: 'HASH' },
  ...(sortKey === undefined ? [] : [{ AttributeName: sortKey, KeyType: 'RANGE' as const }]),
];
