import type { ErasedRecord } from './erased.ts';
import {
  type JobId,
  jobIdSchema,
  type PartnerId,
  partnerIdSchema,
  type Timestamp,
  timestampSchema,
} from '../identifiers.ts';

/** A cancellation's stream: one job of one partner. */
export interface StreamName {
  readonly partnerId: PartnerId;
  readonly jobId: JobId;
}

// The keys of the cancellation log: no other file spells or parses them. A partition is a stream or one day of a
// partner's refused requests. A stream has its events, `event#<number>`, and beside them its `joined#<time>#<id>` records.
// Both have `#erased#<time>#<id>#<part>` for texts that were erased from them, and `callback#<key>#<number>` for the attempts
// to tell the partner of the record with that key.

const REFUSED = '#refused#';
/** What the sort keys of a stream's events begin with. */
export const EVENT_PREFIX = 'event#';
/** What the sort keys of a stream's `joined` records begin with. */
export const JOINED_PREFIX = 'joined#';

/** What the sort keys of attempts to deliver a callback begin with: they sort before events, and after refused requests. */
export const CALLBACK_PREFIX = 'callback#';

/** What the sort keys of `erased` records begin with: they sort before all others, so a reader has them first. */
export const ERASED_PREFIX = '#erased#';

/**
 * Attributes beside an event and outside its hash: when it is looked at next, when it was last polled, and how often. They
 * are scheduling, not history, and the only ones that an update may change.
 */
export const schedulingAttributes = ['wakeShard', 'wakeAt', 'lookedAt', 'looks'] as const;

/** The partition of a stream: `<partnerId>#<jobId>`. */
export function streamKey({ partnerId, jobId }: StreamName): string {
  return `${partnerId}#${jobId}`;
}

/** @returns undefined for a partition that is not a stream */
export function parseStreamKey(partition: string): StreamName | undefined {
  const [partner, job, ...rest] = partition.split('#');
  const partnerId = partnerIdSchema.safeParse(partner);
  const jobId = jobIdSchema.safeParse(job);
  if (!partnerId.success || !jobId.success || rest.length > 0) return undefined;
  return { partnerId: partnerId.data, jobId: jobId.data };
}

/** The sort key of an event: at least six digits, so that the first 999,999 events of a stream sort by number. */
export function eventKey(seq: number): string {
  return `${EVENT_PREFIX}${String(seq).padStart(6, '0')}`;
}

/** @returns the event's sequence number; undefined for a key that {@link eventKey} does not write */
export function parseEventKey(key: string): number | undefined {
  if (!/^event#\d+$/.test(key)) return undefined;
  const seq = Number(key.slice(EVENT_PREFIX.length));
  return key === eventKey(seq) ? seq : undefined;
}

/** The sort key of a request that joined. */
export function joinedKey({ at, requestId }: { readonly at: Timestamp; readonly requestId: string }): string {
  return `${JOINED_PREFIX}${at}#${requestId}`;
}

/** The partition of an `erased` record or a callback's attempt: a stream, or a day of refused requests. */
export function partitionBeside({
  partnerId,
  jobId,
  day = '',
}: Pick<ErasedRecord, 'partnerId' | 'jobId' | 'day'>): string {
  return jobId === undefined ? `${partnerId}${REFUSED}${day}` : streamKey({ partnerId, jobId });
}

/** The sort key of an `erased` record. */
export function erasedKey({ at, erasureId, part }: Pick<ErasedRecord, 'at' | 'erasureId' | 'part'>): string {
  return `${ERASED_PREFIX}${at}#${erasureId}#${part}`;
}

/** The sort key of an attempt to deliver a callback. */
export function callbackKey({ about, number }: { readonly about: string; readonly number: number }): string {
  return `${CALLBACK_PREFIX}${about}#${String(number).padStart(6, '0')}`;
}

/** @returns the sort key of the record that the attempt tells of; undefined for another key */
export function parseCallbackKey(key: string): string | undefined {
  return /^callback#(.+)#\d{6,}$/.exec(key)?.[1];
}

/** The partition of a partner's refused requests of one day (UTC): `<partnerId>#refused#<day>`. */
export function refusedDayKey({ partnerId, at }: { readonly partnerId: PartnerId; readonly at: Timestamp }): string {
  return `${partnerId}${REFUSED}${dayOf(at)}`;
}

/** The day (UTC) of a time, as the partitions of refused requests have it. */
export function dayOf(at: Timestamp): string {
  return at.slice(0, 'YYYY-MM-DD'.length);
}

export function isRefusedDayKey(partition: string): boolean {
  return dayOfRefusals(partition) !== undefined;
}

/** @returns the day (UTC) whose refused requests are in the partition; undefined for another one */
export function dayOfRefusals(partition: string): string | undefined {
  return /^[^#]+#refused#(.*)$/.exec(partition)?.[1];
}

/** The sort key of a refused request within its day. */
export function refusedKey({ at, requestId }: { readonly at: Timestamp; readonly requestId: string }): string {
  return `${at}#${requestId}`;
}

/** @returns what a record of a refused request is of; undefined for keys that such a record does not have */
export function parseRefusal(partition: string, key: string) {
  const [, partner] = /^([^#]+)#refused#/.exec(partition) ?? [];
  const [, time, requestId = ''] = /^([^#]+)#(.+)$/.exec(key) ?? [];
  const partnerId = partnerIdSchema.safeParse(partner);
  const at = timestampSchema.safeParse(time);
  if (!partnerId.success || !at.success) return undefined;
  return { partnerId: partnerId.data, at: at.data, requestId };
}
