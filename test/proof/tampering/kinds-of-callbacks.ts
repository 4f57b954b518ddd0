import type { Fields } from '../../../functions/adapters/dynamodb/table-client.ts';
import { callbackKey, eventKey, type StreamName, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import type { Key } from './attacker.ts';
import { inserted, keyOf, type RecordKind, removed, rewritten, take } from './records.ts';

/** The attempts tell of the second event of their stream, which closes it. */
const attempt = (name: StreamName, number: number): Key => ({
  pk: streamKey(name),
  sk: callbackKey({ about: eventKey(2), number }),
});
/** As if it had been delivered. */
const delivered: Fields = {
  result: 'delivered',
  httpStatus: 204,
  why: undefined,
  nextAt: undefined,
  wakeShard: undefined,
  wakeAt: undefined,
};
/** @returns a copy without what is undefined */
const merged = (item: Fields, set: Fields): Fields =>
  Object.fromEntries(Object.entries({ ...item, ...set }).filter(([, value]) => value !== undefined));
const silenced = { alarm: 'LOG_REWRITTEN silenced', archive: 'silenced', log: 'truncated' } as const;

/**
 * Attempts to deliver callbacks, which have no hash: in the table alone, a false result is not found, and the archive finds
 * it. `told` has three attempts, the last one delivered; of `retried` the second is due again; `kept` waits for a replay.
 */
export const kindsOfCallbacks: readonly RecordKind[] = [
  {
    what: 'an attempt edited: as if it had been delivered',
    call: 'update',
    forge: ({ attacker, log }) => attacker.update(attempt(log.callbacks.retried, 2), delivered),
    seen: { ...rewritten, comparison: 'differs' },
    unseen: { comparison: 'differs' },
  },
  {
    what: 'an attempt edited: its id',
    call: 'update',
    forge: ({ attacker, log }) => attacker.update(attempt(log.callbacks.told, 2), { webhookId: 'e-other' }),
    seen: { ...rewritten, log: 'altered', comparison: 'differs' },
    unseen: { log: 'altered', comparison: 'differs' },
  },
  {
    what: 'an attempt edited: a field more',
    call: 'update',
    forge: ({ attacker, log }) => attacker.update(attempt(log.callbacks.told, 3), { body: 'x' }),
    seen: { ...rewritten, log: 'unreadable', comparison: 'differs' },
    unseen: { log: 'unreadable', comparison: 'differs' },
  },
  {
    what: 'an attempt overwritten: as if it had failed for good',
    call: 'put',
    mayBy: 'deliver-callbacks',
    forge: async (scene) => {
      const item = await take(scene, attempt(scene.log.callbacks.told, 2));
      await scene.attacker.put(merged(item, { why: 'timeout', httpStatus: undefined, nextAt: undefined }));
    },
    seen: { ...rewritten, comparison: 'differs' },
    unseen: { comparison: 'differs' },
  },
  {
    what: 'an attempt in the middle deleted',
    call: 'delete',
    forge: ({ attacker, log }) => attacker.delete(attempt(log.callbacks.told, 2)),
    seen: { ...removed, log: 'missing', comparison: 'deleted' },
    unseen: { log: 'missing', comparison: 'deleted' },
  },
  {
    what: 'the newest attempt cut off',
    call: 'delete',
    forge: ({ attacker, log }) => attacker.delete(attempt(log.callbacks.told, 3)),
    seen: { ...removed, log: 'truncated', comparison: 'deleted' },
    unseen: { log: 'truncated', comparison: 'deleted' },
  },
  {
    what: 'the newest attempt cut off, and the one before given a wake-up',
    call: 'delete',
    forge: async (scene) => {
      const { attacker, log } = scene;
      const { wakeAt, wakeShard } = await take(scene, attempt(log.callbacks.retried, 2));
      await attacker.delete(attempt(log.callbacks.retried, 2));
      await attacker.update(attempt(log.callbacks.retried, 1), { wakeAt, wakeShard });
    },
    seen: { ...removed, comparison: 'deleted' },
    unseen: { comparison: 'deleted' },
  },
  {
    what: 'all attempts to tell of an event deleted',
    call: 'delete',
    forge: async ({ attacker, log }) => {
      for (const number of [3, 2, 1]) await attacker.delete(attempt(log.callbacks.told, number));
    },
    seen: { ...removed, comparison: 'deleted' },
    unseen: { comparison: 'deleted' },
  },
  {
    what: 'a stream deleted, but not the attempts to tell of it',
    call: 'delete',
    forge: async ({ attacker, log }) => {
      for (const seq of [1, 2]) await attacker.delete(keyOf(log.callbacks.told, seq));
    },
    seen: { ...removed, log: 'orphaned', comparison: 'cut_off' },
    unseen: { log: 'orphaned', comparison: 'cut_off' },
  },
  {
    what: "an attempt copied to another job's stream",
    call: 'put',
    mayBy: 'deliver-callbacks',
    forge: async (scene) => {
      const item = await take(scene, attempt(scene.log.callbacks.told, 3));
      await scene.attacker.put({ ...item, ...attempt(scene.log.callbacks.kept, 2) });
    },
    seen: { log: 'foreign', archive: 'foreign' },
    unseen: { log: 'foreign', ...inserted },
  },
  {
    what: 'an attempt to tell of an event that never was',
    call: 'put',
    mayBy: 'deliver-callbacks',
    forge: async (scene) => {
      const about = eventKey(9);
      const item = await take(scene, attempt(scene.log.callbacks.told, 3));
      await scene.attacker.put({ ...item, about, number: 1, sk: callbackKey({ about, number: 1 }) });
    },
    seen: { log: 'orphaned', archive: 'orphaned' },
    unseen: { log: 'orphaned', ...inserted },
  },
  {
    what: 'a delivered attempt added, though nothing was delivered',
    call: 'put',
    forge: async (scene) => {
      const { log, stage, attacker } = scene;
      const item = await take(scene, attempt(log.callbacks.retried, 2));
      const forged = { ...attempt(log.callbacks.retried, 3), number: 3, at: toTimestamp(stage.nowMs - 2 * 3_600_000) };
      await attacker.put(merged(item, { ...delivered, ...forged }));
    },
    seen: {},
    unseen: inserted,
  },
  {
    what: 'the wake-up of an attempt that is due again removed',
    call: 'update',
    mayBy: 'deliver-callbacks',
    forge: ({ attacker, log }) =>
      attacker.update(attempt(log.callbacks.retried, 2), { wakeShard: undefined, wakeAt: undefined }),
    seen: { log: 'truncated' },
    unseen: { log: 'truncated' },
  },
  {
    what: 'a kept attempt taken out of the index, so that no replay finds it',
    call: 'update',
    mayBy: 'deliver-callbacks',
    forge: ({ attacker, log }) =>
      attacker.update(attempt(log.callbacks.kept, 1), { wakeShard: undefined, wakeAt: undefined }),
    seen: { log: 'truncated' },
    unseen: { log: 'truncated' },
  },
  {
    what: "a kept attempt put among another partner's",
    call: 'update',
    mayBy: 'deliver-callbacks',
    forge: ({ attacker, log }) => attacker.update(attempt(log.callbacks.kept, 1), { wakeShard: 'kept#initech' }),
    seen: silenced,
    unseen: { log: 'truncated' },
  },
  {
    what: 'the next attempt put off to the year 9999',
    call: 'update',
    mayBy: 'deliver-callbacks',
    forge: ({ attacker, log }) =>
      attacker.update(attempt(log.callbacks.retried, 2), { wakeAt: '9999-12-31T23:59:59.999Z' }),
    seen: silenced,
    unseen: { log: 'truncated' },
  },
];
