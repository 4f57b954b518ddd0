import type { Timestamp } from '../identifiers.ts';
import { daysAfter } from '../retention.ts';
import { sha256 } from '../sha256.ts';
import { erasableAttributes, FORMAT } from './commitment.ts';
import type { CancellationEvent, EventBody } from './events.ts';
import { type StreamName, streamKey } from './stream-key.ts';

/** The `previousHash` of a stream's first event: it ties the stream to its name, so that no event fits another stream. */
export function genesisHash(name: StreamName): string {
  return sha256(streamKey(name));
}

const outsideTheHash: ReadonlySet<string> = new Set(['hash', ...erasableAttributes]);

/**
 * SHA-256, in hex, of an event's fields except `hash`, and except the texts that can be erased, whose commitments it has: as
 * JSON pairs sorted by name. Events are flat and hold only strings and numbers, so this is canonical. The wake-up is not a
 * field of the event: scheduling is not history. docs/audit-format.md has the exact bytes.
 */
export function hashEvent(event: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(event).filter(([name, value]) => !outsideTheHash.has(name) && value !== undefined);
  return sha256(JSON.stringify(fields.sort(([a], [b]) => (a < b ? -1 : 1))));
}

/**
 * Makes a body the event that follows `previous`, chained to it by hash.
 * @param place its `keptDays` count from the stream's first event, whose date the others repeat
 */
export function sealEvent<Body extends EventBody>(
  { partnerId, jobId }: StreamName,
  previous: Pick<CancellationEvent, 'seq' | 'hash' | 'deleteAfter'> | undefined,
  body: Body,
  { eventId, at, keptDays }: { readonly eventId: string; readonly at: Timestamp; readonly keptDays: number },
): CancellationEvent<Body> {
  const seq = (previous?.seq ?? 0) + 1;
  const previousHash = previous?.hash ?? genesisHash({ partnerId, jobId });
  const deleteAfter = previous?.deleteAfter ?? daysAfter(at, keptDays);
  const event = { ...body, format: FORMAT, partnerId, jobId, seq, eventId, at, deleteAfter, previousHash };
  return { ...event, hash: hashEvent(event) };
}
