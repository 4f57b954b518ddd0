import { explainSystemError } from '../explain-system-error.ts';
import { DataFolderError } from './aws/store/state-file.ts';

/** Why the local run cannot start, in one line that says what to do: show it without a stack. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

/** Turns what the caller can change, a port or a folder, into one clear line. Any other error is a bug and stays as it is. */
export function explainStart(error: unknown, port = 0): unknown {
  const isListening = error instanceof Error && 'syscall' in error && error.syscall === 'listen';
  const code = isListening && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return new CannotStart(`Port ${port} is in use: choose another with PORT=...`);
  if (code === 'EACCES') return new CannotStart(`Port ${port} needs more rights: choose one above 1023 with PORT=...`);
  if (code === 'EADDRNOTAVAIL')
    return new CannotStart('This machine has no 127.0.0.1: switch on its loopback interface.');
  const line = explainRunError(error);
  return line === undefined ? error : new CannotStart(line, { cause: error });
}

/**
 * One line about what the files of a run suffer, at its start or later.
 * @returns undefined for a bug, whose stack trace is wanted
 */
export function explainRunError(error: unknown): string | undefined {
  if (error instanceof DataFolderError) return error.message;
  // Of the embedded engine's store: the cause has LevelDB's own words, with the file's name.
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('LEVEL_')) {
    const { message } = error.cause instanceof Error ? error.cause : error;
    return `The tables cannot be kept: ${message}.`;
  }
  return explainSystemError(error);
}
