import { createCancellationLog } from '../../functions/adapters/dynamodb/cancellation-log.ts';
import { createJobDirectory } from '../../functions/adapters/dynamodb/job-directory.ts';
import type { CancellationEvent, JoinedRecord } from '../../functions/core/cancellation/events.ts';
import { BrokenStream, type CancellationState, foldEvents } from '../../functions/core/cancellation/state.ts';
import { streamKey } from '../../functions/core/cancellation/stream-key.ts';
import type { CancellationLog, WakeUp } from '../../functions/core/ports.ts';
import { readCancellation } from '../../functions/core/use-cases/read-cancellations.ts';
import { CannotDo } from './cannot-do.ts';
import type { Command } from './command.ts';
import { partnerOption, readJobId, readPartner } from './read-option.ts';
import { duration, paint, printable, table } from './terminal.ts';

/** Of one shard, the longest due first. */
const SHOWN_PER_SHARD = 1_000;
const READ_AT_ONCE = 16;

interface Open {
  readonly wakeUp: WakeUp;
  /** Nothing for a stream that does not fold: what it says of itself is not to be trusted. */
  readonly state: CancellationState | undefined;
}

/** An earlier event keeps its wake-up until the reconciler comes by: a cancellation may be in the index several times. */
const newestOfEach = (wakeUps: readonly WakeUp[]): WakeUp[] => {
  const newest = new Map<string, WakeUp>();
  for (const wakeUp of wakeUps) {
    const stream = streamKey(wakeUp);
    if (wakeUp.seq > (newest.get(stream)?.seq ?? 0)) newest.set(stream, wakeUp);
  }
  return [...newest.values()];
};

const lookAt = async (log: CancellationLog, wakeUp: WakeUp): Promise<Open | undefined> => {
  try {
    const state = foldEvents((await log.read(wakeUp.partnerId, wakeUp.jobId)).events);
    // The index is behind the table: what it shows may have closed meanwhile.
    return state?.step.kind === 'closed' ? undefined : { wakeUp, state };
  } catch (error) {
    if (error instanceof BrokenStream) return { wakeUp, state: undefined };
    throw error;
  }
};

const lastResult = ({ step }: CancellationState): string =>
  step.kind === 'attempting' ? 'under way' : step.kind === 'waiting' ? step.result : step.outcome;

const nextLook = (wakeAt: string, now: number): string => {
  const ms = Date.parse(wakeAt) - now;
  return ms >= 0 ? `in ${duration(ms)}` : `${duration(-ms)} overdue`;
};

const toEntry = ({ wakeUp: { partnerId, jobId, wakeAt }, state }: Open) =>
  state === undefined
    ? { partnerId, jobId, wakeAt, broken: true }
    : {
        partnerId,
        jobId,
        externalId: state.externalId,
        requestedAt: state.requestedAt,
        attempts: state.attempts,
        lastResult: lastResult(state),
        escalatedAt: state.escalatedAt,
        wakeAt,
      };

const toRow = ({ wakeUp: { partnerId, jobId, wakeAt }, state }: Open, now: number): string[] => {
  const next = nextLook(wakeAt, now);
  if (state === undefined) return ['?', partnerId, jobId, '?', 'broken stream', '', next];
  const age = duration(now - Date.parse(state.requestedAt));
  const escalated = state.escalatedAt === undefined ? 'no' : 'yes';
  return [age, partnerId, jobId, String(state.attempts), lastResult(state), escalated, next];
};

export const listOpenCancellations: Command = {
  name: 'cancellations open',
  summary: 'Lists the cancellations that are not over, the oldest first.',
  notes: 'What "npm run verify-audit" is needed for is listed as a broken stream.',
  async run({ place, terminal, now }) {
    const log = createCancellationLog(place.dynamodb, await place.table('CancellationLog'));
    const shards = await Promise.all(
      Array.from({ length: log.shards }, (_, shard) => log.wakeUps(shard, SHOWN_PER_SHARD)),
    );
    const wakeUps = newestOfEach(shards.flat());
    const open: Open[] = [];
    for (let from = 0; from < wakeUps.length; from += READ_AT_ONCE) {
      const looks = wakeUps.slice(from, from + READ_AT_ONCE).map((wakeUp) => lookAt(log, wakeUp));
      open.push(...(await Promise.all(looks)).filter((look) => look !== undefined));
    }
    open.sort((a, b) => ((a.state?.requestedAt ?? '') < (b.state?.requestedAt ?? '') ? -1 : 1));
    const isCut = shards.some((shard) => shard.length === SHOWN_PER_SHARD);
    const headings = ['AGE', 'PARTNER', 'JOB', 'ATTEMPTS', 'LAST RESULT', 'ESCALATED', 'NEXT LOOK'];
    const rows = open.map((one) => toRow(one, now));
    const colour = (row: number, column: number, padded: string): string => {
      const isBad = column === 5 ? rows[row]?.[5] === 'yes' : column === 4 && open[row]?.state === undefined;
      return isBad ? paint('red', padded) : padded;
    };
    const cut = isCut ? [`There are more: these are the first ${SHOWN_PER_SHARD} of each shard.`] : [];
    const none = [`No cancellation is open (${place.environment}).`];
    terminal.show(
      { open: open.map(toEntry), complete: !isCut },
      open.length === 0 ? none : [...table(headings, rows, colour), ...cut],
    );
    return open.length === 0 ? 1 : 0;
  },
};

/** What of an event is worth a person's eye. */
const toldFields: ReadonlySet<string> = new Set([
  'attempt',
  'result',
  'why',
  'httpStatus',
  'code',
  'outcome',
  'jobStatus',
  'door',
  'keyId',
  'reason',
]);

const told = (event: CancellationEvent | JoinedRecord): string => {
  return Object.entries(event)
    .filter(([field, value]) => toldFields.has(field) && value !== undefined)
    .map(([field, value]) => `${field}=${field === 'reason' ? JSON.stringify(value) : String(value)}`)
    .join(' ');
};

export const showCancellation: Command = {
  name: 'cancellations show',
  summary: 'Shows one cancellation: its state, its events, and the requests that joined it.',
  argument: { hint: 'JOBID', what: "Plangrep's id of the job", required: true },
  options: { partner: partnerOption },
  async run(request) {
    const { place, terminal, required, now } = request;
    const partnerId = readPartner(request);
    const jobId = readJobId('JOBID', required('JOBID'));
    const log = createCancellationLog(place.dynamodb, await place.table('CancellationLog'));
    const directory = createJobDirectory(place.dynamodb, await place.table('JobDirectory'));
    const view = await readCancellation({ log, directory }, partnerId, jobId).catch((cause: unknown) => {
      if (!(cause instanceof BrokenStream)) throw cause;
      throw new CannotDo(1, `The stream is broken (${cause.message}): run "npm run ops -- audit verify".`, { cause });
    });
    if (view === undefined) {
      throw new CannotDo(1, `${partnerId} has no cancellation of ${jobId} (${place.environment}).`);
    }
    const { state, events, joined, wakeAt } = view;
    const { step, facts } = state;
    const facing: Record<string, string | undefined> = {
      job: `${state.jobId} of ${partnerId} (${place.environment})`,
      externalId: printable(state.externalId),
      state: step.kind === 'closed' ? `closed: ${step.outcome}` : `open: ${lastResult(state)}`,
      requested: `${state.requestedAt} (${duration(now - Date.parse(state.requestedAt))} ago)`,
      attempts: String(state.attempts),
      escalated: state.escalatedAt,
      'job status': facts.jobStatus === undefined ? undefined : printable(facts.jobStatus),
      'next look': wakeAt === undefined ? undefined : `${wakeAt} (${nextLook(wakeAt, now)})`,
    };
    const timeline = [...events, ...joined].toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    const rows = timeline.map((one) => [one.at, 'seq' in one ? String(one.seq) : '', one.type, told(one)]);
    terminal.show({ state, wakeAt, events, joined }, [
      ...Object.entries(facing).flatMap(([name, value]) =>
        value === undefined ? [] : [`${paint('dim', name.padEnd(12))}${value}`],
      ),
      '',
      ...table(['AT', 'SEQ', 'TYPE', 'WHAT'], rows),
    ]);
    return 0;
  },
};
