import { createHash, randomBytes, randomInt } from 'node:crypto';
import { GetItemCommand, PutItemCommand, paginateScan, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { fromItem, toItem, write } from '../../functions/adapters/dynamodb/dynamodb.ts';
import { partnerIdSchema, scopeSchema, timestampSchema, toTimestamp } from '../../functions/core/identifiers.ts';
import { CannotDo } from './cannot-do.ts';
import type { Command, CommandRequest } from './command.ts';
import { partnerOption, readAs, readList, readPartner } from './read-option.ts';
import { paint, table } from './terminal.ts';

const allScopes = scopeSchema.options;
const keyIdSchema = z.string().check(z.regex(/^[A-Za-z0-9]{12}$/, 'must be 12 of A-Z, a-z and 0-9'));
const daysSchema = z.string().check(z.regex(/^[1-9]\d{0,3}$/, 'must be a whole number of days from 1 to 9999'));

/** Everything of a stored key but its hash, which is never read. */
const shownFields = ['pk', 'partnerId', 'scopes', 'createdAt', 'expiresAt', 'revokedAt'] as const;
const projection = {
  ProjectionExpression: shownFields.map((field) => `#${field}`).join(', '),
  ExpressionAttributeNames: Object.fromEntries(shownFields.map((field) => [`#${field}`, field])),
};
const keySchema = z.object({
  pk: z.string(),
  partnerId: partnerIdSchema,
  scopes: z.set(z.string()),
  createdAt: z.optional(timestampSchema),
  expiresAt: z.optional(timestampSchema),
  revokedAt: z.optional(timestampSchema),
});

const toKey = (fields: unknown, now: number) => {
  const { pk, scopes, ...rest } = keySchema.parse(fields);
  const isExpired = rest.expiresAt !== undefined && Date.parse(rest.expiresAt) <= now;
  const state = rest.revokedAt !== undefined ? 'revoked' : isExpired ? 'expired' : 'live';
  return { keyId: pk.slice('key#'.length), ...rest, scopes: [...scopes].toSorted(), state };
};

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const makeKeyId = (): string => Array.from({ length: 12 }, () => alphabet[randomInt(alphabet.length)]).join('');

const readExpiry = ({ option, now }: CommandRequest): string | undefined => {
  const days = option('expires-in-days');
  if (days === undefined) return undefined;
  return toTimestamp(now + Number(readAs(daysSchema, '--expires-in-days', days)) * 86_400_000);
};

const readScopes = ({ option }: CommandRequest): string[] => {
  const known = `must be some of ${allScopes.join(', ')}`;
  const scopes = readList(option('scopes') ?? allScopes.join(','));
  if (scopes.length === 0) throw new CannotDo(2, `--scopes ${known}.`);
  return scopes.map((scope) => {
    if (scopeSchema.safeParse(scope).success) return scope;
    throw new CannotDo(2, `--scopes ${known}, not ${JSON.stringify(scope)}.`);
  });
};

export const issuePartnerKey: Command = {
  name: 'partner-key issue',
  summary: 'Makes a credential for a partner and shows it once.',
  notes: 'Only the SHA-256 of its secret is stored, so nobody can show it again. A partner may have several.',
  options: {
    partner: partnerOption,
    scopes: { hint: 'a,b', what: `what it may do (${allScopes.join(',')})` },
    'expires-in-days': { hint: 'N', what: 'after which it opens nothing any more (never)' },
  },
  async run(request) {
    const { place, terminal, now } = request;
    const partnerId = readPartner(request);
    const [scopes, expiresAt] = [readScopes(request), readExpiry(request)];
    const [keyId, secret] = [makeKeyId(), randomBytes(32).toString('base64url')];
    const secretHash = createHash('sha256').update(secret, 'ascii').digest('hex');
    const key = { partnerId, scopes: new Set(scopes), createdAt: toTimestamp(now), expiresAt };
    const TableName = await place.table('Partners');
    const put = new PutItemCommand({
      TableName,
      Item: toItem({ pk: `key#${keyId}`, secretHash, ...key }),
      // The SDK repeats a put whose answer was lost, and then finds its own item in the way.
      ConditionExpression: 'attribute_not_exists(pk) OR secretHash = :hash',
      ExpressionAttributeValues: toItem({ ':hash': secretHash }),
    });
    if (!(await write('partners', () => place.dynamodb.send(put)))) {
      throw new CannotDo(1, 'That keyId is taken, by chance: run the command again.');
    }
    const credential = `pcg_${place.environment}_${keyId}_${secret}`;
    const expiry = expiresAt === undefined ? 'It does not expire.' : `It expires at ${expiresAt}.`;
    terminal.show({ credential, keyId, ...key, scopes }, [
      `Key ${keyId} of ${partnerId} (${place.environment}), for ${scopes.join(', ')}. ${expiry}`,
      '',
      `  ${paint('bold', credential)}`,
      '',
      'This is shown once: keep it now. Only its SHA-256 is stored, and nobody can show it again.',
    ]);
    return 0;
  },
};

export const listPartnerKeys: Command = {
  name: 'partner-key list',
  summary: 'Lists the keys of all partners, or of one.',
  options: { partner: { ...partnerOption, required: false } },
  async run({ place, terminal, option, now }) {
    const partner = option('partner');
    const partnerId = partner === undefined ? undefined : readAs(partnerIdSchema, '--partner', partner);
    const scan = {
      TableName: await place.table('Partners'),
      ConsistentRead: true,
      FilterExpression: 'begins_with(#pk, :key)',
      ExpressionAttributeValues: toItem({ ':key': 'key#' }),
      ...projection,
    };
    const keys: ReturnType<typeof toKey>[] = [];
    for await (const { Items = [] } of paginateScan({ client: place.dynamodb }, scan)) {
      keys.push(...Items.map((item) => toKey(fromItem(item), now)));
    }
    const age = (key: (typeof keys)[number]): string => `${key.partnerId} ${key.createdAt ?? ''}`;
    const shown = keys
      .filter((key) => partnerId === undefined || key.partnerId === partnerId)
      .toSorted((a, b) => (age(a) < age(b) ? -1 : 1));
    const none = `${partnerId ?? 'Nobody'} has ${partnerId === undefined ? 'a' : 'no'} key (${place.environment}).`;
    const rows = shown.map(({ keyId, scopes, createdAt = '', expiresAt = 'never', state, ...key }) => {
      return [keyId, key.partnerId, scopes.join(','), createdAt, expiresAt, state];
    });
    const colour = (row: number, column: number, padded: string): string =>
      column === 5 ? paint(shown[row]?.state === 'live' ? 'green' : 'red', padded) : padded;
    const headings = ['KEYID', 'PARTNER', 'SCOPES', 'CREATED', 'EXPIRES', 'STATE'];
    terminal.show(shown, shown.length === 0 ? [none] : table(headings, rows, colour));
    return shown.length === 0 ? 1 : 0;
  },
};

export const revokePartnerKey: Command = {
  name: 'partner-key revoke',
  summary: 'Takes a key away, for good: within 60 seconds it opens nothing any more.',
  argument: {
    hint: 'KEYID',
    what: 'the middle part of the credential, as "partner-key list" shows it',
    required: true,
  },
  async run({ place, terminal, required, now }) {
    const keyId = readAs(keyIdSchema, 'KEYID', required('KEYID'));
    const TableName = await place.table('Partners');
    const Key = toItem({ pk: `key#${keyId}` });
    const { Item } = await place.dynamodb.send(
      new GetItemCommand({ TableName, Key, ConsistentRead: true, ...projection }),
    );
    if (Item === undefined) throw new CannotDo(1, `There is no key ${keyId} (${place.environment}).`);
    const { partnerId, revokedAt: before } = toKey(fromItem(Item), now);
    if (before !== undefined) {
      terminal.show({ keyId, partnerId, revokedAt: before }, [
        `Key ${keyId} of ${partnerId} was revoked at ${before}.`,
      ]);
      return 0;
    }
    await terminal.confirm(`Revoke key ${keyId} of ${partnerId} (${place.environment}), for good?`);
    const revokedAt = toTimestamp(now);
    const update = new UpdateItemCommand({
      TableName,
      Key,
      // The first time stands, whoever else revokes it meanwhile.
      UpdateExpression: 'SET revokedAt = if_not_exists(revokedAt, :now)',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: toItem({ ':now': revokedAt }),
    });
    const isDone = await write('partners', () => place.dynamodb.send(update));
    if (!isDone) throw new CannotDo(1, `Key ${keyId} was deleted meanwhile.`);
    terminal.show({ keyId, partnerId, revokedAt }, [
      `Key ${keyId} of ${partnerId} is revoked: it dies within 60 s, as long as an answer for it may be cached.`,
    ]);
    return 0;
  },
};
