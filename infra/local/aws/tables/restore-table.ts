import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndexDescription,
} from '@aws-sdk/client-dynamodb';
import { parseInput, ServiceError } from '../aws-json-endpoint.ts';
import { restoreInput } from './feature-inputs.ts';
import type { KeptFeatures } from './kept-features.ts';
import type { PointInTime } from './point-in-time.ts';
import { describeTable, shown } from './shown-table.ts';

/** RestoreTableToPointInTime. */
export interface Restore {
  /** Answers at once; the new table is being created until it has its items. @throws ServiceError */
  begin(input: unknown): Promise<object>;
  isRestoring(table: string): boolean;
}

interface RestoreOptions {
  /** A client that reaches the engine itself. */
  readonly engine: DynamoDBClient;
  readonly kept: KeptFeatures;
  readonly history: PointInTime;
}

/**
 * A new table with the keys, the indexes, the encryption and the items of another one at a time, and nothing else of it.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html
 */
export function createRestore({ engine, kept, history }: RestoreOptions): Restore {
  const restoring = new Set<string>();

  async function fill(source: string, target: string, at: number): Promise<void> {
    while ((await describeTable(engine, target)).TableStatus !== 'ACTIVE') await sleep(5);
    await history.copy(source, target, at);
    restoring.delete(target);
  }

  return {
    isRestoring: (table) => restoring.has(table),
    async begin(input) {
      const given = parseInput(restoreInput, input, 'ValidationException');
      const { SourceTableName: source, TargetTableName: target } = given;
      const { TableArn = '', ...from } = await describeTable(engine, source);
      const at = given.UseLatestRestorableTime === true ? Date.now() : (given.RestoreDateTime ?? 0) * 1_000;
      checkTime(at, history.since(source));
      await createEmpty(engine, target, from);
      kept.change(target, {
        isEncryptedByKms: kept.of(source).isEncryptedByKms,
        restoredFrom: { tableArn: TableArn, at },
      });
      restoring.add(target);
      fill(source, target, at).catch((error: unknown) => console.error(error));
      return { TableDescription: shown(await describeTable(engine, target), kept, true) };
    },
  };
}

function checkTime(at: number, since: number | undefined): void {
  if (since === undefined) {
    const message = 'Point in time recovery is not enabled for the table';
    throw new ServiceError('PointInTimeRecoveryUnavailableException', message);
  }
  // RestoreDateTime has whole seconds.
  if (at >= since - 1_000 && at <= Date.now()) return;
  throw new ServiceError('InvalidRestoreTimeException', 'The restore time is not in the window of restorable times');
}

async function createEmpty(
  engine: DynamoDBClient,
  TableName: string,
  { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes }: Awaited<ReturnType<typeof describeTable>>,
): Promise<void> {
  const indexes = GlobalSecondaryIndexes?.map(toIndex);
  const create = new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema,
    AttributeDefinitions,
    ...(indexes !== undefined && { GlobalSecondaryIndexes: indexes }),
  });
  await engine.send(create).catch((error: unknown) => {
    if (!(error instanceof Error) || error.name !== 'ResourceInUseException') throw error;
    throw new ServiceError('TableAlreadyExistsException', `Table already exists: ${TableName}`);
  });
}

function toIndex({ IndexName, KeySchema, Projection }: GlobalSecondaryIndexDescription) {
  return { IndexName, KeySchema, Projection };
}
