/** A bug put into the production code: one text of one file replaced by another. */
export interface SeededBug {
  readonly name: string;
  /** Relative to the project. */
  readonly file: string;
  /** Must be in the file exactly once, or the build fails: a change of the code cannot switch a bug off unnoticed. */
  readonly from: string;
  readonly to: string;
}

/** A bug that the tests in one file catch: it is in what the simulation knows nothing of. */
export interface TestedBug extends SeededBug {
  /** Relative to `test/`, without its ending. */
  readonly test: string;
}

/** @param file relative to the project, without its ending */
export const caughtBy =
  (test: string) =>
  (file: string, name: string, from: string, to: string): TestedBug => ({ name, file: `${file}.ts`, from, to, test });

/** @param file in the core, without its ending */
export const core = (file: string, name: string, from: string, to: string): SeededBug => ({
  name,
  file: `functions/core/${file}.ts`,
  from,
  to,
});
