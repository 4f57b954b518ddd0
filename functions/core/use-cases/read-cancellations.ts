import type { CancellationEvent, JoinedRecord } from '../cancellation/events.ts';
import { type CancellationState, foldEvents } from '../cancellation/state.ts';
import type { ExternalId, JobId, PartnerId, Timestamp } from '../identifiers.ts';
import type { Ports } from '../ports.ts';

/** A cancellation with everything that is on record of it. */
export interface CancellationView {
  readonly state: CancellationState;
  readonly events: readonly CancellationEvent[];
  /** The newest `joined` records, oldest first. */
  readonly joined: readonly JoinedRecord[];
  readonly wakeAt?: Timestamp | undefined;
}

type ReadPorts = Pick<Ports, 'log' | 'directory'>;

/** As many `joined` records as one answer shows. */
export const JOINED_SHOWN = 100;
/** As many jobs as one answer by externalId covers: the newest ones. */
export const JOBS_SHOWN = 20;

/** The cancellation of one job; nothing when the partner has none of that id. */
export const readCancellation = async (
  { log }: ReadPorts,
  partnerId: PartnerId,
  jobId: JobId,
): Promise<CancellationView | undefined> => {
  const [stream, joined] = await Promise.all([
    log.read(partnerId, jobId),
    log.readJoined(partnerId, jobId, JOINED_SHOWN),
  ]);
  const state = foldEvents(stream.events);
  return state === undefined ? undefined : { state, events: stream.events, joined, wakeAt: stream.wakeAt };
};

/**
 * The cancellations of the jobs behind an externalId, the newest job first.
 * @returns nothing when no job of this partner bears it; an empty list when none was ever to be cancelled
 */
export const readCancellationsOf = async (
  ports: ReadPorts,
  partnerId: PartnerId,
  externalId: ExternalId,
): Promise<readonly CancellationView[] | undefined> => {
  const entries = await ports.directory.find(partnerId, externalId);
  if (entries.length === 0) return undefined;
  const views = await Promise.all(
    entries.slice(0, JOBS_SHOWN).map(({ jobId }) => readCancellation(ports, partnerId, jobId)),
  );
  return views.filter((view) => view !== undefined);
};
