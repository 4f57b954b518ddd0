import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type TableName, tables } from '../blueprint/tables.ts';

/** Restored tables that are used in place of some, by name. */
export type RestoredTables = Readonly<Partial<Record<TableName, string>>>;

/** Which of the service's tables a table of the engine is. @returns undefined for one that is not in use */
export function tableInUse(restored: RestoredTables, table: string): TableName | undefined {
  return Object.keys(tables)
    .filter(isTableName)
    .find((name) => (restored[name] ?? name) === table);
}

/** @returns the first one that is not there */
export async function findMissing(client: DynamoDBClient, restored: RestoredTables = {}): Promise<string | undefined> {
  for (const TableName of Object.values(restored)) {
    try {
      await client.send(new DescribeTableCommand({ TableName }));
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return TableName;
      throw error;
    }
  }
  return undefined;
}

export function isTableName(name: string): name is TableName {
  return Object.hasOwn(tables, name);
}
