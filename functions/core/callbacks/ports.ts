import type { CancellationEvent, RefusedRecord } from '../cancellation/events.ts';
import type { NamedCancellation } from '../cancellation/state.ts';
import type { StreamName } from '../cancellation/stream-key.ts';
import type { ExternalId, PartnerId, Timestamp } from '../identifiers.ts';
import type { Clock } from '../ports.ts';
import type { Report } from '../report.ts';
import type { CallbackRecord, CallFailure, PauseReason } from './callback-record.ts';
import type { CallbackMessage, Subject } from './callback-message.ts';
import type { SlowEndpoints } from './slow-endpoints.ts';

/** What the delivery of callbacks needs from outside. As in the other ports, expected ends are values. */
export interface CallbackPorts {
  readonly log: CallbackLog;
  readonly endpoints: CallbackEndpoints;
  readonly queue: CallbackQueue;
  readonly post: PostCallback;
  /** The body of a callback, in JSON. */
  readonly present: (
    notice: NamedNotice | { readonly kind: 'test'; readonly at: Timestamp; readonly id: string },
  ) => string;
  /** The `whsec_…` of a partner and version. @throws DependencyUnavailable */
  readonly secretOf: (partnerId: PartnerId, version: number) => Promise<string>;
  readonly slowEndpoints: SlowEndpoints;
  readonly clock: Pick<Clock, 'now' | 'random' | 'sleep'>;
  readonly report: Report;
}

/** What a partner is told, as of the record of the log that it tells of. */
export type NamedNotice =
  | { readonly kind: 'closed' | 'escalated'; readonly at: Timestamp; readonly state: NamedCancellation }
  | {
      readonly kind: 'refused';
      readonly at: Timestamp;
      readonly refusal: RefusedRecord & { readonly externalId: ExternalId };
    };

/** Where a partner's callbacks go, and by which secrets they are signed. */
export interface CallbackEndpoint {
  readonly url: string;
  /** Of the secret that signs: 1, 2, 3 … */
  readonly version: number;
  /** Until then the version before signs too. */
  readonly previousUntil?: Timestamp | undefined;
  readonly pausedWhy?: PauseReason | undefined;
}

/** How a test of an endpoint ended. */
export interface TestResult {
  readonly id: string;
  readonly at: Timestamp;
  readonly isDelivered: boolean;
  readonly why?: CallbackRecord['why'];
  readonly httpStatus?: number | undefined;
}

export interface CallbackEndpoints {
  /** Strongly consistent: a pause counts at once. @returns undefined for a partner without one @throws DependencyUnavailable */
  read(partnerId: PartnerId): Promise<CallbackEndpoint | undefined>;
  /** Pauses the partner's callbacks, unless the endpoint is another one by now. @throws DependencyUnavailable */
  pause(partnerId: PartnerId, url: string, at: Timestamp): Promise<void>;
  /** Keeps the result of the newest test. @throws DependencyUnavailable */
  keepTest(partnerId: PartnerId, result: TestResult): Promise<void>;
}

/** An attempt on record, and whether the wake-up index has it. */
export interface StoredCallback extends CallbackRecord {
  readonly isIndexed: boolean;
}

/** Where the wake-up index has an attempt: in `due` until the next attempt, in `kept` until a replay. */
export type CallbackPlace = { readonly kind: 'due'; readonly at: Timestamp } | { readonly kind: 'kept' };

/** A delivery whose next attempt is due, as the index has it. */
export interface DueCallback {
  readonly subject: Subject;
  readonly partition: string;
  readonly key: string;
  readonly wakeAt: Timestamp;
}

/** The log as the delivery of callbacks sees it. Every method throws `DependencyUnavailable`. */
export interface CallbackLog {
  /** A cancellation's events and the attempts to tell of them, in their order; strongly consistent. */
  readJob(
    name: StreamName,
  ): Promise<{ readonly events: readonly CancellationEvent[]; readonly callbacks: readonly StoredCallback[] }>;
  /** A refused request and the attempts to tell of it; strongly consistent. */
  readRefusal(
    subject: Extract<Subject, { kind: 'refusal' }>,
  ): Promise<{ readonly refusal: RefusedRecord | undefined; readonly callbacks: readonly StoredCallback[] }>;
  /** @returns whether its number was free: another deliverer has recorded an attempt otherwise */
  append(record: CallbackRecord, place?: CallbackPlace): Promise<boolean>;
  /** Takes an attempt out of the index. */
  unindex(record: CallbackRecord): Promise<void>;
  /** The number of parts that due attempts are spread over. */
  readonly shards: number;
  /** What is due in a part of the index, the longest due first, at most `limit`; eventually consistent. */
  due(shard: number, now: Timestamp, limit: number): Promise<readonly DueCallback[]>;
  /** @returns whether it was still as given: only one of two runs moves it */
  postpone(due: DueCallback, to: Timestamp): Promise<boolean>;
}

/** Brings a message to the function that delivers. Nothing is lost with a message of an attempt that is on record. */
export interface CallbackQueue {
  /** @throws DependencyUnavailable */
  send(message: CallbackMessage): Promise<void>;
}

export interface CallbackRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
export type CallbackAnswer =
  | { readonly kind: 'answered'; readonly httpStatus: number; readonly retryAfterMs?: number | undefined }
  | { readonly kind: 'failed'; readonly why: CallFailure };

/** Posts to a partner's endpoint: at most 10 s, public addresses only, no redirect followed. Never throws for what the endpoint does. */
export type PostCallback = (request: CallbackRequest) => Promise<CallbackAnswer>;
