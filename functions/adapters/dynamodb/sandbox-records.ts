import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type { JobRecords } from '../../simulator/plangrep-calls.ts';
import { sandboxRecord } from '../../simulator/sandbox-jobs.ts';
import { fromItem, toItem } from './dynamodb.ts';

/** Longer than the service sees any cancellation through. */
const KEPT_DAYS = 7;

const marksSchema = z.object({ metAt: z.optional(z.number()), cancelledAt: z.optional(z.number()) });

/**
 * The sandbox's jobs: what one is follows from its id, so the table holds only when each was first met and cancelled,
 * and forgets that after a week. No project has jobs to list. An error of the SDK goes on to the caller as it is.
 * @param now milliseconds since 1970
 */
export const createSandboxRecords = (client: DynamoDBClient, table: string, now: () => number): JobRecords => ({
  async find(jobId) {
    if (sandboxRecord(jobId, now()) === undefined) return undefined;
    const get = new GetItemCommand({ TableName: table, Key: toItem({ pk: jobId }), ConsistentRead: true });
    const { Item } = await client.send(get);
    return sandboxRecord(jobId, now(), Item && marksSchema.parse(fromItem(Item)));
  },

  ofProject: () => [],

  async keep({ job, metAt, cancelledAt }) {
    const marks = Object.entries({ metAt, cancelledAt }).filter(([, at]) => at !== undefined);
    // Of two calls at once the first stays on record.
    const sets = marks.map(([name]) => `${name} = if_not_exists(${name}, :${name})`);
    const values = Object.fromEntries(marks.map(([name, at]) => [`:${name}`, at]));
    const expiresAt = Math.ceil(now() / 1_000) + KEPT_DAYS * 86_400;
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: toItem({ pk: job.id }),
        UpdateExpression: `SET ${[...sets, 'expiresAt = :expiresAt'].join(', ')}`,
        ExpressionAttributeValues: toItem({ ...values, ':expiresAt': expiresAt }),
      }),
    );
  },
});
