import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { partnerIdSchema, projectIdSchema, scopeSchema, timestampSchema } from '../../core/identifiers.ts';
import type { Partners } from '../../core/ports.ts';
import { ask, fromItem, toItem } from './dynamodb.ts';

const partnerKeySchema = z.object({
  partnerId: partnerIdSchema,
  /** SHA-256, in hex, of the credential's secret part. */
  secretHash: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  scopes: z.pipe(
    z.set(scopeSchema),
    z.transform((scopes) => [...scopes]),
  ),
  expiresAt: z.optional(timestampSchema),
  revokedAt: z.optional(timestampSchema),
});
/** One live or dead credential of a partner, as stored: its secret is not. */
export type PartnerKey = z.infer<typeof partnerKeySchema>;

export type ReadPartnerKey = (keyId: string) => Promise<PartnerKey | undefined>;

/** One read a credential. @throws DependencyUnavailable */
export const createReadPartnerKey =
  (client: DynamoDBClient, table: string): ReadPartnerKey =>
  async (keyId) => {
    const { Item } = await ask('partners', () =>
      client.send(new GetItemCommand({ TableName: table, Key: toItem({ pk: `key#${keyId}` }) })),
    );
    return Item === undefined ? undefined : partnerKeySchema.parse(fromItem(Item));
  };

const partnerSchema = z.object({ projects: z.optional(z.array(projectIdSchema)) });

/** The partners' own records. */
export const createPartners = (client: DynamoDBClient, table: string): Partners => ({
  async projectsOf(partnerId) {
    const { Item = {} } = await ask('partners', () =>
      client.send(new GetItemCommand({ TableName: table, Key: toItem({ pk: `partner#${partnerId}` }) })),
    );
    return partnerSchema.parse(fromItem(Item)).projects ?? [];
  },
});
