import type { Forgery } from './forgery.ts';
import { kindsOfCallbacks } from './kinds-of-callbacks.ts';
import { kindsOfEvents } from './kinds-of-events.ts';
import { kindsOfLegalRecords } from './kinds-of-legal-records.ts';
import { kindsOfTexts } from './kinds-of-texts.ts';
import { kindsOfWakeUps } from './kinds-of-wake-ups.ts';
import type { RecordKind } from './records.ts';
import type { Actor } from './rights.ts';

export const recordKinds: readonly RecordKind[] = [
  ...kindsOfEvents,
  ...kindsOfLegalRecords,
  ...kindsOfTexts,
  ...kindsOfWakeUps,
  ...kindsOfCallbacks,
];

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
  const movers: readonly (Actor | undefined)[] = [
    'consume-wake-ups',
    'request-cancellation',
    'reconcile-cancellations',
    'deliver-callbacks',
  ];
  return movers.includes(role);
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
