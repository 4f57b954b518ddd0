import { createSigningSecrets } from '../../../functions/adapters/callbacks/signing-secrets.ts';
import {
  endpointKey,
  endpointSchema,
  type StoredEndpoint,
} from '../../../functions/adapters/dynamodb/callback-endpoints.ts';
import { getRecord, type Table, updateItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import type { PartnerId } from '../../../functions/core/identifiers.ts';
import { CannotDo } from '../command.ts';
import { environmentOption } from '../ops-command.ts';
import { requirePartner } from './read-partners.ts';
import type { Place } from '../places/place.ts';

/** One that is in use. */
export interface Endpoint extends StoredEndpoint {
  readonly url: string;
}

async function partnersTable(place: Place): Promise<Table> {
  return { client: place.dynamodb, name: await place.table('Partners'), dependency: 'partners' };
}

/** @returns undefined for a partner that never had one; without a URL once it was removed */
export async function readStoredEndpoint(place: Place, partnerId: PartnerId): Promise<StoredEndpoint | undefined> {
  return getRecord(await partnersTable(place), endpointKey(partnerId), endpointSchema, { ConsistentRead: true });
}

/** @throws CannotDo (1) when the partner has none */
export async function readEndpoint(place: Place, partnerId: PartnerId): Promise<Endpoint> {
  const stored = await readStoredEndpoint(place, partnerId);
  if (stored?.url !== undefined) return { ...stored, url: stored.url };
  await requirePartner(place, partnerId);
  const set = `npm run ops -- callback set --partner ${partnerId} --url URL${environmentOption(place)}`;
  throw new CannotDo(1, `${partnerId} (${place.environment}) has no callbacks: "${set}" gives it some.`);
}

/** All that a command decides by. A test's result changes nothing of it. */
const decisive = ['url', 'version', 'previousUntil', 'pausedAt', 'pausedWhy'] as const;

/**
 * Changes an endpoint, unless it was changed since it was read: by another operator, or by the pause that follows a 410, which
 * is about the URL before.
 * @throws CannotDo (1) when it is another by now
 */
export async function changeEndpoint(
  place: Place,
  partnerId: PartnerId,
  read: StoredEndpoint | undefined,
  update: { readonly set: Readonly<Record<string, unknown>>; readonly remove?: readonly string[] },
): Promise<void> {
  const { set, remove = [] } = update;
  const sets = Object.keys(set).map((name) => `#${name} = :${name}`);
  const removes = remove.map((name) => `#${name}`);
  const isAsRead = decisive.map((name) =>
    read?.[name] === undefined ? `attribute_not_exists(#${name})` : `#${name} = :read_${name}`,
  );
  const names = new Set([...Object.keys(set), ...remove, ...(read === undefined ? [] : decisive)]);
  const isChanged = await updateItem(await partnersTable(place), endpointKey(partnerId), {
    UpdateExpression: [
      ...(sets.length === 0 ? [] : [`SET ${sets.join(', ')}`]),
      ...(removes.length === 0 ? [] : [`REMOVE ${removes.join(', ')}`]),
    ].join(' '),
    ConditionExpression: read === undefined ? 'attribute_not_exists(pk)' : isAsRead.join(' AND '),
    ExpressionAttributeNames: Object.fromEntries([...names].map((name) => [`#${name}`, name])),
    values: Object.fromEntries([
      ...Object.entries(set).map(([name, value]) => [`:${name}`, value]),
      ...decisive.flatMap((name) => (read?.[name] === undefined ? [] : [[`:read_${name}`, read[name]]])),
    ]),
  });
  if (isChanged) return;
  throw new CannotDo(
    1,
    `The callbacks of ${partnerId} (${place.environment}) were changed meanwhile: see "callback show".`,
  );
}

/** Ends a partner's callbacks. The version of the secret stays. @throws CannotDo (1) when it is another by now */
export async function removeEndpoint(place: Place, partnerId: PartnerId, read: StoredEndpoint): Promise<void> {
  const remove = ['url', 'previousUntil', 'pausedAt', 'pausedWhy', 'test'];
  await changeEndpoint(place, partnerId, read, { set: {}, remove });
}

/** The secret that a partner verifies its callbacks with: `whsec_…`. */
export async function signingSecret(place: Place, partnerId: PartnerId, version: number): Promise<string> {
  return createSigningSecrets(place.secretsManager, await place.secretId('CallbackSecret'))(partnerId, version);
}
