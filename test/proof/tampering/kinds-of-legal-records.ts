import { joinedKey, refusedKey, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { daysAfter } from '../../../functions/core/retention.ts';
import { acme, retention } from '../../support/names.ts';
import { closed, requested } from '../../support/stored-streams.ts';
import { drawStream, asked, nextEvent, HOURS_2, rewritten, removed, inserted, type RecordKind } from './records.ts';

/** Records in the form of this service, inserted, edited and deleted. */
export const kindsOfLegalRecords: readonly RecordKind[] = [
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
];
