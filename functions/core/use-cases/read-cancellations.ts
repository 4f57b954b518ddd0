import type { CancellationEvent, JoinedRecord } from '../cancellation/events.ts';
import { BrokenStream, type CancellationState, foldEvents } from '../cancellation/state.ts';
import type { StreamName } from '../cancellation/stream-key.ts';
import type { ExternalId, JobId, PartnerId, Timestamp } from '../identifiers.ts';
import { type DirectoryEntry, type JobPages, newestFirst, type Ports, type ReadableLog } from '../ports.ts';
import { reportFailure, reportUnreadable } from '../report.ts';

/** A cancellation with everything on record about it. */
export interface CancellationView {
  readonly state: CancellationState;
  readonly events: readonly CancellationEvent[];
  /** The newest `joined` records, oldest first. */
  readonly joined: readonly JoinedRecord[];
  /** How many `joined` records there are, counted up to {@link JOINED_COUNTED}. */
  readonly joinedCount: number;
  /** The keys of `joined` records that are left out because they are malformed. */
  readonly unreadable: readonly string[];
  /** Absent once the cancellation is closed. */
  readonly wakeAt?: Timestamp | undefined;
}

/** What it takes to show cancellations. */
export interface ReadPorts extends Pick<Ports, 'report'> {
  readonly log: ReadableLog;
  readonly directory: JobPages;
}

/** The most `joined` records that one cancellation shows. */
export const JOINED_SHOWN = 100;
/** Counting costs a read of what is counted, so it ends here: this many stands for this many or more. */
export const JOINED_COUNTED = 1_000;
/** The most jobs that one page of an externalId covers. */
export const JOBS_SHOWN = 20;
/** So many cancellations of a page are read at the same time. */
const READ_AT_ONCE = 5;

/** @returns undefined when the partner has no cancellation of this job @throws BrokenStream, DependencyUnavailable */
export async function readCancellation(
  { log }: Pick<ReadPorts, 'log'>,
  partnerId: PartnerId,
  jobId: JobId,
): Promise<CancellationView | undefined> {
  const [stream, joined] = await Promise.all([
    log.read(partnerId, jobId),
    log.readJoined(partnerId, jobId, { shown: JOINED_SHOWN, counted: JOINED_COUNTED }),
  ]);
  const { events, wakeAt } = stream;
  const state = foldEvents(events);
  if (state === undefined) return undefined;
  const { items, count, unreadable } = joined;
  return { state, events, joined: items, joinedCount: count, unreadable, wakeAt };
}

/** Which page of an externalId's cancellations is read. */
export interface PageRequest {
  readonly partnerId: PartnerId;
  readonly externalId: ExternalId;
  /** The most jobs that the page covers. */
  readonly limit: number;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
  /** The most bytes that the page's cancellations take, as `bytesOf` measures them. */
  readonly maxBytes: number;
  readonly bytesOf: (view: CancellationView) => number;
}

/** What is on record under an externalId. A job without a cancellation has no view. */
export type FoundCancellations =
  | { readonly kind: 'job_not_found' }
  /** There is something on record, and nothing of it can be read. */
  | { readonly kind: 'unresolved' }
  | {
      readonly kind: 'cancellations';
      /** The newest job's first. */
      readonly views: readonly CancellationView[];
      /** The next page begins after this jobId. Absent on the last page. */
      readonly next?: string | undefined;
    };

/**
 * One page of the cancellations of the partner's jobs with this externalId. The pages are in the order of the jobIds, the
 * highest first, so that no job is skipped or repeated whatever is registered meanwhile. A page ends early where it
 * would take too many bytes; it shows at least one cancellation, so that a caller always advances.
 */
export async function readCancellationsOf(
  ports: ReadPorts,
  { partnerId, externalId, limit, after, maxBytes, bytesOf }: PageRequest,
): Promise<FoundCancellations> {
  const { items, unreadable, next } = await ports.directory.findPage(partnerId, externalId, { limit, after });
  reportUnreadable(ports.report, 'job-directory', unreadable);
  // An unverified registration may be of anybody's job: nothing about it is shown.
  const entries = items.filter(({ verifiedAt }) => verifiedAt !== undefined);
  const isOnlyPage = after === undefined && next === undefined;
  if (entries.length === 0 && isOnlyPage) {
    return { kind: unreadable.length > 0 ? 'unresolved' : 'job_not_found' };
  }
  const shown: { readonly entry: DirectoryEntry; readonly view: CancellationView }[] = [];
  let [bytes, broken] = [0, 0];
  for (let from = 0; from < entries.length; from += READ_AT_ONCE) {
    const batch = entries.slice(from, from + READ_AT_ONCE);
    const views = await Promise.all(batch.map(({ jobId }) => readOrReport(ports, { partnerId, jobId })));
    for (const [n, entry] of batch.entries()) {
      const view = views[n];
      if (view === 'broken') broken += 1;
      if (view === undefined || view === 'broken') continue;
      bytes += bytesOf(view);
      const last = shown.at(-1)?.entry;
      if (bytes > maxBytes && last !== undefined) return cancellationsOf(shown, last.jobId);
      shown.push({ entry, view });
    }
  }
  if (isOnlyPage && shown.length === 0 && broken > 0) return { kind: 'unresolved' };
  return cancellationsOf(shown, next);
}

/** One broken stream does not hide the other cancellations of a page: it is left out, and the operators are told. */
export async function readOrReport(
  ports: Pick<ReadPorts, 'log' | 'report'>,
  { partnerId, jobId }: StreamName,
): Promise<CancellationView | 'broken' | undefined> {
  try {
    const view = await readCancellation(ports, partnerId, jobId);
    reportUnreadable(ports.report, 'cancellation-log', view?.unreadable ?? []);
    return view;
  } catch (error) {
    if (!(error instanceof BrokenStream)) throw error;
    reportFailure(ports.report, error, { partnerId, jobId });
    return 'broken';
  }
}

function cancellationsOf(
  shown: readonly { readonly entry: DirectoryEntry; readonly view: CancellationView }[],
  next: string | undefined,
): FoundCancellations {
  const views = shown.toSorted((a, b) => newestFirst(a.entry, b.entry)).map(({ view }) => view);
  return { kind: 'cancellations', views, next };
}
