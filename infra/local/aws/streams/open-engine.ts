import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import dynalite, { type DynaliteOptions } from 'dynalite';
import type { Item } from './stream-records.ts';

export type Done = (error?: Error | null) => void;

/** What dynalite asks of a table's items. It holds a lock on the key from before it looks at the item until `done`. */
export interface ItemStore {
  get(key: string, found: (error: Error | null | undefined, item?: unknown) => void): void;
  put(key: string, item: Item, done: Done): void;
  del(key: string, done: Done): void;
}

interface KeyRange {
  readonly gte: string;
  readonly lt: string;
  readonly limit?: number;
  readonly reverse?: boolean;
}

type StoreChange =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'del'; readonly key: string };

/** The one LevelDB that holds everything, also what is not dynalite's. */
export interface KeyValueStore {
  put(key: string, value: unknown): Promise<void>;
  /** All of the changes or none, whatever happens to the process. */
  batch(changes: readonly StoreChange[], done: Done): void;
  iterator(range: KeyRange): AsyncIterable<readonly [key: string, value: unknown]>;
  clear(range: KeyRange): Promise<void>;
}

/** dynalite's own store. */
export interface EngineStore {
  readonly db: KeyValueStore;
  getItemDb: (table: string) => ItemStore;
}

interface DatabaseModule {
  create: (this: void, options: unknown) => EngineStore;
}

/** The key under which dynalite keeps an item in {@link EngineStore.db}. */
export function itemKey(table: string, key: string): string {
  return `item-${table}~${key}`;
}

/**
 * dynalite with its store, which dynalite itself does not hand out: only beneath it, and under its lock, the order and
 * the effect of writes can be seen.
 * @throws TypeError for a dynalite that is built otherwise
 */
export function openEngine(options: DynaliteOptions): { readonly engine: Server; readonly store: EngineStore } {
  const loaded: unknown = createRequire(import.meta.resolve('dynalite'))('./db');
  if (!isDatabaseModule(loaded)) throw new TypeError('dynalite does not make its store in ./db any more');
  const { create } = loaded;
  const made: EngineStore[] = [];
  loaded.create = (given) => {
    const store = create(given);
    made.push(store);
    return store;
  };
  try {
    const engine = dynalite(options);
    const [store] = made;
    if (store === undefined) throw new TypeError('dynalite does not make its store when it is made any more');
    return { engine, store };
  } finally {
    loaded.create = create;
  }
}

function isDatabaseModule(value: unknown): value is DatabaseModule {
  return typeof value === 'object' && value !== null && 'create' in value && typeof value.create === 'function';
}
