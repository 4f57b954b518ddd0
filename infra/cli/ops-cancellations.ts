import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createCancellationLog, createReadableLog } from '../../functions/adapters/dynamodb/cancellation-log.ts';
import type { CancellationEvent, JoinedRecord } from '../../functions/core/cancellation/events.ts';
import { BrokenStream, type CancellationState, foldEvents } from '../../functions/core/cancellation/state.ts';
import { streamKey } from '../../functions/core/cancellation/stream-key.ts';
import type { CancellationLog, WakeUp } from '../../functions/core/ports.ts';
import { JOINED_COUNTED, readCancellation } from '../../functions/core/use-cases/read-cancellations.ts';
import { CannotDo } from './command.ts';
import { opsCommand, partnerOption, readJobId, readPartner } from './ops-command.ts';
import { type Cell, duration, labelled, printable, table } from './terminal.ts';

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

function lastResult({ step }: CancellationState): string {
  return step.kind === 'attempting' ? 'under way' : step.kind === 'waiting' ? step.result : step.outcome;
}

function nextLook(wakeAt: string, now: number): string {
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

export const showCancellation = opsCommand({
  name: 'cancellations show',
  summary: 'Shows one cancellation: its state, its events, and the requests that joined it.',
  argument: { hint: 'JOBID', what: "Plangrep's id of the job" },
  options: { partner: partnerOption },
  async run({ place, terminal, values, argument, now }) {
    const partnerId = readPartner(values.partner);
    const jobId = readJobId('JOBID', argument);
    const log = createReadableLog(place.dynamodb, await place.table('CancellationLog'));
    const view = await readCancellation({ log }, partnerId, jobId).catch((cause: unknown) => {
      if (!(cause instanceof BrokenStream)) throw cause;
      throw new CannotDo(1, `The stream is broken (${cause.message}): run "npm run ops -- audit verify".`, { cause });
    });
    if (view === undefined) {
      throw new CannotDo(1, `${partnerId} has no cancellation of ${jobId} (${place.environment}).`);
    }
    const { state, events, joined, joinedCount, unreadable, wakeAt } = view;
    const { step, facts } = state;
    const lines = labelled(12, {
      job: `${state.jobId} of ${partnerId} (${place.environment})`,
      externalId: printable(state.externalId),
      state: step.kind === 'closed' ? `closed: ${step.outcome}` : `open: ${lastResult(state)}`,
      requested: `${state.requestedAt} (${duration(now - Date.parse(state.requestedAt))} ago)`,
      attempts: String(state.attempts),
      escalated: state.escalatedAt,
      joined: joinedCount === 0 ? undefined : countJoined(joinedCount, joined.length),
      'job status': facts.jobStatus === undefined ? undefined : printable(facts.jobStatus),
      'next look': wakeAt === undefined ? undefined : `${wakeAt} (${nextLook(wakeAt, now)})`,
    });
    const timeline = [...events, ...joined].toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    const rows = timeline.map((one) => [one.at, 'seq' in one ? String(one.seq) : '', one.type, describeEvent(one)]);
    const malformed = unreadable.map((key) => `A joined request cannot be read: ${printable(key)}`);
    const shown = [...lines, '', ...table(['AT', 'SEQ', 'TYPE', 'WHAT'], rows), ...malformed];
    terminal.show({ state, wakeAt, events, joinedCount, joined, unreadable }, shown);
    return 0;
  },
});

/** How many requests joined, in words for the operator. @param shown of these, in the timeline */
export function countJoined(count: number, shown: number): string {
  const counted = count < JOINED_COUNTED ? String(count) : `${count} or more`;
  return count > shown ? `${counted}; the newest ${shown} are shown` : counted;
}

/** The fields of an event that an operator looks for. */
const shownFields = new Set('attempt result why httpStatus code outcome jobStatus door keyId reason'.split(' '));

function describeEvent(event: CancellationEvent | JoinedRecord): string {
  return Object.entries(event)
    .filter(([field, value]) => shownFields.has(field) && value !== undefined)
    .map(([field, value]) => `${field}=${field === 'reason' ? JSON.stringify(value) : String(value)}`)
    .join(' ');
}

const verifyAudit = new URL('./verify-audit.ts', import.meta.url).pathname;

export const verifyAuditTrail = opsCommand({
  name: 'audit verify',
  summary: 'Recomputes the hash chains of the cancellation log: "npm run verify-audit" for this place.',
  notes: 'The exit codes are those of verify-audit: 0 nothing found, 1 something was found, 2 could not verify.',
  options: {
    'closed-before': { hint: 'TIME', what: 'the digest covers only streams that closed before: 2026-11-01' },
    table: { hint: 'NAME', what: 'another table, such as a restored one (default: the one in use)' },
  },
  async run({ place, terminal, values }) {
    const closedBefore = values['closed-before'];
    const name = values.table ?? (await place.table('CancellationLog'));
    const args = [
      `--table=${name}`,
      `--region=${place.region}`,
      ...(place.environment === 'local' ? [`--endpoint=${place.where}`] : []),
      ...(closedBefore === undefined ? [] : [`--closed-before=${closedBefore}`]),
      ...(terminal.json ? ['--json'] : []),
    ];
    // In another process: exactly the command that an auditor can run without ops.
    const child = spawn(process.execPath, [verifyAudit, ...args], { stdio: 'inherit' });
    const [code]: unknown[] = await once(child, 'exit');
    return code === 0 || code === 1 ? code : 2;
  },
});
