import { WAKE_SHARDS } from '../cancellation/pace.ts';
import type { PartnerId } from '../identifiers.ts';
import { sha256 } from '../sha256.ts';

// Where the wake-up index has attempts to deliver callbacks: beside the cancellations' wake-ups, whose parts are `0` to `3`.

/** The part of the index for attempts that are due at a time. @param part from 0 up to WAKE_SHARDS */
export function dueShard(part: number): string {
  return `callbacks-${part}`;
}

/** @param partition the partition that the attempt is in */
export function dueShardOf(partition: string): string {
  return dueShard(Number.parseInt(sha256(partition).slice(0, 4), 16) % WAKE_SHARDS);
}

/** The part of the index for a partner's callbacks that are kept until an operator replays them. */
export function keptShard(partnerId: PartnerId): string {
  return `kept#${partnerId}`;
}
