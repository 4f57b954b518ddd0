import { GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { type Fields, fromItem, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { hashEvent, sealEvent } from '../../../functions/core/cancellation/chain.ts';
import { commitTexts, commitTo, erasableAttributes } from '../../../functions/core/cancellation/commitment.ts';
import type { CancellationEvent, EventBody } from '../../../functions/core/cancellation/events.ts';
import {
  eventKey,
  joinedKey,
  refusedKey,
  type StreamName,
  streamKey,
} from '../../../functions/core/cancellation/stream-key.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { daysAfter } from '../../../functions/core/retention.ts';
import { acme, externalId, jobId, retention } from '../../support/names.ts';
import { closed, ended, erasedRecord, requested } from '../../support/stored-streams.ts';
import type { Key } from './attacker.ts';
import type { Finders, Forgery, Scene } from './forgery.ts';
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

const SALT = '0123456789abcdef0123456789abcdef';
export const keyOf = (name: StreamName, seq: number): Key => ({ pk: streamKey(name), sk: eventKey(seq) });

export async function take({ stage }: Scene, { pk, sk }: Key): Promise<Fields> {
  const { Item } = await stage.tables.client.send(
    new GetItemCommand({ TableName: stage.logTable, Key: toItem({ pk, sk }), ConsistentRead: true }),
  );
  if (Item === undefined) throw new Error(`there is no ${pk} ${sk}`);
  return fromItem(Item);
}

async function takeStream({ stage }: Scene, name: StreamName): Promise<readonly Fields[]> {
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

const asked = (requestId: string) =>
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

const HOURS_2 = 2 * 3_600_000;

/** Each kind of field of an event, and what an attacker sets it to. */
const fields: readonly (readonly [what: string, seq: number, set: Fields])[] = [
  ['the outcome', 5, { outcome: 'too_late' }],
  ['the number of credits', 5, { creditsDebited: 0 }],
  ['the time', 2, { at: '2026-01-01T00:00:00.000Z' }],
  ['the type', 4, { type: 'observed' }],
  ['the number', 3, { seq: 7 }],
  ['the hash', 3, { hash: '0'.repeat(64) }],
  ['the hash of the event before', 3, { previousHash: '0'.repeat(64) }],
  ['the commitment to the externalId', 1, { externalIdCommitment: '0'.repeat(64) }],
  ['who asked', 1, { requestId: 'r-other' }],
  ['the partner', 2, { partnerId: 'initech' }],
  ['the time of its end, set early', 5, { deleteAfter: 1_700_000_000 }],
  ['a field more', 2, { note: 'x' }],
  ['a field less', 1, { door: undefined }],
];

const rewritten = { alarm: 'LOG_REWRITTEN rewritten', archive: 'rewritten' } as const;
const removed = { alarm: 'LOG_REWRITTEN removed', archive: 'removed' } as const;
const inserted = { comparison: 'inserted' } as const;

/** Rewrites a closed stream from its second event on, with every hash. */
async function rewriteStream(scene: Scene, write: (item: Fields) => Promise<void>): Promise<void> {
  const { log } = scene;
  const events = (await takeStream(scene, log.long)).filter(({ sk }) => String(sk).startsWith('event#'));
  let previousHash = String(events[0]?.['hash']);
  for (const event of events.slice(1)) {
    const forged = rehash(event, { previousHash, ...(event['type'] === 'closed' && { outcome: 'too_late' }) });
    previousHash = String(forged['hash']);
    await write(forged);
  }
}

/** An event with other fields, and the hash that they give. */
export function rehash(item: Fields, set: Fields): Fields {
  const { pk, sk, hash: _, ...event } = item;
  const forged = { ...event, ...set };
  return { pk, sk, ...forged, hash: hashEvent(forged) };
}

export const recordKinds: readonly RecordKind[] = [
  ...fields.map(
    ([what, seq, set]): RecordKind => ({
      what: `an event edited: ${what}`,
      call: 'update',
      forge: ({ attacker, log }) => attacker.update(keyOf(log.long, seq), set),
      seen: { ...rewritten, log: 'altered', comparison: 'differs' },
      unseen: { log: 'altered', comparison: 'differs' },
    }),
  ),
  {
    what: 'a closed event overwritten as a whole',
    call: 'put',
    mayBy: 'request-cancellation',
    forge: async (scene) => {
      const item = await take(scene, keyOf(scene.log.long, 5));
      await scene.attacker.put({ ...item, outcome: 'too_late' });
    },
    seen: { ...rewritten, log: 'altered', comparison: 'differs' },
    unseen: { log: 'altered', comparison: 'differs' },
  },
  {
    what: 'a closed stream rewritten with all its hashes',
    call: 'put',
    mayBy: 'request-cancellation',
    forge: (scene) => rewriteStream(scene, (item) => scene.attacker.put(item)),
    seen: { ...rewritten, comparison: 'differs' },
    unseen: { comparison: 'differs' },
  },
  {
    what: 'two events swapped',
    call: 'put',
    mayBy: 'consume-wake-ups',
    forge: async (scene) => {
      const [a, b] = [keyOf(scene.log.long, 2), keyOf(scene.log.long, 3)];
      const [second, third] = [await take(scene, a), await take(scene, b)];
      await scene.attacker.put({ ...third, ...a });
      await scene.attacker.put({ ...second, ...b });
    },
    seen: { ...rewritten, log: 'out_of_place', comparison: 'differs' },
    unseen: { log: 'out_of_place', comparison: 'differs' },
  },
  {
    what: 'an event deleted, which leaves a gap',
    call: 'delete',
    forge: ({ attacker, log }) => attacker.delete(keyOf(log.long, 3)),
    seen: { ...removed, log: 'missing', comparison: 'deleted' },
    unseen: { log: 'missing', comparison: 'deleted' },
  },
  {
    what: 'a closed stream cut off',
    call: 'delete',
    forge: async ({ attacker, log }) => {
      for (const seq of [5, 4]) await attacker.delete(keyOf(log.long, seq));
    },
    seen: { ...removed, log: 'truncated', comparison: 'cut_off' },
    unseen: { log: 'truncated', comparison: 'cut_off' },
  },
  {
    what: 'an open stream cut off',
    call: 'delete',
    forge: ({ attacker, log }) => attacker.delete(keyOf(log.open, 3)),
    seen: { ...removed, log: 'truncated', comparison: 'cut_off' },
    unseen: { log: 'truncated', comparison: 'cut_off' },
  },
  {
    what: 'an open stream cut off, and an older event given the wake-up',
    call: 'delete',
    forge: async (scene) => {
      const { wakeAt, wakeShard } = await take(scene, keyOf(scene.log.open, 3));
      await scene.attacker.delete(keyOf(scene.log.open, 3));
      await scene.attacker.update(keyOf(scene.log.open, 2), { wakeAt, wakeShard });
    },
    seen: { ...removed, comparison: 'cut_off' },
    unseen: { comparison: 'cut_off' },
  },
  {
    what: 'a whole stream deleted, with what joined it',
    call: 'delete',
    forge: async (scene) => {
      for (const { pk, sk } of await takeStream(scene, scene.log.long)) {
        await scene.attacker.delete({ pk: String(pk), sk: String(sk) });
      }
    },
    seen: { ...removed, comparison: 'deleted' },
    unseen: { comparison: 'deleted' },
  },
  {
    what: 'a stream deleted, but not what joined it',
    call: 'delete',
    forge: async ({ attacker, log }) => {
      for (const seq of [1, 2, 3, 4, 5]) await attacker.delete(keyOf(log.long, seq));
    },
    seen: { ...removed, log: 'orphaned', comparison: 'cut_off' },
    unseen: { log: 'orphaned', comparison: 'cut_off' },
  },
  {
    what: 'a stream deleted and written anew, with other events and right hashes',
    call: 'delete',
    forge: async (scene) => {
      const events = await takeStream(scene, scene.log.short);
      for (const { pk, sk } of events) await scene.attacker.delete({ pk: String(pk), sk: String(sk) });
      let last: CancellationEvent | undefined;
      for (const body of [{ ...requested, ...asked('r-forged') }, { ...closed, outcome: 'too_late' } as const]) {
        const place = { eventId: 'e', at: toTimestamp(scene.stage.nowMs - HOURS_2), keptDays: retention.events };
        last = sealEvent(scene.log.short, last, body, place);
        await scene.attacker.put({ ...keyOf(scene.log.short, last.seq), ...last });
      }
    },
    seen: { ...removed, comparison: 'differs' },
    unseen: { comparison: 'differs' },
  },
  {
    what: 'an event put after the closing one',
    call: 'put',
    mayBy: 'request-cancellation',
    forge: async (scene) => {
      const { seq, hash, deleteAfter } = await take(scene, keyOf(scene.log.short, 2));
      const previous = { seq: Number(seq), hash: String(hash), deleteAfter: Number(deleteAfter) };
      const place = { eventId: 'e', at: toTimestamp(scene.stage.nowMs), keptDays: retention.events };
      const next = sealEvent(scene.log.short, previous, ended(1), place);
      await scene.attacker.put({ ...keyOf(scene.log.short, 3), ...next });
    },
    seen: { log: 'out_of_place', archive: 'out_of_place' },
    unseen: { log: 'out_of_place', comparison: 'inserted' },
  },
  {
    what: "another stream's event copied in",
    call: 'put',
    mayBy: 'consume-events',
    forge: async (scene) => {
      const item = await take(scene, keyOf(scene.log.long, 5));
      await scene.attacker.put({ ...item, ...keyOf(scene.log.short, 3) });
    },
    seen: { log: 'foreign', archive: 'foreign' },
    unseen: { log: 'foreign', ...inserted },
  },
  {
    what: "a stream copied under another job's keys",
    call: 'put',
    mayBy: 'consume-events',
    forge: async (scene) => {
      for (const seq of [1, 2]) {
        const item = await take(scene, keyOf(scene.log.short, seq));
        await scene.attacker.put({ ...item, pk: 'acme#job-copied' });
      }
    },
    seen: { log: 'foreign', archive: 'foreign' },
    unseen: { log: 'foreign', ...inserted },
  },
  {
    what: 'an item that is not a record of this service',
    call: 'put',
    mayBy: 'request-cancellation',
    forge: ({ attacker, log }) => attacker.put({ pk: streamKey(log.long), sk: 'note', text: 'x' }),
    seen: { alarm: 'LOG_REWRITTEN foreign', archive: 'foreign', log: 'foreign' },
    unseen: { log: 'foreign', ...inserted },
  },
  {
    what: 'a whole legal stream inserted, dated back',
    call: 'put',
    forge: async (scene) => {
      for (const item of drawStream(scene, [requested, closed], HOURS_2)) await scene.attacker.put(item);
    },
    seen: {},
    unseen: inserted,
  },
  {
    what: 'a legal event added to an open stream',
    call: 'put',
    isNow: true,
    forge: async (scene) => scene.attacker.put(await nextEvent(scene, closed)),
    seen: {},
    unseen: inserted,
  },
  {
    what: 'a request that joined inserted',
    call: 'put',
    forge: async (scene) => {
      const at = toTimestamp(scene.stage.nowMs - HOURS_2);
      const { partnerId, jobId: job } = scene.log.long;
      const joined = {
        type: 'joined',
        partnerId,
        jobId: job,
        at,
        deleteAfter: daysAfter(at, retention.events),
        ...asked('r-f'),
      };
      const sk = joinedKey({ at, requestId: 'r-f' });
      await scene.attacker.put({ pk: streamKey(scene.log.long), sk, ...joined });
    },
    seen: {},
    unseen: inserted,
  },
  {
    what: 'a refused request inserted',
    call: 'put',
    forge: async ({ attacker, stage }) => {
      const at = toTimestamp(stage.nowMs - HOURS_2);
      const deleteAfter = daysAfter(at, retention.requests);
      const refused = { type: 'refused', partnerId: acme, why: 'job_not_found', at, deleteAfter, ...asked('r-f') };
      await attacker.put({
        pk: `acme#refused#${at.slice(0, 10)}`,
        sk: refusedKey({ at, requestId: 'r-f' }),
        ...refused,
      });
    },
    seen: {},
    unseen: inserted,
  },
  {
    what: 'a request that joined edited: its key',
    call: 'update',
    forge: ({ attacker, log }) =>
      attacker.update({ pk: streamKey(log.long), sk: log.joinedKey }, { keyId: 'key-other' }),
    seen: { ...rewritten, comparison: 'differs' },
    unseen: { comparison: 'differs' },
  },
  {
    what: 'a request that joined deleted',
    call: 'delete',
    forge: ({ attacker, log }) => attacker.delete({ pk: streamKey(log.long), sk: log.joinedKey }),
    seen: { ...removed, comparison: 'deleted' },
    unseen: { comparison: 'deleted' },
  },
  {
    what: 'a refused request edited: why',
    call: 'update',
    forge: ({ attacker, log }) =>
      attacker.update({ pk: log.refused.partition, sk: log.refused.key }, { why: 'ambiguous_external_id' }),
    seen: { ...rewritten, comparison: 'differs' },
    unseen: { comparison: 'differs' },
  },
  {
    what: 'a refused request deleted',
    call: 'delete',
    forge: ({ attacker, log }) => attacker.delete({ pk: log.refused.partition, sk: log.refused.key }),
    seen: { ...removed, comparison: 'deleted' },
    unseen: { comparison: 'deleted' },
  },
  {
    what: 'a text replaced, with another salt',
    call: 'update',
    forge: ({ attacker, log }) => attacker.update(keyOf(log.long, 1), { reason: 'another', reasonSalt: SALT }),
    seen: { ...rewritten, log: 'altered' },
    unseen: { log: 'altered' },
  },
  {
    what: 'a text replaced, with its salt and commitment, and every hash',
    call: 'put',
    mayBy: 'request-cancellation',
    forge: async (scene) => {
      const text = { reason: 'another', reasonSalt: SALT, reasonCommitment: commitTo('reason', SALT, 'another') };
      const first = rehash(await take(scene, keyOf(scene.log.long, 1)), text);
      const second = rehash(await take(scene, keyOf(scene.log.long, 2)), { previousHash: first['hash'] });
      await scene.attacker.put(first);
      await scene.attacker.put(second);
    },
    seen: { ...rewritten, log: 'altered', comparison: 'differs' },
    unseen: { log: 'altered', comparison: 'differs' },
  },
  {
    what: 'a text of a request that joined replaced, with its salt and commitment',
    call: 'update',
    forge: ({ attacker, log }) =>
      attacker.update(
        { pk: streamKey(log.long), sk: log.joinedKey },
        { reason: 'another', reasonSalt: SALT, reasonCommitment: commitTo('reason', SALT, 'another') },
      ),
    seen: { ...rewritten, comparison: 'differs' },
    unseen: { comparison: 'differs' },
  },
  {
    what: 'texts removed, and no erasure on record',
    call: 'update',
    mayBy: 'erase-texts',
    forge: ({ attacker, log }) =>
      attacker.update(keyOf(log.long, 1), Object.fromEntries(erasableAttributes.map((name) => [name, undefined]))),
    seen: { log: 'altered', archive: 'altered' },
    unseen: { log: 'altered' },
  },
  {
    what: 'a salt removed, and not its text',
    call: 'update',
    mayBy: 'erase-texts',
    forge: ({ attacker, log }) => attacker.update(keyOf(log.long, 1), { reasonSalt: undefined }),
    seen: { log: 'altered', archive: 'altered' },
    unseen: { log: 'altered' },
  },
  {
    what: 'a text replaced by the role that erases',
    call: 'update',
    mayBy: 'erase-texts',
    forge: ({ attacker, log }) => attacker.update(keyOf(log.short, 1), { externalId: 'order-other' }),
    seen: { ...rewritten, log: 'altered' },
    unseen: { log: 'altered' },
  },
  {
    what: 'an erased text put back',
    call: 'update',
    mayBy: 'erase-texts',
    forge: ({ attacker, log }) => attacker.update(keyOf(log.erased, 1), { reason: 'wrong plan', reasonSalt: SALT }),
    seen: { ...rewritten, log: 'altered' },
    unseen: { log: 'altered' },
  },
  {
    what: 'an `erased` record without an erasure',
    call: 'put',
    mayBy: 'erase-texts',
    forge: ({ attacker, log }) => attacker.put(erasedOf(log.long, [eventKey(1)])),
    seen: { log: 'unerased' },
    unseen: { log: 'unerased', ...inserted },
  },
  {
    what: 'an `erased` record that names another record than the one that lost its text',
    call: 'put',
    mayBy: 'erase-texts',
    forge: async ({ attacker, log }) => {
      await attacker.put(erasedOf(log.long, [log.joinedKey]));
      await attacker.update(
        keyOf(log.long, 1),
        Object.fromEntries(erasableAttributes.map((name) => [name, undefined])),
      );
    },
    seen: { log: 'altered', archive: 'altered' },
    unseen: { log: 'altered', ...inserted },
  },
  {
    what: 'an `erased` record edited: who erased',
    call: 'update',
    forge: async (scene) => {
      const erased = (await takeStream(scene, scene.log.erased)).find(({ sk }) => String(sk).startsWith('#erased#'));
      const key = { pk: String(erased?.['pk']), sk: String(erased?.['sk']) };
      await scene.attacker.update(key, { by: 'arn:aws:iam::111122223333:role/someone-else' });
    },
    seen: { ...rewritten, comparison: 'differs' },
    unseen: { comparison: 'differs' },
  },
  {
    what: 'an `erased` record deleted',
    call: 'delete',
    forge: async (scene) => {
      const erased = (await takeStream(scene, scene.log.erased)).find(({ sk }) => String(sk).startsWith('#erased#'));
      await scene.attacker.delete({ pk: String(erased?.['pk']), sk: String(erased?.['sk']) });
    },
    seen: { ...removed, log: 'altered', comparison: 'deleted' },
    unseen: { log: 'altered', comparison: 'deleted' },
  },
  {
    what: 'a wake-up in the year 9999',
    call: 'update',
    mayBy: 'reconcile-cancellations',
    forge: ({ attacker, log }) => attacker.update(keyOf(log.open, 3), { wakeAt: '9999-12-31T23:59:59.999Z' }),
    seen: { alarm: 'LOG_REWRITTEN silenced', archive: 'silenced', log: 'altered' },
    unseen: { log: 'altered' },
  },
  {
    what: 'a wake-up at no time',
    call: 'update',
    mayBy: 'consume-wake-ups',
    forge: ({ attacker, log }) => attacker.update(keyOf(log.open, 3), { wakeAt: 'later' }),
    seen: { alarm: 'LOG_REWRITTEN silenced', archive: 'silenced', log: 'altered' },
    unseen: { log: 'altered' },
  },
  {
    what: 'a wake-up in a shard that is not read',
    call: 'update',
    mayBy: 'consume-wake-ups',
    forge: ({ attacker, log }) => attacker.update(keyOf(log.open, 3), { wakeShard: '99' }),
    seen: { alarm: 'LOG_REWRITTEN silenced', archive: 'silenced', log: 'altered' },
    unseen: { log: 'altered' },
  },
  {
    what: 'the wake-up of an open stream removed',
    call: 'update',
    mayBy: 'request-cancellation',
    forge: ({ attacker, log }) => attacker.update(keyOf(log.open, 3), { wakeShard: undefined, wakeAt: undefined }),
    seen: { log: 'truncated' },
    unseen: { log: 'truncated' },
  },
  {
    what: 'a stream made to expire early, with all its hashes, and deleted by DynamoDB',
    call: 'put',
    mayBy: 'request-cancellation',
    forge: async (scene) => {
      const { attacker, stage, log } = scene;
      let previousHash = '';
      for (const seq of [1, 2]) {
        const chained = seq === 1 ? {} : { previousHash };
        const forged = rehash(await take(scene, keyOf(log.short, seq)), { deleteAfter: 1_700_000_000, ...chained });
        previousHash = String(forged['hash']);
        await attacker.put(forged);
      }
      await stage.expire();
    },
    seen: rewritten,
    unseen: { comparison: 'deleted' },
  },
];

export function erasedOf(name: StreamName, keys: readonly string[]): Fields {
  const { key, fields: erased } = erasedRecord(keys, { partnerId: name.partnerId, jobId: name.jobId });
  return { pk: streamKey(name), sk: key, ...erased };
}

/** Who may not do it, and by what the call is refused. */
function refusals({ what, call, forge, mayBy }: RecordKind): readonly Forgery[] {
  const byPolicy = { refusedBy: "the table's policy" } as const;
  const others: readonly Actor[] =
    call === 'update'
      ? ['administrator', 'archive-records', 'consume-wake-ups']
      : ['administrator', 'deployment', 'erase-texts'];
  return others
    .filter((by) => by !== mayBy && !(by === 'consume-wake-ups' && isMover(mayBy)))
    .map((by) => ({ place: 'table', what, by, forge, expected: byPolicy }));
}

function isMover(role: Actor | undefined): boolean {
  return role === 'consume-wake-ups' || role === 'request-cancellation' || role === 'reconcile-cancellations';
}

/** Every kind, by those that may not, by a role that may, by an insider, and by an insider while the stream is off. */
export const forgeriesOfRecords: readonly Forgery[] = recordKinds.flatMap((kind): readonly Forgery[] => {
  const { what, forge, seen, unseen, mayBy, isNow = false } = kind;
  const soonUnseen = isNow ? ('with the next digest' as const) : ('at the next audit' as const);
  const soonSeen =
    seen.alarm === undefined
      ? seen.log === undefined
        ? soonUnseen
        : ('at the next audit' as const)
      : ('in its batch' as const);
  const isFindable = Object.keys(seen).length > 0;
  return [
    ...refusals(kind),
    ...(isFindable && mayBy !== undefined
      ? [{ place: 'table', what, by: mayBy, forge, expected: { ...seen, soon: soonSeen } } as const]
      : []),
    ...(isFindable
      ? [{ place: 'table', what, by: 'insider', forge, expected: { ...seen, soon: soonSeen } } as const]
      : []),
    { place: 'table', what, by: 'insider', isUnseen: true, forge, expected: { ...unseen, soon: soonUnseen } },
  ];
});
