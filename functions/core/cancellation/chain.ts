import { createHash } from 'node:crypto';
import type { CancellationEvent, EventBody } from './events.ts';
import type { Timestamp } from '../identifiers.ts';
import { type StreamName, streamKey } from './stream-key.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What the first event of a stream carries as its `previousHash`: so no event can be moved to another stream. */
export const genesisHash = (name: StreamName): string => sha256(streamKey(name));

/**
 * SHA-256, in hex, of an event's fields but `hash`: as JSON pairs sorted by name. Events are flat and hold only
 * strings and numbers, so this is canonical. The wake-up is no field of the event: scheduling is not history.
 */
export const hashEvent = (event: Readonly<Record<string, unknown>>): string =>
  sha256(
    JSON.stringify(
      Object.entries(event)
        .filter(([name, value]) => name !== 'hash' && value !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  );

/** Gives a body its place: the number after `previous`, chained to it by hash. */
export const sealEvent = <Body extends EventBody>(
  { partnerId, jobId }: StreamName,
  previous: Pick<CancellationEvent, 'seq' | 'hash'> | undefined,
  body: Body,
  { eventId, at }: { eventId: string; at: Timestamp },
): CancellationEvent<Body> => {
  const event = {
    ...body,
    partnerId,
    jobId,
    seq: (previous?.seq ?? 0) + 1,
    eventId,
    at,
    previousHash: previous?.hash ?? genesisHash({ partnerId, jobId }),
  };
  return { ...event, hash: hashEvent(event) };
};
