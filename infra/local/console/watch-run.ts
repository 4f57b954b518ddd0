import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { createReadableLog } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import { readItems, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { eventKey } from '../../../functions/core/cancellation/stream-key.ts';
import type { CancellationAnswer, CancellationWithTimeline } from '../../../functions/contract/answers.ts';
import { jobIdSchema, partnerIdSchema } from '../../../functions/core/identifiers.ts';
import { isNamedView, readOrReport } from '../../../functions/core/use-cases/read-cancellations.ts';
import { presentWithTimeline } from '../../../functions/doors/http/present-cancellation.ts';
import type { MoodId } from '../../scenes/faults-and-problems.ts';
import type { LocalDynamoDb } from '../aws/dynamodb.ts';
import type { TableName } from '../../blueprint/tables.ts';

const LOOK_EVERY_MS = 200;
/** At least so often something is sent: the page takes a longer silence for a run that is suspended. */
const BEAT_EVERY_MS = 5_000;
/** How many cancellations are shown: the newest. */
const SHOWN = 100;

export interface CurrentMood {
  id: MoodId | 'normal';
}

/**
 * Sends the state of the run to a page as lines of JSON: once at the start, then after each write to the cancellation log
 * and each change of the mood. Ends when the page goes away. (Not server-sent events: `EventSource` cannot send a key.)
 */
export async function watchRun(
  response: ServerResponse,
  dynamodb: LocalDynamoDb<TableName>,
  mood: CurrentMood,
): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' });
  let seen = '';
  let sentAt = performance.now();
  while (!response.destroyed) {
    const { PutItem, UpdateItem } = dynamodb.counts();
    const log = dynamodb.tableNames.CancellationLog;
    const state = JSON.stringify([PutItem?.[log], UpdateItem?.[log], mood.id]);
    if (state !== seen) {
      seen = state;
      const cancellations = await listCancellations(dynamodb);
      const shown = {
        mood: mood.id === 'normal' ? null : mood.id,
        stopped: countStopped(cancellations),
        cancellations,
      };
      response.write(`${JSON.stringify(shown)}\n`);
      sentAt = performance.now();
    } else if (performance.now() - sentAt >= BEAT_EVERY_MS) {
      response.write('\n');
      sentAt = performance.now();
    }
    await sleep(LOOK_EVERY_MS, undefined, { ref: false });
  }
}

/** A cancellation as its partner reads it, with what only the operator sees. */
interface ShownCancellation extends CancellationWithTimeline {
  readonly partnerId: string;
  /** When the reconciler looks again; null once it is closed. */
  readonly wakeAt: string | null;
}

const firstEventSchema = z.object({ partnerId: partnerIdSchema, jobId: jobIdSchema, at: z.string() });

/** The cancellations of all partners, the newest first, read and presented as the API does. */
async function listCancellations({
  client,
  tableNames,
}: LocalDynamoDb<TableName>): Promise<readonly ShownCancellation[]> {
  const log = createReadableLog(client, tableNames.CancellationLog);
  const firstEvents = {
    TableName: tableNames.CancellationLog,
    ConsistentRead: true,
    FilterExpression: 'sk = :first',
    ExpressionAttributeValues: toItem({ ':first': eventKey(1) }),
  };
  const begun: z.infer<typeof firstEventSchema>[] = [];
  for await (const { Items = [] } of paginateScan({ client }, firstEvents)) {
    begun.push(...readItems(Items, (fields) => firstEventSchema.safeParse(fields).data).items);
  }
  const newest = begun.toSorted((a, b) => (a.at > b.at ? -1 : 1)).slice(0, SHOWN);
  const views = await Promise.all(
    newest.map(async ({ partnerId, jobId }) => {
      const view = await readOrReport({ log, report: leaveOut }, { partnerId, jobId });
      return view === undefined || view === 'broken' || !isNamedView(view)
        ? undefined
        : { ...presentWithTimeline(view), partnerId, wakeAt: view.wakeAt ?? null };
    }),
  );
  return views.filter((view) => view !== undefined);
}

/** The functions report what cannot be read; here it is only not shown. */
function leaveOut(): void {}

/** What cancels have saved. */
export interface Stopped {
  /** Pages that the jobs had, less those that were processed. */
  readonly pages: number;
  /** The same pages at the price of the processed ones. A job without processed pages has no known price. */
  readonly credits: number;
}

/** Counts the cancellations that ended as `cancelled` and whose pages Plangrep reported. */
export function countStopped(
  cancellations: readonly Pick<
    CancellationAnswer,
    'outcome' | 'pageCount' | 'successfulPageCount' | 'creditsDebited'
  >[],
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
