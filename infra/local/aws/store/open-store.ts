import { createRequire } from 'node:module';
import * as z from 'zod/mini';
import { DataFolderError, damaged } from './state-file.ts';
import { checkStore } from './check-store.ts';
import { breakSeal } from './seal-store.ts';

/** The parts of LevelDB that are used here. LevelDB comes with dynalite, which does not export it. */
interface Store {
  open(options?: { readonly createIfMissing: boolean; readonly errorIfExists?: boolean }): Promise<void>;
  close(): Promise<void>;
}
type Level = new (path: string) => Store;

/**
 * Checks that dynalite will be able to open its store, and that LevelDB will find in it what the last run wrote: dynalite
 * itself checks neither, and a later failure ends the process.
 * @throws DataFolderError; the store is as it was then
 */
export async function openable(path: string): Promise<void> {
  const loaded: unknown = createRequire(import.meta.resolve('dynalite'))('level');
  if (!isLevel(loaded)) throw new TypeError('dynalite does not use the package level any more');
  // LevelDB takes its lock before it finds that it may neither make a store nor use one: so this only tries the lock.
  const tried = await failureOf(new loaded.Level(path).open({ createIfMissing: false, errorIfExists: true }));
  if (tried?.code === 'LEVEL_LOCKED') throw unusable(path, 'another run is using it');
  if (!(await breakSeal(path))) await checkStore(path);
  const store = new loaded.Level(path);
  const failure = await failureOf(store.open({ createIfMissing: true }).then(() => store.close()));
  if (failure === undefined) return;
  if (failure.code === 'LEVEL_LOCKED') throw unusable(path, 'another run is using it');
  if (failure.code === 'LEVEL_CORRUPTION') throw damaged(path, `LevelDB cannot read it (${failure.message})`);
  throw unusable(path, `it cannot be written (${failure.message})`);
}

function unusable(path: string, why: string): DataFolderError {
  return new DataFolderError(`The data folder ${path} cannot be used: ${why}.`);
}

function isLevel(value: unknown): value is { readonly Level: Level } {
  return typeof value === 'object' && value !== null && 'Level' in value && typeof value.Level === 'function';
}

interface Failure {
  readonly code: string;
  /** In LevelDB's words: they often name a file. */
  readonly message: string;
}
const failureSchema = z.object({ code: z.string(), message: z.string() });
const errorSchema = z.object({ ...failureSchema.shape, cause: z.optional(failureSchema) });

/** @returns undefined when it succeeds */
async function failureOf(opened: Promise<void>): Promise<Failure | undefined> {
  try {
    await opened;
    return undefined;
  } catch (error) {
    const { data } = errorSchema.safeParse(error);
    return data?.cause ?? data ?? { code: 'unknown', message: String(error) };
  }
}
