import { DescribeTableCommand, type DynamoDBClient, type TableDescription } from '@aws-sdk/client-dynamodb';
import { ServiceError } from '../aws-json-endpoint.ts';
import type { KeptFeatures } from './kept-features.ts';

/** @param engine a client that reaches the engine itself @throws ServiceError when the table does not exist */
export async function describeTable(engine: DynamoDBClient, TableName: string): Promise<TableDescription> {
  const { Table = {} } = await engine.send(new DescribeTableCommand({ TableName })).catch((error: unknown) => {
    if (!(error instanceof Error) || error.name !== 'ResourceNotFoundException') throw error;
    throw new ServiceError(error.name, `Requested resource not found: Table: ${TableName} not found`);
  });
  return Table;
}

/** As DescribeTable shows a table, in the protocol's numbers. */
export function shown(table: TableDescription, kept: KeptFeatures, isRestoring: boolean): object {
  const { stream, isProtected = false, isEncryptedByKms, restoredFrom } = kept.of(table.TableName ?? '');
  const summary = table.BillingModeSummary;
  return {
    ...table,
    CreationDateTime: seconds(table.CreationDateTime),
    ...(summary !== undefined && {
      BillingModeSummary: {
        BillingMode: summary.BillingMode,
        LastUpdateToPayPerRequestDateTime: seconds(summary.LastUpdateToPayPerRequestDateTime),
      },
    }),
    ProvisionedThroughput: { NumberOfDecreasesToday: 0, ReadCapacityUnits: 0, WriteCapacityUnits: 0 },
    ...(isRestoring && { TableStatus: 'CREATING' }),
    DeletionProtectionEnabled: isProtected,
    ...(isEncryptedByKms === true && { SSEDescription: { Status: 'ENABLED', SSEType: 'KMS' } }),
    ...(stream !== undefined && {
      StreamSpecification: { StreamEnabled: true, StreamViewType: stream.view },
      LatestStreamLabel: stream.label,
      LatestStreamArn: `${table.TableArn}/stream/${stream.label}`,
    }),
    ...(restoredFrom !== undefined && {
      RestoreSummary: {
        SourceTableArn: restoredFrom.tableArn,
        RestoreDateTime: restoredFrom.at / 1_000,
        RestoreInProgress: isRestoring,
      },
    }),
  };
}

function seconds(date: Date | undefined): number | undefined {
  return date === undefined ? undefined : date.getTime() / 1_000;
}

export function describeBackups(kept: KeptFeatures, since: number | undefined, table: string): object {
  const days = kept.of(table).pointInTimeRecoveryDays;
  return {
    ContinuousBackupsStatus: 'ENABLED',
    PointInTimeRecoveryDescription: {
      PointInTimeRecoveryStatus: days === undefined ? 'DISABLED' : 'ENABLED',
      ...(days !== undefined && {
        RecoveryPeriodInDays: days,
        EarliestRestorableDateTime: (since ?? Date.now()) / 1_000,
        LatestRestorableDateTime: Date.now() / 1_000,
      }),
    },
  };
}
