import { WAKE_SHARDS } from '../cancellation/pace.ts';
import type { PartnerId } from '../identifiers.ts';
import { sha256 } from '../sha256.ts';

// Where the wake-up index has attempts to deliver callbacks: beside the cancellations' wake-ups, whose parts are `0` to `3`.

/** The part of the index for attempts that are due at a time. @param part from 0 up to WAKE_SHARDS */
export function dueShard(part: number): string {
  return `callbacks-${part}`;
}

/** Whether the schedule searches a part of the index for attempts that are due. */
export function isDueShard(shard: unknown): boolean {
  return typeof shard === 'string' && /^callbacks-(0|[1-9]\d*)$/.test(shard) && Number(shard.slice(10)) < WAKE_SHARDS;
}

/** @param partition the partition that the attempt is in */
export function dueShardOf(partition: string): string {
  return dueShard(Number.parseInt(sha256(partition).slice(0, 4), 16) % WAKE_SHARDS);
}

/** The part of the index for a partner's callbacks that are kept until an operator replays them. */
export function keptShard(partnerId: PartnerId): string {
  return `kept#${partnerId}`;
}
