import { GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { fromItem, toItem, type Fields } from '../../../functions/adapters/dynamodb/table-client.ts';
import { hashEvent, sealEvent } from '../../../functions/core/cancellation/chain.ts';
import { commitTexts } from '../../../functions/core/cancellation/commitment.ts';
import type { CancellationEvent, EventBody } from '../../../functions/core/cancellation/events.ts';
import { eventKey, streamKey, type StreamName } from '../../../functions/core/cancellation/stream-key.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { acme, externalId, jobId, retention } from '../../support/names.ts';
import { erasedRecord } from '../../support/stored-streams.ts';
import type { Key } from './attacker.ts';
import type { Finders, Scene } from './forgery.ts';
import type { Actor } from './rights.ts';

/** A change of the log's table, and what finds it. */
export interface RecordKind {
  readonly what: string;
  /** The call that makes it, which the policies decide. */
  readonly call: 'put' | 'update' | 'delete';
  readonly forge: (scene: Scene) => Promise<void>;
  /** When the table's stream shows the change to archive-records. */
  readonly seen: Finders;
  /** When it does not. */
  readonly unseen: Finders;
  /** A role that may do it; it is then found as `seen`. */
  readonly mayBy?: Actor;
  /** It is found only by the next digest, because its time is now. */
  readonly isNow?: boolean;
}

export const SALT = '0123456789abcdef0123456789abcdef';
export const keyOf = (name: StreamName, seq: number): Key => ({ pk: streamKey(name), sk: eventKey(seq) });

export async function take({ stage }: Scene, { pk, sk }: Key): Promise<Fields> {
  const { Item } = await stage.tables.client.send(
    new GetItemCommand({ TableName: stage.logTable, Key: toItem({ pk, sk }), ConsistentRead: true }),
  );
  if (Item === undefined) throw new Error(`there is no ${pk} ${sk}`);
  return fromItem(Item);
}

export async function takeStream({ stage }: Scene, name: StreamName): Promise<readonly Fields[]> {
  const query = {
    TableName: stage.logTable,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: toItem({ ':pk': streamKey(name) }),
  };
  return ((await stage.tables.client.send(new QueryCommand(query))).Items ?? []).map(fromItem);
}

/** A legal stream of this service's form, as of some time ago. */
export function drawStream({ stage, random }: Scene, bodies: readonly EventBody[], agoMs: number): readonly Fields[] {
  const name = { partnerId: acme, jobId: jobId(`job-forged-${random.between(0, 2 ** 30)}`) };
  let last: CancellationEvent | undefined;
  return bodies.map((body) => {
    const fresh = body.type === 'requested' ? { ...body, ...asked('r-forged') } : body;
    const at = toTimestamp(stage.nowMs - agoMs);
    last = sealEvent(name, last, fresh, { eventId: 'e', at, keptDays: retention.events });
    return { pk: streamKey(name), sk: eventKey(last.seq), ...last };
  });
}

export const asked = (requestId: string) =>
  commitTexts({ door: 'https', requestId, externalId: externalId('order-forged'), reason: 'forged' }, () => SALT);

/** An event that the open stream may have next. */
export async function nextEvent(scene: Scene, body: EventBody): Promise<Fields> {
  const { log, stage } = scene;
  const events = (await takeStream(scene, log.open)).filter(({ sk }) => String(sk).startsWith('event#'));
  const { seq, hash, deleteAfter } = events.at(-1) ?? {};
  const previous = { seq: Number(seq), hash: String(hash), deleteAfter: Number(deleteAfter) };
  const at = toTimestamp(stage.nowMs);
  const next = sealEvent(log.open, previous, body, { eventId: 'e', at, keptDays: retention.events });
  return { ...keyOf(log.open, next.seq), ...next };
}

export const HOURS_2 = 2 * 3_600_000;

export const rewritten = { alarm: 'LOG_REWRITTEN rewritten', archive: 'rewritten' } as const;
export const removed = { alarm: 'LOG_REWRITTEN removed', archive: 'removed' } as const;
export const inserted = { comparison: 'inserted' } as const;

/** An event with other fields, and the hash that they give. */
export function rehash(item: Fields, set: Fields): Fields {
  const { pk, sk, hash: _, ...event } = item;
  const forged = { ...event, ...set };
  return { pk, sk, ...forged, hash: hashEvent(forged) };
}

export function erasedOf(name: StreamName, keys: readonly string[]): Fields {
  const { key, fields: erased } = erasedRecord(keys, { partnerId: name.partnerId, jobId: name.jobId });
  return { pk: streamKey(name), sk: key, ...erased };
}
