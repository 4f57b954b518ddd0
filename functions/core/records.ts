/** Records that were read together. A malformed one is left out, and does not hide the others. */
export interface Records<Value> {
  readonly items: readonly Value[];
  /** Which records were left out, by names that contain nothing a partner wrote. */
  readonly unreadable: readonly string[];
}
