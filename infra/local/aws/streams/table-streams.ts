import { type Done, type EngineStore, itemKey, type ItemStore } from './open-engine.ts';
import {
  type Change,
  changesItem,
  type Item,
  positionOf,
  recordOf,
  sequenceNumberOf,
  type StreamRecord,
  streamRecordSchema,
  type StreamView,
} from './stream-records.ts';

/** How a table's stream is taken. */
export interface StreamSettings {
  readonly view: StreamView;
  /** The names of the table's key attributes. */
  readonly keys: readonly string[];
}

/** The streams of the engine's tables. A position is a record's place in its stream; the first is 1. */
export interface TableStreams {
  /** From now on each write that changes an item of the table makes a record. */
  begin(table: string, settings: StreamSettings): Promise<void>;
  /** From now on no write makes a record. Those that are there stay. */
  end(table: string): void;
  /** The oldest records after a position. What comes later never gets a smaller position. */
  read(table: string, after: number, limit: number): Promise<readonly StreamRecord[]>;
  /** The position of the newest record that can be read. */
  latest(table: string): Promise<number>;
  /** Up to where a consumer has read: for a new one, nothing. */
  checkpoint(table: string, consumer: string): Promise<number>;
  /** Keeps up to where a consumer has read, also for the next process: records that all have read go after a day. */
  advance(table: string, consumer: string, position: number): Promise<void>;
  /** Deletes an item as DynamoDB's time to live does: its record says so. @param remove deletes it from the engine */
  expire(table: string, key: Item, remove: () => Promise<unknown>): Promise<void>;
  /** Forgets consumers that are no more: what they have not read would stay for ever. @param consumers all that there are */
  forgetOthers(table: string, consumers: readonly string[]): Promise<void>;
  /** Calls back whenever there may be new records. @returns how to end that */
  watch(table: string, look: () => void): Promise<() => void>;
}

interface Stream {
  settings: StreamSettings | undefined;
  /** Of the next record. */
  next: number;
  /** Of records that are being written: a reader stops before the first of them. */
  readonly underWay: Set<number>;
  /** Up to where each consumer has read. */
  readonly checkpoints: Map<string, number>;
  readonly watchers: Set<() => void>;
  /** The keys of items that expire just now. */
  readonly expiring: Set<string>;
  sinceTrim: number;
}

const DAY_MS = 86_400_000;
/** At most so many records stay, for a day, although every consumer has them: people look at them. */
const KEPT_RECORDS = 10_000;
const TRIM_EVERY = 1_000;

const recordKey = (table: string, position: number): string => `stream-${table}~${sequenceNumberOf(position)}`;
const checkpointKey = (table: string, consumer: string): string => `checkpoint-${table}~${consumer}`;

/**
 * Takes the streams of an engine's tables. A record is written together with the change that it tells of, in one batch of
 * LevelDB, while the engine holds its lock on the key. So the records of a key are in the order of their effects, and a
 * process that is killed leaves both or neither.
 * @param region that the records name
 * @param now milliseconds since 1970
 */
export function takeStreams(store: EngineStore, region: string, now: () => number = Date.now): TableStreams {
  const { db } = store;
  const streams = new Map<string, Promise<Stream>>();
  const begun = new Map<string, Stream>();

  const newestOfAll = async (): Promise<number> => {
    let newest = 0;
    for await (const [key] of db.iterator({ gte: 'stream-', lt: 'stream-\xff' })) {
      newest = Math.max(newest, positionOf(key.slice(key.lastIndexOf('~') + 1)));
    }
    return newest;
  };

  /** With what an earlier process has left. */
  const load = async (table: string): Promise<Stream> => {
    const checkpoints = new Map<string, number>();
    const prefix = checkpointKey(table, '');
    for await (const [key, value] of db.iterator({ gte: prefix, lt: `${prefix}\xff` })) {
      checkpoints.set(key.slice(prefix.length), Number(value));
    }
    let last = Math.max(0, ...checkpoints.values());
    for await (const [, value] of db.iterator({ ...positions(table, 0), reverse: true, limit: 1 })) {
      last = Math.max(last, positionOf(streamRecordSchema.parse(value).dynamodb.SequenceNumber));
    }
    // In AWS no two streams have the same numbers: a restored table's go on after those of the table before.
    if (last === 0) last = await newestOfAll();
    const stream: Stream = {
      settings: undefined,
      next: last + 1,
      underWay: new Set(),
      checkpoints,
      watchers: new Set(),
      expiring: new Set(),
      sinceTrim: TRIM_EVERY, // The first write removes what an earlier process has left.
    };
    begun.set(table, stream);
    return stream;
  };
  const streamOf = (table: string): Promise<Stream> => {
    const loading = streams.get(table) ?? load(table);
    streams.set(table, loading);
    return loading;
  };

  const read = async (table: string, after: number, limit: number): Promise<StreamRecord[]> => {
    const stream = await streamOf(table);
    // Below that everything is written, so the iterator sees it.
    const before = Math.min(stream.next, ...stream.underWay);
    const records: StreamRecord[] = [];
    if (after + 1 >= before) return records;
    for await (const [, value] of db.iterator({ ...positions(table, after + 1, before), limit })) {
      records.push(streamRecordSchema.parse(value));
    }
    return records;
  };

  /** Removes only what every consumer has read. The newest record stays: the next one's number follows from it. */
  const trim = async (table: string, stream: Stream): Promise<void> => {
    stream.sinceTrim = 0;
    const done = Math.min(stream.next - 2, ...stream.checkpoints.values());
    let last = Math.min(done, stream.next - 1 - KEPT_RECORDS);
    for (const { dynamodb } of await read(table, Math.max(0, last), 2 * TRIM_EVERY)) {
      const position = positionOf(dynamodb.SequenceNumber);
      if (position > done || dynamodb.ApproximateCreationDateTime * 1_000 > now() - DAY_MS) break;
      last = position;
    }
    if (last > 0) await db.clear(positions(table, 0, last + 1));
  };

  const apply = (table: string, inner: ItemStore, key: string, change: Change, done: Done): void => {
    const stream = begun.get(table);
    const { before, after } = change;
    if (stream?.settings === undefined || !changesItem(change)) {
      return after === undefined ? inner.del(key, done) : inner.put(key, after, done);
    }
    const position = stream.next;
    stream.next += 1;
    stream.underWay.add(position);
    const isExpiry = after === undefined && stream.expiring.has(keyText(before ?? {}, stream.settings.keys));
    const value = recordOf({ ...change, isExpiry }, { ...stream.settings, position, region, nowMs: now() });
    const at = itemKey(table, key);
    db.batch(
      [
        after === undefined ? { type: 'del', key: at } : { type: 'put', key: at, value: after },
        { type: 'put', key: recordKey(table, position), value },
      ],
      (error) => {
        stream.underWay.delete(position);
        done(error);
        for (const look of stream.watchers) look();
        stream.sinceTrim += 1;
        if (stream.sinceTrim >= TRIM_EVERY) trim(table, stream).catch(() => undefined); // The next one trims more.
      },
    );
  };

  const getItemDb = store.getItemDb.bind(store);
  // dynalite asks for a store in each operation, and looks at the item before it writes, under its lock on the key.
  store.getItemDb = (table) => {
    const inner = getItemDb(table);
    const seen = new Map<string, Item | undefined>();
    const write = (key: string, after: Item | undefined, done: Done): void => {
      if (!seen.has(key)) throw new TypeError('dynalite writes an item that it has not looked at');
      apply(table, inner, key, { before: seen.get(key), after }, done);
    };
    return Object.assign<object, ItemStore>(Object.create(inner), {
      get: (key, found) =>
        inner.get(key, (error, item) => {
          seen.set(key, isItem(item) ? item : undefined);
          found(error, item);
        }),
      put: (key, item, done) => write(key, item, done),
      del: (key, done) => write(key, undefined, done),
    });
  };

  return {
    async begin(table, settings) {
      (await streamOf(table)).settings = settings;
    },
    end(table) {
      const stream = begun.get(table);
      if (stream !== undefined) stream.settings = undefined;
    },
    read,
    async latest(table) {
      const stream = await streamOf(table);
      return Math.min(stream.next, ...stream.underWay) - 1;
    },
    async checkpoint(table, consumer) {
      const stream = await streamOf(table);
      const found = stream.checkpoints.get(consumer) ?? 0;
      stream.checkpoints.set(consumer, found);
      return found;
    },
    async advance(table, consumer, position) {
      await db.put(checkpointKey(table, consumer), position);
      (await streamOf(table)).checkpoints.set(consumer, position);
    },
    async expire(table, key, remove) {
      const { expiring } = await streamOf(table);
      const text = keyText(key, Object.keys(key));
      expiring.add(text);
      await remove().finally(() => expiring.delete(text));
    },
    async forgetOthers(table, consumers) {
      const { checkpoints } = await streamOf(table);
      for (const consumer of [...checkpoints.keys()].filter((name) => !consumers.includes(name))) {
        checkpoints.delete(consumer);
        const key = checkpointKey(table, consumer);
        await db.clear({ gte: key, lt: `${key}\0` });
      }
    },
    async watch(table, look) {
      const { watchers } = await streamOf(table);
      watchers.add(look);
      return () => watchers.delete(look);
    },
  };
}

function keyText(item: Item, names: readonly string[]): string {
  return JSON.stringify(names.toSorted().map((name) => [name, item[name]]));
}

/** The records from one position to before another. */
function positions(table: string, from: number, before = Number.MAX_SAFE_INTEGER): { gte: string; lt: string } {
  return { gte: recordKey(table, from), lt: recordKey(table, before) };
}

function isItem(value: unknown): value is Item {
  return typeof value === 'object' && value !== null;
}
