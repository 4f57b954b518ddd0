import { paginateScan } from '@aws-sdk/client-dynamodb';
import { createReadableLog } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import {
  eventKey,
  parseStreamKey,
  type StreamName,
  streamKey,
} from '../../../functions/core/cancellation/stream-key.ts';
import type { CancellationAnswer, CancellationWithTimeline } from '../../../functions/contract/answers.ts';
import { isNamedView, readOrReport } from '../../../functions/core/use-cases/read-cancellations.ts';
import { presentWithTimeline } from '../../../functions/doors/http/present-cancellation.ts';
import type { TableName } from '../../blueprint/tables.ts';
import type { LocalDynamoDb } from '../aws/dynamodb.ts';

/** How many cancellations are shown: the newest. */
const SHOWN = 500;
/** So many streams are read at the same time. */
const READ_AT_ONCE = 20;

/** A cancellation as its partner reads it, with what only the operator sees. */
export type ShownCancellation = CancellationWithTimeline & {
  readonly partnerId: string;
  /** When the reconciler looks again; null once it is closed. */
  readonly wakeAt: string | null;
};

/** The newest cancellations of all partners, by stream. One that has not changed since the look before is the same object. */
export type ShownCancellations = ReadonlyMap<string, ShownCancellation>;

/** A stream as it is stored. */
interface StoredStream {
  readonly name: StreamName;
  /** Of its first event. */
  begunAt?: string;
  /** Everything in it, to compare. */
  content: string;
}

/**
 * Looks at the cancellations, read and presented as the API does. With each look the table is scanned once, and only the
 * streams that have changed are read: a look at 500 cancellations takes as long as what is new.
 */
export function createLook({ client, tableNames }: LocalDynamoDb<TableName>): () => Promise<ShownCancellations> {
  const log = createReadableLog(client, tableNames.CancellationLog);
  let known = new Map<string, { readonly content: string; readonly shown: ShownCancellation | undefined }>();

  const scan = async (): Promise<readonly StoredStream[]> => {
    const streams = new Map<string, StoredStream>();
    const pages = paginateScan({ client }, { TableName: tableNames.CancellationLog, ConsistentRead: true });
    for await (const { Items = [] } of pages) {
      for (const item of Items) {
        const name = parseStreamKey(item['pk']?.S ?? '');
        if (name === undefined) continue; // Refused requests reached no job.
        const stream = streams.get(streamKey(name)) ?? { name, content: '' };
        stream.content += JSON.stringify(item);
        if (item['sk']?.S === eventKey(1)) stream.begunAt = item['at']?.S ?? '';
        streams.set(streamKey(name), stream);
      }
    }
    return [...streams.values()].filter(({ begunAt }) => begunAt !== undefined);
  };
  const read = async (name: StreamName): Promise<ShownCancellation | undefined> => {
    // The functions report what cannot be read; here it is only not shown.
    const view = await readOrReport({ log, report: () => undefined }, name);
    if (view === undefined || view === 'broken' || !isNamedView(view)) return undefined;
    return { ...presentWithTimeline(view), partnerId: name.partnerId, wakeAt: view.wakeAt ?? null };
  };

  return async () => {
    const newest = (await scan()).toSorted((a, b) => compare(b.begunAt, a.begunAt)).slice(0, SHOWN);
    const next: typeof known = new Map();
    for (let from = 0; from < newest.length; from += READ_AT_ONCE) {
      const batch = newest.slice(from, from + READ_AT_ONCE).map(async ({ name, content }) => {
        const before = known.get(streamKey(name));
        const shown = before?.content === content ? before.shown : await read(name);
        return [streamKey(name), { content, shown }] as const;
      });
      for (const [key, one] of await Promise.all(batch)) next.set(key, one);
    }
    known = next;
    return new Map([...next].flatMap(([key, { shown }]) => (shown === undefined ? [] : [[key, shown] as const])));
  };
}

function compare(a = '', b = ''): number {
  return a < b ? -1 : Number(a > b);
}

/** What cancels have saved. */
export interface Stopped {
  /** Pages that the jobs had, less those that were processed. */
  readonly pages: number;
  /** The same pages at the price of the processed ones. A job without processed pages has no known price. */
  readonly credits: number;
}

/** Counts the cancellations that ended as `cancelled` and whose pages Plangrep reported. */
export function countStopped(
  cancellations: Iterable<Pick<CancellationAnswer, 'outcome' | 'pageCount' | 'successfulPageCount' | 'creditsDebited'>>,
): Stopped {
  let [pages, credits] = [0, 0];
  for (const { outcome, pageCount, successfulPageCount: processed, creditsDebited } of cancellations) {
    if (outcome !== 'cancelled' || pageCount === null || processed === null) continue;
    const stopped = Math.max(0, pageCount - processed);
    pages += stopped;
    if (processed > 0 && creditsDebited !== null) credits += (stopped * creditsDebited) / processed;
  }
  return { pages, credits: Math.round(credits) };
}
