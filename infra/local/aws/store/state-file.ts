import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type * as z from 'zod/mini';

/** The data folder, or a file in it, cannot be used. The message is one line for the person who named the folder. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
}

/** A JSON file that keeps a part's state between runs, readable only for its owner. */
export interface StateFile<State> {
  /** @returns what the last run saved, if there is a file @throws DataFolderError when it has other content: it stays as it is */
  read(): State | undefined;
  /**
   * Saves all of the state: a killed process leaves the old state or the new one, never a mixture. It is not flushed to
   * the disk, as the embedded engine flushes nothing: what only a power failure can lose is not worth a wait for each message.
   * @throws the system's error; the old state stays
   */
  write(state: State): void;
}

/** @param path without it nothing is kept */
export function stateFile<State>(path: string | undefined, schema: z.ZodMiniType<State>): StateFile<State> {
  if (path === undefined) return { read: () => undefined, write: () => undefined };
  return {
    read: () => {
      const text = readIfPresent(path);
      if (text === undefined) return undefined;
      try {
        return schema.parse(JSON.parse(text));
      } catch (cause) {
        throw damaged(path, cause instanceof SyntaxError ? 'it is not JSON' : 'it holds something else', { cause });
      }
    },
    write: (state) => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(`${path}.new`, JSON.stringify(state, null, 2), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    },
  };
}

/**
 * @param why in words that continue "is damaged:"
 * @param options `of`: the folder that the file is of use in, if it is of none alone
 */
export function damaged(path: string, why: string, { of = path, cause }: { of?: string; cause?: unknown } = {}): Error {
  const advice = `Move ${of === path ? 'it' : of} away to start without what it keeps`;
  return new DataFolderError(`${path} is damaged: ${why}. Nothing was changed. ${advice}.`, { cause });
}

function readIfPresent(path: string): string | undefined {
  try {
    // To open a pipe would wait for its other end.
    if (!statSync(path).isFile()) throw damaged(path, 'it is not a file');
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
