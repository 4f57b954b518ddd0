/** Time as the client takes it: bring your own to test your code without waiting. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Ends after this many milliseconds, or as soon as the signal is aborted. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

/**
 * Rings after this many milliseconds, with the signal, or when called; leaves no timer and no listener behind then.
 * (`AbortSignal.any` would do, yet Node 18 lacks it.)
 * @throws the signal's reason if that is aborted already
 */
export const setAlarm = (ms: number, signal: AbortSignal | undefined, onRing: () => void): (() => void) => {
  signal?.throwIfAborted();
  const ring = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', ring);
    onRing();
  };
  const timer = setTimeout(ring, ms);
  signal?.addEventListener('abort', ring);
  return ring;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => new Promise((resolve) => setAlarm(ms, signal, resolve)),
};
