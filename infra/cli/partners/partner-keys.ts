import { createHash, randomBytes, randomInt } from 'node:crypto';
import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { toItem, write } from '../../../functions/adapters/dynamodb/table-client.ts';
import type { PartnerId, Scope, Timestamp } from '../../../functions/core/identifiers.ts';
import { CannotDo } from '../command.ts';
import type { Place } from '../places/place.ts';

export interface NewKey {
  readonly partnerId: PartnerId;
  readonly scopes: ReadonlySet<Scope>;
  readonly createdAt: Timestamp;
  readonly expiresAt?: Timestamp | undefined;
  /** Who has it, and for what, where that is not the partner. */
  readonly issuedFor?: string | undefined;
}

/** Makes a credential. Only the SHA-256 of its secret is stored. @throws CannotDo (1) */
export async function makePartnerKey(
  place: Place,
  key: NewKey,
): Promise<{ readonly credential: string; readonly keyId: string }> {
  const [keyId, secret] = [makeKeyId(), randomBytes(32).toString('base64url')];
  const secretHash = createHash('sha256').update(secret, 'ascii').digest('hex');
  const put = new PutItemCommand({
    TableName: await place.table('Partners'),
    Item: toItem({ pk: `key#${keyId}`, secretHash, ...key }),
    // The SDK repeats a put whose answer was lost, and then finds its own item.
    ConditionExpression: 'attribute_not_exists(pk) OR secretHash = :hash',
    ExpressionAttributeValues: toItem({ ':hash': secretHash }),
  });
  if (!(await write('partners', () => place.dynamodb.send(put)))) {
    throw new CannotDo(1, 'The random keyId is already taken: run the command again.');
  }
  return { credential: `pcg_${place.environment}_${keyId}_${secret}`, keyId };
}

function makeKeyId(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length: 12 }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** @returns false for a keyId that is not in the table */
export async function markRevoked(place: Place, keyId: string, revokedAt: Timestamp): Promise<boolean> {
  const update = new UpdateItemCommand({
    TableName: await place.table('Partners'),
    Key: toItem({ pk: `key#${keyId}` }),
    // If another operator revokes it at the same time, the first time stays.
    UpdateExpression: 'SET revokedAt = if_not_exists(revokedAt, :now)',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeValues: toItem({ ':now': revokedAt }),
  });
  return write('partners', () => place.dynamodb.send(update));
}
