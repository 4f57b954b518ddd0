import type { DynamoDBStreamEvent } from 'aws-lambda';
import type { Announcement } from '../../../functions/core/announcements.ts';
import {
  type CallbackMessage,
  messageAbout,
  type Subject,
} from '../../../functions/core/callbacks/callback-message.ts';
import type { CallbackPorts } from '../../../functions/core/callbacks/ports.ts';
import { sealEvent } from '../../../functions/core/cancellation/chain.ts';
import { type CancellationEvent, refusedSchema } from '../../../functions/core/cancellation/events.ts';
import { eventKey, refusedKey, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { handleCallbacks } from '../../../functions/doors/callbacks/handle-callbacks.ts';
import { type AnnouncePorts, announceRecords } from '../../../functions/doors/stream/announce-records.ts';
import { answered, CallbackWorld, ok } from '../../support/callbacks/memory-callbacks.ts';
import { acme, documentedJob, retention } from '../../support/names.ts';
import { closed, escalated, refusedRecord, requested } from '../../support/stored-streams.ts';
import { sqsEvent, sqsRecord, streamRecord } from './invocations.ts';

const startMs = Date.parse('2026-11-26T12:00:00.000Z');
const at = toTimestamp(startMs);
const name = { partnerId: acme, jobId: documentedJob };
const job: Subject = { kind: 'job', ...name };
const refusal = refusedSchema.parse(refusedRecord({ at }).fields);
const refused: Subject = { kind: 'refusal', partnerId: acme, at, requestId: refusal.requestId };
const url = 'https://partner.example/callbacks';
// Time stands still within an invocation.
const context = { getRemainingTimeInMillis: () => 60_000 } as Parameters<ReturnType<typeof handleCallbacks>>[1];

const events: CancellationEvent[] = [];
for (const [n, body] of [requested, escalated, closed].entries())
  events.push(sealEvent(name, events.at(-1), body, { eventId: `e-${n + 1}`, at, keptDays: retention.events }));

/** What a process calls outside itself, and what the bus has. */
export interface Outside extends CallbackPorts {
  readonly bus: AnnouncePorts['bus'];
}

/** An invocation that is killed, with what is there before it. */
export interface CallbackScene {
  readonly name: string;
  readonly prepare?: (world: CallbackWorld) => Promise<void>;
  readonly invoke: (outside: Outside) => Promise<unknown>;
  /** The ids that the partner must get, in their order. */
  readonly told: readonly string[] | 'the refusal';
  /** The endpoint is gone, and comes back: an operator resumes and replays. */
  readonly isResumed?: boolean;
}

/** An escalated and closed cancellation and a refused request, without a callback about them yet. */
export function openWorld(): {
  readonly world: CallbackWorld;
  readonly bus: Announcement[];
  readonly outside: Outside;
} {
  const world = new CallbackWorld(startMs);
  world.log.streams.set(streamKey(name), events);
  world.log.refusals.set(refusedKey(refusal), refusal);
  world.endpoints.set(acme, { url, version: 2, previousUntil: toTimestamp(startMs + 3_600_000) });
  const bus: Announcement[] = [];
  const put: AnnouncePorts['bus']['put'] = async (announcements) => {
    bus.push(...announcements);
    return { kind: 'taken' };
  };
  return { world, bus, outside: { ...world.ports, bus: { put } } };
}

/** What the queue brings. */
export const bring = (message: CallbackMessage) => (outside: CallbackPorts) =>
  handleCallbacks(outside)(sqsEvent(sqsRecord('message', JSON.stringify(message))), context);
/** What the schedule starts. */
export const runSchedule = (outside: CallbackPorts) =>
  handleCallbacks(outside)({} as Parameters<ReturnType<typeof handleCallbacks>>[0], context);

const announced = events
  .slice(1)
  .map((event) => ({ pk: streamKey(name), sk: eventKey(event.seq), ...event }))
  .map(streamRecord);
const bothTold = ['e-2', 'e-3'];

export const callbackScenes: readonly CallbackScene[] = [
  {
    name: 'announce: escalated and closed',
    invoke: ({ bus, queue, report }) =>
      // oxlint-disable-next-line no-unsafe-type-assertion -- the records are Lambda's, but for their types
      announceRecords({ bus, callbacks: queue, report })({ Records: announced } as unknown as DynamoDBStreamEvent),
    told: bothTold,
  },
  { name: 'deliver: both', invoke: bring(messageAbout(job)), told: bothTold },
  { name: 'deliver: a refused request', invoke: bring(messageAbout(refused)), told: 'the refusal' },
  {
    name: 'deliver: the endpoint fails for a while',
    async prepare(world) {
      // For the first alone, which the second must not overtake.
      world.answer = ({ headers }) =>
        world.nowMs < startMs + 60_000 && headers['webhook-id'] === 'e-2' ? answered(503) : ok;
    },
    invoke: bring(messageAbout(job)),
    told: bothTold,
  },
  {
    name: 'deliver: the second attempt',
    async prepare(world) {
      world.answer = () => answered(503);
      await bring(messageAbout(job))(world.ports);
      world.answer = () => ok;
      world.nowMs += 5_000;
    },
    invoke: bring(messageAbout(job)),
    told: bothTold,
  },
  {
    name: 'deliver: the endpoint is gone',
    async prepare(world) {
      world.answer = () => (world.endpoints.get(acme)?.url === url ? answered(410) : ok);
    },
    invoke: bring(messageAbout(job)),
    told: bothTold,
    isResumed: true,
  },
  {
    name: 'deliver: a replay of what was kept',
    async prepare(world) {
      world.endpoints.set(acme, { url, version: 1, pausedWhy: 'operator' });
      await bring(messageAbout(job))(world.ports);
      world.endpoints.set(acme, { url, version: 1 });
    },
    invoke: bring(messageAbout(job, { id: 'replay-1', all: false })),
    told: bothTold,
  },
  {
    name: 'schedule: what the queue lost',
    async prepare(world) {
      world.answer = () => answered(503);
      await bring(messageAbout(job))(world.ports);
      world.answer = () => ok;
      world.sent.length = 0;
      world.nowMs += 10 * 60_000;
    },
    invoke: runSchedule,
    told: bothTold,
  },
];
