import { paginateScan } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { createCancellationLog } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import { fromItem, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { createJobDirectory } from '../../../functions/adapters/dynamodb/job-directory.ts';
import { eventKey } from '../../../functions/core/cancellation/stream-key.ts';
import { jobIdSchema, partnerIdSchema } from '../../../functions/core/identifiers.ts';
import { readCancellation } from '../../../functions/core/use-cases/read-cancellations.ts';
import type { CancellationWithTimeline } from '../../../functions/contract/answers.ts';
import { presentWithTimeline } from '../../../functions/doors/http/present-cancellation.ts';
import type { LocalDynamoDb } from '../aws/dynamodb.ts';

/** A cancellation as its partner reads it, with what only the operator sees. */
export interface ShownCancellation extends CancellationWithTimeline {
  readonly partnerId: string;
  /** When the reconciler looks again; nothing once it is closed. */
  readonly wakeAt: string | null;
}

const SHOWN = 100;
const firstEventSchema = z.object({ partnerId: partnerIdSchema, jobId: jobIdSchema, at: z.string() });

/** The newest cancellations of all partners, the newest first, read and presented as the API does. */
export const listCancellations = async ({
  client,
  tableNames,
}: LocalDynamoDb): Promise<readonly ShownCancellation[]> => {
  const log = createCancellationLog(client, tableNames.CancellationLog);
  const directory = createJobDirectory(client, tableNames.JobDirectory);
  const firstEvents = paginateScan(
    { client },
    {
      TableName: tableNames.CancellationLog,
      ConsistentRead: true,
      FilterExpression: 'sk = :first',
      ExpressionAttributeValues: toItem({ ':first': eventKey(1) }),
    },
  );
  const begun: z.infer<typeof firstEventSchema>[] = [];
  for await (const { Items = [] } of firstEvents) {
    begun.push(...Items.map((item) => firstEventSchema.parse(fromItem(item))));
  }
  const newest = begun.toSorted((a, b) => (a.at > b.at ? -1 : 1)).slice(0, SHOWN);
  const views = await Promise.all(
    newest.map(async ({ partnerId, jobId }) => {
      const view = await readCancellation({ log, directory }, partnerId, jobId);
      return view && { ...presentWithTimeline(view), partnerId, wakeAt: view.wakeAt ?? null };
    }),
  );
  return views.filter((view) => view !== undefined);
};
