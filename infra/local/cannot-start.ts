/** Why the local run cannot start, in one line that tells what to do: shown as it is, without a stack. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

/** What listening failed for: a port that is taken is the caller's to change; anything else is a bug, and stays as it is. */
export const explainPort = (error: unknown, port: number): unknown => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return new CannotStart(`Port ${port} is in use: choose another with PORT=...`);
  if (code === 'EACCES') return new CannotStart(`Port ${port} needs more rights: choose one above 1023 with PORT=...`);
  return error;
};
