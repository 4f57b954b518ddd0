import type { CancellationEvent, JoinedRecord } from '../cancellation/events.ts';
import { type CancellationState, foldEvents } from '../cancellation/state.ts';
import type { ExternalId, JobId, PartnerId, Timestamp } from '../identifiers.ts';
import type { Ports } from '../ports.ts';
import { reportUnreadable } from '../report.ts';

/** A cancellation with everything on record about it. */
export interface CancellationView {
  readonly state: CancellationState;
  readonly events: readonly CancellationEvent[];
  /** The newest `joined` records, oldest first. */
  readonly joined: readonly JoinedRecord[];
  /** Absent once the cancellation is closed. */
  readonly wakeAt?: Timestamp | undefined;
}

type ReadPorts = Pick<Ports, 'log' | 'directory'>;

/** The most `joined` records that one answer shows. */
export const JOINED_SHOWN = 100;
/** The most jobs that one answer by externalId covers: the newest ones. */
export const JOBS_SHOWN = 20;

/** @returns undefined when the partner has no cancellation of this job @throws BrokenStream, DependencyUnavailable */
export async function readCancellation(
  { log }: ReadPorts,
  partnerId: PartnerId,
  jobId: JobId,
): Promise<CancellationView | undefined> {
  const [stream, joined] = await Promise.all([
    log.read(partnerId, jobId),
    log.readJoined(partnerId, jobId, JOINED_SHOWN),
  ]);
  const state = foldEvents(stream.events);
  return state === undefined ? undefined : { state, events: stream.events, joined, wakeAt: stream.wakeAt };
}

/** What is on record under an externalId. A job without a cancellation has no view. */
export type FoundCancellations =
  | { readonly kind: 'job_not_found' }
  /** No record of a job can be read, but there is one. */
  | { readonly kind: 'unresolved' }
  | { readonly kind: 'cancellations'; readonly views: readonly CancellationView[] };

/** The cancellations of the partner's jobs with this externalId, the newest job first. */
export async function readCancellationsOf(
  ports: ReadPorts & Pick<Ports, 'report'>,
  partnerId: PartnerId,
  externalId: ExternalId,
): Promise<FoundCancellations> {
  const { items: entries, unreadable } = await ports.directory.find(partnerId, externalId);
  reportUnreadable(ports.report, 'job-directory', unreadable);
  if (entries.length === 0) return { kind: unreadable.length > 0 ? 'unresolved' : 'job_not_found' };
  const views = await Promise.all(
    entries.slice(0, JOBS_SHOWN).map(({ jobId }) => readCancellation(ports, partnerId, jobId)),
  );
  return { kind: 'cancellations', views: views.filter((view) => view !== undefined) };
}
