import type { InvocationResult } from '../lambda/container.ts';
import { consumeStream } from '../streams/consume-stream.ts';
import type { StreamRecord } from '../streams/stream-records.ts';
import type { TableStreams } from '../streams/table-streams.ts';
import { type EventPattern, matchesPattern } from './event-pattern.ts';
import { failedOf } from './failed-items.ts';

/** A record as Lambda hands it to a function. */
export interface LambdaStreamRecord extends StreamRecord {
  readonly eventSourceARN: string;
}

/** A table's stream as the event source of a function. */
export interface StreamSource {
  /** By which the next run knows how far it has read. */
  readonly name: string;
  /** Invokes the function. */
  readonly invoke: (event: { readonly Records: readonly LambdaStreamRecord[] }) => Promise<InvocationResult>;
  /** Records that match none of them are left out. */
  readonly patterns: readonly EventPattern[];
  /** How many records are read for an invocation, those that are left out among them. */
  readonly batchSize: number;
  /** How long records gather until a batch is full. @default 0 */
  readonly windowMs?: number | undefined;
  /** Whether the function says from which record on a batch failed. Otherwise all of it did. */
  readonly reportsFailures: boolean;
}

export interface StreamSourceOptions {
  readonly streams: TableStreams;
  readonly table: string;
  readonly streamArn: string;
  /** @see ConsumerOptions */
  readonly retryMs?: number | undefined;
}

/**
 * Lambda's event source mapping of a DynamoDB stream, from its oldest record on (`TRIM_HORIZON`): in order, at least once. A
 * batch that failed is repeated until the function has done it; in AWS the records go to a dead-letter queue at last.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
 */
export function startStreamSource(
  { name, invoke, patterns, batchSize, windowMs, reportsFailures }: StreamSource,
  { streams, table, streamArn, retryMs }: StreamSourceOptions,
): { close(): Promise<void> } {
  const take = async (records: readonly StreamRecord[]): Promise<number> => {
    const matching = records.filter((record) => patterns.some((pattern) => matchesPattern(pattern, record)));
    if (matching.length === 0) return records.length;
    const result = await invoke({ Records: matching.map((record) => ({ ...record, eventSourceARN: streamArn })) });
    const reported = reportsFailures || result.kind !== 'answered' ? result : ({ ...result, payload: null } as const);
    const failed = failedOf(matching.map(numberOf), reported);
    const first = records.findIndex((record) => failed.has(numberOf(record)));
    return first === -1 ? records.length : first;
  };
  return consumeStream(streams, { table, name, batchSize, windowMs, take, retryMs });
}

function numberOf({ dynamodb }: StreamRecord): string {
  return dynamodb.SequenceNumber;
}
