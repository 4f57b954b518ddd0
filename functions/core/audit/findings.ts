import type { Timestamp } from '../identifiers.ts';

/**
 * What is wrong with a record of the cancellation log: stable codes.
 *
 * - `altered`: it is not what was written.
 * - `missing`: a sequence number has no event.
 * - `out_of_place`: it may not stand where it stands: swapped, copied, put in, or dated before what it follows.
 * - `truncated`: the stream's newest events were cut off.
 * - `foreign`: it belongs to another stream, or its key is none of this log's.
 * - `unreadable`: it agrees with its hash, if it has one, yet it is no record that this service writes.
 * - `orphaned`: it joined a cancellation that is gone.
 */
export type FindingCode = 'altered' | 'missing' | 'out_of_place' | 'truncated' | 'foreign' | 'unreadable' | 'orphaned';

export interface Finding {
  readonly code: FindingCode;
  /** The partition: `<partnerId>#<jobId>`, or `<partnerId>#refused#<day>`. */
  readonly stream: string;
  /** The event; absent for what is no event. */
  readonly seq?: number;
  /** The sort key of a record that is no event. */
  readonly record?: string;
  /** One sentence for a person. It names keys, never what a partner wrote. */
  readonly what: string;
}

/** An item as stored: its partition key is known, and everything but the keys and the wake-up is a field. */
export interface StoredRecord {
  /** The sort key. */
  readonly key: string;
  readonly wakeShard?: unknown;
  readonly wakeAt?: unknown;
  /** Every other attribute, also such as no version of the service writes. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The newest event of a stream, as stored: its hash stands for all events before it. */
export interface StreamHead {
  readonly stream: string;
  readonly seq: number;
  readonly hash: string;
  /** Absent while the stream is open. */
  readonly closedAt?: Timestamp | undefined;
}
