import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type { JobRecords } from '../../simulator/plangrep-calls.ts';
import { sandboxRecord } from '../../simulator/sandbox-jobs.ts';
import { fromItem, toItem } from './table-client.ts';

/** Longer than the service works on any cancellation. */
const KEPT_DAYS = 7;

const time = z.optional(z.number());
const marksSchema = z.object({ metAt: time, cancelledAt: time, resumedAt: time });

/**
 * The sandbox's jobs. A job follows from its id, so the table holds only when a job was first met, cancelled and
 * resumed, for a week. No project has jobs to list.
 * @param now milliseconds since 1970
 * @throws the SDK's own errors
 */
export function createSandboxRecords(client: DynamoDBClient, tableName: string, now: () => number): JobRecords {
  return {
    async find(jobId) {
      if (sandboxRecord(jobId, now()) === undefined) return undefined;
      const get = new GetItemCommand({ TableName: tableName, Key: toItem({ pk: jobId }), ConsistentRead: true });
      const { Item } = await client.send(get);
      return sandboxRecord(jobId, now(), Item && marksSchema.parse(fromItem(Item)));
    },

    ofProject: () => [],

    async keep({ job, metAt, cancelledAt, resumedAt }) {
      const marks = Object.entries({ metAt, cancelledAt, resumedAt }).filter(([, at]) => at !== undefined);
      // Of two concurrent calls the first stays on record.
      const sets = marks.map(([name]) => `${name} = if_not_exists(${name}, :${name})`);
      const values = Object.fromEntries(marks.map(([name, at]) => [`:${name}`, at]));
      const expiresAt = Math.ceil(now() / 1_000) + KEPT_DAYS * 86_400;
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: toItem({ pk: job.id }),
          UpdateExpression: `SET ${[...sets, 'expiresAt = :expiresAt'].join(', ')}`,
          ExpressionAttributeValues: toItem({ ...values, ':expiresAt': expiresAt }),
        }),
      );
    },
  };
}
