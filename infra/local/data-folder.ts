import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { reasonOf } from '../explain-system-error.ts';
import { DataFolderError } from './aws/store/state-file.ts';
import type { InTheWay } from './prepare-data-folder.ts';

/** The folder of the engine's store, by which a data folder is recognized. */
export const storeFolder = 'dynamodb';
/** The folder of the local S3. */
export const objectsFolder = 's3';

const script = new URL('./prepare-data-folder.ts', import.meta.url).pathname;

/**
 * Makes a data folder and everything in it readable only for its owner: it holds externalIds, reasons and credentials'
 * hashes. The folder is created if missing; one that is not a data folder is left as it is.
 * @param waitMs for which the path may be silent
 * @throws DataFolderError when the folder is someone else's, cannot be written, does not answer, or holds other files that
 * other users may read
 */
export async function openDataFolder(path: string, waitMs = 10_000): Promise<void> {
  const child = spawn(process.execPath, [script, resolve(path), storeFolder, objectsFolder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const waited = setTimeout(() => child.kill('SIGKILL'), waitMs);
  const silent = new Promise<'silent'>((end) => setTimeout(end, waitMs + 200, 'silent').unref());
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  // A process that waits for a dead network drive does not end even when it is killed.
  const result = await Promise.race([ended, silent]);
  clearTimeout(waited);
  if (result === 'silent' || child.signalCode === 'SIGKILL') {
    child.unref();
    throw unusable(path, `no answer after ${waitMs / 1000} s. Is it on a network drive that is away?`);
  }
  const [stdout, stderr] = result;
  if (child.exitCode !== 0) throw new Error(`${script} failed: ${stderr}`);
  if (stdout === '') return;
  const found: InTheWay = JSON.parse(stdout);
  throw explain(path, found);
}

function explain(path: string, found: InTheWay): DataFolderError {
  switch (found.kind) {
    case 'not_a_folder':
      return unusable(path, 'it is not a folder, or a part of the path is not.');
    case 'of_another_user':
      return unusable(path, 'it belongs to another user.');
    case 'not_a_file':
      return unusable(path, `${found.path} is neither a file nor a folder of a run. Move it away.`);
    case 'other_files': {
      const advice = 'choose a folder for the local run alone';
      return new DataFolderError(`The data folder ${path} holds other files, and other users may enter it: ${advice}.`);
    }
    case 'error': {
      const reason = found.code === 'ENOENT' ? 'no folder can be made there (ENOENT)' : reasonOf(found.code);
      return unusable(path, `it cannot be written: ${reason ?? found.code}.`);
    }
  }
}

function unusable(path: string, why: string): DataFolderError {
  return new DataFolderError(`The data folder ${path} cannot be used: ${why}`);
}
