import type { Replay } from './callback-message.ts';
import type { CallbackRecord } from './callback-record.ts';

/** A message may arrive a little early, and clocks differ. */
const EARLY_MS = 1_000;

/** What the delivery of one record needs now. */
export type NextAttempt =
  | { readonly kind: 'due'; readonly attempt: number; readonly replay?: Replay | undefined }
  /** Its next attempt is due later: what comes after it waits too, so that the partner is told in order. */
  | { readonly kind: 'waits' }
  /** Delivered, or kept until an operator replays it. */
  | { readonly kind: 'settled' };

/**
 * @param attempts on record, in their order
 * @param isPaused whether the partner's callbacks are paused now
 */
export function nextAttempt(
  attempts: readonly Pick<CallbackRecord, 'result' | 'attempt' | 'nextAt' | 'replayId'>[],
  {
    isPaused,
    replay,
    nowMs,
  }: { readonly isPaused: boolean; readonly replay?: Replay | undefined; readonly nowMs: number },
): NextAttempt {
  const last = attempts.at(-1);
  const first = { kind: 'due', attempt: 1, replay } as const;
  if (last === undefined) return first;
  const isReplayed = replay !== undefined && attempts.every(({ replayId }) => replayId !== replay.id);
  switch (last.result) {
    case 'erased':
      return { kind: 'settled' };
    case 'delivered':
      return isReplayed && replay.all ? first : { kind: 'settled' };
    case 'paused':
      // Also without a replay: a later notice of the same job does not overtake it.
      return isPaused ? { kind: 'settled' } : first;
    case 'failed':
      if (isReplayed) return first;
      if (last.nextAt === undefined) return { kind: 'settled' };
      if (Date.parse(last.nextAt) > nowMs + EARLY_MS && !isPaused) return { kind: 'waits' };
      return { kind: 'due', attempt: last.attempt + 1 };
  }
}

/**
 * The newest replay on record. It counts for all that there is to tell about its subject, also for what comes after an
 * attempt of it that failed.
 */
export function newestReplay(
  notices: readonly { readonly attempts: readonly Pick<CallbackRecord, 'at' | 'replayId' | 'replaysAll'>[] }[],
): Replay | undefined {
  let newest: { readonly at: string; readonly id: string; readonly all: boolean } | undefined;
  for (const { at, replayId: id, replaysAll: all = false } of notices.flatMap(({ attempts }) => attempts)) {
    if (id !== undefined && at >= (newest?.at ?? '')) newest = { at, id, all };
  }
  return newest && { id: newest.id, all: newest.all };
}
