import { sealEvent } from '../cancellation/chain.ts';
import type { EventBody } from '../cancellation/events.ts';
import { applyEvent, type CancellationState, stateOf } from '../cancellation/state.ts';
import type { StreamName } from '../cancellation/stream-key.ts';
import { type Timestamp, toTimestamp } from '../identifiers.ts';
import type { Ports } from '../ports.ts';

/** Where a cancellation stands, and when it is looked at again: never once it is closed. */
export interface Standing {
  readonly state: CancellationState;
  readonly wakeAt?: Timestamp | undefined;
}

/** `lost`: another writer was first; `standing` is what it made of the cancellation. */
export interface Appending {
  readonly kind: 'appended' | 'lost';
  readonly standing: Standing;
}

/**
 * Appends what happened next to a stream.
 * @param state the stream as its writer knows it; nothing to begin one
 * @param wakeAt present exactly when the event leaves the stream unfinished
 * @throws BrokenStream for an event that may not come next: nothing is written then
 */
export const appendEvent = async (
  { log, clock }: Pick<Ports, 'log' | 'clock'>,
  name: StreamName,
  state: CancellationState | undefined,
  body: EventBody,
  wakeAt?: Timestamp,
): Promise<Appending> => {
  const event = sealEvent(name, state?.last, body, { eventId: clock.newId(), at: toTimestamp(clock.now()) });
  const next = applyEvent(state, event);
  const appended = await log.append(event, wakeAt);
  if (appended.kind === 'appended') return { kind: 'appended', standing: { state: next, wakeAt } };
  const { events, wakeAt: standingWakeAt } = appended.stream;
  return { kind: 'lost', standing: { state: stateOf(events), wakeAt: standingWakeAt } };
};
