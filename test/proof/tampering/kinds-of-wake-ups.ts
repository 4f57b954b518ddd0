import { keyOf, type RecordKind } from './records.ts';

/** Wake-ups that nothing would see. */
export const kindsOfWakeUps: readonly RecordKind[] = [
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
];
