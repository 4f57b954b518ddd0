import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { partnerIdSchema, projectIdSchema, scopeSchema, timestampSchema } from '../../core/identifiers.ts';
import type { Partners, ReadPartnerKey } from '../../core/ports.ts';
import { getRecord, type Table } from './table-client.ts';

const keySchema = z.object({
  partnerId: partnerIdSchema,
  secretHash: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  scopes: z.pipe(
    z.set(scopeSchema),
    z.transform((scopes) => [...scopes]),
  ),
  expiresAt: z.optional(timestampSchema),
  revokedAt: z.optional(timestampSchema),
});

/** The credentials of all partners: one read each. */
export function createReadPartnerKey(client: DynamoDBClient, tableName: string): ReadPartnerKey {
  const table: Table = { client, name: tableName, dependency: 'partners' };
  return (keyId) => getRecord(table, { pk: `key#${keyId}` }, keySchema);
}

const partnerSchema = z.object({ projects: z.optional(z.array(projectIdSchema)) });

/** The partners' own records. */
export function createPartners(client: DynamoDBClient, tableName: string): Partners {
  const table: Table = { client, name: tableName, dependency: 'partners' };
  return {
    async projectsOf(partnerId) {
      const partner = await getRecord(table, { pk: `partner#${partnerId}` }, partnerSchema);
      return partner?.projects ?? [];
    },
  };
}
