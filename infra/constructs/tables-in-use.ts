import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Environment } from '../blueprint/environment-schema.ts';
import type { TableName } from '../blueprint/tables.ts';

/** How a table is reached. */
export interface TableInUse {
  readonly tableName: string;
  readonly tableArn: string;
}

export interface TablesInUse {
  readonly tables: Readonly<Record<TableName, TableInUse>>;
  /** Of the cancellation log. */
  readonly logStreamArn: string;
}

/**
 * The tables that the service uses: the stateful stack's, or those that were restored and that the environment names. A
 * restored table is known by its name alone, so a deployment neither imports nor creates it.
 * @param own the stateful stack's
 */
export function tablesInUse(scope: Construct, { restoredTables = {} }: Environment, own: TablesInUse): TablesInUse {
  const stack = Stack.of(scope);
  const arnOf = (resourceName: string): string =>
    stack.formatArn({ service: 'dynamodb', resource: 'table', resourceName });
  const tableOf = (name: TableName): TableInUse => {
    const restored = restoredTables[name];
    return restored === undefined ? own.tables[name] : { tableName: restored.name, tableArn: arnOf(restored.name) };
  };
  const log = restoredTables.CancellationLog;
  return {
    tables: {
      JobDirectory: tableOf('JobDirectory'),
      CancellationLog: tableOf('CancellationLog'),
      Partners: tableOf('Partners'),
    },
    logStreamArn: log === undefined ? own.logStreamArn : `${arnOf(log.name)}/stream/${log.streamLabel}`,
  };
}

/** Each table in use, and the stack's own where another took its place: that one is evidence. */
export function withReplaced(inUse: TablesInUse, own: TablesInUse): Readonly<Record<TableName, readonly TableInUse[]>> {
  const both = (name: TableName) => [...new Set([inUse.tables[name], own.tables[name]])];
  return { JobDirectory: both('JobDirectory'), CancellationLog: both('CancellationLog'), Partners: both('Partners') };
}
