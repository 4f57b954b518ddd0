import { messageAbout, type Subject } from '../../functions/core/callbacks/callback-message.ts';
import { readNotices } from '../../functions/core/callbacks/notices.ts';
import { sealEvent } from '../../functions/core/cancellation/chain.ts';
import type { EventBody } from '../../functions/core/cancellation/events.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import { committed } from '../support/committed.ts';
import { externalId, jobId, retention } from '../support/names.ts';
import { closed, deleteAfter, escalated, requested } from '../support/stored-streams.ts';
import type { Judge } from './callback-soak/judge.ts';
import { type SoakPartner, soakPartners } from './callback-soak/partners.ts';
import { SoakWorld } from './callback-soak/world.ts';
import { Random } from './simulation/random.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The callbacks come within so long, however many there are. */
const ARRIVE_FOR_MS = 1.4 * HOUR;
/** By then all must have arrived: the attempts take some five days, and an operator replays the rest. */
const END_MS = 12 * DAY;
/** Longer than anything of a callback that was delivered can still be on its way. */
const WATCHED_MS = 3 * HOUR;

export interface SoakCallbacksOptions {
  readonly callbacks: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}

export interface SoakCallbacksResult {
  readonly violations: readonly string[];
  readonly figures: Judge['figures'] &
    SoakWorld['figures'] & {
      readonly lost: number;
      /** Messages that the queue gave up, and an operator moved back. */
      readonly setAside: number;
      readonly replayed: number;
      readonly virtualHours: number;
    };
}

/**
 * Soak of the callbacks, in virtual time: the door and the core of deliver-callbacks, with faults at 5 % of the calls of
 * endpoints, of the table and of the queue, six partners whose endpoints fail in their own ways for hours or days, crashes, a
 * rotation of a secret, and an operator who resumes and replays.
 */
export async function runSoakCallbacks(options: SoakCallbacksOptions): Promise<SoakCallbacksResult> {
  const random = new Random(options.seed);
  const world: SoakWorld = new SoakWorld(random, (subject) => {
    scheduler.after(WATCHED_MS, () => {
      world.store.forget(subject);
      judge.forget(subject);
    });
  });
  const { scheduler, judge } = world;
  let replayed = 0;
  let made = 0;

  for (const partner of soakPartners) {
    world.endpoints.set(partner.partnerId, { url: world.urlOf(partner.partnerId), version: 1 });
    planOperator(partner);
  }
  const moods = new Map(soakPartners.map(({ partnerId, moodAt }) => [partnerId, moodAt]));
  world.moodOf = (partnerId) => moods.get(partnerId)?.(world.elapsedMs) ?? 'up';
  arrive();
  eachMinute();
  await scheduler.run(() => isOver() || judge.violations.length > 0 || world.elapsedMs > END_MS);

  const lost = judge.lost();
  const violations = [...judge.violations];
  if (lost.length > 0) violations.push(`${lost.length} callbacks were never delivered, such as ${lost[0]}`);
  const { figures, queue } = world;
  const virtualHours = Math.round(world.elapsedMs / HOUR);
  const measured = { lost: lost.length, setAside: queue.setAside, replayed, virtualHours };
  return { violations, figures: { ...judge.figures, ...figures, ...measured } };

  function isOver(): boolean {
    return judge.figures.expected >= options.callbacks && judge.figures.delivered === judge.figures.expected;
  }

  function eachMinute(): void {
    void world.sendDue();
    scheduler.after(MINUTE, eachMinute);
  }

  function arrive(): void {
    if (judge.figures.expected >= options.callbacks) return;
    const { partnerId } = drawPartner();
    made += 1;
    if (made % 5_000 === 0) options.onProgress?.(judge.figures.delivered);
    if (random.chance(0.1)) void refuse(partnerId, made);
    else cancel(partnerId, made);
    scheduler.after(ARRIVE_FOR_MS / options.callbacks, arrive);
  }

  function drawPartner(): SoakPartner {
    let left = random.next() * 100;
    const drawn = soakPartners.find(({ share }) => (left -= share) < 0);
    if (drawn === undefined) throw new Error('the shares do not add up to 100');
    return drawn;
  }

  /** A cancellation that closes, some of them after they were escalated. */
  function cancel(partnerId: SoakPartner['partnerId'], n: number): void {
    const name = { partnerId, jobId: jobId(`job_${n}`) };
    const subject: Subject = { kind: 'job', ...name };
    const { events } = world.store.of(subject);
    const add = (body: EventBody): string => {
      const eventId = `event-${n}-${events.length + 1}`;
      events.push(
        sealEvent(name, events.at(-1), body, {
          eventId,
          at: toTimestamp(scheduler.now),
          keptDays: retention.events,
        }),
      );
      return eventId;
    };
    const tell = (body: EventBody): void => {
      judge.expect(subject, add(body), body.type === 'closed');
      announce(subject);
    };
    const asked = committed({
      door: 'https',
      requestId: `request-${n}`,
      externalId: externalId(`order-${n}`),
    } as const);
    add({ ...requested, ...asked });
    if (random.chance(0.3)) {
      tell(escalated);
      scheduler.after(random.between(1, 30 * SECOND), () => tell(closed));
    } else {
      tell(closed);
    }
  }

  async function refuse(partnerId: SoakPartner['partnerId'], n: number): Promise<void> {
    const at = toTimestamp(scheduler.now);
    const requestId = `request-${n}`;
    const subject: Subject = { kind: 'refusal', partnerId, at, requestId };
    const asked = committed({ door: 'https', requestId, externalId: externalId(`order-${n}`) } as const);
    world.store.of(subject).refusal = { type: 'refused', partnerId, why: 'job_not_found', at, deleteAfter, ...asked };
    const [notice] = await readNotices(world.store, subject);
    if (notice !== undefined) judge.expect(subject, notice.webhookId, true);
    announce(subject);
  }

  /** The log's stream brings each record at least once. */
  function announce(subject: Subject): void {
    for (let times = random.chance(0.015) ? 2 : 1; times > 0; times -= 1) {
      scheduler.after(random.between(100, 500), () => world.queue.accept(messageAbout(subject)));
    }
  }

  function planOperator({ partnerId, pausedMs, rotatedMs }: SoakPartner): void {
    const change = (afterMs: number, to: object): void =>
      scheduler.after(afterMs, () => {
        const endpoint = world.endpoints.get(partnerId);
        if (endpoint !== undefined) world.endpoints.set(partnerId, { ...endpoint, ...to });
      });
    if (pausedMs !== undefined) {
      change(pausedMs[0], { pausedWhy: 'operator' });
      change(pausedMs[1], { pausedWhy: undefined });
    }
    if (rotatedMs !== undefined) {
      const previousUntil = toTimestamp(scheduler.now + rotatedMs + DAY);
      change(rotatedMs, { version: 2, previousUntil });
      // The partner takes the new secret while both sign.
      scheduler.after(rotatedMs + random.between(0, DAY - MINUTE), () => void world.knownVersions.set(partnerId, 2));
    }
    scheduler.after(7 * HOUR, replay);

    /** Twice a day an operator looks whose endpoint is back, resumes it and replays what was kept. */
    function replay(): void {
      const endpoint = world.endpoints.get(partnerId);
      if (world.moodOf(partnerId) !== 'down' && world.moodOf(partnerId) !== 'gone' && endpoint !== undefined) {
        if (endpoint.pausedWhy === 'gone') world.endpoints.set(partnerId, { ...endpoint, pausedWhy: undefined });
        const kept = world.store.keptOf(partnerId);
        replayed += kept.length;
        const again = { id: `replay-${scheduler.now}`, all: false };
        for (const subject of kept) world.queue.accept(messageAbout(subject, again));
      }
      scheduler.after(DAY / 2, replay);
    }
  }
}
