import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeTableCommand, type DynamoDBClient, type TableDescription } from '@aws-sdk/client-dynamodb';
import { environments } from '../../blueprint/environments.ts';
import type { Account } from '../../blueprint/access/table-policies.ts';
import { settingsOf, type TableSurroundings } from '../../blueprint/access/table-settings.ts';
import { type TableDefinition, type TableName, tables } from '../../blueprint/tables.ts';
import { CannotDo } from '../command.ts';
import type { Place } from '../places/place.ts';
import type { Progress } from '../terminal.ts';
import { type Aspect, aspectsOf } from './table-aspects.ts';

/** What differs from the definition. */
export interface Drift {
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
}

/** @throws CannotDo (2) */
export function readTableName(value: string): TableName {
  const name = Object.keys(tables).find((known): known is TableName => known === value);
  if (name !== undefined) return name;
  throw new CannotDo(2, `--table must be one of ${Object.keys(tables).join(', ')}, not ${JSON.stringify(value)}.`);
}

/** @returns undefined when the table does not exist */
export async function findTable(client: DynamoDBClient, TableName: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName }))).Table;
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

/** A table that is compared with its definition. */
export interface ComparedTable {
  readonly table: string;
  /** Keys and indexes are a table's from its creation: it is another table. */
  readonly cannotChange: readonly Drift[];
  readonly canChange: readonly (Drift & Pick<Aspect, 'apply'>)[];
}

/**
 * Compares a table with the definition that the stateful stack is made from. The local run plays an environment with prod's
 * protection.
 * @throws CannotDo (2) when the table does not exist
 */
export async function compareTable(
  { dynamodb, environment, where }: Pick<Place, 'dynamodb' | 'environment' | 'where'>,
  name: TableName,
  table: string,
): Promise<ComparedTable> {
  const described = await findTable(dynamodb, table);
  if (described?.TableArn === undefined) throw new CannotDo(2, `There is no table ${table} (${where}).`);
  const surroundings: TableSurroundings =
    environment === 'local' ? { ...environments.prod, name: 'local' } : environments[environment];
  const settings = settingsOf(name, surroundings, accountOf(described.TableArn));
  const canChange: (Drift & Pick<Aspect, 'apply'>)[] = [];
  for (const { what, wanted, find, apply } of aspectsOf(dynamodb, { name: table, arn: described.TableArn }, settings)) {
    const found = await find(described);
    if (found !== wanted) canChange.push({ what, wanted, found, apply });
  }
  return { table, cannotChange: compareKeys(described, tables[name]), canChange };
}

/** @param arn of a table */
export function accountOf(arn: string): Account {
  const [, partition = '', , region = '', account = ''] = arn.split(':');
  return { partition, account, region };
}

function compareKeys(
  found: TableDescription,
  { partitionKey, sortKey, indexes = {} }: TableDefinition,
): readonly Drift[] {
  const keysOf = (schema: TableDescription['KeySchema'] = []): string =>
    schema.map(({ AttributeName }) => AttributeName).join(', ');
  const inWords = (all: readonly string[]): string => all.toSorted().join('; ') || 'none';
  const wanted = Object.values(indexes).map((index) => `${index.name} (${index.partitionKey}, ${index.sortKey})`);
  const standing = (found.GlobalSecondaryIndexes ?? []).map(
    ({ IndexName, KeySchema }) => `${IndexName} (${keysOf(KeySchema)})`,
  );
  const all = [
    { what: 'keys', wanted: [partitionKey, sortKey].filter(Boolean).join(', '), found: keysOf(found.KeySchema) },
    { what: 'indexes', wanted: inWords(wanted), found: inWords(standing) },
    {
      what: 'billing',
      wanted: 'PAY_PER_REQUEST',
      found: found.BillingModeSummary?.BillingMode ?? 'PROVISIONED',
    },
  ];
  return all.filter((one) => one.wanted !== one.found);
}

/** Waits until a table can be used: a restore takes minutes to hours. @throws CannotDo (1) when it is gone */
export async function waitUntilActive(
  { dynamodb, environment }: Pick<Place, 'dynamodb' | 'environment'>,
  table: string,
  progress: Progress,
): Promise<TableDescription> {
  const beganAt = performance.now();
  for (;;) {
    const found = await findTable(dynamodb, table);
    if (found === undefined) throw new CannotDo(1, `The table ${table} is gone.`);
    if (found.TableStatus === 'ACTIVE') {
      progress.clear();
      return found;
    }
    const minutes = Math.floor((performance.now() - beganAt) / 60_000);
    progress.show(`${table}: ${found.TableStatus?.toLowerCase()}, waiting for ${minutes} min …`);
    await sleep(environment === 'local' ? 20 : 5_000);
  }
}
