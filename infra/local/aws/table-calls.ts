import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { AccessKey } from './access-keys.ts';
import type { TableStreams } from './streams/table-streams.ts';

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

/** Answers in the engine's place what the engine does not have. */
export interface TablesFront {
  /** @throws ServiceError for a call that is denied */
  admit(operation: string, input: unknown): void;
  /** @returns what DynamoDB answers, or undefined for what is the engine's to answer @throws ServiceError */
  answer(operation: string, input: unknown): Promise<object | undefined>;
  /** Called with what the engine has answered. */
  answered(operation: string, input: unknown): void;
  /** Once the tables are there. */
  resume(): Promise<void>;
}

/** What a front stands on. */
export interface FrontParts {
  /** A client that reaches the engine itself. */
  readonly engine: DynamoDBClient;
  /** A JSON file that keeps the front's state between runs. @default in memory */
  readonly statePath?: string | undefined;
  readonly streams: TableStreams;
}

export type CreateFront = (parts: FrontParts) => TablesFront;

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

/** @returns undefined for what is not JSON, which is the engine's to refuse */
export function parseInput(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/**
 * A request whose body was read, to be read again. It has no `Origin`: dynalite would answer that with an
 * `Access-Control-Allow-Origin` for every page.
 */
export function replay({ method, url, headers }: IncomingMessage, body: Buffer): Readable {
  return Object.assign(Readable.from([body]), { method, url, headers: { ...headers, origin: undefined } });
}
