import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { callbackSchema, pauseReasonSchema } from '../../core/callbacks/callback-record.ts';
import type { CallbackEndpoints } from '../../core/callbacks/ports.ts';
import { type PartnerId, timestampSchema } from '../../core/identifiers.ts';
import { getRecord, type Table, updateItem } from './table-client.ts';

/** The key of a partner's endpoint in the table of partners. */
export function endpointKey(partnerId: PartnerId) {
  return { pk: `callback#${partnerId}` };
}

/** How the newest test of an endpoint ended. */
const testSchema = z.object({
  id: z.string(),
  at: timestampSchema,
  isDelivered: z.boolean(),
  why: callbackSchema.shape.why,
  httpStatus: z.optional(z.int()),
});

/** A partner's endpoint as it is stored. Operators write it; the function that delivers pauses it, and keeps a test's result. */
export const endpointSchema = z.object({
  /** Absent once an operator removed it. The version stays, so that no secret is given out twice. */
  url: z.optional(z.string().check(z.minLength(1), z.maxLength(2_048))),
  version: z.int().check(z.positive()),
  previousUntil: z.optional(timestampSchema),
  pausedAt: z.optional(timestampSchema),
  pausedWhy: z.optional(pauseReasonSchema),
  test: z.optional(testSchema),
});
export type StoredEndpoint = z.infer<typeof endpointSchema>;

/** The endpoints on DynamoDB, in the table of partners. */
export function createCallbackEndpoints(client: DynamoDBClient, tableName: string): CallbackEndpoints {
  const table: Table = { client, name: tableName, dependency: 'partners' };
  return {
    async read(partnerId) {
      const stored = await getRecord(table, endpointKey(partnerId), endpointSchema, { ConsistentRead: true });
      return stored?.url === undefined ? undefined : { ...stored, url: stored.url };
    },

    async pause(partnerId, url, at) {
      await updateItem(table, endpointKey(partnerId), {
        UpdateExpression: 'SET pausedAt = :at, pausedWhy = :gone',
        // Whose endpoint was replaced meanwhile, or is paused by an operator, stays so.
        ConditionExpression: '#url = :url AND attribute_not_exists(pausedAt)',
        ExpressionAttributeNames: { '#url': 'url' },
        values: { ':at': at, ':gone': 'gone', ':url': url },
      });
    },

    async keepTest(partnerId, test) {
      await updateItem(table, endpointKey(partnerId), {
        UpdateExpression: 'SET test = :test',
        ConditionExpression: 'attribute_exists(pk)',
        values: { ':test': test },
      });
    },
  };
}
