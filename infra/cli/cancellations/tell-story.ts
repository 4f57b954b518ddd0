import { sumOf } from '../../../functions/core/cancellation/account.ts';
import type { CallbackRecord } from '../../../functions/core/callbacks/callback-record.ts';
import type { CancellationEvent, JoinedRecord } from '../../../functions/core/cancellation/events.ts';
import type { Finding } from '../../../functions/core/audit/findings.ts';
import { applyEvent, type CancellationState } from '../../../functions/core/cancellation/state.ts';
import { type CancellationView, JOINED_COUNTED } from '../../../functions/core/use-cases/read-cancellations.ts';
import { type Cell, duration, labelled, paint, printable, table } from '../terminal.ts';
import { lastResult, nextLook } from './list-open.ts';

/** One cancellation for an operator: where it stands, what happened when, and who spent the time. @param now ms since 1970 */
export function tellStory(view: CancellationView, chain: readonly Finding[], now: number): readonly string[] {
  const { state, joined, joinedCount, unreadable, wakeAt, looks, lastLookedAt } = view;
  const { step, facts, account } = state;
  return [
    ...labelled(12, {
      job: `${state.jobId} of ${state.partnerId}`,
      externalId: state.externalId === undefined ? paint('dim', 'erased') : printable(state.externalId),
      state: step.kind === 'closed' ? `closed: ${step.outcome}` : `open: ${lastResult(state)}`,
      requested: `${state.requestedAt} (${duration(now - Date.parse(state.requestedAt))} ago), request ${printable(state.requestId)}`,
      attempts: String(state.attempts),
      looks: `${looks}, the last at ${lastLookedAt}`,
      escalated: state.escalatedAt,
      joined: joinedCount === 0 ? undefined : countJoined(joinedCount, joined.length),
      'job status': facts.jobStatus === undefined ? undefined : printable(facts.jobStatus),
      'time spent': `${describeSpent(account.spentMs)}${step.kind === 'closed' ? '' : ', until the newest event'}`,
      'next look': wakeAt === undefined ? undefined : `${wakeAt} (${nextLook(wakeAt, now)})`,
      'hash chain': chain.length === 0 ? `verified, ${view.events.length} events` : paint('red', 'broken, see below'),
    }),
    '',
    ...table(['AT', 'AFTER', 'SEQ', 'TYPE', 'WHAT', 'SPENT BY'], timelineOf(view)),
    ...unreadable.map((key) => `A record beside it cannot be read: ${printable(key)}`),
    ...chain.map(({ what }) => paint('red', what)),
  ];
}

/** How many requests joined, in words for the operator. @param shown of these, in the timeline */
export function countJoined(count: number, shown: number): string {
  const counted = count < JOINED_COUNTED ? String(count) : `${count} or more`;
  return count > shown ? `${counted}; the newest ${shown} are shown` : counted;
}

/** The events, and between them the requests that joined and the attempts to tell the partner, each with the time since the request that began it all. */
function timelineOf({ events, joined, callbacks }: CancellationView): readonly (readonly Cell[])[] {
  const spent = spentByEvent(events);
  const beganMs = Date.parse(events[0]?.at ?? '');
  return [...events, ...joined, ...callbacks]
    .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    .map((one) => {
      const after = seconds(Date.parse(one.at) - beganMs);
      const seq = 'seq' in one ? String(one.seq) : '';
      return [one.at, after, seq, one.type, describeEvent(one), 'seq' in one ? (spent.get(one.seq) ?? '') : ''];
    });
}

/** Who spent the time that each event ends, as far as it says so. */
function spentByEvent(events: readonly CancellationEvent[]): ReadonlyMap<number, string> {
  const spent = new Map<number, string>();
  let state: CancellationState | undefined;
  for (const event of events) {
    const before = event.type === 'requested' ? undefined : state?.account.spentMs;
    state = applyEvent(state, event);
    const { us, plangrep, person } = state.account.spentMs;
    if (before === undefined) continue;
    const phase = { us: us - before.us, plangrep: plangrep - before.plangrep, person: person - before.person };
    if (sumOf(phase) > 0) spent.set(event.seq, describeSpent(phase));
  }
  return spent;
}

const parties = { us: 'us', plangrep: 'Plangrep', person: 'a person' } as const;

function describeSpent(spentMs: CancellationState['account']['spentMs']): string {
  const named = ([party, name]: readonly [keyof typeof parties, string]): string[] =>
    spentMs[party] > 0 ? [`${name} ${seconds(spentMs[party])}`] : [];
  const shown = (['us', 'plangrep', 'person'] as const).flatMap((party) => named([party, parties[party]]));
  return shown.length === 0 ? 'none yet' : shown.join(', ');
}

/** `0.42 s`, and from two minutes on as `duration` shows it. */
function seconds(ms: number): string {
  return ms < 120_000 ? `${(ms / 1000).toFixed(2)} s` : duration(ms);
}

/** The fields of an event that an operator looks for. */
const shownFields = new Set(
  'about attempt result why httpStatus code nextAt webhookId outcome jobStatus door requestId keyId reason'.split(' '),
);

function describeEvent(event: CancellationEvent | JoinedRecord | CallbackRecord): string {
  return Object.entries(event)
    .filter(([field, value]) => shownFields.has(field) && value !== undefined)
    .map(([field, value]) => `${field}=${field === 'reason' ? JSON.stringify(value) : String(value)}`)
    .join(' ');
}
