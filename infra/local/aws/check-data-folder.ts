import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as z from 'zod/mini';
import { CannotStart } from '../cannot-start.ts';

/** The part of LevelDB that is asked here. It comes with dynalite, so it is asked the way dynalite would. */
interface Store {
  open(): Promise<void>;
  close(): Promise<void>;
}
type Level = new (path: string) => Store;

const isLevel = (value: unknown): value is { readonly Level: Level } =>
  typeof value === 'object' && value !== null && 'Level' in value && typeof value.Level === 'function';

const codeSchema = z.object({ code: z.string(), cause: z.optional(z.object({ code: z.optional(z.string()) })) });

/**
 * Makes sure that dynalite will be able to open its store: it opens one without looking whether that works, and a
 * failure later ends the process.
 * @throws CannotStart when the folder cannot be made, written to, or is held by another process
 */
export const checkDataFolder = async (path: string): Promise<void> => {
  const loaded: unknown = createRequire(import.meta.resolve('dynalite'))('level');
  if (!isLevel(loaded)) throw new TypeError('dynalite does not keep its data with level any more');
  try {
    await mkdir(path, { recursive: true });
    const store = new loaded.Level(path);
    await store.open();
    await store.close();
  } catch (error) {
    const { data } = codeSchema.safeParse(error);
    const code = data?.cause?.code ?? data?.code ?? 'unknown error';
    const why = code === 'LEVEL_LOCKED' ? 'another run is using it' : `it cannot be written (${code})`;
    throw new CannotStart(`The data folder ${path} cannot be used: ${why}.`, { cause: error });
  }
};
