import { commitTo, erasableAttributes } from '../../../functions/core/cancellation/commitment.ts';
import { eventKey, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import {
  SALT,
  keyOf,
  take,
  takeStream,
  rewritten,
  removed,
  inserted,
  rehash,
  erasedOf,
  type RecordKind,
} from './records.ts';

/** Texts replaced and removed, and erasures that are none. */
export const kindsOfTexts: readonly RecordKind[] = [
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
];
