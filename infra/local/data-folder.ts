import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataFolderError } from './aws/state-file.ts';

/** The folder of the engine's store, by which a data folder is recognized. */
export const storeFolder = 'dynamodb';

/**
 * Makes a data folder and everything in it readable only for its owner: it holds externalIds, reasons and credentials'
 * hashes. The folder is created if missing; one that is not a data folder is left as it is.
 * @throws DataFolderError when the folder is someone else's, or holds other files that other users may read
 */
export async function closeDataFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch(() => undefined); // Whether it can be used shows later.
  const names = await readdir(path).catch(() => undefined);
  if (names === undefined) return;
  const { mode } = await stat(path);
  if (names.length > 0 && !names.includes(storeFolder)) {
    if ((mode & 0o077) === 0) return;
    throw new DataFolderError(
      `The data folder ${path} holds other files, and other users may enter it: choose a folder for the local run alone.`,
    );
  }
  try {
    await chmod(path, 0o700);
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
      if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o700);
      if (entry.isFile()) await chmod(join(entry.parentPath, entry.name), 0o600);
    }
  } catch (cause) {
    throw new DataFolderError(`The data folder ${path} cannot be used: it belongs to another user.`, { cause });
  }
}
