/** One total deadline over everything a call to Plangrep does. */
export interface Deadline {
  /** Resolves when the time is up; never after `clear`. */
  readonly expired: Promise<undefined>;
  /** Milliseconds left; monotonic, so that a clock set back cannot lengthen a call. */
  remaining(): number;
  clear(): void;
}

/** Monotonic milliseconds. Node's global `performance` would load a module of 1 ms for the same figure. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** @param ms milliseconds from now */
export const startDeadline = (ms: number): Deadline => {
  const endsAt = now() + ms;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  return {
    expired: promise,
    remaining: () => endsAt - now(),
    clear: () => clearTimeout(timer),
  };
};
