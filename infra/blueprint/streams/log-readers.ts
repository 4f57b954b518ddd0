import type { FunctionName } from '../functions.ts';

/** Which values a field has, or what is in it: the part of EventBridge's patterns that is used here. */
export interface RecordPattern {
  readonly [field: string]: RecordPattern | readonly string[];
}

/** A function that reads a table's stream, defined once for the stack and the local run. */
export interface StreamReader {
  readonly function: FunctionName;
  /** Records that match none of them never reach the function, and cost nothing. */
  readonly patterns: readonly RecordPattern[];
  readonly batchSize: number;
  /** How long records gather until a batch is full. @default 0: they do not wait */
  readonly windowSeconds?: number;
  /** Of a batch that fails, it is repeated from the record on that the function names. Otherwise all of it. */
  readonly reportsFailures: boolean;
  /** How often a failed record is repeated, and until which age: then it goes to a dead-letter queue, and the next ones follow. */
  readonly retries: { readonly attempts: number; readonly maxAgeSeconds: number };
}

/**
 * Who reads the cancellation log's stream. There is room for no other: a third reader would make these wait.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
 */
export const logReaders = {
  /**
   * One function for all that goes out, to the bus and to the callbacks' queue: a pipe for each event took both readers. Which
   * record goes where, `functions/core` says.
   */
  announce: {
    function: 'announce-cancellations',
    patterns: [{ eventName: ['INSERT'], dynamodb: { NewImage: { type: { S: ['closed', 'escalated', 'refused'] } } } }],
    // The maximum of one PutEvents.
    batchSize: 10,
    reportsFailures: true,
    retries: { attempts: 185, maxAgeSeconds: 3_600 },
  },
  /** Every change: one that this service does not make is what it looks for. */
  archive: {
    function: 'archive-records',
    patterns: [{ eventName: ['INSERT', 'MODIFY', 'REMOVE'] }],
    // With both images a record has some 3 KB on average; Lambda hands over 6 MB at most, and a line has one image.
    batchSize: 1_000,
    // Few objects, and still an alarm within a minute.
    windowSeconds: 20,
    reportsFailures: true,
    // For as long as the stream has the record.
    retries: { attempts: 10_000, maxAgeSeconds: 86_400 },
  },
} as const satisfies Record<string, StreamReader>;
