import type { Fields } from '../../../functions/adapters/dynamodb/table-client.ts';
import { sealEvent } from '../../../functions/core/cancellation/chain.ts';
import type { CancellationEvent } from '../../../functions/core/cancellation/events.ts';
import { streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { retention } from '../../support/names.ts';
import { closed, ended, requested } from '../../support/stored-streams.ts';
import type { Scene } from './forgery.ts';
import {
  keyOf,
  take,
  takeStream,
  asked,
  HOURS_2,
  rewritten,
  removed,
  inserted,
  rehash,
  type RecordKind,
} from './records.ts';

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

/** Events edited, replaced, put elsewhere, inserted and deleted. */
export const kindsOfEvents: readonly RecordKind[] = [
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
