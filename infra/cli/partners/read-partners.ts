import { GetItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { fromItem, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import type { PartnerId } from '../../../functions/core/identifiers.ts';
import { CannotDo } from '../command.ts';
import { environmentOption } from '../ops-command.ts';
import type { Place } from '../places/place.ts';

/** A partner as `ops` shows it. */
export interface StoredPartner {
  readonly projects: 'any' | 'unreadable' | readonly string[];
  /** The keyIds of those that are neither revoked nor expired. */
  readonly liveKeys: readonly string[];
}

const itemSchema = z.object({
  pk: z.string(),
  partnerId: z.optional(z.string()),
  projects: z.optional(z.union([z.literal('any'), z.array(z.string())])),
  expiresAt: z.optional(z.string()),
  revokedAt: z.optional(z.string()),
});
const fields = Object.keys(itemSchema.shape);

/** All partners that have a record or a live key, by partnerId. @param now milliseconds since 1970 */
export async function readPartners(place: Place, now: number): Promise<ReadonlyMap<string, StoredPartner>> {
  const scan = {
    TableName: await place.table('Partners'),
    ConsistentRead: true,
    ProjectionExpression: fields.map((field) => `#${field}`).join(', '),
    ExpressionAttributeNames: Object.fromEntries(fields.map((field) => [`#${field}`, field])),
  };
  const partners = new Map<string, StoredPartner>();
  const change = (partnerId: string, what: Partial<StoredPartner>): void => {
    partners.set(partnerId, { projects: [], liveKeys: [], ...partners.get(partnerId), ...what });
  };
  for await (const { Items = [] } of paginateScan({ client: place.dynamodb }, scan)) {
    for (const item of Items) {
      const { data } = itemSchema.safeParse(fromItem(item));
      const [kind = '', id = ''] = (item['pk']?.S ?? '').split(/#(.*)/s);
      if (kind === 'partner') change(id, { projects: data === undefined ? 'unreadable' : (data.projects ?? []) });
      // A malformed key lets no one in.
      if (data === undefined) continue;
      const { partnerId, expiresAt, revokedAt } = data;
      const isLive = revokedAt === undefined && (expiresAt === undefined || Date.parse(expiresAt) > now);
      if (kind !== 'key' || partnerId === undefined || !isLive) continue;
      change(partnerId, { liveKeys: [...(partners.get(partnerId)?.liveKeys ?? []), id].toSorted() });
    }
  }
  return partners;
}

/** Whether a partner has a record: without one it reaches no job. Strongly consistent. */
export async function hasRecord(place: Place, partnerId: PartnerId): Promise<boolean> {
  const get = { TableName: await place.table('Partners'), Key: toItem({ pk: `partner#${partnerId}` }) };
  const { Item } = await place.dynamodb.send(new GetItemCommand({ ...get, ConsistentRead: true }));
  return Item !== undefined;
}

/** @throws CannotDo (1) for a partnerId without a record, such as a mistyped one */
export async function requirePartner(place: Place, partnerId: PartnerId): Promise<void> {
  if (await hasRecord(place, partnerId)) return;
  const list = `npm run ops -- partner list${environmentOption(place)}`;
  throw new CannotDo(1, `No partner has the id ${partnerId} (${place.environment}): "${list}" shows the ids.`);
}
