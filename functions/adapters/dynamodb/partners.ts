import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import {
  type PartnerId,
  partnerIdSchema,
  projectIdSchema,
  scopeSchema,
  timestampSchema,
} from '../../core/identifiers.ts';
import type { Clock, PartnerAccess, Partners, ReadPartnerKey } from '../../core/ports.ts';
import { rememberAccess } from './remember-access.ts';
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

/**
 * The credentials of all partners: one read each. An unknown one is read again, consistently, because a credential is used
 * the moment it is issued, and API Gateway caches that it was denied as it caches that it was allowed.
 */
export function createReadPartnerKey(client: DynamoDBClient, tableName: string): ReadPartnerKey {
  const table: Table = { client, name: tableName, dependency: 'partners' };
  return async (keyId) => {
    const key = { pk: `key#${keyId}` };
    return (
      (await getRecord(table, key, keySchema)) ?? (await getRecord(table, key, keySchema, { ConsistentRead: true }))
    );
  };
}

const partnerSchema = z.object({ projects: z.optional(z.union([z.literal('any'), z.array(projectIdSchema)])) });

/** The partners' own records. */
export function createPartners(client: DynamoDBClient, tableName: string, clock: Pick<Clock, 'now'>): Partners {
  const table: Table = { client, name: tableName, dependency: 'partners' };

  async function readAccess(partnerId: PartnerId): Promise<PartnerAccess> {
    const partner = await getRecord(table, { pk: `partner#${partnerId}` }, partnerSchema);
    const projects = partner?.projects ?? [];
    return projects === 'any' ? { kind: 'any' } : { kind: 'projects', projects };
  }

  return rememberAccess(readAccess, clock);
}
