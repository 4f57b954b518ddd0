import type { AccessKey } from '../access-keys.ts';
import { consumeStream } from '../streams/consume-stream.ts';
import type { StreamRecord } from '../streams/stream-records.ts';
import type { TableStreams } from '../streams/table-streams.ts';
import { putEvent } from './event-bridge.ts';
import { type EventPattern, matchesPattern, valueAt } from './event-pattern.ts';

/** An EventBridge pipe from a table's stream to a bus. */
export interface Pipe {
  /** By which the next run knows how far it has read. */
  readonly name: string;
  /** The filter: records that do not match are left out. */
  readonly pattern: EventPattern;
  readonly source: string;
  readonly detailType: string;
  /** The input template, a JSON object: `<$.path>` stands for what is there in the record. */
  readonly template: string;
}

export interface PipeOptions {
  readonly streams: TableStreams;
  readonly table: string;
  /** The bus, and the key of the pipe's role. */
  readonly bus: { readonly url: string; readonly accessKey: AccessKey };
  /** @see ConsumerOptions */
  readonly retryMs?: number | undefined;
}

/** The most that one PutEvents takes. */
const BATCH_SIZE = 10;

/**
 * Announces the records of a table's stream on a bus: in order, at least once, until the bus takes them. A pipe in AWS
 * gives up after its last attempt.
 */
export function startPipe(
  { name, pattern, source, detailType, template }: Pipe,
  { streams, table, bus, retryMs }: PipeOptions,
): { close(): Promise<void> } {
  const take = async (records: readonly StreamRecord[]): Promise<void> => {
    for (const record of records.filter((one) => matchesPattern(pattern, one))) {
      const Detail = fillPipeTemplate(template, record);
      await putEvent(bus.url, bus.accessKey, { Source: source, DetailType: detailType, Detail });
    }
  };
  return consumeStream(streams, { table, name, batchSize: BATCH_SIZE, take, retryMs });
}

/**
 * Fills a pipe's input template. Where the template has quotes around a path, text goes between them as in a JSON string;
 * otherwise the value is JSON. A path that leads to nothing writes nothing: between quotes that is an empty text.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
 */
export function fillPipeTemplate(template: string, record: unknown): string {
  let isQuoted = false;
  return template.replaceAll(/\\.|"|<(\$\.[\w.-]+)>/g, (found, path: string | undefined) => {
    if (found === '"') isQuoted = !isQuoted;
    if (path === undefined) return found;
    const value = valueAt(record, path);
    if (value === undefined) return '';
    const text = JSON.stringify(value);
    if (!isQuoted) return text;
    return typeof value === 'string' ? text.slice(1, -1) : JSON.stringify(text).slice(1, -1);
  });
}
