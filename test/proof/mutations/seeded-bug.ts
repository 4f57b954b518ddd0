/** A bug put into the production code: one text of one file replaced by another. */
export interface SeededBug {
  readonly name: string;
  /** Relative to the project. */
  readonly file: string;
  /** Must be in the file exactly once, or the build fails: a change of the code cannot switch a bug off unnoticed. */
  readonly from: string;
  readonly to: string;
}

/** @param file in the core, without its ending */
export const core = (file: string, name: string, from: string, to: string): SeededBug => ({
  name,
  file: `functions/core/${file}.ts`,
  from,
  to,
});
