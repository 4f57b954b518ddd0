import type { CallbackRecord } from '../callbacks/callback-record.ts';
import type { CancellationEvent, JoinedRecord } from '../cancellation/events.ts';
import {
  BrokenStream,
  type CancellationState,
  foldEvents,
  isNamed,
  type NamedCancellation,
} from '../cancellation/state.ts';
import type { StreamName } from '../cancellation/stream-key.ts';
import { type ExternalId, type JobId, type PartnerId, type Timestamp, toTimestamp } from '../identifiers.ts';
import { type DirectoryEntry, isExpired, type JobPages, newestFirst } from '../job-directory.ts';
import type { CancellationLog, Polls, Ports, Stream } from '../ports.ts';
import type { Records } from '../records.ts';
import { type Refusal, type Refusals, REFUSALS_DAYS } from '../refusals.ts';
import { reportFailure, reportUnreadable } from '../report.ts';

/** The log as those see it who show it. */
export interface ReadableLog extends Pick<CancellationLog, 'read'> {
  /** {@link CancellationLog.read}, with the attempts to tell the partner of its events, each event's in their order. */
  readTold(
    partnerId: PartnerId,
    jobId: JobId,
  ): Promise<{ readonly stream: Stream; readonly callbacks: Records<CallbackRecord> }>;
  readJoined(partnerId: PartnerId, jobId: JobId, limits: JoinedLimits): Promise<Joined>;
}

export interface JoinedLimits {
  /** The most records that are returned. */
  readonly shown: number;
  /** Counting ends here: a count that reaches it stands for this many or more. */
  readonly counted: number;
}

/** The newest requests that joined a cancellation, oldest first. */
export interface Joined extends Records<JoinedRecord> {
  /** How many there are, with those that cannot be read. */
  readonly count: number;
}

/** A cancellation with everything on record about it. */
export interface CancellationView {
  readonly state: CancellationState;
  readonly events: readonly CancellationEvent[];
  /** The newest `joined` records, oldest first. */
  readonly joined: readonly JoinedRecord[];
  /** How many `joined` records there are, counted up to {@link JOINED_COUNTED}. */
  readonly joinedCount: number;
  /** The newest attempts to tell the partner, oldest first. */
  readonly callbacks: readonly CallbackRecord[];
  /** The keys of `joined` and `callback` records that are left out because they are malformed. */
  readonly unreadable: readonly string[];
  /** Absent once the cancellation is closed. */
  readonly wakeAt?: Timestamp | undefined;
  /** How often Plangrep was asked about the job, by attempts and polls, and when that was last begun. */
  readonly looks: number;
  readonly lastLookedAt: Timestamp;
}

/** One whose externalId was not erased. A partner sees no other: an erased one is a job that was never registered. */
export interface NamedView extends CancellationView {
  readonly state: NamedCancellation;
}

/** What it takes to show cancellations. */
export interface ReadPorts extends Pick<Ports, 'report' | 'clock'> {
  readonly log: ReadableLog;
  readonly directory: JobPages & Refusals;
}

/** The most `joined` records that one cancellation shows. */
export const JOINED_SHOWN = 100;
/** The most attempts to tell the partner that one cancellation shows. */
export const CALLBACKS_SHOWN = 50;
/** Counting costs a read of what is counted, so it ends here: this many stands for this many or more. */
export const JOINED_COUNTED = 1_000;
/** The most jobs that one page of an externalId covers. */
export const JOBS_SHOWN = 20;
/** The most refusals that are shown, and how far they are counted: this many stands for this many or more. */
export const REFUSALS_SHOWN = 20;
export const REFUSALS_COUNTED = 100;
/** So many cancellations of a page are read at the same time. */
const READ_AT_ONCE = 5;

/** @returns undefined when the partner has no cancellation of this job @throws BrokenStream, DependencyUnavailable */
export async function readCancellation(
  { log }: Pick<ReadPorts, 'log'>,
  partnerId: PartnerId,
  jobId: JobId,
): Promise<CancellationView | undefined> {
  const [{ stream, callbacks }, joined] = await Promise.all([
    log.readTold(partnerId, jobId),
    log.readJoined(partnerId, jobId, { shown: JOINED_SHOWN, counted: JOINED_COUNTED }),
  ]);
  const { events, wakeAt, polls } = stream;
  const state = foldEvents(events);
  if (state === undefined) return undefined;
  const told = callbacks.items.toSorted((a, b) => (a.at < b.at ? -1 : 1)).slice(-CALLBACKS_SHOWN);
  const unreadable = [...callbacks.unreadable, ...joined.unreadable];
  const seen = { state, events, joined: joined.items, joinedCount: joined.count, callbacks: told, unreadable, wakeAt };
  return { ...seen, ...looksOf(state, events, polls) };
}

function looksOf(
  { attempts, requestedAt }: CancellationState,
  events: readonly CancellationEvent[],
  polls: Polls | undefined,
): Pick<CancellationView, 'looks' | 'lastLookedAt'> {
  const begun = events.filter(({ type }) => type === 'attempt_started').map(({ at }) => at);
  const polled = polls === undefined ? [] : [polls.lastAt];
  const looksMs = [requestedAt, ...begun, ...polled].map((at) => Date.parse(at));
  return { looks: attempts + (polls?.count ?? 0), lastLookedAt: toTimestamp(Math.max(...looksMs)) };
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
  readonly bytesOf: (view: NamedView) => number;
}

/** What is on record under an externalId. A job without a cancellation has no view. */
export type FoundCancellations =
  | { readonly kind: 'job_not_found' }
  /** There is something on record, and nothing of it can be read. */
  | { readonly kind: 'unresolved' }
  | {
      readonly kind: 'cancellations';
      /** The newest job's first. */
      readonly views: readonly NamedView[];
      /** The next page begins after this jobId. Absent on the last page. */
      readonly next?: string | undefined;
      readonly refused: RefusedRequests;
    };

/** The requests for an externalId that reached no job, the same on every page. */
export interface RefusedRequests {
  /** The newest first. */
  readonly refusals: readonly Refusal[];
  /** How many there are, with those that cannot be read, counted up to {@link REFUSALS_COUNTED}. */
  readonly count: number;
}

/**
 * One page of the cancellations of the partner's jobs with this externalId. The pages are in the order of the jobIds, the
 * highest first, so that no job is skipped or repeated whatever is registered meanwhile. A page ends early where it
 * would take too many bytes; it shows at least one cancellation, so that a caller always advances.
 */
export async function readCancellationsOf(
  ports: ReadPorts,
  { partnerId, externalId, limit, after, maxBytes, bytesOf }: PageRequest,
): Promise<FoundCancellations> {
  const [{ items, unreadable, next }, refused] = await Promise.all([
    ports.directory.findPage(partnerId, externalId, { limit, after }),
    readRefused(ports, partnerId, externalId),
  ]);
  reportUnreadable(ports.report, 'job-directory', unreadable);
  const now = toTimestamp(ports.clock.now());
  // An unverified registration may be of anybody's job: nothing about it is shown.
  const entries = items.filter((entry) => entry.verifiedAt !== undefined && !isExpired(entry, now));
  const isOnlyPage = after === undefined && next === undefined;
  if (entries.length === 0 && isOnlyPage) {
    if (unreadable.length > 0) return { kind: 'unresolved' };
    return refused.count > 0 ? cancellationsOf([], next, refused) : { kind: 'job_not_found' };
  }
  const shown: { readonly entry: DirectoryEntry; readonly view: NamedView }[] = [];
  let [bytes, broken] = [0, 0];
  for (let from = 0; from < entries.length; from += READ_AT_ONCE) {
    const batch = entries.slice(from, from + READ_AT_ONCE);
    const views = await Promise.all(batch.map(({ jobId }) => readOrReport(ports, { partnerId, jobId })));
    for (const [n, entry] of batch.entries()) {
      const view = views[n];
      if (view === 'broken') broken += 1;
      if (view === undefined || view === 'broken' || !isNamedView(view)) continue;
      bytes += bytesOf(view);
      const last = shown.at(-1)?.entry;
      if (bytes > maxBytes && last !== undefined) return cancellationsOf(shown, last.jobId, refused);
      shown.push({ entry, view });
    }
  }
  if (isOnlyPage && shown.length === 0 && broken > 0) return { kind: 'unresolved' };
  return cancellationsOf(shown, next, refused);
}

/** @see NamedView */
export function isNamedView(view: CancellationView): view is NamedView {
  return isNamed(view.state);
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
  shown: readonly { readonly entry: DirectoryEntry; readonly view: NamedView }[],
  next: string | undefined,
  refused: RefusedRequests,
): FoundCancellations {
  const views = shown.toSorted((a, b) => newestFirst(a.entry, b.entry)).map(({ view }) => view);
  return { kind: 'cancellations', views, next, refused };
}

/** They are the partner's own requests: that there are some says nothing about any job. */
async function readRefused(
  { directory, clock, report }: ReadPorts,
  partnerId: PartnerId,
  externalId: ExternalId,
): Promise<RefusedRequests> {
  const since = toTimestamp(clock.now() - REFUSALS_DAYS * 86_400_000);
  const { items, unreadable } = await directory.findRefusals(partnerId, externalId, { since, limit: REFUSALS_COUNTED });
  reportUnreadable(report, 'job-directory', unreadable);
  return { refusals: items.slice(0, REFUSALS_SHOWN), count: items.length + unreadable.length };
}
