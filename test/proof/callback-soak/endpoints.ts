import type { CallbackAnswer } from '../../../functions/core/callbacks/ports.ts';
import type { Random } from '../simulation/random.ts';

/** What a partner's endpoint does with one call. */
export interface Meeting {
  /** Whether its code runs: it has the callback, whatever is heard of that. */
  readonly isReceived: boolean;
  readonly tookMs: number;
  readonly answer: CallbackAnswer;
}

/** How an endpoint behaves for a while. */
export type Mood = 'up' | 'flapping' | 'down' | 'limited' | 'gone';

const HOUR = 3_600_000;
const answered = (httpStatus: number, retryAfterMs?: number) =>
  ({ kind: 'answered', httpStatus, retryAfterMs }) as const;
const failed = (why: Extract<CallbackAnswer, { kind: 'failed' }>['why']) => ({ kind: 'failed', why }) as const;

/** What goes wrong at endpoints, each as likely as the others. */
const faults: readonly ((random: Random) => Meeting)[] = [
  () => ({ isReceived: false, tookMs: 30, answer: answered(500) }),
  () => ({ isReceived: false, tookMs: 30, answer: answered(301) }),
  () => ({ isReceived: false, tookMs: 30, answer: answered(429, 7_000) }),
  () => ({ isReceived: false, tookMs: 30, answer: answered(503, 2 * HOUR) }),
  () => ({ isReceived: false, tookMs: 5, answer: failed('not_connected') }),
  () => ({ isReceived: false, tookMs: 5, answer: failed('not_resolved') }),
  () => ({ isReceived: false, tookMs: 20, answer: failed('tls') }),
  () => ({ isReceived: true, tookMs: 50, answer: failed('too_large') }),
  (random) => ({ isReceived: random.chance(0.5), tookMs: 40, answer: failed('closed_early') }),
  (random) => ({ isReceived: random.chance(0.5), tookMs: 10_000, answer: failed('timeout') }),
];
const [one, ...others] = faults;

/** @param share of the calls of an endpoint that is up that meet a fault */
export function meet(mood: Mood, share: number, random: Random): Meeting {
  switch (mood) {
    case 'down':
      return { isReceived: false, tookMs: 10_000, answer: failed('timeout') };
    case 'gone':
      return { isReceived: false, tookMs: 30, answer: answered(410) };
    case 'limited':
      return { isReceived: false, tookMs: 30, answer: answered(429, HOUR) };
    case 'flapping':
    case 'up': {
      const isFault = random.chance(mood === 'up' ? share : 0.5);
      if (isFault && one !== undefined) return random.pick([one, ...others])(random);
      return { isReceived: true, tookMs: random.between(20, 400), answer: answered(random.pick([200, 202, 204])) };
    }
  }
}
