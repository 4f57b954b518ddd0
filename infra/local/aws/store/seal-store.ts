import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { damaged, stateFile } from './state-file.ts';

/** Each file of the store with the SHA-256 of its content. */
const sealSchema = z.record(z.string(), z.string());

const sealPath = (store: string): string => `${store}.seal.json`;
/** LevelDB begins its own log anew each time it is opened, and only locks the other. */
const isUnsealed = (name: string): boolean => /^(LOCK|LOG|LOG\.old)$/.test(name);

/** Writes down what a closed store holds: LevelDB itself takes a file that was cut for the work of a crash, and drops what is missing. */
export async function sealStore(store: string): Promise<void> {
  stateFile(sealPath(store), sealSchema).write(await digests(store));
}

/**
 * Compares a store with its seal, and removes the seal: the store is about to change.
 * @returns whether there was a seal: a run that was killed leaves none
 * @throws DataFolderError, which names the file that was changed; nothing is removed then
 */
export async function breakSeal(store: string): Promise<boolean> {
  const seal = stateFile(sealPath(store), sealSchema).read();
  if (seal === undefined) return false;
  const found = await digests(store);
  if (Object.keys(found).length === 0) {
    await rm(sealPath(store)); // The store was moved away.
    return true;
  }
  for (const [name, digest] of Object.entries(seal)) {
    if (found[name] === undefined) throw damaged(join(store, name), 'it is missing', { of: store });
    if (found[name] !== digest)
      throw damaged(join(store, name), 'its content has changed since the last run', { of: store });
  }
  const extra = Object.keys(found).find((name) => seal[name] === undefined);
  if (extra !== undefined) throw damaged(join(store, extra), 'it came after the last run', { of: store });
  await rm(sealPath(store));
  return true;
}

async function digests(store: string): Promise<z.infer<typeof sealSchema>> {
  const names = await readdir(store).catch((): string[] => []);
  const sealed = names.filter((name) => !isUnsealed(name)).toSorted();
  const entries = sealed.map(async (name) => {
    return [
      name,
      createHash('sha256')
        .update(await readFile(join(store, name)))
        .digest('hex'),
    ] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
