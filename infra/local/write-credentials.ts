import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes what opens a run's doors, as JSON, for the owner's eyes only. */
export const writeCredentials = async (path: string, content: object): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await chmod(path, 0o600); // A file that was there already keeps its mode otherwise.
};
