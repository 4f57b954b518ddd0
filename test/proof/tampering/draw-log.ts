import fc from 'fast-check';
import { createCancellationLog } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import { sealEvent } from '../../../functions/core/cancellation/chain.ts';
import { commitTexts } from '../../../functions/core/cancellation/commitment.ts';
import type { CancellationEvent, EventBody } from '../../../functions/core/cancellation/events.ts';
import { eventKey, type StreamName, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { daysAfter } from '../../../functions/core/retention.ts';
import { eraseTexts } from '../../../infra/cli/erase/erase-texts.ts';
import { createProgress } from '../../../infra/cli/terminal.ts';
import { acme, externalId, globex, jobId, retention } from '../../support/names.ts';
import { accepted, anyLegalBodies, closed, ended, requested, started } from '../../support/stored-streams.ts';
import type { Random } from '../simulation/random.ts';
import type { Key } from './attacker.ts';
import { type End, tell } from './draw-callbacks.ts';
import type { Stage } from './stage.ts';

const SECOND = 1_000;
const DAY = 86_400 * SECOND;
/** The least that an environment keeps records. */
const SHORT_DAYS = 7;

/** The streams of a drawn log, by what they are. */
export interface DrawnLog {
  /** Five events, from `requested` to `closed`, with a request that joined. */
  readonly long: StreamName;
  /** Two events. */
  readonly short: StreamName;
  /** Three events, and open. */
  readonly open: StreamName;
  /** Closed, and its texts were erased. */
  readonly erased: StreamName;
  /** Two events; the callback about the second arrived at the third attempt, not yet after two, or is kept by a pause. */
  readonly callbacks: Readonly<Record<'told' | 'retried' | 'kept', StreamName>>;
  /** The day's partition of refused requests, and the sort key of one. */
  readonly refused: { readonly partition: string; readonly key: string };
  /** The sort key of the request that joined `long`. */
  readonly joinedKey: string;
  /** The records of a closed stream that expires half an hour after the log was drawn. */
  readonly expiring: readonly Key[];
}

interface Step {
  readonly stream: string;
  readonly play: () => Promise<unknown>;
}

/**
 * Writes a random legal log by the service's own adapters over three hours, each archived and sealed, and a fourth in which
 * nothing happens: streams of every kind, requests that joined and were refused, moved wake-ups, attempts to deliver
 * callbacks, an erasure, an expired stream.
 */
export async function drawLog(stage: Stage): Promise<DrawnLog> {
  const { random } = stage;
  const log = createCancellationLog(stage.tables.client, stage.logTable, () => stage.nowMs);
  const id = createIds(random);
  const asked = () =>
    commitTexts(
      { door: 'https', requestId: id('r'), externalId: externalId(id('order')), reason: 'wrong plan' },
      id.salt,
    );
  const now = () => toTimestamp(stage.nowMs);
  const name = (): StreamName => ({ partnerId: random.pick([acme, globex]), jobId: jobId(id('job')) });

  const stream = (
    of: StreamName,
    bodies: readonly EventBody[],
    { keptDays = retention.events, ageMs = 0 } = {},
  ): Step[] => {
    let last: CancellationEvent | undefined;
    return bodies.map((body, n) => ({
      stream: streamKey(of),
      play: async () => {
        const at = toTimestamp(stage.nowMs - ageMs);
        const fresh = body.type === 'requested' ? { ...body, ...asked() } : body;
        const before = last;
        const wakeAt = toTimestamp(stage.nowMs + 45 * SECOND);
        last = sealEvent(of, before, fresh, { eventId: id('e'), at, keptDays });
        await log.append(last, body.type === 'closed' ? undefined : wakeAt);
        wakeUps.push({ ...of, seq: last.seq, wakeAt, isLast: n === bodies.length - 1 });
      },
    }));
  };
  const wakeUps: (StreamName & {
    readonly seq: number;
    readonly wakeAt: ReturnType<typeof now>;
    readonly isLast: boolean;
  })[] = [];
  /** The wake-ups of events that others follow go; a newest one is moved now and then. */
  const settle = async () => {
    for (const wakeUp of wakeUps.splice(0)) {
      if (!wakeUp.isLast) await log.removeWakeUp(wakeUp);
      else if (random.chance(0.5)) await log.moveWakeUp(wakeUp, toTimestamp(stage.nowMs + 60 * SECOND), now());
    }
  };

  const [long, short, open, erased, expired, expiring] = [name(), name(), name(), name(), name(), name()];
  const [told, retried, kept] = [name(), name(), name()];
  /** A stream that closes, and the attempts to tell of it. */
  const attempts = (of: StreamName, ends: readonly End[]): Step[] => [
    ...stream(of, [requested, closed]),
    ...ends.map((end) => ({ stream: streamKey(of), play: () => tell(stage, of, end) })),
  ];
  const legal = fc.sample(anyLegalBodies, { seed: random.between(0, 2 ** 30), numRuns: random.between(1, 4) });
  const joinedAt = { key: '' };
  const refused = { partition: '', key: '' };
  const others: Step[] = [
    {
      stream: 'joined',
      play: async () => {
        const record = {
          type: 'joined',
          ...long,
          at: now(),
          deleteAfter: daysAfter(now(), retention.events),
          ...asked(),
        } as const;
        await log.recordJoined(record);
        joinedAt.key = `joined#${record.at}#${record.requestId}`;
      },
    },
    ...Array.from(
      { length: random.between(1, 3) },
      (): Step => ({
        stream: 'refused',
        play: async () => {
          const deleteAfter = daysAfter(now(), retention.requests);
          const record = {
            type: 'refused',
            partnerId: acme,
            why: 'job_not_found',
            at: now(),
            deleteAfter,
            ...asked(),
          } as const;
          await log.recordRefused(record);
          Object.assign(refused, {
            partition: `acme#refused#${record.at.slice(0, 10)}`,
            key: `${record.at}#${record.requestId}`,
          });
        },
      }),
    ),
  ];
  const [first, ...joining] = stream(long, [requested, ended(1), started(2), accepted(2), closed]);
  const begin = first === undefined ? [] : [first];
  await playHour(stage, settle, begin);
  const hours: Step[][] = [[], []];
  const all = [
    joining,
    stream(short, [requested, closed]),
    stream(open, [requested, ended(1), started(2)]),
    stream(erased, [requested, ended(1), closed]),
    stream(expired, [requested, closed], { keptDays: SHORT_DAYS, ageMs: 10 * DAY }),
    attempts(told, [500, 500, 204]),
    attempts(retried, [500, 500]),
    attempts(kept, ['paused']),
    ...legal.map((bodies) => stream(name(), bodies)),
    others,
  ];
  // In any order, but each stream in its own.
  for (const steps of all) {
    const until = random.between(0, steps.length);
    hours[0]?.push(...steps.slice(0, until));
    hours[1]?.push(...steps.slice(until));
  }
  for (const steps of hours) await playHour(stage, settle, interleave(random, steps));
  await stage.expire();
  await eraseStream(stage, erased, id('erasure'));
  const soon = { keptDays: SHORT_DAYS, ageMs: SHORT_DAYS * DAY - 1_800 * SECOND };
  await playHour(stage, settle, stream(expiring, [requested, closed], soon));
  await playHour(stage, settle, []);
  stage.nowMs += 10 * 60 * SECOND;
  return {
    long,
    short,
    open,
    erased,
    callbacks: { told, retried, kept },
    refused,
    joinedKey: joinedAt.key,
    expiring: [1, 2].map((seq) => ({ pk: streamKey(expiring), sk: eventKey(seq) })),
  };
}

async function playHour(stage: Stage, settle: () => Promise<void>, steps: readonly Step[]): Promise<void> {
  for (const { play } of steps) {
    stage.nowMs += stage.random.between(1, 90 * SECOND);
    await play();
    if (stage.random.chance(0.3)) await settle();
    if (stage.random.chance(0.3)) await stage.pump({ all: false });
  }
  await settle();
  stage.nowMs += SECOND;
  await stage.pump();
  await stage.sealNextHour();
}

function interleave(random: Random, steps: readonly Step[]): readonly Step[] {
  const byStream = [...Map.groupBy(steps, ({ stream }) => stream).values()].map((own) => [...own]);
  const order: Step[] = [];
  while (order.length < steps.length) {
    const own = byStream[random.between(0, byStream.length - 1)];
    const next = own?.shift();
    if (next !== undefined) order.push(next);
  }
  return order;
}

/** By the code of `ops erase`. */
async function eraseStream(stage: Stage, of: StreamName, erasureId: string): Promise<void> {
  const record = {
    kind: 'requested',
    partition: streamKey(of),
    key: eventKey(1),
    stream: of,
    jobId: of.jobId,
  } as const;
  const log = createCancellationLog(stage.tables.client, stage.logTable, () => stage.nowMs);
  const [event] = (await log.read(of.partnerId, of.jobId)).events;
  if (event?.type !== 'requested' || event.externalId === undefined)
    throw new Error('a stream begins with its request');
  const { externalId: text, reason } = event;
  await eraseTexts(
    { dynamodb: stage.tables.client, table: (table) => Promise.resolve(stage.tables.tableNames[table]) },
    { records: [{ ...record, externalId: text, reason }], rows: [] },
    {
      partnerId: of.partnerId,
      at: toTimestamp(stage.nowMs),
      erasureId,
      by: 'arn:aws:iam::111122223333:role/dpo',
      reasonCode: 'gdpr-17',
    },
    createProgress({ isTTY: false, write: () => undefined }),
  );
}

/** Unlike any other, and the same under the same seed. */
function createIds(random: Random) {
  let count = 0;
  const id = (of: string): string => `${of}-${String((count += 1))}-${random.between(0, 2 ** 30).toString(36)}`;
  const hex = (): string =>
    random
      .between(0, 2 ** 32 - 1)
      .toString(16)
      .padStart(8, '0');
  return Object.assign(id, { salt: () => hex() + hex() + hex() + hex() });
}
