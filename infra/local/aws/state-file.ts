import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type * as z from 'zod/mini';

/** A JSON file that keeps a part's state between runs, readable only for its owner. */
export interface StateFile<State> {
  /** @returns what the last run saved, if there is a file @throws when the file has other content */
  read(): State | undefined;
  /** Saves all of the state: a killed process leaves the old state or the new one, never a mixture. */
  write(state: State): void;
}

/** @param path without it nothing is kept */
export function stateFile<State>(path: string | undefined, schema: z.ZodMiniType<State>): StateFile<State> {
  if (path === undefined) return { read: () => undefined, write: () => undefined };
  return {
    read: () => {
      const text = readIfPresent(path);
      return text === undefined ? undefined : schema.parse(JSON.parse(text));
    },
    write: (state) => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(`${path}.new`, JSON.stringify(state, null, 2), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    },
  };
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
