import type {
  CancellationEvent,
  JoinedRecord,
  NotSentReason,
  RefusedRecord,
  UnknownReason,
} from './cancellation/events.ts';
import type { ExternalId, JobId, PartnerId, ProjectId, Scope, Timestamp } from './identifiers.ts';
import type { Report } from './report.ts';

/**
 * What the core needs of the world. A port's expected ends are values; it throws {@link DependencyUnavailable} when
 * the dependency itself is broken, and nothing else on purpose.
 */
export interface Ports {
  readonly log: CancellationLog;
  readonly directory: JobDirectory;
  readonly partners: Partners;
  readonly plangrep: Plangrep;
  readonly clock: Clock;
  readonly report: Report;
}

/** What it takes to see a cancellation through that is begun: the job is known. */
export type AttemptPorts = Pick<Ports, 'log' | 'plangrep' | 'clock' | 'report'>;

export interface Clock {
  /** Milliseconds since 1970. Paces the work; safety never rests on it. */
  now(): number;
  /** From 0 up to, not including, 1: for jitter. */
  random(): number;
  /** A new unique id of at most 64 characters. */
  newId(): string;
  sleep(ms: number): Promise<void>;
}

/** A stream as read: its events in order, and the wake-up that rides on the last one. */
export interface Stream {
  readonly events: readonly CancellationEvent[];
  readonly wakeAt?: Timestamp | undefined;
}

export type Appended = { readonly kind: 'appended' } | { readonly kind: 'lost'; readonly stream: Stream };

/** When an unfinished cancellation must be looked at again: it rides on the event `seq` of the stream. */
export interface WakeUp {
  readonly partnerId: PartnerId;
  readonly jobId: JobId;
  readonly seq: number;
  readonly wakeAt: Timestamp;
}

/** The audit trail: append-only. See `core/chain.ts` for what makes an event. */
export interface CancellationLog {
  /** The whole stream, strongly consistent; no events if there is none. */
  read(partnerId: PartnerId, jobId: JobId): Promise<Stream>;
  /**
   * One conditional put: exactly one writer gets a sequence number. `lost` carries the stream as it is instead. An
   * answer that was lost on the way is told apart by `eventId`: an event of ours that is found there counts as appended.
   * @param wakeAt present exactly when the event leaves the stream unfinished
   */
  append(event: CancellationEvent, wakeAt?: Timestamp): Promise<Appended>;
  /** Into how many parts the wake-ups are spread: 0, 1 … */
  readonly shards: number;
  /** Wake-ups of a shard, the longest due first; eventually consistent, as the index is. */
  wakeUps(shard: number, limit: number): Promise<readonly WakeUp[]>;
  /** @returns whether it was still there and due as given: of two reconcilers one moves it */
  moveWakeUp(wakeUp: WakeUp, to: Timestamp): Promise<boolean>;
  /** Takes a wake-up away that is still as given. */
  removeWakeUp(wakeUp: WakeUp): Promise<void>;
  recordJoined(record: JoinedRecord): Promise<void>;
  recordRefused(record: RefusedRecord): Promise<void>;
  /** The newest `joined` records of a cancellation, oldest first, at most `limit`. */
  readJoined(partnerId: PartnerId, jobId: JobId, limit: number): Promise<readonly JoinedRecord[]>;
}

export interface DirectoryEntry {
  readonly jobId: JobId;
  readonly registeredAt: Timestamp;
  readonly projectId?: ProjectId | undefined;
  /** Found in a listing of the partner's projects, not registered: a newer job may bear the externalId unheard-of. */
  readonly listed?: boolean | undefined;
  /** The terminal status that a job read showed: frozen, so it need not be read again. */
  readonly terminalStatus?: string | undefined;
}

/** The order in which the directory answers. */
export const newestFirst = (a: DirectoryEntry, b: DirectoryEntry): number =>
  `${a.registeredAt}#${a.jobId}` < `${b.registeredAt}#${b.jobId}` ? 1 : -1;

/** The job is in the directory as asked, now or since before; or it is taken: by whom is nobody's business. */
export type Registered = { readonly kind: 'registered'; readonly entry: DirectoryEntry } | { readonly kind: 'taken' };

export interface Partners {
  /** The Plangrep projects that the partner's record names: where jobs are looked for that nobody registered. */
  projectsOf(partnerId: PartnerId): Promise<readonly ProjectId[]>;
}

/** A credential of a partner as it is stored: without its secret. */
export interface PartnerKey {
  readonly partnerId: PartnerId;
  /** SHA-256, in hex, of the credential's secret part. */
  readonly secretHash: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: Timestamp | undefined;
  readonly revokedAt?: Timestamp | undefined;
}

/** @returns undefined when there is no such key; an expired or revoked one is returned @throws DependencyUnavailable */
export type ReadPartnerKey = (keyId: string) => Promise<PartnerKey | undefined>;

/** What an `Idempotency-Key` or an event's `id` stood for when first seen. */
export interface RequestBinding {
  /** Tells the same request from another one under the same key. */
  readonly fingerprint: string;
  readonly firstSeenAt: Timestamp;
  /** Absent while the request has reached no job. */
  readonly jobId?: JobId | undefined;
}

/** Which jobs stand behind a partner's externalId. Reads are strongly consistent. */
export interface JobDirectory {
  /** Newest first. */
  find(partnerId: PartnerId, externalId: ExternalId): Promise<readonly DirectoryEntry[]>;
  /**
   * Puts a job behind an externalId; idempotent: the first registration stands, with its time. A job belongs to one
   * partner and one externalId, the first that registers it.
   */
  register(partnerId: PartnerId, externalId: ExternalId, entry: DirectoryEntry): Promise<Registered>;
  /** Marks a job whose terminal status a job read showed. */
  rememberTerminal(partnerId: PartnerId, externalId: ExternalId, jobId: JobId, status: string): Promise<void>;
  readBinding(partnerId: PartnerId, requestKey: string): Promise<RequestBinding | undefined>;
  /** Answers the binding that stands: the given one, or the one that another request made first. */
  bind(partnerId: PartnerId, requestKey: string, binding: RequestBinding): Promise<RequestBinding>;
}

/**
 * A job as Plangrep shows it, cut to what this service may know: read leniently (only `id` and `status` are sure), the
 * status kept as it is even when unknown.
 */
export interface PlangrepJob {
  readonly id: JobId;
  readonly status: string;
  readonly externalId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly pageCount?: number | undefined;
  readonly successfulPageCount?: number | undefined;
  readonly creditsDebited?: number | undefined;
  readonly createdAt?: string | undefined;
}

/** A call to Plangrep that gave no job. Closed union; the first four are sure to have changed nothing. */
export type PlangrepFailure =
  /** 429. `retryAfterMs` is the clamped Retry-After (1 s … 15 min); absent when there was none that made sense. */
  | { readonly kind: 'rate_limited'; readonly retryAfterMs?: number | undefined }
  /** 401 with the newest key that Secrets Manager has. */
  | { readonly kind: 'key_refused' }
  /** Nothing happened at Plangrep: no request left, or only one that a 401 turned away. */
  | { readonly kind: 'not_sent'; readonly why: NotSentReason }
  /** Any other 4xx. */
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly code?: string | undefined }
  | { readonly kind: 'unknown'; readonly why: UnknownReason; readonly httpStatus?: number | undefined };

export type CancelAnswer = { readonly kind: 'job'; readonly job: PlangrepJob } | PlangrepFailure;
/** `not_found`: 404, Plangrep has no such job. */
export type ReadAnswer =
  | { readonly kind: 'job'; readonly job: PlangrepJob }
  | { readonly kind: 'not_found' }
  | PlangrepFailure;
export type ListAnswer =
  | { readonly kind: 'jobs'; readonly jobs: readonly PlangrepJob[] }
  | { readonly kind: 'not_found' }
  | PlangrepFailure;

/**
 * Plangrep's jobs API (docs.plangrep.com, API reference, Jobs). Never throws for what Plangrep does. Each call has one
 * total deadline of 5 s, or `untilMs` (milliseconds since 1970) if that is sooner.
 */
export interface Plangrep {
  cancel(jobId: JobId, untilMs: number): Promise<CancelAnswer>;
  read(jobId: JobId, untilMs: number): Promise<ReadAnswer>;
  list(projectId: ProjectId, untilMs: number): Promise<ListAnswer>;
}
