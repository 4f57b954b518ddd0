import { GetItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { fromItem, readItems, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import {
  keyIdSchema,
  type PartnerId,
  partnerIdSchema,
  type Scope,
  scopeSchema,
  timestampSchema,
  toTimestamp,
} from '../../../functions/core/identifiers.ts';
import { CannotDo, readAs, readList } from '../command.ts';
import { environmentOption, opsCommand, type OpsRequest, partnerOption, readPartner } from '../ops-command.ts';
import { paint, table } from '../terminal.ts';
import { makePartnerKey, markRevoked } from './partner-keys.ts';
import { hasRecord } from './read-partners.ts';

const allScopes = scopeSchema.options;
const daysSchema = z.string().check(z.regex(/^[1-9]\d{0,3}$/, 'must be a whole number of days from 1 to 9999'));

export const issuePartnerKey = opsCommand({
  name: 'partner-key issue',
  summary: 'Makes a credential for a partner and shows it once.',
  notes: `Only the SHA-256 of its secret is stored, so it cannot be shown again. A partner may have several keys. For a partner
without a record the command asks first: a mistyped name would get a key too.`,
  options: {
    partner: partnerOption,
    scopes: { hint: 'a,b', what: `what it may do (default: ${allScopes.join(',')})` },
    'expires-in-days': { hint: 'N', what: 'after which it is rejected (default: never)' },
  },
  async run({ place, terminal, values, now }) {
    const partnerId = readPartner(values.partner);
    const scopes = readScopes(values.scopes ?? allScopes.join(','));
    const days = values['expires-in-days'];
    const lifeMs = days === undefined ? undefined : Number(readAs(daysSchema, '--expires-in-days', days)) * 86_400_000;
    const expiresAt = lifeMs === undefined ? undefined : toTimestamp(now + lifeMs);
    await confirmUnknown({ place, terminal }, partnerId);
    const key = { partnerId, scopes: new Set(scopes), createdAt: toTimestamp(now), expiresAt };
    const { credential, keyId } = await makePartnerKey(place, key);
    const expiry = expiresAt === undefined ? 'It does not expire.' : `It expires at ${expiresAt}.`;
    terminal.show({ credential, keyId, ...key, scopes }, [
      `Key ${keyId} of ${partnerId} (${place.environment}), for ${scopes.join(', ')}. ${expiry}`,
      '',
      `  ${paint('bold', credential)}`,
      '',
      'This is shown once: keep it now. Only its SHA-256 is stored, so it cannot be shown again.',
    ]);
    return 0;
  },
});

/** @throws CannotDo (1) when the partner has no record and the answer is no, (2) without a terminal to answer on */
async function confirmUnknown(
  { place, terminal }: Pick<OpsRequest, 'place' | 'terminal'>,
  partnerId: PartnerId,
): Promise<void> {
  if (await hasRecord(place, partnerId)) return;
  const add = `"npm run ops -- partner add --partner ${partnerId}${environmentOption(place)}" adds it`;
  await terminal.confirm(
    `There is no partner ${partnerId} (${place.environment}): ${add}. Until then it reaches no job. Issue a key nevertheless?`,
  );
}

function readScopes(value: string): Scope[] {
  const known = `must be some of ${allScopes.join(', ')}`;
  const scopes = readList(value);
  if (scopes.length === 0) throw new CannotDo(2, `--scopes ${known}.`);
  return scopes.map((scope) => {
    const { success, data } = scopeSchema.safeParse(scope);
    if (!success) throw new CannotDo(2, `--scopes ${known}, not ${JSON.stringify(scope)}.`);
    return data;
  });
}

/** Every field of a stored key but its hash, which is never read. */
const keySchema = z.object({
  pk: z.string(),
  partnerId: partnerIdSchema,
  scopes: z.set(z.string()),
  createdAt: z.optional(timestampSchema),
  expiresAt: z.optional(timestampSchema),
  revokedAt: z.optional(timestampSchema),
});
const shownFields = Object.keys(keySchema.shape);
const projection = {
  ProjectionExpression: shownFields.map((field) => `#${field}`).join(', '),
  ExpressionAttributeNames: Object.fromEntries(shownFields.map((field) => [`#${field}`, field])),
};

type StoredKey = NonNullable<ReturnType<typeof toKey>>;

/** @returns undefined for a malformed key, which lets no one in */
function toKey(fields: unknown, now: number) {
  const { success, data } = keySchema.safeParse(fields);
  if (!success) return undefined;
  const { pk, scopes, ...rest } = data;
  const isExpired = rest.expiresAt !== undefined && Date.parse(rest.expiresAt) <= now;
  const state = rest.revokedAt !== undefined ? 'revoked' : isExpired ? 'expired' : 'live';
  return { keyId: pk.slice('key#'.length), ...rest, scopes: [...scopes].toSorted(), state };
}

export const listPartnerKeys = opsCommand({
  name: 'partner-key list',
  summary: 'Lists the keys of all partners, or of one.',
  options: { partner: { ...partnerOption, required: false } },
  async run({ place, terminal, values, now }) {
    const partnerId = values.partner === undefined ? undefined : readPartner(values.partner);
    const scan = {
      TableName: await place.table('Partners'),
      ConsistentRead: true,
      FilterExpression: 'begins_with(#pk, :key)',
      ExpressionAttributeValues: toItem({ ':key': 'key#' }),
      ...projection,
    };
    const keys: StoredKey[] = [];
    const malformed: { readonly keyId: string; readonly state: 'unreadable' }[] = [];
    for await (const { Items = [] } of paginateScan({ client: place.dynamodb }, scan)) {
      const { items, unreadable } = readItems(Items, (fields) => toKey(fields, now));
      keys.push(...items);
      malformed.push(...unreadable.map((pk) => ({ keyId: pk.slice('key#'.length), state: 'unreadable' as const })));
    }
    const age = (key: StoredKey): string => `${key.partnerId} ${key.createdAt ?? ''}`;
    const shown = keys
      .filter((key) => partnerId === undefined || key.partnerId === partnerId)
      .toSorted((a, b) => (age(a) < age(b) ? -1 : 1));
    const rows = shown.map(({ keyId, scopes, createdAt = '', expiresAt = 'never', state, ...key }) => {
      const stateCell = { text: state, style: state === 'live' ? 'green' : 'red' } as const;
      return [keyId, key.partnerId, scopes.join(','), createdAt, expiresAt, stateCell];
    });
    const unreadable = malformed.map(({ keyId, state }) => [
      keyId,
      '?',
      '',
      '',
      '',
      { text: state, style: 'red' as const },
    ]);
    const all = [...shown, ...malformed];
    const none = `${partnerId === undefined ? 'No partner has a key' : `${partnerId} has no key`} (${place.environment}).`;
    const headings = ['KEYID', 'PARTNER', 'SCOPES', 'CREATED', 'EXPIRES', 'STATE'];
    terminal.show(all, all.length === 0 ? [none] : table(headings, [...rows, ...unreadable]));
    return all.length === 0 ? 1 : 0;
  },
});

export const revokePartnerKey = opsCommand({
  name: 'partner-key revoke',
  summary: 'Revokes a key for good: within 60 seconds every request with it is rejected.',
  argument: { hint: 'KEYID', what: 'the middle part of the credential, as "partner-key list" shows it' },
  options: {},
  async run({ place, terminal, argument, now }) {
    const keyId = readAs(keyIdSchema, 'KEYID', argument);
    const TableName = await place.table('Partners');
    const Key = toItem({ pk: `key#${keyId}` });
    const read = new GetItemCommand({ TableName, Key, ConsistentRead: true, ...projection });
    const { Item } = await place.dynamodb.send(read);
    if (Item === undefined) throw new CannotDo(1, `There is no key ${keyId} (${place.environment}).`);
    const key = toKey(fromItem(Item), now);
    if (key === undefined) throw new CannotDo(1, `The key ${keyId} cannot be read, so it lets no one in.`);
    const { partnerId, revokedAt: before } = key;
    if (before !== undefined) {
      terminal.show({ keyId, partnerId, revokedAt: before }, [
        `Key ${keyId} of ${partnerId} was revoked at ${before}.`,
      ]);
      return 0;
    }
    await terminal.confirm(`Revoke key ${keyId} of ${partnerId} (${place.environment}), for good?`);
    const revokedAt = toTimestamp(now);
    const isDone = await markRevoked(place, keyId, revokedAt);
    if (!isDone) throw new CannotDo(1, `Key ${keyId} was deleted meanwhile.`);
    terminal.show({ keyId, partnerId, revokedAt }, [
      `Key ${keyId} of ${partnerId} is revoked: it stops working within 60 s, when the authorizer's cached answers expire.`,
    ]);
    return 0;
  },
});
