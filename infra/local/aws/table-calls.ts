import type { IncomingMessage } from 'node:http';
import type { AccessKey } from './access-keys.ts';

/** A call of an operation on a table, or on one of its indexes. */
export interface TableCall {
  readonly operation: string;
  readonly table: string;
  readonly index: string | undefined;
}

/** A caller that may do what its role says. */
export interface TableCaller {
  readonly accessKey: AccessKey;
  readonly mayCall: (call: TableCall) => boolean;
}

/** The number of requests by operation and table: `counts['PutItem']?.['CancellationLog']`. */
export type RequestCounts = Readonly<Record<string, Readonly<Record<string, number>>>>;

export function callOf({ headers }: IncomingMessage, body: Buffer): TableCall {
  const operation = String(headers['x-amz-target']).split('.')[1] ?? 'unknown';
  const text = body.toString('latin1');
  // Inside a string value the quotes would be escaped, and an attribute of this name has no string behind it.
  const table = /"TableName":"([^"]+)"/.exec(text)?.[1] ?? 'several';
  return { operation, table, index: /"IndexName":"([^"]+)"/.exec(text)?.[1] };
}

/** Counts requests by operation and table. */
export function createCounter() {
  let counts: Record<string, Record<string, number>> = {};
  return {
    counts: (): RequestCounts => structuredClone(counts),
    reset: (): void => {
      counts = {};
    },
    count: ({ operation, table }: TableCall): void => {
      const byTable = (counts[operation] ??= {});
      byTable[table] = (byTable[table] ?? 0) + 1;
    },
  };
}
