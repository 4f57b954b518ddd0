import type { CancellationEvent, JoinedRecord, RefusedRecord } from '../../../functions/core/cancellation/events.ts';
import { streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import type { ExternalId, JobId, PartnerId, Timestamp } from '../../../functions/core/identifiers.ts';
import type { DirectoryEntry, JobDirectory, JobPages } from '../../../functions/core/job-directory.ts';
import type { CancellationLog, WakeUp, WakeUps } from '../../../functions/core/ports.ts';
import type { ReadableLog } from '../../../functions/core/use-cases/read-cancellations.ts';
import type { Records } from '../../../functions/core/records.ts';
import type { Refusals } from '../../../functions/core/refusals.ts';
import { MemoryDirectory, type MemoryLog } from '../../support/memory-ports.ts';
import type { Process } from './process.ts';
import { Regions } from './regions.ts';
import type { World } from './world.ts';

interface IndexItem {
  readonly shard: number;
  readonly wakeUp: Omit<WakeUp, 'wakeAt'>;
  shown?: Timestamp | undefined;
  /** In order of time; nothing: the wake-up is gone. */
  readonly toCome: { readonly at: number; readonly wakeAt: Timestamp | undefined }[];
}

/** The wake-up index as a reader sees it: every change shows a moment after it was made, each item's in order. */
class LaggingIndex {
  private readonly items = new Map<string, IndexItem>();

  change(at: number, shard: number, { partnerId, jobId, seq }: IndexItem['wakeUp'], wakeAt?: Timestamp): void {
    const name = `${jobId}#${seq}`;
    const item = this.items.get(name) ?? { shard, wakeUp: { partnerId, jobId, seq }, toCome: [] };
    item.toCome.push({ at: Math.max(at, item.toCome.at(-1)?.at ?? 0), wakeAt });
    this.items.set(name, item);
  }

  query(now: number, shard: number, limit: number, isDone: (wakeUp: WakeUp) => boolean): WakeUps {
    const found: WakeUp[] = [];
    for (const [name, item] of this.items) {
      for (let [next] = item.toCome; next !== undefined && next.at <= now; [next] = item.toCome) {
        item.shown = next.wakeAt;
        item.toCome.shift();
      }
      if (item.shown === undefined && item.toCome.length === 0) this.items.delete(name);
      if (item.shown !== undefined && item.shard === shard) found.push({ ...item.wakeUp, wakeAt: item.shown });
    }
    const wakeUps = found.filter((wakeUp) => !isDone(wakeUp)).toSorted((a, b) => (a.wakeAt < b.wakeAt ? -1 : 1));
    return { items: wakeUps.slice(0, limit), unreadable: [], isCut: wakeUps.length > limit };
  }
}

/** An event as the trace shows it: what is its own. */
const inWords = ({ jobId, seq, type, ...event }: CancellationEvent): string => {
  const own = Object.entries(event).filter(
    ([name]) => !['hash', 'previousHash', 'partnerId', 'eventId', 'door', 'keyId', 'at', 'pageCount'].includes(name),
  );
  return `appends ${jobId} ${seq} ${type} ${JSON.stringify(Object.fromEntries(own))}`;
};

/**
 * The tables: in memory, under the contract that the DynamoDB adapters are held to, each call on its way through the
 * world, each effect told to the judge.
 */
export class Store {
  readonly directory = new MemoryDirectory();
  private readonly index = new LaggingIndex();
  private readonly regions: Regions;
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
    this.regions = new Regions(world);
  }

  get log(): MemoryLog {
    return this.regions.log;
  }

  private changeIndex(log: MemoryLog, wakeUp: Omit<WakeUp, 'wakeAt'>, wakeAt: Timestamp | undefined): void {
    const stored = log.streams.get(streamKey(wakeUp))?.[wakeUp.seq - 1];
    if (stored === undefined) return;
    const shard = Number.parseInt(stored.event.hash.slice(0, 4), 16) % log.shards;
    this.index.change(this.world.scheduler.now + this.world.indexLagMs(), shard, wakeUp, wakeAt);
  }

  /** The soonest wake-up there truly is; nothing when there is none. */
  soonestWakeUp(): Timestamp | undefined {
    let soonest: Timestamp | undefined;
    for (const { wakeUps } of this.world.judge.journal.streams.values()) {
      for (const wakeAt of wakeUps.values()) if (soonest === undefined || wakeAt < soonest) soonest = wakeAt;
    }
    return soonest;
  }

  /** Takes everything of one job out of memory: for a run that is too long to keep it all. */
  forget(partnerId: PartnerId, externalId: ExternalId, jobId: JobId): void {
    const { log, directory } = this;
    log.streams.delete(streamKey({ partnerId, jobId }));
    log.joined.length = 0;
    log.refused.length = 0;
    directory.jobs.delete(`${partnerId}#${externalId}`);
    directory.owners.delete(jobId);
  }

  logFor(by: Process): CancellationLog & ReadableLog {
    const { regions, world } = this;
    const log = regions.logOf(by);
    const { judge } = world;
    const ask = <Answer>(what: string, effect: () => Promise<Answer>, repeats = false) =>
      by.ask('cancellation-log', what, effect, repeats);
    return {
      shards: log.shards,
      read: (partnerId, jobId) => ask(`reads the stream of ${jobId}`, () => log.read(partnerId, jobId)),
      append: (event, wakeAt) =>
        ask(`appends ${event.jobId} ${event.seq} ${event.type}`, () => this.append(by, event, wakeAt), true),
      wakeUps: (shard, limit, isDone) =>
        ask(`looks for wake-ups in ${shard}`, async () => {
          const found = this.index.query(world.scheduler.now, shard, limit, isDone);
          return world.random.chance(world.faults.unreadable) ? { ...found, unreadable: ['no event'] } : found;
        }),
      moveWakeUp: (wakeUp, to, polledAt) => {
        const decidedAt = world.scheduler.now;
        return ask(
          `moves the wake-up of ${wakeUp.jobId} ${wakeUp.seq}`,
          async () => {
            const isMoved = await log.moveWakeUp(wakeUp, to, polledAt);
            if (isMoved) this.changeIndex(log, wakeUp, to);
            if (isMoved) regions.replicate(by, wakeUp);
            if (isMoved) judge.wakeUps.moved(by, wakeUp, to);
            judge.streams.moved(by, wakeUp, { to, isMoved, decidedAt });
            world.note(() => `${by.name} moves the wake-up of ${wakeUp.jobId} ${wakeUp.seq} to ${to}: ${isMoved}`);
            return isMoved;
          },
          true,
        );
      },
      removeWakeUp: (wakeUp) =>
        ask(`takes away the wake-up of ${wakeUp.jobId} ${wakeUp.seq}`, async () => {
          await log.removeWakeUp(wakeUp);
          const stored = log.streams.get(streamKey(wakeUp))?.[wakeUp.seq - 1];
          if (stored?.wakeAt === undefined) this.changeIndex(log, wakeUp, undefined);
          regions.replicate(by, wakeUp);
          judge.streams.removed(by, wakeUp);
          world.note(() => `${by.name} takes away the wake-up of ${wakeUp.jobId} ${wakeUp.seq}`);
        }),
      recordJoined: (record: JoinedRecord) =>
        ask('records joined', async () => {
          await log.recordJoined(record);
          judge.requests.joined(by, record);
          world.onBeside(record);
          world.note(() => `${by.name} records ${record.requestId} joined ${record.jobId}`);
        }),
      recordRefused: (record: RefusedRecord) =>
        ask('records refused', async () => {
          await log.recordRefused(record);
          judge.requests.refused(record);
          world.onBeside(record);
          world.note(() => `${by.name} records ${record.requestId} refused: ${record.why}`);
        }),
      readTold: (partnerId, jobId) => ask('reads told', () => log.readTold(partnerId, jobId)),
      readJoined: (partnerId, jobId, limits) => ask('reads joined', () => log.readJoined(partnerId, jobId, limits)),
    };
  }

  private async append(by: Process, event: CancellationEvent, wakeAt: Timestamp | undefined) {
    const { judge } = this.world;
    const log = this.regions.logOf(by);
    const appended = await log.append(event, wakeAt);
    const isNew = judge.streams.appended(by, event, wakeAt, appended);
    this.world.note(() => `${by.name} ${inWords(event)}, wake-up ${wakeAt ?? 'none'}: ${appended.kind}`);
    if (isNew) judge.wakeUps.appended(by, event, wakeAt);
    if (isNew && wakeAt !== undefined) this.changeIndex(log, event, wakeAt);
    if (isNew) this.regions.replicate(by, event);
    if (isNew && event.type === 'requested' && event.externalId !== undefined) {
      const { partnerId, externalId, jobId } = event;
      judge.requests.requested(by, jobId, event);
      judge.ownership.requested(by, { partnerId, externalId }, jobId);
    }
    if (isNew) this.world.appended(event);
    return appended;
  }

  /** Now and then one of the entries cannot be read. */
  private spoilOne({ items, unreadable }: Records<DirectoryEntry>): Records<DirectoryEntry> {
    const { random, faults } = this.world;
    const [first, ...others] = items;
    if (first === undefined || !random.chance(faults.unreadable)) return { items, unreadable };
    const spoilt = random.pick([first, ...others]);
    return { items: items.filter((entry) => entry !== spoilt), unreadable: [...unreadable, spoilt.jobId] };
  }

  directoryFor(by: Process): JobDirectory & JobPages & Refusals {
    const { directory, world } = this;
    const { judge } = world;
    const ask = <Answer>(what: string, effect: () => Promise<Answer>, repeats = false) =>
      by.ask('job-directory', what, effect, repeats);
    return {
      find: (partnerId, externalId) =>
        ask(`finds ${externalId}`, async () => {
          const found = this.spoilOne(await directory.find(partnerId, externalId));
          world.note(() => `${by.name} finds ${externalId}: ${JSON.stringify(found)}`);
          return found;
        }),
      keepRefusal: (record) => ask(`keeps the refusal of ${record.requestId}`, () => directory.keepRefusal(record)),
      findRefusals: (partnerId, externalId, which) =>
        ask(`finds refusals of ${externalId}`, () => directory.findRefusals(partnerId, externalId, which)),
      findPage: (partnerId, externalId, page) =>
        ask(`finds a page of ${externalId}`, () => directory.findPage(partnerId, externalId, page)),
      readOwner: (jobId) => ask(`reads the owner of ${jobId}`, () => directory.readOwner(jobId)),
      keepUnverified: (partnerId, externalId, entry) =>
        ask(`keeps ${entry.jobId} unverified`, () => directory.keepUnverified(partnerId, externalId, entry), true),
      claim: (partnerId, externalId, entry) =>
        ask(
          `claims ${entry.jobId}`,
          async () => {
            const claimed = await directory.claim(partnerId, externalId, entry);
            if (claimed.kind === 'claimed') {
              judge.requests.registered(partnerId, externalId, claimed.entry);
              judge.ownership.claimed(by, { partnerId, externalId }, claimed.entry);
            }
            world.note(() => `${by.name} claims ${externalId}: ${JSON.stringify(claimed)}`);
            return claimed;
          },
          true,
        ),
      remember: (partnerId, externalId, jobId, fact) =>
        ask(`remembers ${JSON.stringify(fact)} of ${jobId}`, () =>
          directory.remember(partnerId, externalId, jobId, fact),
        ),
      readBinding: (partnerId, requestKey) =>
        ask(`reads the binding of ${requestKey}`, () => directory.readBinding(partnerId, requestKey)),
      bind: (partnerId, requestKey, binding) =>
        ask(
          `binds ${requestKey}`,
          async () => {
            const standing = await directory.bind(partnerId, requestKey, binding);
            judge.requests.bound(by, requestKey, standing);
            world.note(() => `${by.name} binds ${requestKey}: ${JSON.stringify(standing)}`);
            return standing;
          },
          true,
        ),
    };
  }
}
