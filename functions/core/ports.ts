import type { CancellationEvent, JoinedRecord, RefusedRecord } from './cancellation/events.ts';
import type { StreamName } from './cancellation/stream-key.ts';
import type { JobId, PartnerId, ProjectId, Scope, Timestamp } from './identifiers.ts';
import type { JobDirectory } from './job-directory.ts';
import type { CancelAnswer, ListAnswer, ReadAnswer } from './plangrep.ts';
import type { Records } from './records.ts';
import type { Report } from './report.ts';
import type { Retention } from './retention.ts';

/**
 * What the core needs from outside. A port's expected ends are values. It throws `DependencyUnavailable` when the
 * dependency itself does not answer (`RecordUnreadable` when its one record is malformed); anything else that it throws is a bug.
 */
export interface Ports {
  readonly log: CancellationLog;
  readonly directory: JobDirectory;
  readonly partners: Partners;
  readonly plangrep: Plangrep;
  readonly wakeUpQueue: WakeUpQueue;
  readonly clock: Clock;
  readonly report: Report;
  readonly retention: Retention;
}

/** What it takes to complete a cancellation whose job is known. */
export type AttemptPorts = Pick<Ports, 'log' | 'plangrep' | 'wakeUpQueue' | 'clock' | 'report' | 'retention'>;

export interface Clock {
  /** Milliseconds since 1970. It paces the work; safety does not depend on it. */
  now(): number;
  /** From 0 up to, not including, 1: for jitter. */
  random(): number;
  /** A new unique id of at most 64 characters. */
  newId(): string;
  /** 128 new random bits, in hex. */
  newSalt(): string;
  sleep(ms: number): Promise<void>;
}

/** A stream as read: its events in order, and the wake-up of the last one, absent once it is closed or if it is malformed. */
export interface Stream {
  readonly events: readonly CancellationEvent[];
  readonly wakeAt?: Timestamp | undefined;
  /** The polls of the accepted cancel. Absent before the first. */
  readonly polls?: Polls | undefined;
}

/** How often a job was polled, and when the newest poll began. */
export interface Polls {
  readonly count: number;
  readonly lastAt: Timestamp;
}

/** `isCut`: more wake-ups may follow. What follows the items is due no sooner than they are. */
export interface WakeUps extends Records<WakeUp> {
  readonly isCut: boolean;
}

export type Appended = { readonly kind: 'appended' } | { readonly kind: 'lost'; readonly stream: Stream };

/** When an unfinished cancellation must be looked at again. It is stored with the event `seq` of the stream. */
export interface WakeUp extends StreamName {
  readonly seq: number;
  readonly wakeAt: Timestamp;
}

/**
 * Makes wake-ups punctual. Nothing depends on it: losing, repeating or delaying a message is harmless, because the log's
 * index has every wake-up, and a message entitles its receiver to nothing.
 */
export interface WakeUpQueue {
  /** Sends a message that arrives when the wake-up is due, or sooner. @throws DependencyUnavailable */
  send(wakeUp: WakeUp): Promise<void>;
}

/** The audit trail: append-only. `chain.ts` says how events are linked. */
export interface CancellationLog {
  /**
   * The whole stream, strongly consistent; no events if there is none. An event that has expired is left out: DynamoDB
   * deletes it some days later at the latest, and not all of a stream at once.
   */
  read(partnerId: PartnerId, jobId: JobId): Promise<Stream>;
  /**
   * One conditional put: exactly one writer gets a sequence number. `lost` carries the stream as it is instead. If the
   * answer of an earlier try was lost, the `eventId` shows whether the event that is found is this writer's own.
   * @param wakeAt present exactly when the event leaves the stream unfinished
   */
  append(event: CancellationEvent, wakeAt?: Timestamp): Promise<Appended>;
  /** The number of parts that the wake-ups are spread over. */
  readonly shards: number;
  /**
   * Wake-ups of a shard, the longest due first, at most `limit`; eventually consistent, because the index is.
   * @param isDone leaves out wake-ups that the caller is done with: any number of them, like any number of malformed
   * ones, hides no other (but for a bound, which `isCut` shows)
   */
  wakeUps(shard: number, limit: number, isDone: (wakeUp: WakeUp) => boolean): Promise<WakeUps>;
  /**
   * @param polledAt for a move that a poll makes before it reads the job: the poll is counted
   * @returns whether the wake-up was still as given: only one of two reconcilers moves it
   */
  moveWakeUp(wakeUp: WakeUp, to: Timestamp, polledAt?: Timestamp): Promise<boolean>;
  /** Removes a wake-up if it is still as given. */
  removeWakeUp(wakeUp: WakeUp): Promise<void>;
  recordJoined(record: JoinedRecord): Promise<void>;
  recordRefused(record: RefusedRecord): Promise<void>;
}

/** The Plangrep projects whose jobs are a partner's. `any`: every job of the organization, which has one partner. */
export type PartnerAccess =
  | { readonly kind: 'any' }
  | { readonly kind: 'projects'; readonly projects: readonly ProjectId[] };

export interface Partners {
  /** What the partner's record says, at most 60 s old; no projects when there is no record. */
  accessOf(partnerId: PartnerId): Promise<PartnerAccess>;
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

/**
 * Plangrep's jobs API (docs.plangrep.com, API reference, Jobs). Never throws for what Plangrep does. Each call has one
 * total deadline of 5 s, or `untilMs` (milliseconds since 1970) if that is sooner.
 */
export interface Plangrep {
  cancel(jobId: JobId, untilMs: number): Promise<CancelAnswer>;
  read(jobId: JobId, untilMs: number): Promise<ReadAnswer>;
  list(projectId: ProjectId, untilMs: number): Promise<ListAnswer>;
}
