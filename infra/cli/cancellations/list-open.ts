import { createCancellationLog } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import { BrokenStream, type CancellationState, foldEvents } from '../../../functions/core/cancellation/state.ts';
import { streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import type { CancellationLog, WakeUp } from '../../../functions/core/ports.ts';
import { opsCommand } from '../ops-command.ts';
import { type Cell, duration, printable, table } from '../terminal.ts';

/** Of one shard, the longest due first. */
const SHOWN_PER_SHARD = 1_000;
const READ_AT_ONCE = 16;

/** A cancellation with a wake-up. The state of a broken stream cannot be trusted, so none is shown. */
type Look =
  | { readonly kind: 'open'; readonly wakeUp: WakeUp; readonly state: CancellationState }
  | { readonly kind: 'broken'; readonly wakeUp: WakeUp }
  /** The index is behind the table: it shows some that are closed by now. */
  | { readonly kind: 'closed' };
type Open = Exclude<Look, { kind: 'closed' }>;

export const listOpenCancellations = opsCommand({
  name: 'cancellations open',
  summary: 'Lists the cancellations that are not closed, the oldest first.',
  notes: 'A stream that does not fold is listed as broken: see "npm run verify-audit".',
  options: {},
  async run({ place, terminal, now }) {
    const log = createCancellationLog(place.dynamodb, await place.table('CancellationLog'));
    const shards = await Promise.all(
      Array.from({ length: log.shards }, (_, shard) => log.wakeUps(shard, SHOWN_PER_SHARD, () => false)),
    );
    const wakeUps = newestOfEach(shards.flatMap(({ items }) => items));
    const unreadable = shards.flatMap((shard) => shard.unreadable);
    const looks: Look[] = [];
    for (let from = 0; from < wakeUps.length; from += READ_AT_ONCE) {
      looks.push(...(await Promise.all(wakeUps.slice(from, from + READ_AT_ONCE).map((one) => lookAt(log, one)))));
    }
    const open = looks.filter((look) => look.kind !== 'closed').toSorted((a, b) => (ageKey(a) < ageKey(b) ? -1 : 1));
    const isCut = shards.some((shard) => shard.isCut);
    const headings = ['AGE', 'PARTNER', 'JOB', 'ATTEMPTS', 'LAST RESULT', 'ESCALATED', 'NEXT LOOK'];
    const rows = open.map((one) => toRow(one, now));
    const cut = isCut ? [`There are more: these are the first ${SHOWN_PER_SHARD} of each shard.`] : [];
    const malformed = unreadable.map((key) => `A wake-up cannot be read: ${printable(key)}`);
    const none = [`No cancellation is open (${place.environment}).`];
    const shown = open.length === 0 ? none : table(headings, rows);
    terminal.show({ open: open.map(toEntry), complete: !isCut, unreadable }, [...shown, ...cut, ...malformed]);
    return open.length === 0 ? 1 : 0;
  },
});

/** An earlier event keeps its wake-up until the reconciler's next look: a cancellation may be in the index several times. */
function newestOfEach(wakeUps: readonly WakeUp[]): WakeUp[] {
  const newest = new Map<string, WakeUp>();
  for (const wakeUp of wakeUps) {
    const stream = streamKey(wakeUp);
    if (wakeUp.seq > (newest.get(stream)?.seq ?? 0)) newest.set(stream, wakeUp);
  }
  return [...newest.values()];
}

async function lookAt(log: CancellationLog, wakeUp: WakeUp): Promise<Look> {
  try {
    const state = foldEvents((await log.read(wakeUp.partnerId, wakeUp.jobId)).events);
    if (state === undefined) return { kind: 'broken', wakeUp };
    return state.step.kind === 'closed' ? { kind: 'closed' } : { kind: 'open', wakeUp, state };
  } catch (error) {
    if (error instanceof BrokenStream) return { kind: 'broken', wakeUp };
    throw error;
  }
}

function ageKey(look: Open): string {
  return look.kind === 'open' ? look.state.requestedAt : '';
}

export function lastResult({ step }: CancellationState): string {
  return step.kind === 'attempting' ? 'under way' : step.kind === 'waiting' ? step.result : step.outcome;
}

export function nextLook(wakeAt: string, now: number): string {
  const ms = Date.parse(wakeAt) - now;
  return ms >= 0 ? `in ${duration(ms)}` : `${duration(-ms)} overdue`;
}

function toEntry(look: Open) {
  const { partnerId, jobId, wakeAt } = look.wakeUp;
  if (look.kind === 'broken') return { partnerId, jobId, wakeAt, broken: true };
  const { externalId, requestedAt, attempts, escalatedAt } = look.state;
  return {
    partnerId,
    jobId,
    externalId,
    requestedAt,
    attempts,
    lastResult: lastResult(look.state),
    escalatedAt,
    wakeAt,
  };
}

function toRow(look: Open, now: number): Cell[] {
  const { partnerId, jobId, wakeAt } = look.wakeUp;
  const next = nextLook(wakeAt, now);
  if (look.kind === 'broken') return ['?', partnerId, jobId, '?', { text: 'broken stream', style: 'red' }, '', next];
  const { state } = look;
  const age = duration(now - Date.parse(state.requestedAt));
  const escalated: Cell = state.escalatedAt === undefined ? 'no' : { text: 'yes', style: 'red' };
  return [age, partnerId, jobId, String(state.attempts), lastResult(state), escalated, next];
}
