import { createHash } from 'node:crypto';
import type { Timestamp } from '../identifiers.ts';
import { sha256 } from '../sha256.ts';

/**
 * What is wrong with a record of the cancellation log: stable codes.
 *
 * - `altered`: it is not what was written.
 * - `missing`: a sequence number has no event.
 * - `out_of_place`: it may not stand here: swapped, copied, inserted, or dated before what it follows.
 * - `truncated`: the stream's newest events were cut off.
 * - `foreign`: it belongs to another stream, or this log does not write its key.
 * - `unreadable`: it agrees with its hash, if it has one, but is not a record of this service.
 * - `orphaned`: it joined a cancellation that was deleted.
 * - `unerased`: an erasure names it, and it still has its texts: the erasure is to be finished.
 */
export type FindingCode =
  | 'altered'
  | 'missing'
  | 'out_of_place'
  | 'truncated'
  | 'foreign'
  | 'unreadable'
  | 'orphaned'
  | 'unerased';

export interface Finding {
  readonly code: FindingCode;
  /** The partition key: a stream, or a day of refused requests. */
  readonly stream: string;
  /** The number of the event; absent for a record that is not an event. */
  readonly seq?: number;
  /** The sort key of a record that is not an event. */
  readonly record?: string;
  /** One sentence for an operator. It names keys, never what a partner wrote. */
  readonly what: string;
}

/** Machines that write to one partition may have clocks this far apart. */
export const CLOCK_SKEW_MS = 60_000;

/** What decides whether a wake-up is ever seen. */
export interface WakeUpReader {
  /** How many shards of wake-ups the reconciler reads. */
  readonly shards: number;
  /** When the log is read, in milliseconds since 1970. */
  readonly nowMs: number;
  /** The records are those of the archive: it has neither texts nor wake-ups. @default false */
  readonly isArchive?: boolean;
}

/** An item as stored: its partition key is known, and everything but the keys and the wake-up is a field. */
export interface StoredRecord {
  /** The sort key. */
  readonly key: string;
  readonly wakeShard?: unknown;
  readonly wakeAt?: unknown;
  readonly lookedAt?: unknown;
  readonly looks?: unknown;
  /** Of a record in the archive: whether its texts were erased. */
  readonly wasErased?: boolean;
  /** Every other attribute, also those that no version of the service writes. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A record whose sort key is that of an event. */
export interface StoredEvent extends StoredRecord {
  readonly seq: number;
}

/** An event of a stream, as stored, whose hash stands for all events before it. */
export interface StreamHead {
  readonly stream: string;
  readonly seq: number;
  readonly hash: string;
  /** Absent if the stream is open after it. */
  readonly closedAt?: Timestamp | undefined;
}

export interface HeadsDigest {
  add(head: Pick<StreamHead, 'stream' | 'seq' | 'hash'>): void;
  /** 64 hex digits. */
  value(): string;
}

/** 1024 lanes of 16 bits: enough to make it infeasible to find other heads of the same sum (LtHash, Bellare & Micciancio 1997). */
const LANES = 1024;

/**
 * Computes one hash of all stream heads, in any order and in constant memory: each head is spread over many lanes, the
 * lanes are added up, and the sums are hashed.
 *
 * Written down where the table's administrators cannot write, it shows later what the log alone cannot: that a closed
 * stream was deleted, inserted, or rewritten with all its hashes. What a stream was when it closed never changes, so the
 * digest of the newest closing of each before a past day must stay the same.
 */
export function createHeadsDigest(): HeadsDigest {
  const lanes = new Uint16Array(LANES);
  return {
    add({ stream, seq, hash }) {
      const bytes = createHash('shake128', { outputLength: 2 * LANES })
        .update(JSON.stringify([stream, seq, hash]))
        .digest();
      for (const [lane, sum] of lanes.entries()) lanes[lane] = sum + bytes.readUInt16LE(2 * lane);
    },
    value: () => sha256(lanes.join()),
  };
}
